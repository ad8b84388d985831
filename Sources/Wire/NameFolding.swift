/// How names of header fields and cookies look to servers that know them as variables (CGI and what came after it: WSGI, Rack,
/// PHP): letter case is lost, and every byte that is neither letter nor digit is the same.
public enum NameFolding {
  /// What every byte becomes that is neither letter nor digit.
  public static let separator = UInt8(ascii: "-")

  /// Letters in lower case, digits as they are, ``separator`` for everything else.
  public static func fold(_ byte: UInt8) -> UInt8 {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
    default: self.separator
    }
  }

  /// Whether a name's words are separated by ``separator`` alone, as the standards spell them.
  public static func isSpelledAsDefined(_ name: some Sequence<UInt8>) -> Bool {
    name.allSatisfy { $0 == self.separator || self.fold($0) != self.separator }
  }
}
