/// Writes JSON text (RFC 8259): no blanks, the keys of objects in the order of their bytes, so that one value has one text.
public enum JSONWriter {
  public static func write(_ value: JSONValue) -> [UInt8] {
    var text: [UInt8] = []
    self.append(value, to: &text)
    return text
  }

  private static func append(_ value: JSONValue, to text: inout [UInt8]) {
    switch value {
    case .null: text += Array("null".utf8)
    case .bool(let value): text += Array((value ? "true" : "false").utf8)
    case .integer(let value): text += Array("\(value)".utf8)
    // JSON has no word for what is not finite.
    case .number(let value): text += Array((value.isFinite ? "\(value)" : "null").utf8)
    case .string(let value): self.append(value, to: &text)
    case .array(let values):
      text.append(UInt8(ascii: "["))
      for (index, value) in values.enumerated() {
        if index > 0 { text.append(UInt8(ascii: ",")) }
        self.append(value, to: &text)
      }
      text.append(UInt8(ascii: "]"))
    case .object(let members):
      text.append(UInt8(ascii: "{"))
      let keys = members.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      for (index, key) in keys.enumerated() {
        if index > 0 { text.append(UInt8(ascii: ",")) }
        self.append(key, to: &text)
        text.append(UInt8(ascii: ":"))
        self.append(members[key] ?? .null, to: &text)
      }
      text.append(UInt8(ascii: "}"))
    }
  }

  private static func append(_ string: String, to text: inout [UInt8]) {
    text.append(UInt8(ascii: "\""))
    for byte in string.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
      case 0..<0x20, 0x7F: text += Array(#"\u00"#.utf8) + [self.digits[Int(byte >> 4)], self.digits[Int(byte & 15)]]
      default: text.append(byte)
      }
    }
    text.append(UInt8(ascii: "\""))
  }

  private static let digits = Array("0123456789abcdef".utf8)
}
