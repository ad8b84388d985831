public import NIOCore

/// What joins the records of one request, here and in the API server's own log: a random UUID (RFC 9562 version 4).
///
/// It is always made here and sent upstream in `Audit-ID`; a client's own is only ever an annotation.
public struct AuditID: Sendable, Hashable, CustomStringConvertible {
  private let high: UInt64
  private let low: UInt64

  /// A new identifier from the system's random numbers.
  public init() {
    var generator = SystemRandomNumberGenerator()
    self.init(using: &generator)
  }

  /// A new identifier from a generator that the caller has, for example one that fetches many numbers at once.
  public init(using generator: inout some RandomNumberGenerator) {
    self.high = generator.next() & ~0xF000 | 0x4000
    self.low = generator.next() & ~(0b11 << 62) | 0b10 << 62
  }

  /// Writes the 36 characters `xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx` in lower case.
  public func write(to buffer: inout ByteBuffer) {
    buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 36) { bytes in
      var offset = 0
      for (index, word) in [self.high, self.low].enumerated() {
        for nibble in 0..<16 {
          if nibble == 8 && index == 0 || nibble == 12 && index == 0 || nibble == 0 && index == 1 || nibble == 4 && index == 1 {
            bytes[offset] = UInt8(ascii: "-")
            offset += 1
          }
          bytes[offset] = Hexadecimal.digit(UInt8(truncatingIfNeeded: word >> UInt64(60 - nibble * 4) & 0xF))
          offset += 1
        }
      }
      return offset
    }
  }

  public var description: String {
    var buffer = ByteBuffer()
    self.write(to: &buffer)
    return String(buffer: buffer)
  }
}
