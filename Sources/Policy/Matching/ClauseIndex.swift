import SallyportWire

/// One thing that a rule selects: one resource, one operation, one path, one kind. Where it is filed is in the index; what
/// else must hold is asked of its selector and its rule.
struct Clause: Sendable, BitwiseCopyable {
  let rule: Int32
  let selector: Int32
  /// For a selector of resources: which of its patterns this is.
  let resource: Int32
}

/// All clauses of one effect, filed by what a request is for; ``ClauseFinder`` finds them.
struct ClauseIndex: Sendable {
  let effect: Effect
  private(set) var clauses: [Clause] = []
  private(set) var words = WordTable.Draft()
  /// First one for each operation and for each kind, by their numbers.
  private(set) var buckets: Buckets.Draft
  let firstKindBucket: Int32
  /// Clauses about acting as somebody else, by whom.
  let impersonations: Int32
  /// By the numbers of resource and subresource, ``everyName`` for a pattern.
  private(set) var resourceEdges = EdgeTable.Draft()
  /// By the numbers of group and subresource, for patterns of every resource of a group.
  private(set) var groupEdges = EdgeTable.Draft()
  /// By the numbers of path templates; -1 for a template of others.
  private(set) var bucketOfTemplate: [Int32] = []
  private(set) var hasResources = false
  private(set) var hasOperations = false
  private(set) var hasKinds = false

  /// Stands for every resource that a pattern might mean, and for every subresource.
  static let everyName: Int32 = .max
  /// Stands for no subresource.
  static let noSubresource: Int32 = .max - 1
  /// Stands for every subresource and none.
  static let everySubresourceAndNone: Int32 = .max - 2

  init(_ effect: Effect, operations: Int, kinds: Int) {
    self.effect = effect
    self.firstKindBucket = Int32(operations)
    self.impersonations = Int32(operations + kinds)
    self.buckets = Buckets.Draft(count: operations + kinds + 1)
  }

  // MARK: - Filing

  private mutating func add(_ clause: Clause) -> Int32 {
    self.clauses.append(clause)
    return Int32(self.clauses.count - 1)
  }

  private mutating func file(_ clause: Clause, into buckets: some Sequence<Int32>, _ filing: Filing) {
    let number = self.add(clause)
    for bucket in buckets { self.buckets.insert(number, into: bucket, filing, &self.words) }
  }

  mutating func insert(resource pattern: ResourcePattern, _ clause: Clause, of selector: Selector, _ rule: Rule) {
    let subresource: Int32 =
      if pattern.isEverything {
        Self.everySubresourceAndNone
      } else if let wanted = pattern.subresource {
        wanted.isLiteral ? self.words.insert(wanted.text) : Self.everyName
      } else {
        Self.noSubresource
      }
    let bucket =
      if !pattern.resource.isLiteral, let group = pattern.group, group.isLiteral {
        Self.bucket(from: self.words.insert(group.text), by: subresource, in: &self.groupEdges, &self.buckets)
      } else {
        Self.bucket(
          from: pattern.resource.isLiteral ? self.words.insert(pattern.resource.text) : Self.everyName, by: subresource,
          in: &self.resourceEdges, &self.buckets)
      }
    self.file(clause, into: CollectionOfOne(bucket), Filing(selector, of: rule))
    self.hasResources = true
  }

  /// The bucket behind an edge, a new one where there is none yet.
  private static func bucket(from node: Int32, by name: Int32, in edges: inout EdgeTable.Draft, _ buckets: inout Buckets.Draft) -> Int32 {
    if let known = edges.target(from: node, by: name) { return known }
    let bucket = buckets.add()
    edges.insert(from: node, by: name, to: bucket)
    return bucket
  }

  /// - Parameter template: its number in the path index, in the effect's spelling
  mutating func insert(path template: Int, _ clause: Clause, of selector: Selector, _ rule: Rule) {
    while self.bucketOfTemplate.count <= template { self.bucketOfTemplate.append(-1) }
    if self.bucketOfTemplate[template] < 0 { self.bucketOfTemplate[template] = self.buckets.add() }
    self.file(clause, into: CollectionOfOne(self.bucketOfTemplate[template]), Filing(selector, of: rule))
  }

  mutating func insert(operations: [Int32], _ clause: Clause, of selector: Selector, _ rule: Rule) {
    self.file(clause, into: operations, Filing(selector, of: rule))
    self.hasOperations = true
  }

  mutating func insert(kinds: [Int32], _ clause: Clause, of selector: Selector, _ rule: Rule) {
    let first = self.firstKindBucket
    self.file(clause, into: kinds.lazy.map { first + $0 }, Filing(selector, of: rule))
    self.hasKinds = true
  }

  mutating func insert(impersonation clause: Clause, users: NameSet?, groups: NameSet?) {
    self.file(clause, into: CollectionOfOne(self.impersonations), Filing(users: users, groups: groups))
  }
}
