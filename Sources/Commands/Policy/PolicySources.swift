import SallyportConfiguration
public import SallyportPolicy
public import SallyportService
import SallyportStrictYAML
public import SallyportWire

/// Where the offline commands of `sallyport policy` have their rules and operations from.
public enum PolicySources {
  /// The operations that a document describes.
  ///
  /// - Returns: the catalogue, and what somebody should look at
  public static func catalogue(file: String) throws(StartFault) -> (catalogue: Catalogue, warnings: [String]) {
    try Catalogue.reading(file: file)
  }

  /// The operations of an upstream of a configuration.
  ///
  /// - Parameter name: the upstream's name; `nil` for the only one that has an API description
  public static func catalogue(
    configuration file: String, upstream name: String?
  ) async throws(StartFault) -> (catalogue: Catalogue, warnings: [String]) {
    let configuration = try self.configuration(file)
    let candidates = configuration.upstreams.filter { name == nil ? $0.openapi != nil : $0.name == name }
    guard let upstream = candidates.first else {
      let known = configuration.upstreams.map(\.name)
      throw StartFault([
        name.map { "\(file): there is no upstream \($0); \(Self.nearest($0, among: known))" }
          ?? "\(file): no upstream has an API description; name one as its `openapi`"
      ])
    }
    guard candidates.count == 1 else {
      throw StartFault([
        "\(file): several upstreams have an API description; choose with --upstream: \(candidates.map(\.name).joined(separator: ", "))"
      ])
    }
    return try await self.catalogue(of: upstream.openapi, named: upstream.name, configuration)
  }

  /// The operations that an upstream's `openapi` leads to; the upstream itself is asked where it says so.
  static func catalogue(
    of description: GatewayConfiguration.APIDescription?, named upstream: String, _ configuration: GatewayConfiguration
  ) async throws(StartFault) -> (catalogue: Catalogue, warnings: [String]) {
    switch description {
    case .file(let file): return try Catalogue.reading(file: file.path)
    case .upstream: return (try await Catalogue.asking(configuration, upstream: upstream), [])
    case nil: throw StartFault(["upstream \(upstream): has no API description; name one as its `openapi`"])
    }
  }

  static func configuration(_ file: String) throws(StartFault) -> GatewayConfiguration {
    do throws(FileFaults) {
      return try GatewayConfiguration.load(file: file)
    } catch {
      throw StartFault(error)
    }
  }

  static func nearest(_ name: String, among known: [String]) -> String {
    NearestName.of(name, among: known).map { "did you mean `\($0)`?" } ?? "there are \(known.joined(separator: ", "))"
  }
}

/// Compiled rules that requests are explained by, and what the route around them forbids.
public struct ExplainableRules: Sendable {
  public let matcher: PolicyMatcher
  public let impersonation: AccessPolicy.Impersonation
  /// What somebody should look at.
  public let warnings: [String]

  /// The rules of policy files.
  ///
  /// - Parameters:
  ///   - openapi: the document that `operations` and `returns` are about; `nil` for none
  ///   - reading: how the upstream reads requests
  /// - Throws: ``StartFault``, every fault of every file
  public init(policyFiles: [String], openapi: String?, reading: PathReading) throws(StartFault) {
    let documents = try PolicyFileSet(policyFiles, together: true).documents
    let read = try openapi.map { file throws(StartFault) in try Catalogue.reading(file: file) }
    try self.init(documents, read?.catalogue, reading, impersonation: .allow, warnings: read?.warnings ?? [])
  }

  /// The rules of a route of a configuration.
  ///
  /// - Parameters:
  ///   - route: the route's name; `nil` for the only one
  ///   - openapi: a document in place of the one that the upstream names
  public init(configuration file: String, route name: String?, openapi: String?) async throws(StartFault) {
    let configuration = try PolicySources.configuration(file)
    let (routes, warnings) = try RouteRules.read(configuration)
    let known = routes.map(\.route)
    if name == nil, routes.count != 1 {
      throw StartFault(["\(file): there are several routes; choose with --route: \(known.joined(separator: ", "))"])
    }
    guard let route = routes.first(where: { name == nil || $0.route == name }) else {
      throw StartFault(["\(file): there is no route \(name ?? ""); \(PolicySources.nearest(name ?? "", among: known))"])
    }
    var read: (catalogue: Catalogue, warnings: [String])?
    if let openapi {
      read = try Catalogue.reading(file: openapi)
    } else if route.openapi != nil {
      read = try await PolicySources.catalogue(of: route.openapi, named: route.upstream, configuration)
    }
    // What a server says of itself may lack what a rule names, as a running gateway's does.
    try self.init(
      route.documents, read?.catalogue, route.reading, impersonation: route.impersonation, warnings: warnings + (read?.warnings ?? []),
      mayLack: openapi == nil && route.openapi == .upstream)
  }

  private init(
    _ documents: [PolicyDocument], _ catalogue: Catalogue?, _ reading: PathReading, impersonation: AccessPolicy.Impersonation,
    warnings: [String], mayLack: Bool = false
  ) throws(StartFault) {
    if catalogue == nil, let document = documents.first(where: \.needsCatalogue) {
      throw StartFault([
        "the policy \(document.name) speaks of operations or of what they return, and there is no API description; give one with --openapi"
      ])
    }
    self.matcher = PolicyMatcher(documents, catalogue: catalogue, reading: reading)
    let faults = mayLack ? [] : self.matcher.selectingNothing.filter(\.hasNoEffect)
    guard faults.isEmpty else { throw StartFault(faults.map(\.fault.description)) }
    self.impersonation = impersonation
    self.warnings = warnings + documents.flatMap(\.warnings).map(\.description) + self.matcher.selectingNothing.map(\.fault.description)
  }

  public func explain(_ request: WrittenRequest) -> Explanation {
    self.matcher.explain(request, impersonation: self.impersonation)
  }
}
