import Crypto

/// A link of the chain: the SHA-256 (FIPS 180-4) over the link before and a record.
///
/// What is hashed is the 32 bytes of the link before, then the record's line up to and not including the comma in front of
/// its `sallyport.dev/chain` annotation, which is always the last of the line.
package struct ChainValue: Sendable, Hashable, CustomStringConvertible {
  private let words: (UInt64, UInt64, UInt64, UInt64)

  /// What stands before the first record of a log: 32 bytes of zero.
  package static let none = ChainValue(words: (0, 0, 0, 0))
  /// How many digits the hexadecimal form has.
  package static let digits = 64

  private init(words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

  /// The link behind this one.
  ///
  /// - Parameter body: the record's line up to its `sallyport.dev/chain` annotation
  package func next(_ body: UnsafeRawBufferPointer) -> ChainValue {
    var hash = SHA256()
    withUnsafeBytes(of: self.words) { hash.update(bufferPointer: $0) }
    hash.update(bufferPointer: body)
    return hash.finalize().withUnsafeBytes { ChainValue(words: $0.loadUnaligned(as: (UInt64, UInt64, UInt64, UInt64).self)) }
  }

  /// Reads the hexadecimal form: 64 digits in lower case and nothing else.
  package init?(hexadecimal text: UnsafeRawBufferPointer) {
    guard text.count == Self.digits else { return nil }
    var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    let isValid = withUnsafeMutableBytes(of: &words) { bytes in
      for index in 0..<32 {
        guard let high = Self.value(text[index * 2]), let low = Self.value(text[index * 2 + 1]) else { return false }
        bytes[index] = high << 4 | low
      }
      return true
    }
    guard isValid else { return nil }
    self.words = words
  }

  package init?(_ text: some StringProtocol) {
    let value = Array(text.utf8).withUnsafeBytes { ChainValue(hexadecimal: $0) }
    guard let value else { return nil }
    self = value
  }

  /// In one case only: a line in which a digit was changed to the other case would be another line with the same link.
  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "A")...UInt8(ascii: "F"): nil
    default: Hexadecimal.value(digit)
    }
  }

  /// Sets the 64 digits at the beginning of `place`.
  @inline(__always)
  func write(to place: UnsafeMutableRawBufferPointer) {
    withUnsafeBytes(of: self.words) { bytes in
      for index in 0..<32 {
        let byte = bytes[index]
        place[index &* 2] = Hexadecimal.digit(byte >> 4)
        place[index &* 2 &+ 1] = Hexadecimal.digit(byte & 0xF)
      }
    }
  }

  /// The 32 bytes.
  package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try withUnsafeBytes(of: self.words, body)
  }

  package var description: String {
    String(unsafeUninitializedCapacity: Self.digits) { place in
      self.write(to: UnsafeMutableRawBufferPointer(place))
      return Self.digits
    }
  }

  package static func == (left: ChainValue, right: ChainValue) -> Bool { left.words == right.words }

  package func hash(into hasher: inout Hasher) { hasher.combine(self.words.0) }
}
