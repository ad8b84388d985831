import SallyportWire

/// Gathers the `Impersonate-*` fields of a request (kubernetes.io, "User impersonation").
///
/// kube-apiserver ignores what it does not know here, and takes the first of several users: whoever misspells a field
/// then acts as himself and does not learn of it. Here every such request is refused.
struct ImpersonationFields {
  private var user: String?
  private var uid: String?
  private var groups: [String] = []
  private var extra: [Identity.Extra] = []

  /// Takes one field of the family.
  ///
  /// - Throws: ``Problem`` (400) naming the field in its detail.
  mutating func read(_ field: HeaderFields.Field) throws(Problem) {
    guard let known = field.known, known != .impersonateOther, Self.isSpelledAsDefined(field, known) else {
      throw .unknownImpersonation.with(detail: "unknown field \(field.name)")
    }
    guard let value = field.utf8Value, Self.isText(value.utf8), !value.isEmpty else {
      throw .unreadableImpersonation.with(detail: "\(known.name) is empty or no plain UTF-8")
    }
    switch known {
    case .impersonateUser:
      guard self.user == nil else { throw .repeatedImpersonation.with(detail: "several \(known.name)") }
      self.user = value
    case .impersonateUID:
      guard self.uid == nil else { throw .repeatedImpersonation.with(detail: "several \(known.name)") }
      self.uid = value
    case .impersonateGroup:
      self.groups.append(value)
    default:
      let key = try Self.extraKey(of: field)
      if let index = self.extra.firstIndex(where: { $0.key.utf8.elementsEqual(key.utf8) }) {
        self.extra[index] = Identity.Extra(key: key, values: self.extra[index].values + [value])
      } else {
        self.extra.append(Identity.Extra(key: key, values: [value]))
      }
    }
  }

  /// Whom the fields ask to act as; `nil` where there were none.
  ///
  /// - Throws: ``Problem/impersonationWithoutUser``
  func requested() throws(Problem) -> RequestedImpersonation? {
    if let user = self.user {
      return RequestedImpersonation(user: user, uid: self.uid, groups: self.groups, extra: self.extra)
    }
    guard self.uid == nil, self.groups.isEmpty, self.extra.isEmpty else { throw .impersonationWithoutUser }
    return nil
  }

  /// `Impersonate_User` would be nobody's at the API server, and somebody's behind a front that folds names.
  private static func isSpelledAsDefined(_ field: HeaderFields.Field, _ known: KnownField) -> Bool {
    field.withName { NameFolding.isSpelledAsDefined($0.prefix(known.name.utf8.count)) }
  }

  /// The key behind `Impersonate-Extra-`: in lower case, then percent-decoded; with a broken escape it stays as it is.
  private static func extraKey(of field: HeaderFields.Field) throws(Problem) -> String {
    let lowered = field.withName { name in
      name.dropFirst(KnownField.impersonateExtra.name.utf8.count).map { byte in
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
      }
    }
    let decoded = PercentEncoding.decode(lowered) ?? lowered
    guard !decoded.isEmpty, let key = String(validating: decoded, as: UTF8.self), self.isText(decoded) else {
      throw .unreadableImpersonation.with(detail: "the key of \(KnownField.impersonateExtra.name)KEY is empty or no plain UTF-8")
    }
    return key
  }

  private static func isText(_ bytes: some Sequence<UInt8>) -> Bool {
    bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
  }
}

extension Problem {
  static let unknownImpersonation = Problem(
    "unknownImpersonation", blame: .client, status: 400,
    message: "An Impersonate header is unknown; known are Impersonate-User, -Uid, -Group and -Extra-KEY, spelled with hyphens.")
  static let unreadableImpersonation = Problem(
    "unreadableImpersonation", blame: .client, status: 400,
    message: "An Impersonate header is empty, is not UTF-8 or holds a control character.")
  static let repeatedImpersonation = Problem(
    "repeatedImpersonation", blame: .client, status: 400,
    message: "Impersonate-User and Impersonate-Uid may each be sent once.")
  static let impersonationWithoutUser = Problem(
    "impersonationWithoutUser", blame: .client, status: 400,
    message: "Impersonate-Group, -Uid and -Extra- need an Impersonate-User beside them.")
}
