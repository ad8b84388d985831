/// Which names an identity may have, wherever they come from.
///
/// A name ends up in a header field, an audit record and the rules of two policy engines. It must therefore be one thing
/// to all of them: not empty, of bounded length, without control characters (a line feed would end a header field) and
/// without blanks at its ends (HTTP drops them on the way, and another user arrives).
///
/// Names beginning with `system:` belong to Kubernetes and are refused unless they are listed. The prefix is judged by
/// bytes, as the API server does: Swift's own `hasPrefix` does not find it where a combining mark follows the colon.
struct NameRules: Sendable {
  /// The most bytes of one name: user, group, UID, extra key or value.
  static let longestName = 256
  /// The most groups of one identity, and the most extra keys.
  static let mostGroups = 256

  /// What is wrong with a name, as the predicate of a sentence.
  enum Fault: String, Error {
    case empty = "is empty"
    case tooLong = "is longer than 256 bytes"
    case controlCharacter = "holds a control character or line separator"
    case outerBlanks = "begins or ends with a blank"
    case reserved = "begins with `system:`, which is Kubernetes' own"

    var remedy: String {
      switch self {
      case .empty: "write a name"
      case .tooLong: "write a shorter name"
      case .controlCharacter: "remove it"
      case .outerBlanks: "remove the blank"
      case .reserved: "choose another name, or list it under allowSystemNames"
      }
    }
  }

  let allowSystemNames: Set<String>

  /// What forbids this name to a user or group.
  func fault(in name: String) -> Fault? {
    if let fault = Self.faultOfForm(name) { return fault }
    // Compared by bytes as well: to a Swift `Set`, two names are equal that differ in their Unicode normalisation.
    let isReserved = name.utf8.starts(with: "system:".utf8)
    guard isReserved, !self.allowSystemNames.contains(where: { $0.utf8.elementsEqual(name.utf8) }) else { return nil }
    return .reserved
  }

  /// What forbids this text wherever an identity holds text.
  static func faultOfForm(_ text: String) -> Fault? {
    guard let first = text.unicodeScalars.first, let last = text.unicodeScalars.last else { return .empty }
    guard text.utf8.count <= self.longestName else { return .tooLong }
    guard !text.unicodeScalars.contains(where: self.endsLine) else { return .controlCharacter }
    guard !first.properties.isWhitespace, !last.properties.isWhitespace else { return .outerBlanks }
    return nil
  }

  /// Control characters (C0, DEL, C1) and the line and paragraph separators.
  static func endsLine(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029: true
    default: false
    }
  }
}
