/// Somebody whom the server believes: Kubernetes' `user.Info`.
struct UserInfo: Sendable, Hashable {
  var name: String
  var uid = ""
  var groups: [String] = []
  var extra: [String: [String]] = [:]

  static let authenticatedGroup = "system:authenticated"
  static let unauthenticatedGroup = "system:unauthenticated"

  static let anonymous = UserInfo(name: "system:anonymous", groups: [unauthenticatedGroup])

  /// The user with the group that every authenticated user is in.
  var authenticated: UserInfo {
    var copy = self
    let special = [Self.authenticatedGroup, Self.unauthenticatedGroup]
    if !self.groups.contains(where: special.contains) { copy.groups.append(Self.authenticatedGroup) }
    return copy
  }

  /// As `SelfSubjectReview` shows it.
  var json: JSON {
    var json: JSON = ["username": .string(self.name)]
    if !self.uid.isEmpty { json.set(.string(self.uid), at: "uid") }
    if !self.groups.isEmpty { json.set(JSON(self.groups), at: "groups") }
    if !self.extra.isEmpty { json.set(.object(self.extra.mapValues { JSON($0) }), at: "extra") }
    return json
  }
}
