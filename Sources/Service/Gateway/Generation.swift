import SallyportAuthentication

/// One configuration with everything that it names, immutable. A request holds the one that it began with.
final class Generation: Sendable {
  /// SHA-256 of the configuration file; stands in every audit record.
  let hash: String
  let routes: RouteTable
  let authenticator: Authenticator

  init(hash: String, routes: RouteTable, authenticator: Authenticator) {
    self.hash = hash
    self.routes = routes
    self.authenticator = authenticator
  }
}
