/// What Kubernetes accepts as a name, a label, a qualified key (apimachinery pkg/util/validation).
enum NameRules {
  static let subdomainRule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an "
    + "alphanumeric character (e.g. 'example.com', regex used for validation is "
    + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
  static let labelRule =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric "
    + "character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
  static let labelValueRule =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    + "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    + "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
  static let qualifiedNameRule =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    + "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

  static func isSubdomain(_ text: String) -> Bool {
    text.utf8.count <= 253 && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { self.isLowerLabel($0.utf8) }
  }

  static func isLabel(_ text: String) -> Bool { text.utf8.count <= 63 && self.isLowerLabel(text.utf8) }

  static func isLabelValue(_ text: String) -> Bool { text.isEmpty || self.isName(text.utf8) }

  /// `name` or `prefix.example/name`
  static func isQualifiedName(_ text: String) -> Bool {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    switch parts.count {
    case 1: return self.isName(parts[0].utf8)
    case 2: return self.isSubdomain(String(parts[0])) && self.isName(parts[1].utf8)
    default: return false
    }
  }

  /// The key of a config map's or secret's data.
  static func isDataKey(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 253 && text != "." && !text.hasPrefix("..")
      && text.utf8.allSatisfy { self.isAlphanumeric($0) || self.isJoiner($0) }
  }

  private static func isName(_ text: some BidirectionalCollection<UInt8>) -> Bool {
    guard let first = text.first, let last = text.last, text.count <= 63 else { return false }
    return self.isAlphanumeric(first) && self.isAlphanumeric(last) && text.allSatisfy { self.isAlphanumeric($0) || self.isJoiner($0) }
  }

  private static func isLowerLabel(_ text: some BidirectionalCollection<UInt8>) -> Bool {
    guard let first = text.first, let last = text.last else { return false }
    return self.isLowerAlphanumeric(first) && self.isLowerAlphanumeric(last)
      && text.allSatisfy { self.isLowerAlphanumeric($0) || $0 == UInt8(ascii: "-") }
  }

  private static func isJoiner(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
  }

  private static func isLowerAlphanumeric(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") || byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    self.isLowerAlphanumeric(byte) || byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
  }
}
