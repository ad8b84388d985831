import SallyportConfiguration
import SallyportPolicy
import SallyportStrictYAML

/// The matcher of each route, compiled against the API description of its upstream.
struct CompiledPolicies {
  /// By the route's name; a route without policies has none.
  private(set) var matchers: [String: PolicyMatcher] = [:]
  /// What can be used, and somebody should look at it.
  private(set) var warnings: [FileFault] = []

  /// - Throws: every fault of the policy files, and what is wrong between them and the routes
  init(_ configuration: GatewayConfiguration) throws(StartFault) {
    let policies: RoutePolicies
    do throws(FileFaults) {
      policies = try RoutePolicies(configuration)
    } catch {
      throw StartFault(error)
    }
    self.warnings = policies.warnings
    for route in configuration.routes {
      let documents = policies.documents(for: route)
      guard !documents.isEmpty, let upstream = configuration.upstreams.first(where: { $0.name == route.upstream }) else { continue }
      self.matchers[route.name] = PolicyMatcher(documents, catalogue: nil, reading: upstream.kind == .kubernetes ? .kubernetes : .generic)
    }
  }
}
