import SallyportWire

/// Reads a document's paths into operations.
struct OperationsReader {
  let reader: OpenAPIReader
  let root: DocumentValue
  let version: OpenAPIVersion
  private var resolver: PointerResolver

  private(set) var operations: [Operation] = []
  /// For each operation what its answers refer to.
  private(set) var answers: [[SchemaGraph.Node]] = []
  private(set) var leftOut = 0
  /// The operations by their names, and by their methods and templates' shapes.
  private var ids: [String: Int] = [:]
  private var shapes: [Route: Int] = [:]

  private static let mostLeftOut = 10_000

  private struct Route: Hashable {
    let method: Method
    let shape: String
  }

  init(reader: OpenAPIReader, root: DocumentValue, version: OpenAPIVersion) {
    self.reader = reader
    self.root = root
    self.resolver = PointerResolver(root: root)
    self.version = version
  }

  mutating func read(_ findings: inout OpenAPIFindings, answers graph: inout SchemaGraphBuilder) {
    let servers = ServerPrefix(override: self.reader.pathPrefix, version: self.version)
    guard let paths = self.root["paths"] else {
      // From 3.1 on a document may hold webhooks or components alone.
      if self.version != .v31 { findings.refuse(.root, "has no `paths`") }
      return
    }
    guard paths.kind == .object else { return findings.refuse(paths.pointer, "is not an object") }
    let prefix: String
    switch servers.prefix(ofDocument: self.root) {
    case .success(let found): prefix = found
    case .failure(let fault): return findings.refuse(fault.place.pointer, fault.message)
    }
    for member in paths.members where !member.key.utf8.starts(with: "x-".utf8) {
      guard self.operations.count < self.reader.limits.operations else {
        return findings.refuse(paths.pointer, "describes more than \(self.reader.limits.operations) operations")
      }
      self.readItem(member.value, path: member.key, prefix: prefix, servers: servers, &findings, &graph)
      // Nobody reads on in a document like that, and it must not take our time either.
      if findings.isFull { return }
      guard self.leftOut <= Self.mostLeftOut else {
        return findings.refuse(paths.pointer, "describes more than \(Self.mostLeftOut) operations that had to be left out")
      }
    }
  }

  // MARK: - A path

  private mutating func readItem(
    _ value: DocumentValue, path: String, prefix: String, servers: ServerPrefix, _ findings: inout OpenAPIFindings,
    _ graph: inout SchemaGraphBuilder
  ) {
    let item: DocumentValue
    switch self.resolve(value) {
    case .success(let resolved): item = resolved
    case .failure(let fault): return self.leaveOut(fault.place, fault.message, &findings)
    }
    for member in item.members {
      switch Self.meaning(of: member.keyBytes) {
      case .operation(let method):
        guard member.value.kind == .object else {
          self.leaveOut(member.value, "is no operation: it is not an object", &findings)
          continue
        }
        switch servers.prefix(ofOperation: member.value, in: item, else: prefix) {
        case .success(let prefix): self.readOperation(member.value, method, prefix + path, &findings, &graph)
        case .failure(let fault): self.leaveOut(fault.place, fault.message, &findings)
        }
      case .other: continue
      case .unknown:
        self.leaveOut(
          member.value, "is neither a method in lower case nor any other key of a path; an operation under it would go unseen", &findings)
      }
    }
  }

  /// Follows a path item's `$ref`, which stays in the document.
  private mutating func resolve(_ value: DocumentValue) -> Result<DocumentValue, PlacedFault> {
    var item = value
    // A chain is never this long; a ring always is.
    for _ in 0..<4 {
      guard item.kind == .object else { return .failure(PlacedFault(item, "is not an object")) }
      guard let reference = item["$ref"] else { return .success(item) }
      guard !item.members.contains(where: { Self.meaning(of: $0.keyBytes).isOperation }) else {
        return .failure(PlacedFault(reference, "stands beside operations, which OpenAPI leaves undefined; keep one or the other"))
      }
      guard let pointer = reference.text.flatMap({ JSONPointer(fragment: $0) }) else {
        return .failure(PlacedFault(reference, "refers to another document; nothing is fetched, so write the path out here"))
      }
      guard let target = self.resolver.value(at: pointer) else {
        return .failure(PlacedFault(reference, "refers to nothing in this document"))
      }
      item = target
    }
    return .failure(PlacedFault(value, "refers to itself, or through more than three others"))
  }

