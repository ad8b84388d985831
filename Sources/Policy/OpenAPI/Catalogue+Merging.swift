import SallyportWire

extension Catalogue {
  /// One catalogue of a server's v3 documents, each of which speaks for its own group and version.
  ///
  /// What is said first counts, in the order of ``OpenAPIIndexKey/isBefore(_:)``, whatever the order of `documents`: a later
  /// operation with the same `operationId`, or one that matches the same requests, is left out with a warning. Schemas of
  /// one name become one. A group that anybody may name says nothing of schemas under `io.k8s.`, so that nobody makes
  /// something else of `io.k8s.api.core.v1.Secret`.
  ///
  /// - Parameter mostOperations: documents beyond are left out with a warning
  public static func merging(
    _ documents: [(key: OpenAPIIndexKey, document: OpenAPIDocument)], mostOperations: Int = 200_000
  ) -> (catalogue: Catalogue, warnings: [OpenAPIFault]) {
    var merge = CatalogueMerge(mostOperations: mostOperations)
    for (key, document) in documents.sorted(by: { $0.key.isBefore($1.key) }) { merge.add(document, of: key) }
    return (merge.catalogue, merge.findings)
  }
}

private struct CatalogueMerge {
  private struct Route: Hashable {
    let method: Method
    let shape: String
  }

  private static let mostFindings = 100

  let mostOperations: Int
  private var operations: [Operation] = []
  private var answers: [[SchemaGraph.Node]] = []
  private var kinds: [String: GroupVersionKind] = [:]
  private var schemas = SchemaGraph()
  private var ids: [String: Int] = [:]
  private var routes: [Route: Int] = [:]
  private(set) var findings: [OpenAPIFault] = []

  init(mostOperations: Int) { self.mostOperations = mostOperations }

  var catalogue: Catalogue {
    Catalogue(operations: self.operations, kindsBySchema: self.kinds, schemas: self.schemas, answers: self.answers)
  }

  mutating func add(_ document: OpenAPIDocument, of key: OpenAPIIndexKey) {
    let catalogue = document.catalogue
    guard self.operations.count + catalogue.operations.count <= self.mostOperations else {
      return self.warn(document, "is left out: the documents describe more than \(self.mostOperations) operations")
    }
    let nodes = self.schemas.merge(catalogue.schemas)
    for (index, operation) in catalogue.operations.enumerated() {
      let route = Route(method: operation.method, shape: (try? PathTemplate(operation.path))?.shape ?? operation.path)
      let name = "\(operation.method) \(operation.path)"
      if let other = self.ids[operation.id] {
        let other = self.operations[other]
        self.warn(document, "\(name) has the operationId of \(other.method) \(other.path), which goes before it; it is left out")
      } else if let other = self.routes[route] {
        self.warn(document, "\(name) matches the same requests as \(self.operations[other].path), which goes before it; it is left out")
      } else {
        self.ids[operation.id] = self.operations.count
        self.routes[route] = self.operations.count
        self.operations.append(operation)
        self.answers.append(catalogue.answers.indices.contains(index) ? catalogue.answers[index].map { nodes[Int($0)] } : [])
      }
    }
    for (schema, kind) in catalogue.kindsBySchema where key.tier != .others || !schema.hasPrefix("io.k8s.") {
      if self.kinds[schema] == nil { self.kinds[schema] = kind }
    }
  }

  private mutating func warn(_ document: OpenAPIDocument, _ message: String) {
    guard self.findings.count < Self.mostFindings else { return }
    self.findings.append(OpenAPIFault(document: document.name, pointer: .root, message))
  }
}
