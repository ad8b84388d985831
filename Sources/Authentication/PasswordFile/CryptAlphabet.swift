/// The base64 alphabets of `crypt(5)`: the same 64 characters in two orders, bcrypt's and everybody else's.
enum CryptAlphabet {
  private static let common = table("./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
  private static let bcrypt = table("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")

  static func value(of character: UInt8) -> UInt8? { self.common[Int(character)] }
  static func bcryptValue(of character: UInt8) -> UInt8? { self.bcrypt[Int(character)] }

  /// Whether the text is what an encoder of whole bytes writes: groups of four characters for three bytes, the lowest
  /// bits first, and zeros in the bits that the last group has too many.
  static func isCanonical(_ text: [UInt8]) -> Bool {
    let values = text.compactMap(self.value)
    guard values.count == text.count, let last = values.last else { return false }
    switch values.count % 4 {
    case 0: return true
    // 12 bits for 8, and 18 for 16: the last character holds two bits, and four.
    case 2: return last < 1 << 2
    case 3: return last < 1 << 4
    default: return false
    }
  }

  private static func table(_ alphabet: String) -> [UInt8?] {
    var table = [UInt8?](repeating: nil, count: 256)
    for (value, character) in alphabet.utf8.enumerated() { table[Int(character)] = UInt8(value) }
    return table
  }
}
