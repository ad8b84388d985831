import SallyportWire

/// One thing that a rule selects: one resource, one operation, one path, one kind. Where it is filed is in the index; what
/// else must hold is asked of its selector and its rule.
struct Clause: Sendable {
  let rule: Int32
  let selector: Int32
  /// For a selector of resources: which of its patterns this is.
  let resource: Int32
}

/// All clauses of one effect, filed by what a request is for; ``ClauseFinder`` finds them.
struct ClauseIndex: Sendable {
  let effect: Effect
  private(set) var clauses: [Clause] = []
  private(set) var words = WordTable()
  /// By the numbers of resource and subresource, ``everyName`` for a pattern.
  private(set) var resourceBuckets: [Bucket.Draft] = []
  private(set) var resourceEdges = EdgeTable()
  /// By the numbers of group and subresource, for patterns of every resource of a group.
  private(set) var groupEdges = EdgeTable()
  private(set) var paths: PathTrie
  private(set) var pathBuckets: [Bucket.Draft] = []
  private(set) var operationBuckets: [Bucket.Draft]
  private(set) var kindBuckets: [Bucket.Draft]
  /// Clauses about acting as somebody else, by whom.
  private(set) var impersonations = Bucket.Draft()
  private(set) var hasOperations = false
  private(set) var hasKinds = false

  /// Stands for every resource that a pattern might mean, and for every subresource.
  static let everyName: Int32 = .max
  /// Stands for no subresource.
  static let noSubresource: Int32 = .max - 1
  /// Stands for every subresource and none.
  static let everySubresourceAndNone: Int32 = .max - 2

  init(_ effect: Effect, _ reading: PathReading, operations: Int, kinds: Int) {
    self.effect = effect
    self.paths = PathTrie(effect == .deny ? .lenient : .exact, reading == .kubernetes ? .kubernetes : .unknown)
    self.operationBuckets = [Bucket.Draft](repeating: Bucket.Draft(), count: operations)
    self.kindBuckets = [Bucket.Draft](repeating: Bucket.Draft(), count: kinds)
  }

  // MARK: - Filing

  private mutating func add(_ clause: Clause) -> Int32 {
    self.clauses.append(clause)
    return Int32(self.clauses.count - 1)
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
        Self.bucket(from: self.words.insert(group.text), by: subresource, in: &self.groupEdges, &self.resourceBuckets)
      } else {
        Self.bucket(
          from: pattern.resource.isLiteral ? self.words.insert(pattern.resource.text) : Self.everyName, by: subresource,
          in: &self.resourceEdges, &self.resourceBuckets)
      }
    let filing = Bucket.Filing(selector, of: rule)
    let number = self.add(clause)
    self.resourceBuckets[Int(bucket)].insert(number, filing, &self.words)
  }

  /// The bucket behind an edge, a new one where there is none yet.
  private static func bucket(from node: Int32, by name: Int32, in edges: inout EdgeTable, _ buckets: inout [Bucket.Draft]) -> Int32 {
    if let known = edges.target(from: node, by: name) { return known }
    let bucket = Int32(buckets.count)
    buckets.append(Bucket.Draft())
    edges.insert(from: node, by: name, to: bucket)
    return bucket
  }

  mutating func insert(path: PathPattern, _ clause: Clause, of selector: Selector, _ rule: Rule) {
    let template = Int(self.paths.insert(path))
    if template == self.pathBuckets.count { self.pathBuckets.append(Bucket.Draft()) }
    let filing = Bucket.Filing(selector, of: rule)
    let number = self.add(clause)
    self.pathBuckets[template].insert(number, filing, &self.words)
  }

  mutating func insert(operations: [Int32], _ clause: Clause, of selector: Selector, _ rule: Rule) {
    let filing = Bucket.Filing(selector, of: rule)
    let number = self.add(clause)
    for operation in operations { self.operationBuckets[Int(operation)].insert(number, filing, &self.words) }
    self.hasOperations = true
  }

  mutating func insert(kinds: [Int32], _ clause: Clause, of selector: Selector, _ rule: Rule) {
    let filing = Bucket.Filing(selector, of: rule)
    let number = self.add(clause)
    for kind in kinds { self.kindBuckets[Int(kind)].insert(number, filing, &self.words) }
    self.hasKinds = true
  }

  mutating func insert(impersonation clause: Clause, users: NameSet?, groups: NameSet?) {
    let number = self.add(clause)
    self.impersonations.insert(number, Bucket.Filing(users: users, groups: groups), &self.words)
  }
}
