import SallyportStrictYAML

/// The URL of an identity provider, kept as it is written: it is compared with `iss` byte for byte.
enum IssuerURL {
  static func parse(_ text: String) throws(ValueFault) -> String {
    let form = "write it as in https://idp.example.org/realms/main"
    let lowered = text.prefix(8).lowercased()
    guard lowered.hasPrefix("https://") || lowered.hasPrefix("http://"), let slashes = text.firstRange(of: "//") else {
      throw ValueFault("is not an https URL", form)
    }
    let rest = text[slashes.upperBound...]
    guard !rest.contains("@") else { throw ValueFault("has credentials in it", form) }
    guard !rest.contains(where: { "?#\\".contains($0) }) else { throw ValueFault("has a query or fragment", form) }
    guard let first = rest.utf8.first, first != UInt8(ascii: "/"), first != UInt8(ascii: ":"),
      text.utf8.count <= 1024, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else { throw ValueFault("is not an https URL", form) }
    return text
  }

  static func isPlaintext(_ text: String) -> Bool { text.prefix(7).lowercased() == "http://" }
}
