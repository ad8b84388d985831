extension JSON {
  /// The value as compact JSON text. `kind`, `apiVersion` and `metadata` come first as Kubernetes writes them, the other
  /// keys in alphabetical order, so that the same value is always the same text.
  var bytes: [UInt8] {
    var text: [UInt8] = []
    self.write(to: &text)
    return text
  }

  var text: String { String(decoding: self.bytes, as: UTF8.self) }

  func write(to text: inout [UInt8]) {
    switch self {
    case .null: text.append(contentsOf: "null".utf8)
    case .bool(let value): text.append(contentsOf: (value ? "true" : "false").utf8)
    case .integer(let value): text.append(contentsOf: String(value).utf8)
    case .number(let value): text.append(contentsOf: Self.spelling(of: value).utf8)
    case .string(let value): Self.write(value, to: &text)
    case .array(let elements):
      text.append(UInt8(ascii: "["))
      for (index, element) in elements.enumerated() {
        if index > 0 { text.append(UInt8(ascii: ",")) }
        element.write(to: &text)
      }
      text.append(UInt8(ascii: "]"))
    case .object(let members):
      text.append(UInt8(ascii: "{"))
      for (index, key) in members.keys.sorted(by: Self.comesBefore).enumerated() {
        if index > 0 { text.append(UInt8(ascii: ",")) }
        Self.write(key, to: &text)
        text.append(UInt8(ascii: ":"))
        members[key]?.write(to: &text)
      }
      text.append(UInt8(ascii: "}"))
    }
  }

  private static func comesBefore(_ left: String, _ right: String) -> Bool {
    let (leftRank, rightRank) = (self.rank(of: left), self.rank(of: right))
    return leftRank == rightRank ? left < right : leftRank < rightRank
  }

  private static func rank(of key: String) -> Int {
    switch key {
    case "kind": 0
    case "apiVersion": 1
    case "metadata": 2
    default: 3
    }
  }

  /// A whole double is written without its `.0`, as Go does.
  private static func spelling(of value: Double) -> String {
    value == value.rounded() && value.magnitude < 1e15 ? String(Int64(value)) : String(value)
  }

  static func write(_ string: String, to text: inout [UInt8]) {
    text.append(UInt8(ascii: "\""))
    for byte in string.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): text.append(contentsOf: [UInt8(ascii: "\\"), byte])
      case 0x0A: text.append(contentsOf: "\\n".utf8)
      case 0x0D: text.append(contentsOf: "\\r".utf8)
      case 0x09: text.append(contentsOf: "\\t".utf8)
      case 0..<0x20:
        let digits = String(byte, radix: 16)
        text.append(contentsOf: "\\u00\(digits.count == 1 ? "0" : "")\(digits)".utf8)
      default: text.append(byte)
      }
    }
    text.append(UInt8(ascii: "\""))
  }
}
