/// Which bytes a header field may hold.
///
/// ```
/// token         = 1*tchar
/// tchar         = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" / "~" / DIGIT / ALPHA
/// field-value   = *field-content, without leading or trailing blanks
/// field-vchar   = VCHAR / obs-text
/// ```
/// See RFC 9110 sections 5.5 and 5.6.2.
enum FieldBytes {
  private static let tokenBytes: [Bool] = (0...255).map { value in
    let byte = UInt8(value)
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): return true
    default: return "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }

  /// Whether the byte may stand in a token: a method, a field name.
  static func isTokenByte(_ byte: UInt8) -> Bool { self.tokenBytes[Int(byte)] }

  /// Whether the byte may stand in a field value: visible characters, bytes above ASCII, blank and tab.
  static func isValueByte(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7F || byte == 0x09 }

  /// Whether the bytes may be written as a field's value.
  static func isValue(_ bytes: some BidirectionalCollection<UInt8>) -> Bool {
    guard let first = bytes.first, let last = bytes.last else { return true }
    return !self.isBlank(first) && !self.isBlank(last) && bytes.allSatisfy(self.isValueByte)
  }

  static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  static func lowercased(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
  }
}
