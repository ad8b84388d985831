import SallyportWire

/// Finds the clauses that may mean a request, in what a ``ClauseIndex`` has filed.
///
/// It only ever leaves out what cannot mean a request. Whether a clause does mean it is judged by the same plain predicates
/// that explain a decision. An object, since every request asks it, and an index has more parts than may be copied for each.
final class ClauseFinder: Sendable {
  private let clauses: FrozenArray<Clause>
  private let effect: Effect
  private let words: WordTable
  private let buckets: Buckets
  private let firstKindBucket: Int32
  private let impersonations: Int32
  private let resourceEdges: EdgeTable
  private let groupEdges: EdgeTable
  private let bucketOfTemplate: FrozenArray<Int32>
  private let hasResources: Bool
  private let hasOperations: Bool
  private let hasKinds: Bool

  init(_ index: ClauseIndex) {
    self.clauses = FrozenArray(index.clauses)
    self.effect = index.effect
    self.words = WordTable(index.words)
    self.buckets = Buckets(index.buckets)
    self.firstKindBucket = index.firstKindBucket
    self.impersonations = index.impersonations
    self.resourceEdges = EdgeTable(index.resourceEdges)
    self.groupEdges = EdgeTable(index.groupEdges)
    self.bucketOfTemplate = FrozenArray(index.bucketOfTemplate)
    self.hasResources = index.hasResources
    self.hasOperations = index.hasOperations
    self.hasKinds = index.hasKinds
  }

  @inline(__always)
  func clause(_ number: Int32) -> Clause { self.clauses[Int(number)] }

  /// Calls `body` with every clause that may mean the request when `asker` makes it, some of them perhaps twice, in lists of
  /// rising numbers; a list is left when `body` says `false`.
  ///
  /// - Parameter paths: the templates that fit the request's path
  func forEachCandidate(
    for question: PolicyQuestion, _ asker: Asker, at paths: borrowing PathMatches, operations: OperationIndex?, kinds: KindIndex?,
    _ body: (Int32) -> Bool
  ) {
    guard self.clauses.count > 0 else { return }
    AskedNames.with(question, asker, self.effect, self.words) { asked in
      func look(into bucket: Int32) { self.buckets.forEach(in: bucket, for: asked, self.words, body) }
      if let info = question.resource {
        if self.hasResources { self.forEachResourceBucket(of: info, look) }
        if self.hasKinds, let kinds { kinds.forEach(of: info) { look(into: self.firstKindBucket + $0) } }
      }
      if self.bucketOfTemplate.count > 0 {
        paths.forEach(self.effect.spelling) { template in
          if template < self.bucketOfTemplate.count, self.bucketOfTemplate[template] >= 0 { look(into: self.bucketOfTemplate[template]) }
          return true
        }
      }
      if self.hasOperations, let operations {
        switch self.effect {
        case .deny: operations.forEachPossible(for: question, at: paths, look)
        case .allow: if let operation = operations.operation(for: question, at: paths) { look(into: operation) }
        }
      }
    }
  }

  /// Calls `body` with every clause that may be about acting as `requested`.
  func forEachImpersonation(of requested: Asker, _ body: (Int32) -> Bool) {
    AskedNames.with(requested, self.words) { asked in
      self.buckets.forEachOfPerson(orAlwaysIn: self.impersonations, for: asked, self.words, body)
    }
  }

  private func forEachResourceBucket(of info: RequestInfo, _ body: (Int32) -> Void) {
    let text = info.effectiveSubresource
    let subresource = text.isEmpty ? ClauseIndex.noSubresource : self.words.id(of: text)
    func look(_ node: Int32, in edges: borrowing EdgeTable, also subresourceAndNone: Bool = false) {
      if let subresource, let bucket = edges.target(from: node, by: subresource) { body(bucket) }
      if !text.isEmpty, let bucket = edges.target(from: node, by: ClauseIndex.everyName) { body(bucket) }
      if subresourceAndNone, let bucket = edges.target(from: node, by: ClauseIndex.everySubresourceAndNone) { body(bucket) }
    }
    if let resource = self.words.id(of: info.resource) { look(resource, in: self.resourceEdges) }
    if let group = self.words.id(of: info.apiGroup) { look(group, in: self.groupEdges) }
    look(ClauseIndex.everyName, in: self.resourceEdges, also: true)
  }
}
