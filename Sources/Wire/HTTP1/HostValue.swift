/// Which values of `Host` are read.
///
/// ```
/// Host = uri-host [ ":" port ]
/// ```
/// See RFC 9110 section 7.2 and RFC 3986 section 3.2.2. Of a registered name's grammar only the characters of host names
/// and `_` and `~` are taken: percent escapes and sub-delimiters occur in no name that is served anywhere, and each of
/// them (`a,b`, `%61`) is a second reading. So are an empty host and an empty port, which the grammar has too.
enum HostValue {
  static func isValid(_ value: UnsafeRawBufferPointer) -> Bool {
    guard let first = value.first else { return false }
    return first == UInt8(ascii: "[") ? self.isBracketedWithPort(value) : self.isNameWithPort(value)
  }

  private static func isNameWithPort(_ value: UnsafeRawBufferPointer) -> Bool {
    guard let colon = value.firstIndex(of: UInt8(ascii: ":")) else { return value.allSatisfy(self.isNameByte) }
    return colon > 0 && value[..<colon].allSatisfy(self.isNameByte) && self.isPort(value[(colon + 1)...])
  }

  /// `[2001:db8::1]:6443`; what stands in the brackets is only checked for its characters.
  private static func isBracketedWithPort(_ value: UnsafeRawBufferPointer) -> Bool {
    guard let close = value.firstIndex(of: UInt8(ascii: "]")) else { return false }
    let address = value[1..<close]
    guard address.count(where: { $0 == UInt8(ascii: ":") }) >= 2, address.allSatisfy(self.isAddressByte) else { return false }
    let rest = value[(close + 1)...]
    guard let separator = rest.first else { return true }
    return separator == UInt8(ascii: ":") && self.isPort(rest.dropFirst())
  }

  private static func isPort(_ digits: Slice<UnsafeRawBufferPointer>) -> Bool {
    guard !digits.isEmpty, digits.count <= 5 else { return false }
    var port = 0
    for byte in digits {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return false }
      port = port * 10 + Int(byte - UInt8(ascii: "0"))
    }
    return port <= 65535
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): true
    default: false
    }
  }

  private static func isAddressByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: ":"), UInt8(ascii: "."): true
    default: false
    }
  }
}
