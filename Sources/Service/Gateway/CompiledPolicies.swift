import SallyportConfiguration
import SallyportPolicy
import SallyportStrictYAML

/// The policies of every route, read once with the configuration, and compiled anew whenever an upstream describes itself
/// anew (`openapi: upstream`).
struct PolicyPlan: Sendable {
  private let routes: [RouteRules]
  /// The matchers that nothing changes: of routes to an upstream whose description is a file, or which has none.
  private let settled: [String: PolicyMatcher]
  /// What can be used, and somebody should look at it.
  let warnings: [String]

  /// - Throws: every fault of the policy files and of the API descriptions in files, and what is wrong between them and the
  ///   routes
  init(_ configuration: GatewayConfiguration) throws(StartFault) {
    let (routes, findings) = try RouteRules.read(configuration)
    var warnings = findings
    let catalogues = try Self.catalogues(configuration, &warnings)
    var faults = FaultCollector()
    var settled: [String: PolicyMatcher] = [:]
    for rules in routes where !rules.documents.isEmpty && rules.openapi != .upstream {
      let catalogue = catalogues[rules.upstream]
      // Without the operations, a rule about one would select nothing: a door that somebody believes to be shut.
      for document in rules.documents where document.needsCatalogue && catalogue == nil {
        faults.add(
          "route \(rules.route): the policy \(document.name) speaks of operations or of what they return, and the upstream "
            + "\(rules.upstream) has no API description; name one as its `openapi`")
      }
      let matcher = rules.matcher(catalogue)
      // A selector that has no effect is a slip that opens a door; one that has some, somebody should look at.
      for nothing in matcher.selectingNothing {
        if nothing.hasNoEffect { faults.add(nothing.fault.description) } else { warnings.append(nothing.fault.description) }
      }
      settled[rules.route] = matcher
    }
    guard faults.isEmpty else { throw faults.fault }
    self.routes = routes
    self.settled = settled
    self.warnings = warnings
  }

  /// The operations of each upstream that names a document.
  private static func catalogues(
    _ configuration: GatewayConfiguration, _ warnings: inout [String]
  ) throws(StartFault) -> [String: Catalogue] {
    var faults = FaultCollector()
    var catalogues: [String: Catalogue] = [:]
    for upstream in configuration.upstreams {
      guard case .file(let file)? = upstream.openapi else { continue }
      let read = faults.collect { () throws(StartFault) in try Catalogue.reading(file: file.path) }
      catalogues[upstream.name] = read?.catalogue
      warnings += read?.warnings ?? []
    }
    guard faults.isEmpty else { throw faults.fault }
    return catalogues
  }

  /// Whether some policy of a route to the upstream means nothing, and denies, without its description.
  func needsCatalogue(of upstream: String) -> Bool {
    self.routes.contains { $0.upstream == upstream && $0.needsCatalogue }
  }

  /// Compiles the policies against what upstreams have said of themselves.
  ///
  /// - Parameter learned: by the upstream's name; a policy that needs the catalogue of one that has said nothing yet denies
  ///   what it cannot decide
  func compiled(_ learned: [String: Catalogue]) -> CompiledPolicies {
    var matchers = self.settled
    var unknown: [String] = []
    for rules in self.routes where !rules.documents.isEmpty && rules.openapi == .upstream {
      let catalogue = learned[rules.upstream]
      let matcher = rules.matcher(catalogue)
      matchers[rules.route] = matcher
      // The API may be installed later, or come back: no reason to refuse a start, and one to say so each time.
      for nothing in matcher.selectingNothing where !unknown.contains(nothing.fault.description) {
        unknown.append(nothing.fault.description)
      }
    }
    return CompiledPolicies(matchers: matchers, unknownNames: unknown)
  }
}

/// The matcher of each route, compiled against the API description of its upstream.
struct CompiledPolicies: Sendable {
  /// By the route's name; a route without policies has none.
  let matchers: [String: PolicyMatcher]
  /// What rules name and an upstream's description of itself does not have, each as a fault of the policy's file.
  let unknownNames: [String]
}
