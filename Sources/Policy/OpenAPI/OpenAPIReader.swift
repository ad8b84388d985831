/// Reads OpenAPI documents: v2 (Swagger 2.0), v3.0 and v3.1, as JSON or YAML.
///
/// Only what decides about requests is read: paths, methods, names, Kubernetes' vendor extensions, and which schemas the
/// answers refer to. Everything else may say what it likes. Nothing is ever fetched: a reference out of the document is a
/// fault where an operation depends on it, and a warning where a schema does.
public struct OpenAPIReader: Sendable {
  /// What becomes of an operation that cannot be matched safely, or whose name is another's.
  public enum FaultyOperations: Sendable, Hashable {
    /// The document is refused, as is right for one that an operator can mend.
    case refuse
    /// The operation is left out with a warning: one bad API must not take the others' away. A policy that needs the
    /// catalogue denies requests that it does not know.
    case leaveOut
  }

  public var limits: OpenAPILimits
  public var faultyOperations: FaultyOperations
  /// The document's name in the v3 index, beyond whose path it may not speak; `nil` where it may speak for all paths.
  public var scope: OpenAPIIndexKey?
  /// What stands before every path of the document at the upstream, in place of the document's own `basePath` or
  /// `servers`; `nil` to believe those.
  public var pathPrefix: String?

  public init(
    limits: OpenAPILimits = OpenAPILimits(), faultyOperations: FaultyOperations = .refuse, scope: OpenAPIIndexKey? = nil,
    pathPrefix: String? = nil
  ) {
    self.limits = limits
    self.faultyOperations = faultyOperations
    self.scope = scope
    self.pathPrefix = pathPrefix
  }

  /// Reads a document. Whether it is JSON or YAML shows in its first character.
  ///
  /// - Parameter name: what the document is called in faults
  /// - Throws: ``OpenAPIFaults``, everything that was found
  public func read(_ bytes: [UInt8], name: String) throws(OpenAPIFaults) -> OpenAPIDocument {
    var findings = OpenAPIFindings(document: name)
    let root: DocumentValue
    do {
      let body = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
      let isJSON = body.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D } == UInt8(ascii: "{")
      root = try (isJSON ? JSONDocument.read(body, limits: self.limits) : YAMLDocument.read(body, limits: self.limits)).root
    } catch {
      throw OpenAPIFaults(OpenAPIFault(document: name, pointer: error.pointer, error.message))
    }
    guard let version = OpenAPIVersion(of: root, &findings) else { throw OpenAPIFaults(findings.faults) }

    let schemas = version == .v2 ? root["definitions"] : root["components"]?["schemas"]
    let schemasPointer = JSONPointer(tokens: version == .v2 ? ["definitions"] : ["components", "schemas"])
    var graph = SchemaGraphBuilder(root: root, schemas: schemas, at: schemasPointer)
    var operations = OperationsReader(reader: self, root: root, version: version)
    operations.read(&findings, answers: &graph)
    graph.finish()
    for index in graph.unresolved {
      findings.warn(
        root.tree.pointer(to: index), "refers to nothing in this document, and nothing is fetched; what it stands for is not known")
    }
    guard findings.faults.isEmpty else { throw OpenAPIFaults(findings.faults) }
    return OpenAPIDocument(
      name: name, version: version,
      catalogue: Catalogue(
        operations: operations.operations, kindsBySchema: SchemaKinds.read(schemas), schemas: graph.graph, answers: operations.answers),
      warnings: findings.warnings, operationsLeftOut: operations.leftOut)
  }
}

/// What one OpenAPI document says.
public struct OpenAPIDocument: Sendable {
  public let name: String
  public let version: OpenAPIVersion
  public let catalogue: Catalogue
  /// What was found and did not hinder, at most a hundred.
  public let warnings: [OpenAPIFault]
  /// How many operations were left out, whether or not a warning says of each.
  public let operationsLeftOut: Int
}

/// The versions of OpenAPI that are read.
public enum OpenAPIVersion: String, Sendable, Hashable {
  case v2 = "2.0"
  case v30 = "3.0"
  case v31 = "3.1"

  init?(of root: DocumentValue, _ findings: inout OpenAPIFindings) {
    switch (root["swagger"], root["openapi"]) {
    case (let swagger?, nil) where swagger.spelling == "2.0": self = .v2
    case (nil, let openapi?) where openapi.text == "3.0" || openapi.text?.hasPrefix("3.0.") == true: self = .v30
    case (nil, let openapi?) where openapi.text == "3.1" || openapi.text?.hasPrefix("3.1.") == true: self = .v31
    case (nil, nil):
      findings.refuse(.root, "is no OpenAPI document: it has neither `swagger` nor `openapi`")
      return nil
    case (.some, .some):
      findings.refuse(.root, "has both `swagger` and `openapi`; keep one of the two")
      return nil
    default:
      findings.refuse(.root, "has a version of OpenAPI that is not read here; known are swagger: \"2.0\", openapi: 3.0.x and 3.1.x")
      return nil
    }
  }
}

/// Gathers what is wrong with a document, so that everything is reported at once.
struct OpenAPIFindings {
  /// A document made to be wrong in a million places is reported on in this many.
  private static let most = 100

  let document: String
  private(set) var faults: [OpenAPIFault] = []
  private(set) var warnings: [OpenAPIFault] = []

  init(document: String) { self.document = document }

  /// Whether more faults would go unreported.
  var isFull: Bool { self.faults.count >= Self.most }

  /// The pointer is found only where it is reported: that takes a search.
  mutating func refuse(_ pointer: @autoclosure () -> JSONPointer, _ message: String) {
    guard self.faults.count < Self.most else { return }
    self.faults.append(OpenAPIFault(document: self.document, pointer: pointer(), message))
  }

  mutating func warn(_ pointer: @autoclosure () -> JSONPointer, _ message: String) {
    guard self.warnings.count < Self.most else { return }
    self.warnings.append(OpenAPIFault(document: self.document, pointer: pointer(), message))
  }
}