  private enum KeyMeaning {
    case operation(Method)
    case other, unknown

    var isOperation: Bool {
      if case .operation = self { true } else { false }
    }
  }

  private static func meaning(of key: ArraySlice<UInt8>) -> KeyMeaning {
    switch String(decoding: key, as: UTF8.self) {
    case "get": .operation(.get)
    case "put": .operation(.put)
    case "post": .operation(.post)
    case "delete": .operation(.delete)
    case "options": .operation(.options)
    case "head": .operation(.head)
    case "patch": .operation(.patch)
    case "trace": .operation(.trace)
    case "parameters", "summary", "description", "servers", "$ref": .other
    case let key where key.hasPrefix("x-"): .other
    default: .unknown
    }
  }

  // MARK: - An operation

  private mutating func readOperation(
    _ value: DocumentValue, _ method: Method, _ path: String, _ findings: inout OpenAPIFindings, _ graph: inout SchemaGraphBuilder
  ) {
    let template: PathTemplate
    do {
      template = try PathTemplate(path)
    } catch {
      return self.leaveOut(value, "stands at a path that \(error.message)", &findings)
    }
    let path = template.description
    if let scope = self.reader.scope, !scope.covers(path) {
      return self.leaveOut(value, "describes a path outside /\(scope), for which this document does not speak", &findings)
    }
    var id = "\(method) \(path)"
    if let given = value["operationId"] {
      guard let text = given.text, Self.isName(text) else {
        return self.leaveOut(
          given, "is no name: text of at most 512 bytes without blanks at its ends and without control characters", &findings)
      }
      id = text
    }
    if let other = self.ids[id] {
      return self.leaveOut(
        value, "has the operationId of \(self.operations[other].method) \(self.operations[other].path); name it otherwise", &findings)
    }
    let route = Route(method: method, shape: template.shape)
    if let other = self.shapes[route] {
      return self.leaveOut(
        value, "matches the same requests as \(self.operations[other].method) \(self.operations[other].path); keep one of the two",
        &findings)
    }
    guard self.operations.count < self.reader.limits.operations else {
      return findings.refuse(value.pointer, "is one of more than \(self.reader.limits.operations) operations")
    }
    let action = value["x-kubernetes-action"]?.text
    self.ids[id] = self.operations.count
    self.shapes[route] = self.operations.count
    self.operations.append(
      Operation(
        id: id, method: method, path: path, action: action, kind: value["x-kubernetes-group-version-kind"].flatMap(SchemaKinds.read),
        isOpenEnded: Self.isOpenEnded(template, action: action)))
    self.answers.append(value["responses"].map { graph.references(below: $0) } ?? [])
  }

  /// The two paths of Kubernetes whose last parameter takes slashes too, which OpenAPI cannot say.
  private static func isOpenEnded(_ template: PathTemplate, action: String?) -> Bool {
    if action == "connect", template.segments.last == .parameter("path") { return true }
    return template.segments == [.literal("logs"), .parameter("logpath")]
  }

  private static func isName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 512 && text.utf8.first != 0x20 && text.utf8.last != 0x20
      && text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
  }

  private mutating func leaveOut(_ place: DocumentValue, _ message: String, _ findings: inout OpenAPIFindings) {
    self.leftOut += 1
    switch self.reader.faultyOperations {
    case .refuse: findings.refuse(place.pointer, message)
    case .leaveOut: findings.warn(place.pointer, "\(message); it is left out")
    }
  }
}

/// A fault and the value that it is about.
struct PlacedFault: Error {
  let place: DocumentValue
  let message: String

  init(_ place: DocumentValue, _ message: String) {
    self.place = place
    self.message = message
  }
}
