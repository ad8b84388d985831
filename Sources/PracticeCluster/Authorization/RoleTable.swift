/// The practice cluster's whole RBAC: a few roles, each bound to the group of the same name.
///
/// `view`, `edit` and `admin` follow the roles that Kubernetes ships; they hold in all namespaces.
enum RoleTable {
  private struct Rule {
    var verbs: Set<String>
    /// `group/resource[/subresource]`, `*` for all.
    var resources: Set<String>
  }

  private static let read: Set = ["get", "list", "watch"]
  private static let write: Set = ["create", "update", "patch", "delete", "deletecollection"]

  private static let view = [
    Rule(
      verbs: read,
      resources: [
        "/namespaces", "/pods", "/pods/status", "/pods/log", "/configmaps", "/services", "/serviceaccounts", "/events", "/nodes",
        "apps/deployments", "apps/deployments/scale", "apps/deployments/status", "apps/replicasets", "apps/replicasets/status",
      ])
  ]
  private static let edit =
    view + [
      Rule(verbs: read, resources: ["/secrets", "/pods/exec", "/pods/attach", "/pods/portforward", "/pods/proxy", "/services/proxy"]),
      Rule(
        verbs: write,
        resources: [
          "/pods", "/pods/exec", "/pods/attach", "/pods/portforward", "/pods/proxy", "/configmaps", "/secrets", "/services",
          "/services/proxy", "/serviceaccounts", "/serviceaccounts/token", "apps/deployments", "apps/deployments/scale", "apps/replicasets",
        ]),
    ]
  private static let admin =
    edit + [
      Rule(verbs: read.union(write), resources: ["/events", "/pods/status", "apps/deployments/status", "apps/replicasets/status"]),
      Rule(verbs: ["create"], resources: ["authorization.k8s.io/localsubjectaccessreviews"]),
      Rule(verbs: ["impersonate"], resources: ["/serviceaccounts"]),
    ]
  private static let impersonator = [Rule(verbs: ["impersonate"], resources: ["/users", "/groups"])]
  private static let everybody = [
    Rule(
      verbs: ["create"],
      resources: [
        "authentication.k8s.io/selfsubjectreviews", "authorization.k8s.io/selfsubjectaccessreviews",
        "authorization.k8s.io/selfsubjectrulesreviews",
      ])
  ]

  /// Paths that every authenticated user may read: `system:discovery` and `system:public-info-viewer`.
  static let publicPaths = [
    "/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/livez/*", "/readyz", "/readyz/*", "/openapi", "/openapi/*", "/version",
    "/version/",
  ]
  /// Paths that are served without any identity.
  static let anonymousPaths: Set = ["/healthz", "/livez", "/readyz"]

  /// What a gateway needs that acts as its users: `deploy/rbac/impersonation.yaml`.
  private static let gateway = [
    Rule(
      verbs: ["impersonate"],
      resources: [
        "/users", "/groups", "authentication.k8s.io/uids", "authentication.k8s.io/userextras/sallyport.dev/original-user",
        "authentication.k8s.io/userextras/sallyport.dev/original-uid", "authentication.k8s.io/userextras/sallyport.dev/original-groups",
      ]),
    Rule(verbs: ["create"], resources: ["authorization.k8s.io/subjectaccessreviews"]),
  ]
  /// The service account of that gateway.
  static let gatewayUser = "system:serviceaccount:sallyport:sallyport"

  private static let byGroup = ["view": view, "edit": edit, "admin": admin, "impersonator": impersonator, "sallyport:gateway": gateway]

  static func allows(_ user: UserInfo, _ access: AccessAttributes, isResourceRequest: Bool) -> Bool {
    if user.groups.contains("system:masters") { return true }
    let isAuthenticated = user.groups.contains(UserInfo.authenticatedGroup)
    guard isResourceRequest else {
      if self.anonymousPaths.contains(access.path), access.verb == "get" { return true }
      return isAuthenticated && access.verb == "get" && self.publicPaths.contains { self.path(access.path, matches: $0) }
    }
    var rules = user.groups.flatMap { self.byGroup[$0] ?? [] }
    if isAuthenticated { rules += self.everybody }
    if user.name == self.gatewayUser { rules += self.gateway }
    let wanted = "\(access.group)/\(access.qualifiedResource)"
    return rules.contains { $0.verbs.contains(access.verb) && $0.resources.contains(wanted) }
  }

  /// The rules that hold for a user, as `SelfSubjectRulesReview` lists them.
  static func resourceRules(for user: UserInfo) -> [JSON] {
    if user.groups.contains("system:masters") { return [["verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]]] }
    let rules = user.groups.flatMap { self.byGroup[$0] ?? [] } + (user.groups.contains(UserInfo.authenticatedGroup) ? self.everybody : [])
    return rules.flatMap { (rule: Rule) -> [JSON] in
      let byGroup = Dictionary(grouping: rule.resources.sorted()) { (resource: String) in String(resource.prefix { $0 != "/" }) }
      return byGroup.sorted { $0.key < $1.key }.map { (group: String, resources: [String]) -> JSON in
        let plain = resources.map { String($0.dropFirst(group.count + 1)) }
        return ["verbs": JSON(rule.verbs.sorted()), "apiGroups": [.string(group)], "resources": JSON(plain)]
      }
    }
  }

  private static func path(_ path: String, matches pattern: String) -> Bool {
    pattern.hasSuffix("*") ? path.hasPrefix(pattern.dropLast()) : path == pattern
  }

  /// The refusal in Kubernetes' words.
  static func refusal(of user: UserInfo, _ access: AccessAttributes, isResourceRequest: Bool) -> APIError {
    guard isResourceRequest else {
      return .forbidden("", "", "User \"\(user.name)\" cannot \(access.verb) path \"\(access.path)\"")
    }
    let scope = access.namespace.isEmpty ? "at the cluster scope" : "in the namespace \"\(access.namespace)\""
    let qualified = access.group.isEmpty ? access.resource : "\(access.resource).\(access.group)"
    return .forbidden(
      qualified, access.name,
      "User \"\(user.name)\" cannot \(access.verb) resource \"\(access.qualifiedResource)\" in API group \"\(access.group)\" \(scope)",
      group: access.group, resource: access.resource)
  }
}
