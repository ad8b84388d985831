import SallyportAudit
import SallyportAuthentication
import SallyportCore
import SallyportPolicy
import SallyportWire

extension Generation {
  /// Says whether a stream that an earlier generation let in would be let in by this one as the same: the same way through
  /// the house, with what was learned of the sender then.
  ///
  /// - Returns: what its record says when it is cut; `nil` where it may stay
  func objection(to stream: StreamFacts) -> StreamEnd.Reason? {
    guard let listener = self.listeners[stream.connection.listener] else { return .listenerRemoved }
    guard let request = stream.request else { return nil }
    guard let route = try? self.routes.route(for: request.stripped, on: stream.connection), route.name == stream.route,
      route.upstreamName == stream.upstream, let reading = try? RequestReading(request.stripped, as: route.reading)
    else { return .routeRemoved }
    if let reason = self.objection(to: request, on: stream.connection, listener, route) { return reason }
    let again = AuthenticatedRequest(request.stripped, reading: reading, subject: request.subject)
    if case .deny = route.policy.decide(again, from: stream.connection.clientAddress) { return .policyDenies }
    return nil
  }

  private func objection(
    to request: AuthenticatedRequest, on connection: ConnectionFacts, _ listener: ListenerRules, _ route: Route
  ) -> StreamEnd.Reason? {
    guard case .identity(let identity) = request.subject else {
      return route.isAnonymous(request.stripped.head.target.path) ? nil : .credentialNotAccepted
    }
    if identity.method == .clientCertificate,
      !listener.trustAnchors.contains(connection.clientCertificate?.chain.last?.issuer.fingerprint ?? "")
    {
      return .certificateDistrusted
    }
    if route.problem(for: identity) != nil { return .credentialNotAccepted }
    switch self.authenticator.objection(to: identity, certificate: connection.clientCertificate, accepting: route.accepts) {
    case nil: return nil
    case .methodNotAccepted: return .credentialNotAccepted
    case .userRemoved: return .userRemoved
    case .credentialChanged: return .credentialChanged
    case .identityChanged: return .identityChanged
    }
  }
}
