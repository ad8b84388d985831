public import SallyportCore
import SallyportWire

/// Judges whether a request may go on to its upstream.
///
/// There are no rules over operations yet: what is judged is whether the route lets its users act as others, and whether
/// a browser was led here by a foreign page. Everything else is allowed, by no rule in particular.
public struct AccessPolicy: Sendable {
  /// What a route makes of a request to act as somebody else.
  public enum Impersonation: Sendable, Hashable {
    /// The upstream decides, by the rights of the identity that asks.
    case allow
    /// Nobody may ask.
    case refuse
  }

  private let impersonation: Impersonation

  public init(impersonation: Impersonation = .allow) {
    self.impersonation = impersonation
  }

  /// The decision on one request; it depends on nothing but the request.
  public func decide(_ request: AuthenticatedRequest) -> Decision {
    if self.impersonation == .refuse && request.stripped.impersonation != nil {
      return .deny(rule: nil, message: "This gateway lets nobody act as somebody else here; leave out --as and the Impersonate headers.")
    }
    if let foreign = BrowserOrigin.foreignness(of: request.stripped) {
      return .deny(rule: nil, message: foreign)
    }
    return .allow(rule: nil)
  }
}
