/// The first message of a TLS client, as far as it concerns the door: whether it is one, and for which host.
///
/// ```
/// struct { ContentType type; ProtocolVersion version; uint16 length; } record header       (RFC 8446 section 5.1)
/// struct { uint8 type; uint24 length; } handshake header                                  (section 4)
/// struct { ProtocolVersion; Random[32]; opaque session<0..32>; CipherSuite<2..2^16-2>;
///          opaque compression<1..2^8-1>; Extension extensions<8..2^16-1>; } ClientHello    (section 4.1.2)
/// ```
/// Nothing is judged here; the TLS library reads the same bytes and refuses what is wrong with them.
enum ClientHello {
  enum Reading: Equatable {
    /// More bytes are needed.
    case incomplete
    /// No TLS record.
    case notTLS
    /// A handshake begins, for this host (SNI, RFC 6066 section 3) in lower case, if the client names one.
    case hello(serverName: String?)
  }

  /// A message that is longer than a full record is left to the library.
  private static let mostBytes = 16 * 1024 + 512

  static func read(_ bytes: some RandomAccessCollection<UInt8>) -> Reading {
    guard let type = bytes.first else { return .incomplete }
    guard type == 22 else { return .notTLS }
    guard bytes.count > 1 else { return .incomplete }
    guard bytes[bytes.index(after: bytes.startIndex)] == 3 else { return .notTLS }

    // The message may be spread over several records.
    var message: [UInt8] = []
    var rest = bytes[...]
    while true {
      guard rest.count >= 5 else { return self.unfinished(bytes.count) }
      let header = Array(rest.prefix(5))
      guard header[0] == 22 else { return .hello(serverName: nil) }
      let length = Int(header[3]) << 8 | Int(header[4])
      rest = rest.dropFirst(5)
      message.append(contentsOf: rest.prefix(length))
      if let needed = self.length(of: message), message.count >= needed {
        return .hello(serverName: self.serverName(in: message[4..<needed]))
      }
      guard rest.count >= length, length > 0 else { return self.unfinished(bytes.count) }
      rest = rest.dropFirst(length)
    }
  }

  private static func unfinished(_ count: Int) -> Reading { count < self.mostBytes ? .incomplete : .hello(serverName: nil) }

  /// The length of the handshake message with its header.
  private static func length(of message: [UInt8]) -> Int? {
    guard message.count >= 4 else { return nil }
    return 4 + (Int(message[1]) << 16 | Int(message[2]) << 8 | Int(message[3]))
  }

  private static func serverName(in hello: ArraySlice<UInt8>) -> String? {
    var hello = Cursor(hello)
    guard hello.skip(34), hello.take(lengthBytes: 1) != nil, hello.take(lengthBytes: 2) != nil, hello.take(lengthBytes: 1) != nil,
      let block = hello.take(lengthBytes: 2)
    else { return nil }
    var extensions = Cursor(block)
    while let type = extensions.integer(bytes: 2), let body = extensions.take(lengthBytes: 2) {
      guard type == 0 else { continue }
      var list = Cursor(body)
      guard let names = list.take(lengthBytes: 2) else { return nil }
      var entries = Cursor(names)
      guard entries.integer(bytes: 1) == 0, let name = entries.take(lengthBytes: 2) else { return nil }
      return self.hostName(name)
    }
    return nil
  }

  private static func hostName(_ bytes: ArraySlice<UInt8>) -> String? {
    let isHostByte: (UInt8) -> Bool = { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
      case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
      default: false
      }
    }
    guard !bytes.isEmpty, bytes.count <= 255, bytes.allSatisfy(isHostByte) else { return nil }
    return String(decoding: bytes, as: UTF8.self).lowercased()
  }

  /// Reads numbers and vectors off the front of bytes.
  private struct Cursor {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { self.rest = bytes }

    mutating func skip(_ count: Int) -> Bool {
      guard self.rest.count >= count else { return false }
      self.rest = self.rest.dropFirst(count)
      return true
    }

    mutating func integer(bytes count: Int) -> Int? {
      guard self.rest.count >= count else { return nil }
      defer { self.rest = self.rest.dropFirst(count) }
      return self.rest.prefix(count).reduce(0) { $0 << 8 | Int($1) }
    }

    mutating func take(lengthBytes: Int) -> ArraySlice<UInt8>? {
      guard let length = self.integer(bytes: lengthBytes), self.rest.count >= length else { return nil }
      defer { self.rest = self.rest.dropFirst(length) }
      return self.rest.prefix(length)
    }
  }
}
