import NIOCore

/// Reads replies (RESP2, redis.io/docs/reference/protocol-spec) as their bytes arrive. Whatever a server may not send, and
/// whatever is larger than an answer that was asked for, is a fault: nothing behind it can be told apart any more.
struct RESPReader {
  struct Fault: Error, Equatable { let reason: String }

  /// The longest line, in bytes: a kind, a number or a message.
  static let longestLine = 1024
  /// The largest value, in bytes.
  static let largestValue = 1 << 20
  static let longestList = 4096
  static let deepestList = 4

  private var buffer = ByteBuffer()

  mutating func append(_ bytes: ByteBuffer) {
    var bytes = bytes
    self.buffer.discardReadBytes()
    self.buffer.writeBuffer(&bytes)
  }

  /// The next reply; `nil` as long as it is not there whole.
  mutating func next() throws(Fault) -> RESPValue? {
    var rest = self.buffer
    guard let value = try Self.read(&rest, depth: 0) else { return nil }
    self.buffer = rest
    return value
  }

  private static func read(_ buffer: inout ByteBuffer, depth: Int) throws(Fault) -> RESPValue? {
    guard let line = try self.line(&buffer) else { return nil }
    let text = line.dropFirst()
    switch line.first {
    case UInt8(ascii: "+"): return .text(String(decoding: text, as: UTF8.self))
    case UInt8(ascii: "-"): return .error(String(decoding: text, as: UTF8.self))
    case UInt8(ascii: ":"): return .integer(try self.number(text))
    case UInt8(ascii: "$"):
      guard let count = try self.count(text, most: self.largestValue) else { return .bytes(nil) }
      guard buffer.readableBytes >= count + 2 else { return nil }
      let bytes = buffer.readBytes(length: count)
      guard buffer.readBytes(length: 2) == [13, 10] else { throw Fault(reason: "a value does not end where it said") }
      return .bytes(bytes)
    case UInt8(ascii: "*"):
      guard let count = try self.count(text, most: self.longestList) else { return .list(nil) }
      guard depth < self.deepestList else { throw Fault(reason: "lists in lists in lists") }
      var values: [RESPValue] = []
      for _ in 0..<count {
        guard let value = try self.read(&buffer, depth: depth + 1) else { return nil }
        values.append(value)
      }
      return .list(values)
    default: throw Fault(reason: "a reply of no known kind")
    }
  }

  /// A line without its end.
  private static func line(_ buffer: inout ByteBuffer) throws(Fault) -> [UInt8]? {
    let bytes = buffer.readableBytesView
    guard let end = bytes.prefix(self.longestLine + 2).firstIndex(of: 13) else {
      guard bytes.count <= self.longestLine else { throw Fault(reason: "a line is longer than \(self.longestLine) bytes") }
      return nil
    }
    guard end + 1 < bytes.endIndex else { return nil }
    guard bytes[end + 1] == 10 else { throw Fault(reason: "a line has a CR without LF") }
    let line = Array(bytes[..<end])
    buffer.moveReaderIndex(forwardBy: line.count + 2)
    return line
  }

  private static func number(_ digits: ArraySlice<UInt8>) throws(Fault) -> Int64 {
    // Int64 takes a plus sign too, which no server sends.
    guard digits.first != UInt8(ascii: "+"), let number = Int64(String(decoding: digits, as: UTF8.self)) else {
      throw Fault(reason: "a number that is none")
    }
    return number
  }

  /// - Returns: `nil` for -1, which is what is not there
  private static func count(_ digits: ArraySlice<UInt8>, most: Int) throws(Fault) -> Int? {
    let number = try self.number(digits)
    if number == -1 { return nil }
    guard number >= 0, number <= most else { throw Fault(reason: "a length that no reply has") }
    return Int(number)
  }
}
