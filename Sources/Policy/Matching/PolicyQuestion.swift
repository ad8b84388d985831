public import SallyportCore
public import SallyportWire

/// Somebody whom the rules judge: who authenticated, or whom they ask to act as.
public final class Asker: Sendable {
  public let user: String
  public let groups: [String]
  /// The group that the API server puts everybody into, or nobody: `system:authenticated` or `system:unauthenticated`.
  let impliedGroup: String?

  static let authenticatedGroup = "system:authenticated"
  static let unauthenticatedGroup = "system:unauthenticated"
  static let anonymousUser = "system:anonymous"

  /// Who authenticated.
  public init(user: String, groups: [String]) {
    self.user = user
    self.groups = groups
    self.impliedGroup = Self.authenticatedGroup
  }

  /// Nobody, on an open path.
  public static let anonymous = Asker(user: anonymousUser, groups: [], impliedGroup: unauthenticatedGroup)

  /// Whom somebody asks to act as, with the groups that the API server gives them then: a service account without stated
  /// groups gets those of all service accounts and of its namespace's; everybody but `system:anonymous` is authenticated
  /// unless the stated groups say otherwise. See k8s.io/apiserver, pkg/endpoints/filters/impersonation.go.
  public convenience init(requested impersonation: RequestedImpersonation) {
    let user = impersonation.user
    var groups = impersonation.groups
    if groups.isEmpty, let namespace = Self.serviceAccountNamespace(user) {
      groups = ["system:serviceaccounts", "system:serviceaccounts:\(namespace)"]
    }
    let isStated = groups.contains { $0 == Self.authenticatedGroup || $0 == Self.unauthenticatedGroup }
    let implied = user == Self.anonymousUser ? Self.unauthenticatedGroup : Self.authenticatedGroup
    self.init(user: user, groups: groups, impliedGroup: isStated ? nil : implied)
  }

  private init(user: String, groups: [String], impliedGroup: String?) {
    self.user = user
    self.groups = groups
    self.impliedGroup = impliedGroup
  }

  /// The namespace of `system:serviceaccount:NAMESPACE:NAME`.
  private static func serviceAccountNamespace(_ user: String) -> Substring? {
    let parts = user.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0] == "system", parts[1] == "serviceaccount", !parts[2].isEmpty, !parts[3].isEmpty else { return nil }
    return parts[2]
  }

  func isMember(of groups: NameSet) -> Bool {
    if let implied = self.impliedGroup, groups.contains(implied) { return true }
    return self.groups.contains(where: groups.contains)
  }
}

extension Asker: Hashable {
  public static func == (left: Asker, right: Asker) -> Bool {
    left.user == right.user && left.groups == right.groups && left.impliedGroup == right.impliedGroup
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(self.user) }
}

/// What the rules judge: one request, read once, and everybody in whose name it is made. An object, since the question is
/// handed to every part of the matcher.
public final class PolicyQuestion: Sendable {
  public let method: Method
  /// The decoded path.
  public let path: String
  /// The API server's reading; `nil` at an upstream that is none.
  public let info: RequestInfo?
  public let asker: Asker
  /// Whom the asker wants to act as; it is judged as well.
  public let requested: Asker?
  /// `nil` for nobody, and where it is not known.
  public let authentication: AuthenticationMethod?
  /// Without port or zone; text that is no address is in no range.
  public let clientIP: String
  /// `nil` but for requests for a resource.
  let verbs: EffectiveVerbs?

  /// - Parameter upgrades: whether the connection is to go on in another protocol, WebSocket or SPDY
  public init(
    method: Method, path: String, info: RequestInfo?, asker: Asker, requested: Asker? = nil, authentication: AuthenticationMethod? = nil,
    clientIP: String = "", upgrades: Bool = false
  ) {
    self.method = method
    self.path = path
    self.info = info
    self.asker = asker
    self.requested = requested
    self.authentication = authentication
    self.clientIP = clientIP
    self.verbs = info.flatMap { $0.isResourceRequest ? EffectiveVerbs($0, upgrades: upgrades) : nil }
  }

  /// The question that a request puts.
  public convenience init(_ request: AuthenticatedRequest, from client: ClientAddress) {
    let stripped = request.stripped
    var asker = Asker.anonymous
    var authentication: AuthenticationMethod?
    if case .identity(let identity) = request.subject {
      asker = Asker(user: identity.username, groups: identity.groups)
      authentication = identity.method
    }
    self.init(
      method: stripped.head.method, path: stripped.head.target.path, info: request.reading.info, asker: asker,
      requested: stripped.impersonation.map(Asker.init(requested:)), authentication: authentication, clientIP: client.ip,
      upgrades: stripped.upgrade != nil)
  }

  /// `nil` where the request names none, and for all namespaces.
  var namespace: String? {
    guard let info = self.info, !info.namespace.isEmpty else { return nil }
    return info.namespace
  }

  var name: String? {
    guard let info = self.info, !info.name.isEmpty else { return nil }
    return info.name
  }

  /// Whether the name is that of something behind a proxy, which may be written SCHEME:NAME:PORT
  /// (k8s.io/apimachinery, pkg/util/net.SplitSchemeNamePort).
  var namesAProxiedObject: Bool { self.info?.effectiveSubresource == "proxy" }

  /// The request for a resource that this is; `nil` for any other.
  var resource: RequestInfo? {
    guard let info = self.info, info.isResourceRequest else { return nil }
    return info
  }
}
