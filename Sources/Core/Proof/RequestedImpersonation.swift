/// Whom a client asks to act as: `kubectl --as`, `--as-group`, `--as-uid`, `Impersonate-Extra-…`.
///
/// The fields leave the headers at the door and come back only as the credential station writes them.
public struct RequestedImpersonation: Sendable, Hashable {
  public var user: String
  public var uid: String?
  public var groups: [String]
  public var extra: [Identity.Extra]

  public init(user: String, uid: String? = nil, groups: [String] = [], extra: [Identity.Extra] = []) {
    self.user = user
    self.uid = uid
    self.groups = groups
    self.extra = extra
  }
}
