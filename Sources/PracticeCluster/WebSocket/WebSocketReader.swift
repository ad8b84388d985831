import NIOCore

/// What a WebSocket connection said, in the order of its bytes.
///
/// Messages come in parts of any size, so that none has to be held: what arrives is passed on.
enum WebSocketPart: Equatable {
  /// A message begins.
  case begin(isText: Bool)
  /// More of the message; never empty.
  case bytes(ByteBuffer)
  /// The message is complete.
  case end
  case ping(ByteBuffer)
  case pong
  /// - Parameter code: `nil` where none was given
  case close(code: UInt16?)
}

/// What is wrong with the bytes that a peer sent.
struct StreamFault: Error, Equatable, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// Reads the frames of a WebSocket client (RFC 6455 section 5), however they are cut into pieces.
struct WebSocketReader {
  private struct Payload {
    var remaining: Int
    var key: UInt32
    /// Whether the message ends with this frame.
    var isFinal: Bool
  }

  private enum Opcode: UInt8 {
    case continuation = 0
    case text = 1
    case binary = 2
    case close = 8
    case ping = 9
    case pong = 10
  }

  private var unread = ByteBuffer()
  private var payload: Payload?
  private var isInMessage = false

  /// Reads what has arrived.
  ///
  /// - Throws: for a frame that RFC 6455 does not allow; the connection is of no more use then
  mutating func read(_ bytes: ByteBuffer) throws(StreamFault) -> [WebSocketPart] {
    var bytes = bytes
    if self.unread.readableBytes == 0 { self.unread = bytes } else { self.unread.writeBuffer(&bytes) }
    var parts: [WebSocketPart] = []
    while let part = try self.next() { parts += part }
    if self.unread.readableBytes == 0 { self.unread = ByteBuffer() } else { self.unread.discardReadBytes() }
    return parts
  }

  /// - Returns: `nil` where more bytes are needed
  private mutating func next() throws(StreamFault) -> [WebSocketPart]? {
    if self.payload == nil { return try self.nextFrame() }
    guard var payload, self.unread.readableBytes > 0 else { return nil }
    guard var bytes = self.unread.readSlice(length: min(payload.remaining, self.unread.readableBytes)) else { return nil }
    payload.key = WebSocketMask.apply(payload.key, to: &bytes)
    payload.remaining -= bytes.readableBytes
    self.payload = payload.remaining > 0 ? payload : nil
    guard payload.remaining == 0, payload.isFinal else { return [.bytes(bytes)] }
    self.isInMessage = false
    return [.bytes(bytes), .end]
  }

  private mutating func nextFrame() throws(StreamFault) -> [WebSocketPart]? {
    var rest = self.unread
    guard let first = rest.readInteger(as: UInt8.self), let second = rest.readInteger(as: UInt8.self) else { return nil }
    guard first & 0x70 == 0 else { throw StreamFault("a frame with reserved bits") }
    guard let opcode = Opcode(rawValue: first & 0x0F) else { throw StreamFault("a frame of an unknown kind") }
    guard second & 0x80 != 0 else { throw StreamFault("a client's frame without a mask") }
    let isFinal = first & 0x80 != 0
    let length: Int
    switch second & 0x7F {
    case 126:
      guard let value = rest.readInteger(as: UInt16.self) else { return nil }
      length = Int(value)
    case 127:
      guard let value = rest.readInteger(as: UInt64.self) else { return nil }
      guard let value = Int(exactly: value) else { throw StreamFault("a frame that is too long") }
      length = value
    case let value: length = Int(value)
    }
    guard let key = rest.readInteger(as: UInt32.self) else { return nil }
    switch opcode {
    case .close, .ping, .pong:
      guard isFinal, length <= 125 else { throw StreamFault("a control frame in pieces, or a long one") }
      guard var content = rest.readSlice(length: length) else { return nil }
      _ = WebSocketMask.apply(key, to: &content)
      self.unread = rest
      switch opcode {
      case .ping: return [.ping(content)]
      case .pong: return [.pong]
      default: return [.close(code: content.readInteger(as: UInt16.self))]
      }
    case .continuation, .text, .binary:
      guard (opcode == .continuation) == self.isInMessage else { throw StreamFault("a message inside of another, or the rest of none") }
      self.unread = rest
      var parts: [WebSocketPart] = opcode == .continuation ? [] : [.begin(isText: opcode == .text)]
      self.isInMessage = length > 0 || !isFinal
      if length > 0 { self.payload = Payload(remaining: length, key: key, isFinal: isFinal) } else if isFinal { parts.append(.end) }
      return parts
    }
  }
}

/// The mask that a client puts over its payloads (RFC 6455 section 5.3).
enum WebSocketMask {
  /// Takes the mask off, or puts it on.
  ///
  /// - Returns: the key for the byte behind
  static func apply(_ key: UInt32, to bytes: inout ByteBuffer) -> UInt32 {
    var key = key
    bytes.withUnsafeMutableReadableBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      var index = 0
      func single() {
        bytes[index] ^= UInt8(truncatingIfNeeded: key >> 24)
        key = key << 8 | key >> 24
        index += 1
      }
      // Byte by byte to a whole word, then in words, which is what makes it fast; then the rest.
      while index < bytes.count, (UInt(bitPattern: base) &+ UInt(index)) & 7 != 0 { single() }
      let count = (bytes.count - index) / 8
      if count > 0 {
        let mask = (UInt64(key) << 32 | UInt64(key)).bigEndian
        base.advanced(by: index).withMemoryRebound(to: UInt64.self, capacity: count) { words in
          for word in 0..<count { words[word] ^= mask }
        }
        index += count * 8
      }
      while index < bytes.count { single() }
    }
    return key
  }
}
