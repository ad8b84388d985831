/// Clauses that may mean a request which leads here, filed by what else they ask for.
///
/// A clause that names its namespaces is only found by requests in one of them, and by those in none; the same with the names
/// of objects; one whose rule is only for certain people is only found by these. So the rules of a thousand teams about the
/// same resource cost a request no more than those of one.
///
/// Clauses have the numbers in which their rules stand, so that every list here is in the rules' order. An object, since a
/// request looks into several and each has more parts than may be copied for that.
final class Bucket: Sendable {
  private let always: [Int32]
  private let byNamespace: NameIndex
  /// The clauses of `byNamespace`, for requests that name no namespace.
  private let withoutNamespace: [Int32]
  private let byName: NameIndex
  /// The clauses of `byName`, for requests that name no object.
  private let withoutName: [Int32]
  private let byUser: NameIndex
  private let byGroup: NameIndex

  /// A bucket while rules are compiled.
  struct Draft {
    fileprivate var always: [Int32] = []
    fileprivate var byNamespace = NameIndex()
    fileprivate var withoutNamespace: [Int32] = []
    fileprivate var byName = NameIndex()
    fileprivate var withoutName: [Int32] = []
    fileprivate var byUser = NameIndex()
    fileprivate var byGroup = NameIndex()
  }

  init(_ draft: Draft) {
    self.always = draft.always
    self.byNamespace = draft.byNamespace
    self.withoutNamespace = draft.withoutNamespace
    self.byName = draft.byName
    self.withoutName = draft.withoutName
    self.byUser = draft.byUser
    self.byGroup = draft.byGroup
  }

  /// Where a clause is filed.
  enum Filing {
    case always
    case namespaces(NameSet)
    case names(NameSet)
    case people(users: NameSet?, groups: NameSet?)

    /// By the first of a clause's demands that can be looked up.
    init(_ selector: Selector, of rule: Rule) {
      if let namespaces = selector.namespaces, NameIndex.canFile(namespaces) {
        self = .namespaces(namespaces)
      } else if let names = selector.names, NameIndex.canFile(names) {
        self = .names(names)
      } else if let only = rule.only {
        self.init(users: only.users, groups: only.groups)
      } else {
        self = .always
      }
    }

    /// One of the users or groups, where they can be looked up.
    init(users: NameSet?, groups: NameSet?) {
      let isAsked = users != nil || groups != nil
      let canFile = users.map(NameIndex.canFile) != false && groups.map(NameIndex.canFile) != false
      self = isAsked && canFile ? .people(users: users, groups: groups) : .always
    }
  }

  /// Calls `body` with clauses that may mean the request, list by list; a list is left as soon as `body` says `false`: what
  /// follows in it belongs to the same rule or to later ones.
  func forEach(for question: PolicyQuestion, _ asker: Asker, _ words: WordTable, _ effect: Effect, _ body: (Int32) -> Bool) {
    Self.go(self.always, body)
    if !self.byNamespace.isEmpty {
      if let namespace = question.namespace {
        self.byNamespace.forEach(of: namespace, words, body)
      } else if effect == .deny {
        Self.go(self.withoutNamespace, body)
      }
    }
    if !self.byName.isEmpty {
      if let name = question.name, !(effect == .deny && question.namesAProxiedObject) {
        self.byName.forEach(of: name, words, body)
      } else if effect == .deny {
        Self.go(self.withoutName, body)
      }
    }
    self.forEachOfPerson(asker, words, body)
  }

  /// Calls `body` with the clauses that are filed by people, for one of them.
  func forEachOfPerson(_ asker: Asker, _ words: WordTable, _ body: (Int32) -> Bool) {
    if !self.byUser.isEmpty { self.byUser.forEach(of: asker.user, words, body) }
    if !self.byGroup.isEmpty {
      for group in asker.groups { self.byGroup.forEach(of: group, words, body) }
      if let group = asker.impliedGroup { self.byGroup.forEach(of: group, words, body) }
    }
  }

  /// Calls `body` with the clauses that are filed by nothing more.
  func forEachAlways(_ body: (Int32) -> Bool) { Self.go(self.always, body) }

  @inline(__always)
  static func go(_ clauses: [Int32], _ body: (Int32) -> Bool) {
    for clause in clauses where !body(clause) { return }
  }
}

extension Bucket.Draft {
  mutating func insert(_ clause: Int32, _ filing: Bucket.Filing, _ words: inout WordTable) {
    switch filing {
    case .always: self.always.append(clause)
    case .namespaces(let namespaces):
      self.byNamespace.insert(clause, namespaces, &words)
      self.withoutNamespace.append(clause)
    case .names(let names):
      self.byName.insert(clause, names, &words)
      self.withoutName.append(clause)
    case .people(let users, let groups):
      if let users { self.byUser.insert(clause, users, &words) }
      if let groups { self.byGroup.insert(clause, groups, &words) }
    }
  }
}
