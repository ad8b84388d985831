import SallyportWire

/// The kinds of objects that requests answer with, found by group, version, resource and subresource.
///
/// Verbs are left out on purpose. A schema understates what an answer holds: DELETE of a Secret declares a Status, a watch
/// declares a WatchEvent, and both hand out the Secret; PATCH answers with the object whatever was sent.
struct KindIndex: Sendable {
  private var words = WordTable()
  private var edges = EdgeTable()
  private var nodeCount: Int32 = 1
  /// Kinds by the number of a resource's node.
  private var kindsOfNode: [Int32: [Int32]] = [:]
  private var numbers: [GroupVersionKind: Int32] = [:]

  init(_ catalogue: Catalogue) {
    for operation in catalogue.operations {
      guard let kind = operation.kind, let path = ObjectPath(template: operation.path) else { continue }
      let number = self.numbers[kind] ?? Int32(self.numbers.count)
      self.numbers[kind] = number
      let node = self.insert([path.group, path.version, path.resource, path.subresource])
      if self.kindsOfNode[node]?.contains(number) != true { self.kindsOfNode[node, default: []].append(number) }
    }
  }

  private mutating func insert(_ path: [String]) -> Int32 {
    path.reduce(0) { node, text in
      let word = self.words.insert(text)
      if let known = self.edges.target(from: node, by: word) { return known }
      let new = self.nodeCount
      self.nodeCount += 1
      self.edges.insert(from: node, by: word, to: new)
      return new
    }
  }

  var count: Int { self.numbers.count }

  /// The number of a kind; `nil` for one that no operation answers with.
  func number(of kind: GroupVersionKind) -> Int32? { self.numbers[kind] }

  /// The numbers of the kinds that requests for this resource answer with.
  func kinds(of info: RequestInfo) -> [Int32] {
    guard let group = self.step(0, info.apiGroup), let version = self.step(group, info.apiVersion),
      let resource = self.step(version, info.resource), let node = self.step(resource, info.effectiveSubresource)
    else { return [] }
    return self.kindsOfNode[node] ?? []
  }

  private func step(_ node: Int32, _ text: String) -> Int32? {
    self.words.id(of: text).flatMap { self.edges.target(from: node, by: $0) }
  }
}
