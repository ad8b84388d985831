/// Clauses that may mean a request, by where it leads: a bucket for one resource, one path, one operation, one kind. In a bucket
/// they are filed by what else they ask for.
///
/// A clause that names its namespaces is only found by requests in one of them, and by those in none; the same with the names
/// of objects; one whose rule is only for certain people is only found by these. So the rules of a thousand teams about the
/// same resource cost a request no more than those of one.
///
/// Clauses have the numbers in which their rules stand, so that every list here is in the rules' order. All buckets share a few
/// tables of numbers: a request looks into several, and to look into one is to read memory and nothing else.
struct Buckets: ~Copyable, Sendable {
  /// By buckets.
  private let always: ListTable
  /// The clauses that are filed by namespaces, for requests that name none.
  private let withoutNamespace: ListTable
  /// The clauses that are filed by names, for requests that name no object.
  private let withoutName: ListTable
  /// From a drawer by a name, and by the beginning of one, to a list of `lists`.
  private let named: EdgeTable
  private let begun: EdgeTable
  private let lists: ListTable
  /// The lengths that beginnings have in a drawer, ascending: a name is looked up once for each.
  private let lengths: ListTable

  /// A drawer of a bucket holds what is filed there by one thing.
  enum Drawer: Int32 {
    case namespaces, names, users, groups

    static let count: Int32 = 4

    /// The number of a bucket's drawer.
    @inline(__always)
    func number(in bucket: Int32) -> Int32 { bucket * Self.count + self.rawValue }
  }

  init(_ draft: Draft) {
    self.always = ListTable(draft.always)
    self.withoutNamespace = ListTable(draft.withoutNamespace)
    self.withoutName = ListTable(draft.withoutName)
    self.named = EdgeTable(draft.named)
    self.begun = EdgeTable(draft.begun)
    self.lists = ListTable(draft.lists)
    self.lengths = ListTable(draft.lengths)
  }

  /// Calls `body` with clauses that may mean the request, list by list; a list is left as soon as `body` says `false`: what
  /// follows in it belongs to the same rule or to later ones.
  func forEach(in bucket: Int32, for asked: AskedNames, _ words: borrowing WordTable, _ body: (Int32) -> Bool) {
    self.always.forEach(of: Int(bucket), body)
    if let namespace = asked.namespace {
      self.forEach(in: Drawer.namespaces.number(in: bucket), by: namespace, words, body)
    } else if asked.expectsAnyNamespace {
      self.withoutNamespace.forEach(of: Int(bucket), body)
    }
    if let name = asked.name {
      self.forEach(in: Drawer.names.number(in: bucket), by: name, words, body)
    } else if asked.expectsAnyName {
      self.withoutName.forEach(of: Int(bucket), body)
    }
    self.forEachOfPerson(in: bucket, for: asked, words, body)
  }

  /// Calls `body` with the clauses that are filed by nothing, and with those filed by people for one of them.
  func forEachOfPerson(orAlwaysIn bucket: Int32, for asked: AskedNames, _ words: borrowing WordTable, _ body: (Int32) -> Bool) {
    self.always.forEach(of: Int(bucket), body)
    self.forEachOfPerson(in: bucket, for: asked, words, body)
  }

  private func forEachOfPerson(in bucket: Int32, for asked: AskedNames, _ words: borrowing WordTable, _ body: (Int32) -> Bool) {
    self.forEach(in: Drawer.users.number(in: bucket), by: asked.user, words, body)
    let drawer = Drawer.groups.number(in: bucket)
    for word in asked.groupWords { self.forEach(in: drawer, named: word, body) }
    guard !self.lengths.isEmpty(Int(drawer)) else { return }
    for group in asked.groups { self.forEach(in: drawer, beginning: group, words, body) }
    if let group = asked.impliedGroup { self.forEach(in: drawer, beginning: group, words, body) }
  }

  @inline(__always)
  private func forEach(in drawer: Int32, by name: AskedNames.Name, _ words: borrowing WordTable, _ body: (Int32) -> Bool) {
    self.forEach(in: drawer, named: name.word, body)
    if !self.lengths.isEmpty(Int(drawer)) { self.forEach(in: drawer, beginning: name.text, words, body) }
  }

  @inline(__always)
  private func forEach(in drawer: Int32, named word: Int32, _ body: (Int32) -> Bool) {
    if word >= 0, let list = self.named.target(from: drawer, by: word) { self.lists.forEach(of: Int(list), body) }
  }

