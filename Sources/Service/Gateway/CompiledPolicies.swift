import SallyportConfiguration
import SallyportPolicy
import SallyportStrictYAML
import SallyportWire

/// The matcher of each route, compiled against the API description of its upstream.
struct CompiledPolicies {
  /// By the route's name; a route without policies has none.
  private(set) var matchers: [String: PolicyMatcher] = [:]
  /// What can be used, and somebody should look at it.
  private(set) var warnings: [String] = []

  /// - Throws: every fault of the policy files, and what is wrong between them and the routes
  init(_ configuration: GatewayConfiguration) throws(StartFault) {
    let policies: RoutePolicies
    do throws(FileFaults) {
      policies = try RoutePolicies(configuration)
    } catch {
      throw StartFault(error)
    }
    self.warnings = policies.warnings.map(\.description)
    let catalogues = try Self.catalogues(configuration, &self.warnings)
    var faults = FaultCollector()
    for route in configuration.routes {
      let documents = policies.documents(for: route)
      guard !documents.isEmpty, let upstream = configuration.upstreams.first(where: { $0.name == route.upstream }) else { continue }
      let catalogue = catalogues[upstream.name]
      // Without the operations, a rule about one would select nothing: a door that somebody believes to be shut.
      for document in documents where document.needsCatalogue && catalogue == nil {
        faults.add(
          "route \(route.name): the policy \(document.name) speaks of operations or of what they return, and the upstream \(upstream.name) "
            + "has no API description; name one as its `openapi`")
      }
      let matcher = PolicyMatcher(documents, catalogue: catalogue, reading: upstream.kind == .kubernetes ? .kubernetes : .generic)
      // A selector that has no effect is a slip that opens a door; one that has some, somebody should look at.
      for nothing in matcher.selectingNothing {
        if nothing.fault.severity == .fault {
          faults.add(nothing.fault.description)
        } else {
          self.warnings.append(nothing.fault.description)
        }
      }
      self.matchers[route.name] = matcher
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
