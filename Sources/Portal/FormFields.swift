public import SallyportCore
import SallyportWire

/// The fields of a form as a browser sends it (`application/x-www-form-urlencoded`, WHATWG URL section 5), or of a query, read
/// strictly: what two readers could read in two ways is none.
public struct FormFields: Sendable {
  /// How strictly.
  private enum Form {
    /// As a serialiser writes it (WHATWG URL section 5.2): letters, digits, `*-._`, `+` for a blank, escapes for all else.
    case body
    /// As a query may be written (RFC 3986 section 3.4), by hand or by another server.
    case query
  }

  private let values: [String: [UInt8]]

  /// The most bytes of a form of ours: a name, a password and a target, each of their bytes escaped.
  public static let longest = 16 * 1024
  private static let mostFields = 32

  /// Reads a form.
  ///
  /// - Returns: `nil` for a byte that a serialiser would have escaped, a broken escape, an empty or second field of a name, too many
  ///   fields, and a name that is no UTF-8
  public init?(_ body: some Sequence<UInt8>) { self.init(Array(body), .body) }

  /// Reads a query.
  ///
  /// - Returns: `nil` for a byte that stands in no query, and for the rest as with a form
  public init?(query: some Sequence<UInt8>) { self.init(Array(query), .query) }

  private init?(_ bytes: [UInt8], _ form: Form) {
    var values: [String: [UInt8]] = [:]
    let pairs = bytes.isEmpty ? [] : bytes.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: form == .query)
    guard pairs.count <= Self.mostFields, bytes.allSatisfy({ Self.isPlain($0, in: form) }) else { return nil }
    for pair in pairs {
      let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
      guard form == .query || equals > pair.startIndex,
        form == .query || !pair[min(equals + 1, pair.endIndex)...].contains(UInt8(ascii: "="))
      else { return nil }
      guard let name = PercentEncoding.decodeForm(pair[..<equals]).flatMap({ String(validating: $0, as: UTF8.self) }),
        let value = PercentEncoding.decodeForm(pair[min(equals + 1, pair.endIndex)...]), values.updateValue(value, forKey: name) == nil
      else { return nil }
    }
    self.values = values
  }

  /// A field's text; `nil` where it is missing or no UTF-8.
  public func text(_ name: String) -> String? { self.values[name].flatMap { String(validating: $0, as: UTF8.self) } }

  /// A field that must not be seen.
  public func secret(_ name: String) -> Secret? { self.values[name].map { Secret($0) } }

  /// Whether a byte may stand there as it is; `&`, `=`, `+` and `%` have their meaning.
  private static func isPlain(_ byte: UInt8, in form: Form) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "*"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "&"), UInt8(ascii: "="),
      UInt8(ascii: "+"), UInt8(ascii: "%"):
      true
    // pchar / "/" / "?"
    case UInt8(ascii: "~"), UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"),
      UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: ":"), UInt8(ascii: "@"), UInt8(ascii: "/"), UInt8(ascii: "?"):
      form == .query
    default: false
    }
  }
}
