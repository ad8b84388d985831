/// Field selectors as k8s.io/apimachinery (pkg/fields) parses them.
///
/// ```
/// selector = [ term ] *( "," [ term ] )
/// term     = field ( "!=" / "==" / "=" ) value      ; in the value "\" escapes "\", "," and "="
/// ```
enum FieldSelector {
  /// The name that the selector demands of `metadata.name`, if the selector can be read and the name is one.
  ///
  /// The server sorts the terms before it looks for the first that pins the name, and it takes no name that could not
  /// stand in a path: `.`, `..`, and any with a slash or percent sign in it.
  static func requiredName(_ selector: String) -> String? {
    var required: String?
    for term in self.terms(of: Array(selector.utf8)).sorted(by: { $0.lexicographicallyPrecedes($1) }) where !term.isEmpty {
      guard let (field, demandsEquality, value) = self.parse(term) else { return nil }
      if demandsEquality && field.elementsEqual("metadata.name".utf8) && required == nil {
        required = String(decoding: value, as: UTF8.self)
      }
    }
    guard let required, required != ".", required != "..", !required.utf8.contains(where: { "/%".utf8.contains($0) }) else { return nil }
    return required
  }

  private static func terms(of selector: [UInt8]) -> [ArraySlice<UInt8>] {
    var terms: [ArraySlice<UInt8>] = []
    var start = 0
    var isEscaped = false
    for (index, byte) in selector.enumerated() {
      if isEscaped {
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else if byte == UInt8(ascii: ",") {
        terms.append(selector[start..<index])
        start = index + 1
      }
    }
    terms.append(selector[start...])
    return terms
  }

  private static func parse(_ term: ArraySlice<UInt8>) -> (field: ArraySlice<UInt8>, demandsEquality: Bool, value: [UInt8])? {
    for index in term.indices {
      let rest = term[index...]
      for `operator` in ["!=", "==", "="] where rest.starts(with: `operator`.utf8) {
        guard let value = self.unescape(rest.dropFirst(`operator`.utf8.count)) else { return nil }
        return (term[..<index], `operator` != "!=", value)
      }
    }
    return nil
  }

  /// The value without its escapes; `nil` for an unknown escape and for `,` or `=` without one.
  private static func unescape(_ value: ArraySlice<UInt8>) -> [UInt8]? {
    var unescaped: [UInt8] = []
    var isEscaped = false
    for byte in value {
      let isSpecial = byte == UInt8(ascii: "\\") || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "=")
      if isEscaped {
        guard isSpecial else { return nil }
        unescaped.append(byte)
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else {
        guard !isSpecial else { return nil }
        unescaped.append(byte)
      }
    }
    return isEscaped ? nil : unescaped
  }
}
