import SallyportConfiguration
import SallyportCredential
import SallyportPolicy
import SallyportUpstream

/// How the gateway asks one upstream for its description, as a configuration has it.
struct Discovery: Sendable {
  let upstream: Upstream
  /// Of a route to the upstream: one that can state an identity.
  let credential: CredentialSource
  let section: GatewayConfiguration.Upstream
}

extension Generation {
  /// The same generation, with policies that know what upstreams have said of themselves.
  func knowing(_ learned: [String: Catalogue]) -> Generation {
    let compiled = self.policies.compiled(learned)
    let routes = self.routes.routes.map { $0.judged(by: compiled.matchers[$0.name]) }
    return Generation(
      number: self.number, hash: self.hash, routes: RouteTable(routes), authenticator: self.authenticator, revocation: self.revocation,
      upstreams: self.upstreams,
      listeners: self.listeners, policies: self.policies, unknownNames: compiled.unknownNames, discoveries: self.discoveries,
      auditPolicy: self.auditPolicy, credentials: self.credentials, issuer: self.issuer, portal: self.portal, refusals: self.refusals)
  }
}
