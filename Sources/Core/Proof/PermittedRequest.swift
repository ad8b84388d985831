/// What policy says to a request, with the rule that said so.
public enum Decision: Sendable, Hashable {
  /// - Parameter rule: the rule that allowed it, `nil` where none forbade it
  case allow(rule: String?)
  /// - Parameters:
  ///   - rule: the rule that forbade it, `nil` where no rule allowed it
  ///   - message: what the client reads
  case deny(rule: String?, message: String)
}

/// A request that policy lets through: the third proof.
public struct PermittedRequest: Sendable {
  public let authenticated: AuthenticatedRequest
  public let rule: String?

  /// `nil` unless the decision is to allow.
  public init?(_ authenticated: AuthenticatedRequest, _ decision: Decision) {
    guard case .allow(let rule) = decision else { return nil }
    self.authenticated = authenticated
    self.rule = rule
  }
}
