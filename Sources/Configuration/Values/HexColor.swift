import SallyportStrictYAML

/// A colour as style sheets write it: `#1f5fbf`.
public struct HexColor: Sendable, Equatable {
  public let red: UInt8
  public let green: UInt8
  public let blue: UInt8

  init(parsing text: String) throws(ValueFault) {
    let digits = text.utf8.dropFirst()
    guard text.utf8.first == UInt8(ascii: "#"), digits.count == 6, digits.allSatisfy(Self.isDigit),
      let number = UInt32(text.dropFirst(), radix: 16)
    else { throw ValueFault("is no colour", "write `#` and six hexadecimal digits, in quotes: \"#1f5fbf\"") }
    self.red = UInt8(number >> 16)
    self.green = UInt8(number >> 8 & 0xFF)
    self.blue = UInt8(number & 0xFF)
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): true
    default: false
    }
  }
}
