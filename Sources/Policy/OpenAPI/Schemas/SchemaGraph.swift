/// Which schemas of a catalogue refer to which.
///
/// A node is a schema, or something else that is referred to (a shared response); only schemas have names. Names and edges
/// are held once for all operations.
struct SchemaGraph: Sendable {
  typealias Node = Int32

  /// The nodes' names; empty for what is no schema.
  private(set) var names: [String] = []
  private var references: [[Node]] = []
  private var nodesByName: [String: Node] = [:]

  func node(named name: String) -> Node? { self.nodesByName[name] }

  /// The node of a schema, made where there is none yet; a nameless node is always a new one.
  mutating func insert(named name: String) -> Node {
    if !name.isEmpty, let node = self.nodesByName[name] { return node }
    let node = Node(self.names.count)
    self.names.append(name)
    self.references.append([])
    if !name.isEmpty { self.nodesByName[name] = node }
    return node
  }

  mutating func add(_ references: some Sequence<Node>, to node: Node) {
    let all = Set(self.references[Int(node)]).union(references)
    self.references[Int(node)] = all.sorted()
  }

  /// Adds another graph's nodes; schemas of one name become one, with the edges of both.
  ///
  /// - Returns: what each of its nodes is called here
  mutating func merge(_ other: SchemaGraph) -> [Node] {
    let nodes = other.names.map { self.insert(named: $0) }
    for (index, references) in other.references.enumerated() {
      self.add(references.map { nodes[Int($0)] }, to: nodes[index])
    }
    return nodes
  }

  /// The nodes that can be reached from some, these included.
  func reachable(from start: some Sequence<Node>) -> Set<Node> {
    Self.closure(of: start) { self.references[Int($0)] }
  }

  /// The nodes from which some can be reached, these included.
  func reaching(_ targets: some Sequence<Node>) -> Set<Node> {
    var referrers = [[Node]](repeating: [], count: self.names.count)
    for (index, references) in self.references.enumerated() {
      for target in references { referrers[Int(target)].append(Node(index)) }
    }
    return Self.closure(of: targets) { referrers[Int($0)] }
  }

  private static func closure(of start: some Sequence<Node>, _ next: (Node) -> [Node]) -> Set<Node> {
    var found = Set(start)
    var waiting = Array(found)
    while let node = waiting.popLast() {
      for other in next(node) where found.insert(other).inserted { waiting.append(other) }
    }
    return found
  }
}

extension Catalogue {
  /// The names of the schemas that an object of a schema can hold, however deep, its own included; empty for a name that
  /// no document knows.
  ///
  /// What is found is never too little and may be too much: whatever looks like a local reference counts as one.
  public func schemasReachable(from schema: String) -> Set<String> {
    guard let node = self.schemas.node(named: schema) else { return [] }
    return self.names(of: self.schemas.reachable(from: [node]))
  }

  /// The names of the schemas that an operation's answers can hold, however deep.
  ///
  /// - Parameter index: the operation's place in ``operations``
  public func responseSchemas(ofOperationAt index: Int) -> Set<String> {
    guard self.answers.indices.contains(index) else { return [] }
    return self.names(of: self.schemas.reachable(from: self.answers[index]))
  }

  /// The operations whose answers can hold one of some schemas, as places in ``operations``, in their order.
  ///
  /// A document says what is usual, not what is possible: a Kubernetes DELETE declares `Status` and answers with the
  /// object, a watch declares `WatchEvent`. Judge Kubernetes objects by ``kindsBySchema`` and the operations' kinds.
  public func operations(answeringWith schemas: Set<String>) -> [Int] {
    let holders = self.schemas.reaching(schemas.compactMap(self.schemas.node))
    return self.answers.indices.filter { self.answers[$0].contains(where: holders.contains) }
  }

  private func names(of nodes: Set<SchemaGraph.Node>) -> Set<String> {
    Set(nodes.map { self.schemas.names[Int($0)] }.filter { !$0.isEmpty })
  }
}
