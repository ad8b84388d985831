public import SallyportCore

/// What a route asks of an identity beyond that somebody vouches for it: coarse authorisation by how it was proven.
///
/// Scopes, audiences and issuers are facts of tokens: where one of them is asked for, an identity that no token proved does
/// not have it.
public struct IdentityRequirement: Sendable, Hashable {
  /// All of them.
  public var scopes: [String]
  /// One of them; empty for any.
  public var audiences: [String]
  /// One of them; empty for any.
  public var issuers: [String]
  /// One of them; empty for any.
  public var methods: Set<AuthenticationMethod>

  public init(
    scopes: [String] = [], audiences: [String] = [], issuers: [String] = [], methods: Set<AuthenticationMethod> = []
  ) {
    self.scopes = scopes
    self.audiences = audiences
    self.issuers = issuers
    self.methods = methods
  }

  /// - Returns: 403 with what is missing for the operator; `nil` for an identity that has everything
  public func problem(for identity: Identity) -> Problem? {
    guard self.methods.isEmpty || self.methods.contains(identity.method) else {
      return Self.missing("the method \(identity.method.rawValue) is none of those that the route asks for")
    }
    guard !(self.scopes.isEmpty && self.audiences.isEmpty && self.issuers.isEmpty) else { return nil }
    guard let token = identity.token else { return Self.missing("the route asks for facts of a token, and none was presented") }
    for scope in self.scopes where !Self.contains(token.scopes, scope) { return Self.missing("the scope \(scope) is missing") }
    guard self.audiences.isEmpty || self.audiences.contains(where: { Self.contains(token.audiences, $0) }) else {
      return Self.missing("the token is for none of the route's audiences")
    }
    guard self.issuers.isEmpty || Self.contains(self.issuers, token.issuer) else {
      return Self.missing("the token is of none of the route's issuers")
    }
    return nil
  }

  /// At another cluster the names that one cluster vouches for are somebody else's.
  ///
  /// - Parameter upstream: the upstream of kind `kubernetes` that a request goes to
  /// - Returns: 403 for an identity that another one vouches for by a TokenReview
  public static func problem(for identity: Identity, atCluster upstream: String) -> Problem? {
    guard let cluster = identity.token?.cluster, !cluster.utf8.elementsEqual(upstream.utf8) else { return nil }
    return Self.missing("the upstream \(cluster) vouches for the token, and the route is to the upstream \(upstream)")
  }

  private static func missing(_ detail: String) -> Problem { AuthenticationProblem.insufficientScope.with(detail: detail) }

  /// By bytes: Swift's `==` sees through Unicode normalisation.
  private static func contains(_ texts: [String], _ text: String) -> Bool { texts.contains { $0.utf8.elementsEqual(text.utf8) } }
}
