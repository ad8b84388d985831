import TestSupport

/// A second opinion on RFC 4515: what a server would understand of a filter's text. Written from the grammar alone, it shares
/// nothing with the reader that it is held against.
struct SecondFilterReader {
  indirect enum Filter: Equatable {
    case and([Filter]), or([Filter]), not(Filter)
    /// The attribute, the operator, and the value's pieces between asterisks, unescaped.
    case item(String, String, [[UInt8]])
  }

  static func read(_ text: String) -> Filter? {
    var rest = Array(text.utf8)[...]
    guard let filter = self.filter(&rest), rest.isEmpty else { return nil }
    return filter
  }

  private static func filter(_ rest: inout ArraySlice<UInt8>) -> Filter? {
    guard rest.popFirst() == 0x28 else { return nil }
    let result: Filter?
    switch rest.first {
    case 0x26:
      rest.removeFirst()
      result = self.list(&rest).map(Filter.and)
    case 0x7C:
      rest.removeFirst()
      result = self.list(&rest).map(Filter.or)
    case 0x21:
      rest.removeFirst()
      result = self.filter(&rest).map(Filter.not)
    default: result = self.item(&rest)
    }
    guard rest.popFirst() == 0x29 else { return nil }
    return result
  }

  private static func list(_ rest: inout ArraySlice<UInt8>) -> [Filter]? {
    var filters: [Filter] = []
    while rest.first == 0x28 {
      guard let filter = self.filter(&rest) else { return nil }
      filters.append(filter)
    }
    return filters.isEmpty ? nil : filters
  }

  private static func item(_ rest: inout ArraySlice<UInt8>) -> Filter? {
    guard let equals = rest.firstIndex(of: 0x3D) else { return nil }
    var left = rest[rest.startIndex..<equals]
    rest = rest[(equals + 1)...]
    var op = "="
    if let last = left.last, [0x7E, 0x3E, 0x3C, 0x3A].contains(last) {
      left.removeLast()
      op = String(UnicodeScalar(last)) + "="
    }
    guard !left.isEmpty, left.allSatisfy({ $0 > 0x20 && $0 < 0x7F && ![0x28, 0x29, 0x2A, 0x5C].contains($0) }) else { return nil }
    var pieces: [[UInt8]] = [[]]
    while let byte = rest.first, byte != 0x29 {
      rest.removeFirst()
      switch byte {
      case 0x28, 0: return nil
      case 0x2A: pieces.append([])
      case 0x5C:
        guard let value = SecondNameReader.hexadecimal(rest) else { return nil }
        rest.removeFirst(2)
        pieces[pieces.count - 1].append(value)
      default: pieces[pieces.count - 1].append(byte)
      }
    }
    return .item(String(decoding: left, as: UTF8.self), op, pieces)
  }
}

/// A second opinion on RFC 4514: the parts of a distinguished name, unescaped.
enum SecondNameReader {
  /// The byte that the first two characters write; Swift's own reader would take `+a` for one.
  static func hexadecimal(_ rest: ArraySlice<UInt8>) -> UInt8? {
    guard rest.count >= 2, rest.prefix(2).allSatisfy({ Character(UnicodeScalar($0)).isHexDigit && $0 < 0x80 }) else { return nil }
    return UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
  }

  static func read(_ text: String) -> [[String: [UInt8]]]? {
    var names: [[String: [UInt8]]] = [[:]]
    var rest = Array(text.utf8)[...]
    while true {
      guard let equals = rest.firstIndex(of: 0x3D) else { return nil }
      let type = String(decoding: rest[..<equals], as: UTF8.self)
      rest = rest[(equals + 1)...]
      var value: [UInt8] = []
      scanning: while let byte = rest.first {
        switch byte {
        case 0x2C, 0x2B: break scanning
        case 0x5C:
          rest.removeFirst()
          guard let next = rest.first else { return nil }
          if let escaped = self.hexadecimal(rest) {
            rest.removeFirst(2)
            value.append(escaped)
          } else if Array(" \"#+,;<=>\\".utf8).contains(next) {
            rest.removeFirst()
            value.append(next)
          } else {
            return nil
          }
        case 0x22, 0x3B, 0x3C, 0x3E, 0: return nil
        case 0x23 where value.isEmpty: return nil
        case 0x20 where value.isEmpty: return nil
        default:
          rest.removeFirst()
          value.append(byte)
        }
      }
      guard names[names.count - 1].updateValue(value, forKey: type) == nil else { return nil }
      guard let separator = rest.popFirst() else { return names }
      if separator == 0x2C { names.append([:]) }
    }
  }
}

/// Names that people would type to be somebody else, put together at random.
struct HostileNames {
  private var random: Chance

  init(seed: UInt64) { self.random = Chance(seed: seed) }

  private static let pieces = [
    "alice", "*", "(", ")", "\\", "\\2a", "\\28", "|", "&", "!", "=", ",", "+", "\"", ";", "<", ">", "#", " ", "  ", "uid=", ")(uid=*",
    ")(|(uid=*", "*)(objectClass=*", ",ou=people", ",dc=example", "+cn=admin", "\u{0}", "\n", "\r", "\u{7F}", "é", "e\u{301}", "🦊", "\\",
    "\\0", "\\,", "{dn}", "{username}", "{", "}", "/", "?", "~=", ">=", ":=", "a", "Z", "0", ":dn:", "#04024869", "\u{2028}", "\u{FEFF}",
  ]

  mutating func next() -> String {
    (0..<Int.random(in: 0...6, using: &self.random)).map { _ in
      if Bool.random(using: &self.random) { return Self.pieces.randomElement(using: &self.random) ?? "" }
      return String(UnicodeScalar(UInt32.random(in: 0..<0xD800, using: &self.random)) ?? "x")
    }.joined()
  }

  mutating func bytes() -> String {
    String(
      decoding: (0..<Int.random(in: 0...40, using: &self.random)).map { _ in UInt8.random(in: 0...255, using: &self.random) }, as: UTF8.self
    )
  }

  mutating func choose<Value>(_ values: [Value]) -> Value { values[Int.random(in: 0..<values.count, using: &self.random)] }
}
