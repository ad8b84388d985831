/// Bytes as two hexadecimal digits each.
enum HexText {
  static func value(of digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// The byte that two digits stand for, or `nil` for anything but two digits.
  static func byte(_ digits: ArraySlice<UInt8>) -> UInt8? {
    guard digits.count == 2, let high = self.value(of: digits[digits.startIndex]), let low = self.value(of: digits[digits.startIndex + 1])
    else { return nil }
    return high << 4 | low
  }

  /// `\c3` for a byte, as both RFC 4515 and RFC 4514 write it.
  static func escaped(_ byte: UInt8) -> String {
    let digits = Array("0123456789abcdef")
    return "\\\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
  }
}

/// Which bytes stand for themselves in a value, in filters and in distinguished names alike.
///
/// Both grammars allow more. What is not needed is escaped all the same, so that nobody has to know on which of the
/// characters two servers, or two versions of one, disagree.
enum PlainByte {
  static func contains(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "@"): true
    default: false
    }
  }
}
