public import SallyportCore

/// The fields of a form as a browser sends it (`application/x-www-form-urlencoded`, WHATWG URL section 5), read strictly.
public struct FormFields: Sendable {
  private let values: [String: [UInt8]]

  /// The most bytes of a form of ours: a name, a password and a target, each of their bytes escaped.
  public static let longest = 16 * 1024
  private static let mostFields = 16

  /// Reads a form or a query.
  ///
  /// - Returns: `nil` for a broken escape, too many fields, a field that comes twice, and a name that is no UTF-8
  public init?(_ body: some Sequence<UInt8>) {
    var values: [String: [UInt8]] = [:]
    let pairs = Array(body).split(separator: UInt8(ascii: "&"))
    guard pairs.count <= Self.mostFields else { return nil }
    for pair in pairs {
      let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
      guard let name = Self.decoded(pair[..<equals]).flatMap({ String(validating: $0, as: UTF8.self) }),
        let value = Self.decoded(pair[min(equals + 1, pair.endIndex)...]), values.updateValue(value, forKey: name) == nil
      else { return nil }
    }
    self.values = values
  }

  /// A field's text; `nil` where it is missing or no UTF-8.
  public func text(_ name: String) -> String? { self.values[name].flatMap { String(validating: $0, as: UTF8.self) } }

  /// A field that must not be seen.
  public func secret(_ name: String) -> Secret? { self.values[name].map { Secret($0) } }

  private static func decoded(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    var rest = text
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "+"): bytes.append(0x20)
      case UInt8(ascii: "%"):
        guard let high = rest.popFirst().flatMap(self.digit), let low = rest.popFirst().flatMap(self.digit) else { return nil }
        bytes.append(high << 4 | low)
      default: bytes.append(byte)
      }
    }
    return bytes
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}
