/// Base64url without padding (RFC 4648 section 5, RFC 7515 section 2): one spelling for each sequence of bytes.
public enum Base64URL {
  /// Decodes strictly: no padding, no blank, no character of the other alphabet, and unused bits that are zero. Two texts
  /// never decode to the same bytes, so that a token cannot be spelled in two ways.
  ///
  /// - Returns: `nil` for what is not base64url
  public static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count * 3 / 4)
    var bits: UInt32 = 0
    var bitCount: UInt32 = 0
    for character in text {
      let digit = self.digits[Int(character)]
      guard digit < 64 else { return nil }
      bits = bits << 6 | UInt32(digit)
      bitCount += 6
      if bitCount >= 8 {
        bitCount -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> bitCount))
        bits &= 1 << bitCount - 1
      }
    }
    return bits == 0 && bitCount < 6 ? bytes : nil
  }

  public static func encode(_ bytes: some Collection<UInt8>) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count * 4 + 2) / 3)
    var bits: UInt32 = 0
    var bitCount: UInt32 = 0
    for byte in bytes {
      bits = bits << 8 | UInt32(byte)
      bitCount += 8
      while bitCount >= 6 {
        bitCount -= 6
        text.append(self.alphabet[Int(bits >> bitCount & 63)])
      }
      bits &= 1 << bitCount - 1
    }
    if bitCount > 0 { text.append(self.alphabet[Int(bits << (6 - bitCount) & 63)]) }
    return String(decoding: text, as: UTF8.self)
  }

  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  private static let digits: [UInt8] = {
    var digits = [UInt8](repeating: 255, count: 256)
    for (value, character) in Self.alphabet.enumerated() { digits[Int(character)] = UInt8(value) }
    return digits
  }()
}
