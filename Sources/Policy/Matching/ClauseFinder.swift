import SallyportWire

/// Finds the clauses that may mean a request, in what a ``ClauseIndex`` has filed.
///
/// It only ever leaves out what cannot mean a request. Whether a clause does mean it is judged by the same plain predicates
/// that explain a decision. An object, since every request asks it, and an index has more parts than may be copied for each.
final class ClauseFinder: Sendable {
  let clauses: [Clause]
  private let effect: Effect
  private let words: WordTable
  private let resourceBuckets: [Bucket]
  private let resourceEdges: EdgeTable
  private let groupEdges: EdgeTable
  private let paths: PathTrie
  private let pathBuckets: [Bucket]
  private let operationBuckets: [Bucket]
  private let kindBuckets: [Bucket]
  private let impersonations: Bucket
  private let hasOperations: Bool
  private let hasKinds: Bool

  init(_ index: ClauseIndex) {
    self.clauses = index.clauses
    self.effect = index.effect
    self.words = index.words
    self.resourceBuckets = index.resourceBuckets.map(Bucket.init)
    self.resourceEdges = index.resourceEdges
    self.groupEdges = index.groupEdges
    self.paths = index.paths
    self.pathBuckets = index.pathBuckets.map(Bucket.init)
    self.operationBuckets = index.operationBuckets.map(Bucket.init)
    self.kindBuckets = index.kindBuckets.map(Bucket.init)
    self.impersonations = Bucket(index.impersonations)
    self.hasOperations = index.hasOperations
    self.hasKinds = index.hasKinds
  }

  /// Calls `body` with every clause that may mean the request when `asker` makes it, some of them perhaps twice, in lists of
  /// rising numbers; a list is left when `body` says `false`.
  func forEachCandidate(
    for question: PolicyQuestion, _ asker: Asker, operations: OperationIndex?, kinds: KindIndex?, _ body: (Int32) -> Bool
  ) {
    guard !self.clauses.isEmpty else { return }
    if let info = question.resource {
      self.forEachResourceBucket(of: info) { bucket in
        self.resourceBuckets[Int(bucket)].forEach(for: question, asker, self.words, self.effect, body)
      }
      if self.hasKinds, let kinds {
        for kind in kinds.kinds(of: info) {
          self.kindBuckets[Int(kind)].forEach(for: question, asker, self.words, self.effect, body)
        }
      }
    }
    self.paths.forEachMatch(of: question.path) { template in
      self.pathBuckets[Int(template)].forEach(for: question, asker, self.words, self.effect, body)
    }
    if self.hasOperations, let operations {
      switch self.effect {
      case .deny:
        operations.forEachPossible(for: question) { operation in
          self.operationBuckets[Int(operation)].forEach(for: question, asker, self.words, self.effect, body)
        }
      case .allow:
        if let operation = operations.operation(for: question) {
          self.operationBuckets[Int(operation)].forEach(for: question, asker, self.words, self.effect, body)
        }
      }
    }
  }

  /// Calls `body` with every clause that may be about acting as `requested`.
  func forEachImpersonation(of requested: Asker, _ body: (Int32) -> Bool) {
    self.impersonations.forEachAlways(body)
    self.impersonations.forEachOfPerson(requested, self.words, body)
  }

  private func forEachResourceBucket(of info: RequestInfo, _ body: (Int32) -> Void) {
    guard !self.resourceBuckets.isEmpty else { return }
    let text = info.effectiveSubresource
    let subresource = text.isEmpty ? ClauseIndex.noSubresource : self.words.id(of: text)
    func look(_ node: Int32, in edges: EdgeTable, also subresourceAndNone: Bool = false) {
      if let subresource, let bucket = edges.target(from: node, by: subresource) { body(bucket) }
      if !text.isEmpty, let bucket = edges.target(from: node, by: ClauseIndex.everyName) { body(bucket) }
      if subresourceAndNone, let bucket = edges.target(from: node, by: ClauseIndex.everySubresourceAndNone) { body(bucket) }
    }
    if let resource = self.words.id(of: info.resource) { look(resource, in: self.resourceEdges) }
    if let group = self.words.id(of: info.apiGroup) { look(group, in: self.groupEdges) }
    look(ClauseIndex.everyName, in: self.resourceEdges, also: true)
  }
}
