/// Clauses that may mean a request which leads here, filed by what else they ask for.
///
/// A clause that names its namespaces is only found by requests in one of them, and by those in none; one whose rule is
/// only for certain people is only found by these. So the rules of a hundred teams about the same resource cost a request
/// no more than those of one.
struct Bucket: Sendable {
  private(set) var always: [Int32] = []
  private(set) var byNamespace: [Int32: [Int32]] = [:]
  /// The clauses of `byNamespace`, for requests that name no namespace.
  private(set) var withoutNamespace: [Int32] = []
  private(set) var byUser: [Int32: [Int32]] = [:]
  private(set) var byGroup: [Int32: [Int32]] = [:]

  /// Where a clause is filed.
  enum Filing {
    case always
    case namespaces([Int32])
    case people(users: [Int32], groups: [Int32])
  }

  mutating func insert(_ clause: Int32, _ filing: Filing) {
    switch filing {
    case .always: self.always.append(clause)
    case .namespaces(let namespaces):
      for namespace in namespaces { self.byNamespace[namespace, default: []].append(clause) }
      self.withoutNamespace.append(clause)
    case .people(let users, let groups):
      for user in users { self.byUser[user, default: []].append(clause) }
      for group in groups { self.byGroup[group, default: []].append(clause) }
    }
  }

  /// Calls `body` with every clause that may mean the request.
  func forEach(for question: PolicyQuestion, _ asker: Asker, _ words: WordTable, _ effect: Effect, _ body: (Int32) -> Void) {
    for clause in self.always { body(clause) }
    if !self.byNamespace.isEmpty {
      if let namespace = question.namespace {
        self.look(namespace, in: self.byNamespace, words, body)
      } else if effect == .deny {
        for clause in self.withoutNamespace { body(clause) }
      }
    }
    if !self.byUser.isEmpty { self.look(asker.user, in: self.byUser, words, body) }
    if !self.byGroup.isEmpty {
      for group in asker.groups { self.look(group, in: self.byGroup, words, body) }
      if let group = asker.impliedGroup { self.look(group, in: self.byGroup, words, body) }
    }
  }

  private func look(_ text: String, in clauses: [Int32: [Int32]], _ words: WordTable, _ body: (Int32) -> Void) {
    guard let word = words.id(of: text), let found = clauses[word] else { return }
    for clause in found { body(clause) }
  }
}
