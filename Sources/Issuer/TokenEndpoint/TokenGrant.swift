public import SallyportCore

/// What a client gets: never more than it may have, and never more than the one whom it is about has shown.
public struct TokenGrant: Sendable, Equatable {
  public let audience: String
  /// In the order of the client's list.
  public let scopes: [String]

  /// - Parameters:
  ///   - identity: whom the token is about, as the token that is exchanged or the sign-in has proven it
  ///   - usualAudience: what the token is for where the request does not say
  /// - Throws: ``TokenError`` for an audience or a scope that the client may not have, or that the exchanged token does not say;
  ///   for a cluster's own token, and for one that has no end
  public init(_ request: TokenRequest, to client: TokenClient, for identity: Identity, usualAudience: String) throws(TokenError) {
    // What it names is known to its cluster alone, and the token that is made would be believed by others.
    guard identity.token?.cluster == nil else { throw TokenError(.invalidRequest, "A cluster's own token is not exchanged.") }
    // What ends when somebody takes it back would otherwise live on, for an hour, in what it was exchanged for.
    guard identity.token == nil || identity.proofEnds != nil else {
      throw TokenError(.invalidRequest, "A token that does not say when it ends is not exchanged.")
    }
    let audience = request.audience ?? usualAudience
    guard client.audiences.contains(where: { Self.isSame($0, audience) }) else {
      throw TokenError(.invalidTarget, "The client may have no token for this audience.")
    }
    // A token that says no scopes gives none: a scope is a right, and rights do not come by exchange.
    let available = client.scopes.filter { scope in identity.token.map { $0.scopes.contains { Self.isSame($0, scope) } } ?? true }
    let asked = request.scopes ?? available
    guard asked.allSatisfy({ scope in available.contains { Self.isSame($0, scope) } }) else {
      throw TokenError(.invalidScope, "The client may not have this scope, or the exchanged token does not have it.")
    }
    self.audience = audience
    self.scopes = available.filter { scope in asked.contains { Self.isSame($0, scope) } }
  }

  /// By bytes: Swift's `==` sees through Unicode normalisation.
  private static func isSame(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }
}
