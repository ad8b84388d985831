import SallyportConfiguration
import SallyportPolicy
import SallyportStrictYAML

/// The matcher of each route, compiled against the API description of its upstream.
struct CompiledPolicies {
  /// By the route's name; a route without policies has none.
  private(set) var matchers: [String: PolicyMatcher] = [:]
  /// What can be used, and somebody should look at it.
  private(set) var warnings: [String] = []

  /// - Throws: every fault of the policy files, and what is wrong between them and the routes
  init(_ configuration: GatewayConfiguration) throws(StartFault) {
    let (routes, warnings) = try RouteRules.read(configuration)
    self.warnings = warnings
    let catalogues = try Self.catalogues(configuration, &self.warnings)
    var faults = FaultCollector()
    for rules in routes where !rules.documents.isEmpty {
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
        if nothing.fault.severity == .fault {
          faults.add(nothing.fault.description)
        } else {
          self.warnings.append(nothing.fault.description)
        }
      }
      self.matchers[rules.route] = matcher
    }
    guard faults.isEmpty else { throw faults.fault }
  }

  /// The operations of each upstream that names a document.
  private static func catalogues(
    _ configuration: GatewayConfiguration, _ warnings: inout [String]
  ) throws(StartFault) -> [String: Catalogue] {
    var faults = FaultCollector()
    var catalogues: [String: Catalogue] = [:]
    for upstream in configuration.upstreams {
      switch upstream.openapi {
      case .file(let file):
        let read = faults.collect { () throws(StartFault) in try Catalogue.reading(file: file.path) }
        catalogues[upstream.name] = read?.catalogue
        warnings += read?.warnings ?? []
      case .upstream:
        faults.add("upstream \(upstream.name): `openapi: upstream` is not supported in this version; name a file")
      case nil: break
      }
    }
    guard faults.isEmpty else { throw faults.fault }
    return catalogues
  }
}
