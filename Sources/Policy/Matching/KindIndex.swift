import SallyportWire

/// The kinds of objects that requests answer with, found by group, version, resource and subresource.
///
/// Verbs are left out on purpose. A schema understates what an answer holds: DELETE of a Secret declares a Status, a watch
/// declares a WatchEvent, and both hand out the Secret; PATCH answers with the object whatever was sent.
///
/// An object, since every request asks it, and it has more parts than may be copied for each.
final class KindIndex: Sendable {
  private let words: WordTable
  private let edges: EdgeTable
  /// By the number of a resource's node.
  private let kindsOfNode: ListTable
  private let numbers: [GroupVersionKind: Int32]

  init(_ catalogue: Catalogue) {
    var (words, edges) = (WordTable.Draft(), EdgeTable.Draft())
    var kindsOfNode: [[Int32]] = [[]]
    var numbers: [GroupVersionKind: Int32] = [:]
    for operation in catalogue.operations {
      guard let kind = operation.kind, let path = ObjectPath(template: operation.path) else { continue }
      let number = numbers[kind] ?? Int32(numbers.count)
      numbers[kind] = number
      var node: Int32 = 0
      for text in [path.group, path.version, path.resource, path.subresource] {
        let word = words.insert(text)
        if let known = edges.target(from: node, by: word) {
          node = known
        } else {
          edges.insert(from: node, by: word, to: Int32(kindsOfNode.count))
          node = Int32(kindsOfNode.count)
          kindsOfNode.append([])
        }
      }
      if !kindsOfNode[Int(node)].contains(number) { kindsOfNode[Int(node)].append(number) }
    }
    self.words = WordTable(words)
    self.edges = EdgeTable(edges)
    self.numbers = numbers
    self.kindsOfNode = ListTable(kindsOfNode)
  }

  var count: Int { self.numbers.count }

  /// The number of a kind; `nil` for one that no operation answers with.
  func number(of kind: GroupVersionKind) -> Int32? { self.numbers[kind] }

  /// Calls `body` with the numbers of the kinds that requests for this resource answer with.
  func forEach(of info: RequestInfo, _ body: (Int32) -> Void) {
    guard let group = self.step(0, info.apiGroup), let version = self.step(group, info.apiVersion),
      let resource = self.step(version, info.resource), let node = self.step(resource, info.effectiveSubresource)
    else { return }
    for place in self.kindsOfNode.places(of: Int(node)) { body(self.kindsOfNode[place]) }
  }

  private func step(_ node: Int32, _ text: String) -> Int32? {
    self.words.id(of: text).flatMap { self.edges.target(from: node, by: $0) }
  }
}
