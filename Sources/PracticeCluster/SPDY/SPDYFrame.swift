import NIOCore

/// A frame of SPDY/3.1 (draft-mbelshe-httpbis-spdy-00 section 2), its header block still packed.
enum SPDYFrame: Equatable {
  case synStream(UInt32, flags: UInt8, block: ByteBuffer)
  case synReply(UInt32, flags: UInt8, block: ByteBuffer)
  case rstStream(UInt32, status: UInt32)
  case settings
  case ping(UInt32)
  case goAway(lastStream: UInt32)
  case headers(UInt32, flags: UInt8, block: ByteBuffer)
  case windowUpdate(UInt32, delta: UInt32)
  /// A kind that nobody has to know.
  case unknown(UInt16)
  /// Bytes of a stream; a long frame comes in several of these.
  case data(UInt32, ByteBuffer, isLast: Bool)

  static let isFinal: UInt8 = 1
  static let isUnidirectional: UInt8 = 2
}

/// Why a stream is refused or given up (section 2.6.3).
enum SPDYStatus: UInt32 {
  case protocolError = 1
  case refusedStream = 3
  case cancel = 5
}

/// Reads frames, however they are cut into pieces.
struct SPDYFrameReader {
  /// The longest control frame, in bytes.
  static let controlLimit = 64 * 1024

  private struct Data {
    let stream: UInt32
    var remaining: Int
    let isLast: Bool
  }

  private var unread = ByteBuffer()
  private var data: Data?

  mutating func append(_ bytes: ByteBuffer) {
    var bytes = bytes
    if self.unread.readableBytes == 0 { self.unread = bytes } else { self.unread.writeBuffer(&bytes) }
  }

  /// - Returns: `nil` where more bytes are needed
  /// - Throws: for what is no frame of version 3; the connection is of no more use then
  mutating func next() throws(StreamFault) -> SPDYFrame? {
    if let data = self.data { return self.more(of: data) }
    var rest = self.unread
    guard let word = rest.readInteger(as: UInt32.self), let flagsAndLength = rest.readInteger(as: UInt32.self) else {
      self.unread.discardReadBytes()
      return nil
    }
    let flags = UInt8(flagsAndLength >> 24)
    let length = Int(flagsAndLength & 0xFF_FFFF)
    guard word & 0x8000_0000 != 0 else {
      self.unread = rest
      let isLast = flags & SPDYFrame.isFinal != 0
      guard length > 0 else { return .data(word, ByteBuffer(), isLast: isLast) }
      let data = Data(stream: word, remaining: length, isLast: isLast)
      self.data = data
      return self.more(of: data)
    }
    guard word >> 16 == 0x8003 else { throw StreamFault("a frame of another version than 3") }
    guard length <= Self.controlLimit else { throw StreamFault("a control frame that is too long") }
    guard let content = rest.readSlice(length: length) else {
      self.unread.discardReadBytes()
      return nil
    }
    self.unread = rest
    return try Self.control(kind: UInt16(truncatingIfNeeded: word), flags: flags, content)
  }

  private mutating func more(of data: Data) -> SPDYFrame? {
    let length = min(data.remaining, self.unread.readableBytes)
    guard length > 0, let bytes = self.unread.readSlice(length: length) else { return nil }
    let remaining = data.remaining - length
    self.data = remaining > 0 ? Data(stream: data.stream, remaining: remaining, isLast: data.isLast) : nil
    return .data(data.stream, bytes, isLast: data.isLast && remaining == 0)
  }

  private static func control(kind: UInt16, flags: UInt8, _ content: ByteBuffer) throws(StreamFault) -> SPDYFrame {
    var content = content
    func word() throws(StreamFault) -> UInt32 {
      guard let word = content.readInteger(as: UInt32.self) else { throw StreamFault("a control frame that ends early") }
      return word
    }
    func stream() throws(StreamFault) -> UInt32 { try word() & 0x7FFF_FFFF }
    switch kind {
    case 1:
      let id = try stream()
      _ = try word()  // the associated stream
      guard content.readInteger(as: UInt16.self) != nil else { throw StreamFault("a control frame that ends early") }
      return .synStream(id, flags: flags, block: content)
    case 2: return .synReply(try stream(), flags: flags, block: content)
    case 3: return .rstStream(try stream(), status: try word())
    case 4: return .settings
    case 6: return .ping(try word())
    case 7: return .goAway(lastStream: try stream())
    case 8: return .headers(try stream(), flags: flags, block: content)
    case 9: return .windowUpdate(try stream(), delta: try stream())
    default: return .unknown(kind)
    }
  }
}

/// Writes frames.
enum SPDYFrameWriter {
  static func data(_ stream: UInt32, _ bytes: ByteBuffer, isLast: Bool) -> [ByteBuffer] {
    var head = ByteBuffer()
    head.writeMultipleIntegers(stream, UInt32(isLast ? SPDYFrame.isFinal : 0) << 24 | UInt32(bytes.readableBytes))
    return bytes.readableBytes == 0 ? [head] : [head, bytes]
  }

  static func synStream(_ stream: UInt32, flags: UInt8 = 0, block: ByteBuffer) -> ByteBuffer {
    self.control(1, flags: flags, length: 10 + block.readableBytes) { frame in
      frame.writeMultipleIntegers(stream, UInt32(0), UInt16(0))
      frame.writeImmutableBuffer(block)
    }
  }

  static func synReply(_ stream: UInt32, block: ByteBuffer) -> ByteBuffer {
    self.control(2, length: 4 + block.readableBytes) { frame in
      frame.writeInteger(stream)
      frame.writeImmutableBuffer(block)
    }
  }

  static func rstStream(_ stream: UInt32, _ status: SPDYStatus) -> ByteBuffer {
    self.control(3, length: 8) { $0.writeMultipleIntegers(stream, status.rawValue) }
  }

  static func ping(_ id: UInt32) -> ByteBuffer {
    self.control(6, length: 4) { $0.writeInteger(id) }
  }

  static func goAway(lastStream: UInt32) -> ByteBuffer {
    self.control(7, length: 8) { $0.writeMultipleIntegers(lastStream, UInt32(0)) }
  }

  private static func control(_ kind: UInt16, flags: UInt8 = 0, length: Int, _ write: (inout ByteBuffer) -> Void) -> ByteBuffer {
    var frame = ByteBuffer()
    frame.writeMultipleIntegers(UInt16(0x8003), kind, UInt32(flags) << 24 | UInt32(length))
    write(&frame)
    return frame
  }
}
