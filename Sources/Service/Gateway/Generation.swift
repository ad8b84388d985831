import SallyportAudit
import SallyportAuthentication
import SallyportRevocation

/// One configuration with everything that it names, immutable. A request holds the one that it began with.
final class Generation: Sendable {
  /// SHA-256 of the configuration file; stands in every audit record.
  let hash: String
  let routes: RouteTable
  let authenticator: Authenticator
  /// What the authenticator judges client certificates by, for what was admitted and stays; `nil`: by nothing.
  let revocation: RevocationStore?
  /// How long streams last, by the listener that they came in by.
  private let streamLimits: [String: StreamLimits]
  /// Which requests are recorded; `nil`: all.
  let auditPolicy: AuditPolicy?

  init(
    hash: String, routes: RouteTable, authenticator: Authenticator, revocation: RevocationStore? = nil,
    streamLimits: [String: StreamLimits], auditPolicy: AuditPolicy? = nil
  ) {
    self.hash = hash
    self.routes = routes
    self.authenticator = authenticator
    self.revocation = revocation
    self.streamLimits = streamLimits
    self.auditPolicy = auditPolicy
  }

  func streamLimits(of listener: String) -> StreamLimits { self.streamLimits[listener] ?? StreamLimits() }
}
