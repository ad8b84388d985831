/// Makes a document's ``SchemaGraph``, each part of the document being looked through once.
///
/// A reference into a schema or response counts as one to the whole of it.
struct SchemaGraphBuilder {
  private var resolver: PointerResolver
  private(set) var graph = SchemaGraph()
  /// The nodes by what is referred to: `/definitions/Pet`, `/components/responses/NotFound`, `/paths/~1pets`.
  private var nodes: [JSONPointer: SchemaGraph.Node] = [:]
  private var unread: [(node: SchemaGraph.Node, value: DocumentValue)] = []
  /// References that lead nowhere, or out of the document.
  private(set) var unresolved: [Int] = []
  private static let mostUnresolved = 20

  /// - Parameter schemas: the object of all named schemas, and where it stands
  init(root: DocumentValue, schemas: DocumentValue?, at pointer: JSONPointer) {
    self.resolver = PointerResolver(root: root)
    guard let schemas else { return }
    for member in schemas.members {
      _ = self.node(pointer.appending(member.key), name: member.key, value: member.value)
    }
  }

  /// What lies below a value refers to these.
  mutating func references(below value: DocumentValue) -> [SchemaGraph.Node] {
    var found: Set<SchemaGraph.Node> = []
    let tree = value.tree
    var previousIsReferenceKey = false
    for index in value.range {
      switch tree.values[index].kind {
      case .key: previousIsReferenceKey = tree.bytes(at: index, equal: "$ref")
      case .text:
        // A discriminator's mapping refers by plain text too, so every text that could be a reference is one.
        let bytes = tree.bytes(at: index)
        let isLocal = bytes.starts(with: "#/".utf8)
        if isLocal || previousIsReferenceKey {
          if let node = self.node(referredToBy: String(decoding: bytes, as: UTF8.self)) {
            found.insert(node)
          } else if previousIsReferenceKey, self.unresolved.count < Self.mostUnresolved {
            self.unresolved.append(index)
          }
        }
        previousIsReferenceKey = false
      default: previousIsReferenceKey = false
      }
    }
    return found.sorted()
  }

  /// Follows what is referred to until nothing is left to read.
  mutating func finish() {
    while let (node, value) = self.unread.popLast() {
      self.graph.add(self.references(below: value), to: node)
    }
  }

  private mutating func node(referredToBy text: String) -> SchemaGraph.Node? {
    guard let pointer = JSONPointer(fragment: text), let first = pointer.tokens.first else { return nil }
    let depth = first == "components" ? 3 : 2
    guard pointer.tokens.count >= depth else { return nil }
    let whole = JSONPointer(tokens: Array(pointer.tokens.prefix(depth)))
    if let node = self.nodes[whole] { return node }
    guard let value = self.resolver.value(at: whole) else { return nil }
    return self.node(whole, name: "", value: value)
  }

  private mutating func node(_ pointer: JSONPointer, name: String, value: DocumentValue) -> SchemaGraph.Node {
    let node = self.graph.insert(named: name)
    self.nodes[pointer] = node
    self.unread.append((node, value))
    return node
  }
}
