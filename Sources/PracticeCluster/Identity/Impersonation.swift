import NIOHTTP1

/// What a request asks for by its `Impersonate-*` fields.
///
/// See kubernetes/apiserver pkg/endpoints/filters/impersonation.
struct Impersonation: Sendable, Hashable {
  let user: UserInfo
  /// The groups as they were asked for, before any is added.
  let requestedGroups: [String]

  /// - Returns: `nil` where nothing is asked for
  /// - Throws: 400 for a group, UID or extra attribute without a user
  init?(_ headers: HTTPHeaders) throws(APIError) {
    let name = headers.first(name: "Impersonate-User") ?? ""
    let groups = headers.compactMap { $0.name.lowercased() == "impersonate-group" ? $0.value : nil }
    let uid = headers.first(name: "Impersonate-Uid") ?? ""
    let extra = HeaderIdentity.extra(prefix: "impersonate-extra-", in: headers)
    guard !name.isEmpty else {
      if groups.isEmpty, uid.isEmpty, extra.isEmpty { return nil }
      throw .badRequest("requested \(groups) without impersonating a user")
    }
    self.requestedGroups = groups
    var user = UserInfo(name: name, uid: uid, groups: groups, extra: extra)
    if groups.isEmpty, let account = ServiceAccountName(user: name) { user.groups = account.groups }
    if name == UserInfo.anonymous.name {
      if !groups.contains(UserInfo.unauthenticatedGroup) { user.groups.append(UserInfo.unauthenticatedGroup) }
    } else {
      user = user.authenticated
    }
    self.user = user
  }

  /// The rights that the impersonating user needs, one for each thing asked for.
  var demands: [AccessAttributes] {
    func demand(_ group: String, _ resource: String, _ subresource: String = "", name: String, namespace: String = "") -> AccessAttributes {
      AccessAttributes(
        verb: "impersonate", group: group, version: "v1", resource: resource, subresource: subresource, namespace: namespace, name: name)
    }
    var demands: [AccessAttributes] = []
    if let account = ServiceAccountName(user: self.user.name) {
      demands.append(demand("", "serviceaccounts", name: account.name, namespace: account.namespace))
    } else {
      demands.append(demand("", "users", name: self.user.name))
    }
    demands += self.requestedGroups.map { demand("", "groups", name: $0) }
    if !self.user.uid.isEmpty { demands.append(demand("authentication.k8s.io", "uids", name: self.user.uid)) }
    for (key, values) in self.user.extra.sorted(by: { $0.key < $1.key }) {
      demands += values.map { demand("authentication.k8s.io", "userextras", key, name: $0) }
    }
    return demands
  }
}

/// `system:serviceaccount:NAMESPACE:NAME`
struct ServiceAccountName: Sendable, Hashable {
  let namespace: String
  let name: String

  init?(user: String) {
    let parts = user.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0] == "system", parts[1] == "serviceaccount", !parts[2].isEmpty, !parts[3].isEmpty else { return nil }
    self.namespace = String(parts[2])
    self.name = String(parts[3])
  }

  var groups: [String] { ["system:serviceaccounts", "system:serviceaccounts:\(self.namespace)"] }
}
