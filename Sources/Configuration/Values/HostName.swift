import SallyportStrictYAML

/// Names of hosts as a URL or a TLS handshake holds them.
enum HostName {
  /// A DNS name in lower case, without a dot at the end: letters, digits and hyphens (RFC 1123 section 2.1), underscores
  /// too, because they are in use.
  static func parse(_ text: some StringProtocol) throws(ValueFault) -> String {
    let name = text.lowercased()
    guard !name.contains("*") else { throw ValueFault("has a wildcard", "write each host's name") }
    guard name.utf8.allSatisfy({ $0 < 0x80 }) else { throw ValueFault("is not ASCII", "write an international name in its xn-- form") }
    let labels = name.split(separator: ".", omittingEmptySubsequences: false)
    guard name.utf8.count <= 253, labels.allSatisfy({ (1...63).contains($0.count) }), labels.allSatisfy(self.isLabel) else {
      throw ValueFault("is not a host name", "write it without scheme, port or slash, as in api.example.org")
    }
    // `1.2.3` and `10.0.0.256` are slips for an address, and some resolvers take them for one (RFC 3696 section 2).
    guard labels.last?.allSatisfy(\.isNumber) == false else {
      throw ValueFault("is not an address", "write all four numbers, each up to 255")
    }
    return name
  }

  /// A DNS name or an IP address without brackets.
  static func orAddress(_ text: some StringProtocol) throws(ValueFault) -> String {
    if let address = IPAddress(text) { return address.description }
    return try self.parse(text)
  }

  private static func isLabel(_ label: Substring) -> Bool {
    label.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"): true
      default: false
      }
    } && !label.hasPrefix("-") && !label.hasSuffix("-")
  }
}
