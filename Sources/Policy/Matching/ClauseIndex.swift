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
  private(set) var resourceBuckets: [Bucket] = []
  private(set) var resourceEdges = EdgeTable()
  private(set) var paths: PathTrie
  private(set) var pathBuckets: [Bucket] = []
  private(set) var operationBuckets: [Bucket]
  private(set) var kindBuckets: [Bucket]
  private(set) var impersonations: [Int32] = []
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
    self.operationBuckets = [Bucket](repeating: Bucket(), count: operations)
    self.kindBuckets = [Bucket](repeating: Bucket(), count: kinds)
  }

  // MARK: - Filing

  private mutating func add(_ clause: Clause) -> Int32 {
    self.clauses.append(clause)
    return Int32(self.clauses.count - 1)
  }

  private mutating func filing(_ selector: Selector, _ rule: Rule) -> Bucket.Filing {
    if let names = selector.namespaces?.literalNames { return .namespaces(names.map { self.words.insert($0) }) }
    guard let only = rule.only, only.users != nil || only.groups != nil else { return .always }
    let users = only.users.map(\.literalNames) ?? []
    let groups = only.groups.map(\.literalNames) ?? []
    guard let users, let groups else { return .always }
    return .people(users: users.map { self.words.insert($0) }, groups: groups.map { self.words.insert($0) })
  }

  mutating func insert(resource pattern: ResourcePattern, _ clause: Clause, of selector: Selector, _ rule: Rule) {
    let resource = pattern.resource.isLiteral ? self.words.insert(pattern.resource.text) : Self.everyName
    let subresource: Int32 =
      if pattern.isEverything {
        Self.everySubresourceAndNone
      } else if let wanted = pattern.subresource {
        wanted.isLiteral ? self.words.insert(wanted.text) : Self.everyName
      } else {
        Self.noSubresource
      }
    let bucket: Int32
    if let known = self.resourceEdges.target(from: resource, by: subresource) {
      bucket = known
    } else {
      bucket = Int32(self.resourceBuckets.count)
      self.resourceBuckets.append(Bucket())
      self.resourceEdges.insert(from: resource, by: subresource, to: bucket)
    }
    let filing = self.filing(selector, rule)
    let number = self.add(clause)
    self.resourceBuckets[Int(bucket)].insert(number, filing)
  }

  mutating func insert(path: PathPattern, _ clause: Clause, of selector: Selector, _ rule: Rule) {
    let template = Int(self.paths.insert(path))
    if template == self.pathBuckets.count { self.pathBuckets.append(Bucket()) }
    let filing = self.filing(selector, rule)
    let number = self.add(clause)
    self.pathBuckets[template].insert(number, filing)
  }

  mutating func insert(operations: [Int32], _ clause: Clause, of selector: Selector, _ rule: Rule) {
    let filing = self.filing(selector, rule)
    let number = self.add(clause)
    for operation in operations { self.operationBuckets[Int(operation)].insert(number, filing) }
    self.hasOperations = true
  }

  mutating func insert(kinds: [Int32], _ clause: Clause, of selector: Selector, _ rule: Rule) {
    let filing = self.filing(selector, rule)
    let number = self.add(clause)
    for kind in kinds { self.kindBuckets[Int(kind)].insert(number, filing) }
    self.hasKinds = true
  }

  mutating func insert(impersonation clause: Clause) {
    let number = self.add(clause)
    self.impersonations.append(number)
  }
}
