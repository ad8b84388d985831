/// A document's values with their positions, free of everything that Yams would resolve behind our back.
indirect enum YAMLTree: Sendable {
  struct Position: Sendable, Hashable {
    let line: Int
    let column: Int
  }

  struct Entry: Sendable {
    let key: String
    let keyPosition: Position
    let value: YAMLTree
  }

  case scalar(YAMLScalar, Position)
  case sequence([YAMLTree], Position)
  case mapping([Entry], Position)
  /// Something that was refused while the tree was built. Its fault is on record; nobody complains of it again.
  case refused(Position)

  var position: Position {
    switch self {
    case .scalar(_, let position), .sequence(_, let position), .mapping(_, let position), .refused(let position): position
    }
  }

  /// What the value is, for the sentence that says what it should have been.
  var noun: String {
    switch self {
    case .scalar(let scalar, _): scalar.kind.noun
    case .sequence: "a list"
    case .mapping: "a mapping"
    case .refused: "refused"
    }
  }
}

/// A scalar as it is written, with what YAML takes it for.
struct YAMLScalar: Sendable, Hashable {
  enum Kind: Sendable, Hashable {
    case text, integer, decimal, boolean, nothing

    var noun: String {
      switch self {
      case .text: "text"
      case .integer: "a number"
      case .decimal: "a decimal number"
      case .boolean: "true or false"
      case .nothing: "empty"
      }
    }
  }

  let text: String
  let kind: Kind

  init(_ text: String, isPlain: Bool) {
    self.text = text
    self.kind = isPlain ? Self.kind(ofPlain: text) : .text
  }

  /// What a plain scalar is to YAML 1.1 and YAML 1.2 readers alike; where they differ (`no`, `0o17`), what is not text to
  /// either is not text here, so that nobody's user name `no` becomes a boolean in the next tool.
  /// See https://yaml.org/type/ and YAML 1.2.2 section 10.3.
  static func kind(ofPlain text: String) -> Kind {
    switch text {
    case "", "~", "null", "Null", "NULL": return .nothing
    case "y", "Y", "yes", "Yes", "YES", "n", "N", "no", "No", "NO", "true", "True", "TRUE", "false", "False", "FALSE", "on", "On", "ON",
      "off", "Off", "OFF":
      return .boolean
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN": return .decimal
    default: return self.numberKind(of: text) ?? .text
    }
  }

  private static func numberKind(of text: String) -> Kind? {
    var rest = Substring(text)
    if let sign = rest.first, sign == "+" || sign == "-" { rest.removeFirst() }
    guard let first = rest.first, first.isASCII, first.isNumber || first == "." else { return nil }
    for (prefix, digits) in [("0x", "0123456789abcdefABCDEF_"), ("0o", "01234567_"), ("0b", "01_")] where rest.hasPrefix(prefix) {
      let body = rest.dropFirst(2)
      return !body.isEmpty && body.allSatisfy(digits.contains) ? .integer : nil
    }
    if rest.allSatisfy({ $0.isASCII && $0.isNumber || $0 == "_" }) { return .integer }
    // Base 60 (`12:30`), which YAML 1.1 reads as a number and YAML 1.2 as text.
    let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
    if parts.count > 1, parts[0].count <= 8, parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy { $0.isASCII && $0.isNumber } }),
      parts.dropFirst().allSatisfy({ $0.count <= 2 && Int($0)! < 60 })
    {
      return .integer
    }
    let isDecimal = rest.allSatisfy { $0.isASCII && ($0.isNumber || ".eE+-_".contains($0)) }
    return isDecimal && Double(rest.filter { $0 != "_" }) != nil ? .decimal : nil
  }
}
