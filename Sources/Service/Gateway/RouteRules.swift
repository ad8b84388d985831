public import SallyportConfiguration
public import SallyportPolicy
import SallyportStrictYAML
public import SallyportWire

/// The policies of one route before they are compiled, and what their meaning depends on.
public struct RouteRules: Sendable {
  /// The route's name.
  public let route: String
  /// The name of its upstream.
  public let upstream: String
  public let documents: [PolicyDocument]
  /// How the upstream reads requests.
  public let reading: PathReading
  /// What becomes of `kubectl --as` before any rule is asked.
  public let impersonation: AccessPolicy.Impersonation
  /// Where the description of the upstream's API comes from.
  public let openapi: GatewayConfiguration.APIDescription?

  /// Whether some rule means nothing without a catalogue of the upstream's operations.
  public var needsCatalogue: Bool { self.documents.contains(where: \.needsCatalogue) }

  /// Compiles the policies against the operations of the upstream.
  public func matcher(_ catalogue: Catalogue?) -> PolicyMatcher {
    PolicyMatcher(self.documents, catalogue: catalogue, reading: self.reading)
  }

  /// Reads the policy files of a configuration, for every route in its order.
  ///
  /// - Returns: the routes' rules, and what can be used as it is and somebody should look at
  /// - Throws: every fault of the policy files, and what is wrong between them and the routes
  public static func read(
    _ configuration: GatewayConfiguration
  ) throws(StartFault) -> (routes: [RouteRules], warnings: [String]) {
    let policies: RoutePolicies
    do throws(FileFaults) {
      policies = try RoutePolicies(configuration)
    } catch {
      throw StartFault(error)
    }
    let routes = configuration.routes.compactMap { route -> RouteRules? in
      // Every name was checked when the configuration was read.
      guard let upstream = configuration.upstreams.first(where: { $0.name == route.upstream }) else { return nil }
      return RouteRules(
        route: route.name, upstream: upstream.name, documents: policies.documents(for: route),
        reading: upstream.kind == .kubernetes ? .kubernetes : .generic, impersonation: route.impersonation == .refuse ? .refuse : .allow,
        openapi: upstream.openapi)
    }
    return (routes, policies.warnings.map(\.description))
  }
}
