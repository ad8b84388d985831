import SallyportWire

/// The operations of a catalogue, found by a request's path and method, and the kinds of the objects that they answer with.
///
/// An object for the reason that ``ClauseFinder`` is one: as a struct it was copied for every step of a walk along a path.
final class OperationIndex: Sendable {
  let catalogue: Catalogue
  /// Of the catalogue's operations, by their numbers: an operation has more parts than may be copied for a look at one.
  private let methods: FrozenArray<UInt8>
  /// The operations of each template, by the numbers that the path index gives it: for what must be certain (whether an operation
  /// is known at all, and what an allow admits), and for what a deny must expect.
  private let exact: ListTable
  private let lenient: ListTable
  /// For an operation that lists or reads, the one of the old paths that watches the same, and the other way round; else -1.
  private let twins: FrozenArray<Int32>

  /// - Parameter paths: gets the operations' templates
  init(_ catalogue: Catalogue, _ reading: PathReading, _ paths: inout PathIndex.Draft) {
    self.catalogue = catalogue
    self.methods = FrozenArray(catalogue.operations.map(\.method.number))
    var (exact, lenient): ([[Int32]], [[Int32]]) = ([], [])
    for (index, operation) in catalogue.operations.enumerated() {
      let template = PathPattern(operation)
      Self.add(Int32(index), paths.insert(template, .exact), to: &exact)
      Self.add(Int32(index), paths.insert(template, .lenient), to: &lenient)
    }
    self.exact = ListTable(exact)
    self.lenient = ListTable(lenient)
    self.twins = FrozenArray(
      reading == .kubernetes ? Self.twins(of: catalogue) : [Int32](repeating: -1, count: catalogue.operations.count))
  }

  private static func add(_ index: Int32, _ template: Int, to operations: inout [[Int32]]) {
    while operations.count <= template { operations.append([]) }
    operations[template].append(index)
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

  private func has(_ operation: Int32, _ method: Method) -> Bool {
    guard self.methods[Int(operation)] == method.number else { return false }
    if case .other = method { return self.catalogue.operations[Int(operation)].method == method }
    return true
  }

  /// The operation that a request is; `nil` for one that the catalogue does not know.
  func operation(for question: PolicyQuestion, at paths: borrowing PathMatches) -> Int32? {
    var found: Int32?
    paths.forEach(.exact) { template in
      for place in self.exact.places(of: template) where self.has(self.exact[place], question.method) {
        found = self.exact[place]
        return false
      }
      return true
    }
    return found
  }

  /// Calls `body` with every operation that a deny must take the request for: each that fits its path and method, GET for
  /// HEAD, and for a watch the operation of the other path that watches or lists the same.
  func forEachPossible(for question: PolicyQuestion, at paths: borrowing PathMatches, _ body: (Int32) -> Void) {
    let watches = question.info?.verb == "watch"
    paths.forEach(.lenient) { template in
      for place in self.lenient.places(of: template) {
        let index = self.lenient[place]
        guard self.has(index, question.method) || question.method == .head && self.has(index, .get) else { continue }
        body(index)
        if watches, self.twins[Int(index)] >= 0 { body(self.twins[Int(index)]) }
      }
      return true
    }
  }
}

extension Method {
  /// A number of each method that has a name here, and one for all others.
  fileprivate var number: UInt8 {
    switch self {
    case .get: 0
    case .head: 1
    case .post: 2
    case .put: 3
    case .patch: 4
    case .delete: 5
    case .options: 6
    case .connect: 7
    case .trace: 8
    case .other: 9
    }
  }
}
