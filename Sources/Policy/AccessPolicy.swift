public import SallyportCore
import SallyportWire

/// Judges whether a request may go on to its upstream.
///
/// First whether the route lets its users act as others, and whether a browser was led here by a foreign page; no rule of a
/// policy file undoes that. Then the rules of the route's policies.
public struct AccessPolicy: Sendable {
  /// What a route makes of a request to act as somebody else.
  public enum Impersonation: Sendable, Hashable {
    /// The upstream decides, by the rights of the identity that asks.
    case allow
    /// Nobody may ask.
    case refuse
  }

  private let impersonation: Impersonation
  private let rules: PolicyMatcher?

  /// - Parameter rules: the route's policies, compiled; `nil` for none
  public init(impersonation: Impersonation = .allow, rules: PolicyMatcher? = nil) {
    self.impersonation = impersonation
    self.rules = rules
  }

  /// The same with other rules.
  public func judging(by rules: PolicyMatcher?) -> AccessPolicy {
    AccessPolicy(impersonation: self.impersonation, rules: rules)
  }

  static let impersonationRefusedMessage =
    "This gateway lets nobody act as somebody else here; leave out --as and the Impersonate headers."

  /// The decision on one request; it depends on nothing but the request and where it comes from.
  public func decide(_ request: AuthenticatedRequest, from client: ClientAddress) -> Decision {
    if self.impersonation == .refuse && request.stripped.impersonation != nil {
      return .deny(rule: nil, message: Self.impersonationRefusedMessage)
    }
    if let foreign = BrowserOrigin.foreignness(of: request.stripped) {
      return .deny(rule: nil, message: foreign)
    }
    guard let rules = self.rules else { return .allow(rule: nil) }
    return rules.decide(PolicyQuestion(request, from: client))
  }
}
