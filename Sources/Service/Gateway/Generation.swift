import SallyportAudit
import SallyportAuthentication
import SallyportConfiguration
import SallyportIssuer
import SallyportRevocation
import SallyportUpstream

/// One configuration with everything that it names, immutable. A request holds the one that it began with.
final class Generation: Sendable {
  /// 1 for the first of a process.
  let number: Int
  /// SHA-256 of the configuration file; stands in every audit record.
  let hash: String
  let routes: RouteTable
  let authenticator: Authenticator
  /// What the authenticator judges client certificates by, for what was admitted and stays; `nil`: by nothing.
  let revocation: RevocationStore?
  let upstreams: [String: Upstream]
  let listeners: [String: ListenerRules]
  /// What the routes' matchers were compiled from.
  let policies: PolicyPlan
  /// What rules name and an upstream's description of itself does not have.
  let unknownNames: [String]
  /// How the upstreams are asked that describe themselves, by their names.
  let discoveries: [String: Discovery]
  /// Which requests are recorded, and how much of them; `nil`: all, without bodies.
  let auditPolicy: AuditPolicy?
  /// The credentials by their names, and who signs them.
  let credentials: GatewayConfiguration.Credentials
  /// Who signs tokens, and the host that the documents about it are served to; `nil` where nobody does.
  let issuer: ServedIssuer?
  /// The pages by which people sign in with a browser; `nil` where nobody does.
  let portal: ServedPortal?
  /// What becomes of an answer by which an upstream says that it does not believe a credential.
  let refusals: CredentialRefusals

  struct ServedIssuer: Sendable {
    let issuer: Issuer
    /// In lower case, without port.
    let host: String
  }

  /// What a generation says of the requests of one listener.
  struct ListenerRules: Sendable {
    /// How long streams last.
    let streamLimits: StreamLimits
    /// The authorities whose client certificates are believed: SHA-256 over each.
    let trustAnchors: Set<String>
  }

  init(
    number: Int, hash: String, routes: RouteTable, authenticator: Authenticator, revocation: RevocationStore?,
    upstreams: [String: Upstream], listeners: [String: ListenerRules], policies: PolicyPlan, unknownNames: [String],
    discoveries: [String: Discovery], auditPolicy: AuditPolicy?, credentials: GatewayConfiguration.Credentials, issuer: ServedIssuer?,
    portal: ServedPortal?, refusals: CredentialRefusals
  ) {
    self.number = number
    self.hash = hash
    self.routes = routes
    self.authenticator = authenticator
    self.revocation = revocation
    self.upstreams = upstreams
    self.listeners = listeners
    self.policies = policies
    self.unknownNames = unknownNames
    self.discoveries = discoveries
    self.auditPolicy = auditPolicy
    self.credentials = credentials
    self.issuer = issuer
    self.portal = portal
    self.refusals = refusals
  }

  func streamLimits(of listener: String) -> StreamLimits { self.listeners[listener]?.streamLimits ?? StreamLimits() }
}