  /// Of a pattern only what stands before its first star is looked at here; whether the whole of it fits is judged behind.
  private func forEach(in drawer: Int32, beginning name: String, _ words: borrowing WordTable, _ body: (Int32) -> Bool) {
    if name.utf8.withContiguousStorageIfAvailable({ self.forEach(in: drawer, beginning: $0, words, body) }) == nil {
      Array(name.utf8).withUnsafeBufferPointer { self.forEach(in: drawer, beginning: $0, words, body) }
    }
  }

  private func forEach(in drawer: Int32, beginning name: UnsafeBufferPointer<UInt8>, _ words: borrowing WordTable, _ body: (Int32) -> Bool)
  {
    for place in self.lengths.places(of: Int(drawer)) {
      let length = Int(self.lengths[place])
      guard length <= name.count else { return }
      let beginning = UnsafeBufferPointer(rebasing: name[..<length])
      if let word = words.id(of: beginning), let list = self.begun.target(from: drawer, by: word) {
        self.lists.forEach(of: Int(list), body)
      }
    }
  }
}

extension Buckets {
  /// Buckets while rules are compiled.
  struct Draft {
    fileprivate var always: [[Int32]]
    fileprivate var withoutNamespace: [[Int32]]
    fileprivate var withoutName: [[Int32]]
    fileprivate var named = EdgeTable.Draft()
    fileprivate var begun = EdgeTable.Draft()
    fileprivate var lists: [[Int32]] = []
    fileprivate var lengths: [[Int32]]

    /// - Parameter count: how many buckets there are from the beginning
    init(count: Int) {
      self.always = [[Int32]](repeating: [], count: count)
      (self.withoutNamespace, self.withoutName) = (self.always, self.always)
      self.lengths = [[Int32]](repeating: [], count: count * Int(Drawer.count))
    }

    /// Adds an empty bucket and returns its number.
    mutating func add() -> Int32 {
      self.always.append([])
      self.withoutNamespace.append([])
      self.withoutName.append([])
      for _ in 0..<Drawer.count { self.lengths.append([]) }
      return Int32(self.always.count - 1)
    }

    mutating func insert(_ clause: Int32, into bucket: Int32, _ filing: Filing, _ words: inout WordTable.Draft) {
      switch filing {
      case .always: self.always[Int(bucket)].append(clause)
      case .namespaces(let namespaces):
        self.insert(clause, into: Drawer.namespaces.number(in: bucket), namespaces, &words)
        self.withoutNamespace[Int(bucket)].append(clause)
      case .names(let names):
        self.insert(clause, into: Drawer.names.number(in: bucket), names, &words)
        self.withoutName[Int(bucket)].append(clause)
      case .people(let users, let groups):
        if let users { self.insert(clause, into: Drawer.users.number(in: bucket), users, &words) }
        if let groups { self.insert(clause, into: Drawer.groups.number(in: bucket), groups, &words) }
      }
    }

    private mutating func insert(_ clause: Int32, into drawer: Int32, _ names: NameSet, _ words: inout WordTable.Draft) {
      for pattern in names.patterns {
        if pattern.isLiteral {
          self.append(clause, toListOf: drawer, words.insert(pattern.text), \.named)
        } else {
          let beginning = pattern.beginning
          self.append(clause, toListOf: drawer, words.insert(beginning), \.begun)
          self.note(length: Int32(beginning.utf8.count), in: Int(drawer))
        }
      }
    }

    private mutating func append(_ clause: Int32, toListOf drawer: Int32, _ word: Int32, _ edges: WritableKeyPath<Self, EdgeTable.Draft>) {
      guard let list = self[keyPath: edges].target(from: drawer, by: word) else {
        self[keyPath: edges].insert(from: drawer, by: word, to: Int32(self.lists.count))
        self.lists.append([clause])
        return
      }
      if self.lists[Int(list)].last != clause { self.lists[Int(list)].append(clause) }
    }

    private mutating func note(length: Int32, in drawer: Int) {
      let place = self.lengths[drawer].firstIndex { $0 >= length } ?? self.lengths[drawer].count
      if place == self.lengths[drawer].count || self.lengths[drawer][place] != length { self.lengths[drawer].insert(length, at: place) }
    }
  }
}
