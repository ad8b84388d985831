import SallyportWire

/// The fields of an `application/x-www-form-urlencoded` body, read strictly (RFC 6749 appendix B, section 3.2).
///
/// ```
/// form  = pair *( "&" pair )
/// pair  = name "=" value
/// ```
///
/// A name that comes twice is refused whatever it is, also one that nobody here knows: two readers of the form would see two
/// requests. A field without a value is as if it were not there.
struct TokenForm {
  /// More fields than any request has.
  private static let mostFields = 64

  private var values: [String: String] = [:]

  /// - Throws: ``TokenError`` (`invalid_request`), which names no value
  init(_ bytes: some Collection<UInt8>) throws(TokenError) {
    var names: Set<[UInt8]> = []
    let pairs = bytes.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false)
    guard pairs.count <= Self.mostFields else { throw TokenError(.invalidRequest, "The form has too many fields.") }
    for pair in pairs {
      guard let equals = pair.firstIndex(of: UInt8(ascii: "=")), let name = Self.decode(pair[..<equals]), !name.isEmpty,
        let value = Self.decode(pair[pair.index(after: equals)...])
      else { throw TokenError(.invalidRequest, "The body is no form (application/x-www-form-urlencoded) of UTF-8 text.") }
      // By bytes: Swift's own comparison sees through Unicode normalisation.
      guard names.insert(Array(name.utf8)).inserted else { throw TokenError(.invalidRequest, "A field of the form is repeated.") }
      if !value.isEmpty { self.values[name] = value }
    }
  }

  subscript(name: String) -> String? { self.values[name] }

  /// UTF-8 without control characters; `nil` for everything else.
  private static func decode(_ bytes: some Collection<UInt8>) -> String? {
    guard let decoded = PercentEncoding.decodeForm(bytes), decoded.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return nil }
    return String(validating: decoded, as: UTF8.self)
  }
}
