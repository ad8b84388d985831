#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// What joins the records of one request, here and in the API server's own log: a random UUID (RFC 9562 version 4).
///
/// It is always made here and sent upstream in `Audit-ID`; a client's own is only ever an annotation.
public struct AuditID: Sendable, Hashable, CustomStringConvertible {
  private let high: UInt64
  private let low: UInt64

  /// A new identifier; costs two system calls, which ``AuditIDSource`` saves.
  public init() {
    var generator = SystemRandomNumberGenerator()
    self.init(using: &generator)
  }

  public init(using generator: inout some RandomNumberGenerator) {
    self.high = generator.next() & ~0xF000 | 0x4000
    self.low = generator.next() & ~(0b11 << 62) | 0b10 << 62
  }

  /// 36 characters in lower case: `xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx`.
  public var description: String {
    var line = LineBytes()
    self.write(to: &line)
    return line.withBytes { String(decoding: $0, as: UTF8.self) }
  }

  func write(to line: inout LineBytes) {
    line.write(count: 36) { bytes in
      bytes.setHexadecimal(self.high >> 32, digits: 8, at: 0)
      bytes.setHexadecimal(self.high >> 16, digits: 4, at: 9)
      bytes.setHexadecimal(self.high, digits: 4, at: 14)
      bytes.setHexadecimal(self.low >> 48, digits: 4, at: 19)
      bytes.setHexadecimal(self.low, digits: 12, at: 24)
      for hyphen in [8, 13, 18, 23] { bytes[hyphen] = UInt8(ascii: "-") }
    }
  }
}

/// Makes identifiers for one event loop, with random numbers from the system that are fetched sixteen identifiers' worth
/// at a time: a system call for each would be a large part of what a record costs. It cannot be copied, because a copy
/// would make the same identifiers again.
public struct AuditIDSource: ~Copyable, Sendable {
  private var pool = EntropyPool()

  public init() {}

  public mutating func next() -> AuditID { AuditID(using: &self.pool) }
}

/// Random numbers from the system, 256 bytes at a time, which is the most that getentropy(3) gives.
struct EntropyPool: RandomNumberGenerator, Sendable {
  private var words = [UInt64](repeating: 0, count: 32)
  private var used = 32

  mutating func next() -> UInt64 {
    if self.used == self.words.count { self.fill() }
    defer { self.used += 1 }
    return self.words[self.used]
  }

  private mutating func fill() {
    let isFilled = self.words.withUnsafeMutableBytes { getentropy($0.baseAddress!, $0.count) == 0 }  // 32 words: never empty
    if !isFilled {
      // A system without getentropy; Swift's own generator ends the process rather than be without random numbers.
      var generator = SystemRandomNumberGenerator()
      for index in self.words.indices { self.words[index] = generator.next() }
    }
    self.used = 0
  }
}

extension UnsafeMutableRawBufferPointer {
  /// Writes the lowest digits of a number.
  fileprivate func setHexadecimal(_ value: UInt64, digits: Int, at offset: Int) {
    var rest = value
    for position in stride(from: offset + digits - 1, through: offset, by: -1) {
      self[position] = Hexadecimal.digit(UInt8(truncatingIfNeeded: rest & 0xF))
      rest >>= 4
    }
  }
}
