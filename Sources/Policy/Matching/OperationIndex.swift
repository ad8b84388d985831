import SallyportWire

/// The operations of a catalogue, found by a request's path and method, and the kinds of the objects that they answer with.
///
/// An object for the reason that ``ClauseFinder`` is one: as a struct it was copied for every step of a walk along a path.
final class OperationIndex: Sendable {
  let catalogue: Catalogue
  /// Of the catalogue's operations, by their numbers: an operation has more parts than may be copied for a look at one.
  private let methods: [Method]
  /// For what must be certain: whether an operation is known at all, and what an allow admits.
  private let exact: PathTrie
  /// For what a deny must expect.
  private let lenient: PathTrie
  /// The operations of each template, by the numbers that the tries give them.
  private let exactOperations: [[Int32]]
  private let lenientOperations: [[Int32]]
  /// For an operation that lists or reads, the one of the old paths that watches the same, and the other way round; else -1.
  private let twins: [Int32]

  init(_ catalogue: Catalogue, _ reading: PathReading) {
    self.catalogue = catalogue
    self.methods = catalogue.operations.map(\.method)
    let trieReading: PathTrie.Reading = reading == .kubernetes ? .kubernetes : .unknown
    var (exact, lenient) = (PathTrie(.exact, trieReading), PathTrie(.lenient, trieReading))
    var (exactOperations, lenientOperations): ([[Int32]], [[Int32]]) = ([], [])
    for (index, operation) in catalogue.operations.enumerated() {
      let template = PathPattern(operation)
      Self.add(Int32(index), template, to: &exact, &exactOperations)
      Self.add(Int32(index), template, to: &lenient, &lenientOperations)
    }
    (self.exact, self.lenient) = (exact, lenient)
    (self.exactOperations, self.lenientOperations) = (exactOperations, lenientOperations)
    self.twins = reading == .kubernetes ? Self.twins(of: catalogue) : [Int32](repeating: -1, count: catalogue.operations.count)
  }

  private static func add(_ index: Int32, _ template: PathPattern, to trie: inout PathTrie, _ operations: inout [[Int32]]) {
    let number = Int(trie.insert(template))
    if number == operations.count { operations.append([]) }
    operations[number].append(index)
  }

  private static func twins(of catalogue: Catalogue) -> [Int32] {
    var plain: [String: Int32] = [:]
    var watching: [(index: Int32, plainPath: String)] = []
    for (index, operation) in catalogue.operations.enumerated() where operation.method == .get {
      guard let path = ObjectPath(template: operation.path) else { continue }
      if path.watches { watching.append((Int32(index), path.plainPath)) } else { plain[operation.path] = Int32(index) }
    }
    var twins = [Int32](repeating: -1, count: catalogue.operations.count)
    for (index, path) in watching {
      guard let other = plain[path] else { continue }
      twins[Int(index)] = other
      twins[Int(other)] = index
    }
    return twins
  }

  /// The operation that a request is; `nil` for one that the catalogue does not know.
  func operation(for question: PolicyQuestion) -> Int32? {
    var found: Int32?
    self.exact.forEachMatch(of: question.path) { template in
      guard found == nil else { return }
      for index in self.exactOperations[Int(template)] where self.methods[Int(index)] == question.method {
        found = index
        break
      }
    }
    return found
  }

  /// Calls `body` with every operation that a deny must take the request for: each that fits its path and method, GET for
  /// HEAD, and for a watch the operation of the other path that watches or lists the same.
  func forEachPossible(for question: PolicyQuestion, _ body: (Int32) -> Void) {
    let watches = question.info?.verb == "watch"
    self.lenient.forEachMatch(of: question.path) { template in
      for index in self.lenientOperations[Int(template)] {
        let method = self.methods[Int(index)]
        guard method == question.method || question.method == .head && method == .get else { continue }
        body(index)
        if watches, self.twins[Int(index)] >= 0 { body(self.twins[Int(index)]) }
      }
    }
  }
}
