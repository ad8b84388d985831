import NIOCore

/// Reads a chunked body (RFC 9112 section 7.1), strictly.
///
/// ```
/// chunk        = 1*HEXDIG CRLF chunk-data CRLF
/// last-chunk   = 1*"0" CRLF
/// ```
/// Chunk extensions, which the RFC has between size and CRLF, are refused. Nobody uses them, nothing may depend on them
/// when they cross a proxy, and their lax reading (a bare `;`, a lone LF inside) has let requests be smuggled past
/// several servers (CVE-2025-55315 of Kestrel, CVE-2025-58056 of Netty).
struct ChunkReader {
  private enum State {
    case size
    case data(remaining: UInt64)
    case endOfData
    case trailers
  }

  /// Fifteen digits stay below 2^60, so that no sum with a size can overflow.
  private static let maximumDigits = 15

  private let limits: MessageLimits
  private var state = State.size
  private var trailers: TrailerSection

  init(limits: MessageLimits) {
    self.limits = limits
    self.trailers = TrailerSection(limits: limits)
  }

  mutating func next(in unread: inout UnreadBytes) throws(MalformedMessage) -> BodyPart? {
    while true {
      switch self.state {
      case .size:
        guard let (size, length) = try Self.sizeLine(unread.buffer) else { return nil }
        unread.skip(length)
        self.state = size == 0 ? .trailers : .data(remaining: size)
      case .data(let remaining):
        guard !unread.isEmpty else { return nil }
        let length = Int(min(remaining, UInt64(unread.count)))
        let left = remaining - UInt64(length)
        self.state = left == 0 ? .endOfData : .data(remaining: left)
        return .bytes(unread.read(length))
      case .endOfData:
        guard try Self.startsWithLineEnd(unread.buffer) else { return nil }
        unread.skip(2)
        self.state = .size
      case .trailers:
        return try self.trailers.next(in: &unread).map { .end(trailers: $0) }
      }
    }
  }

  /// The size in the chunk line that opens `buffer` and the line's length, or `nil` where its end has not arrived. The
  /// line has at most 17 bytes, so that reading it anew for each byte that drips in costs nothing.
  private static func sizeLine(_ buffer: ByteBuffer) throws(MalformedMessage) -> (size: UInt64, length: Int)? {
    try buffer.withUnsafeReadableBytes { bytes throws(MalformedMessage) in
      var size: UInt64 = 0
      var digits = 0
      while digits < bytes.count, let value = self.hexadecimalValue(bytes[digits]) {
        digits += 1
        guard digits <= self.maximumDigits else { throw MalformedMessage("A chunk size is too large.") }
        size = size << 4 | UInt64(value)
      }
      guard digits < bytes.count else { return nil }
      guard digits > 0 else { throw MalformedMessage("A chunk size is missing.") }
      guard bytes[digits] != UInt8(ascii: ";") else { throw MalformedMessage("A chunk has extensions.") }
      guard bytes[digits] == 0x0D else { throw MalformedMessage("A chunk size is not a hexadecimal number.") }
      guard digits + 1 < bytes.count else { return nil }
      guard bytes[digits + 1] == 0x0A else { throw .bareCarriageReturn }
      return (size, digits + 2)
    }
  }

  private static func startsWithLineEnd(_ buffer: ByteBuffer) throws(MalformedMessage) -> Bool {
    try buffer.withUnsafeReadableBytes { bytes throws(MalformedMessage) in
      if bytes.count > 0, bytes[0] != 0x0D { throw MalformedMessage("A chunk's data is not followed by CRLF.") }
      if bytes.count > 1, bytes[1] != 0x0A { throw MalformedMessage("A chunk's data is not followed by CRLF.") }
      return bytes.count > 1
    }
  }

  private static func hexadecimalValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
