import SallyportWire

/// The names by which a request finds the clauses that are filed by names, each with its number in a table of words: to be looked up
/// once, however many buckets the request leads to.
struct AskedNames {
  struct Name {
    let text: String
    /// Negative for a name that no rule writes out.
    let word: Int32

    init(_ text: String, _ words: borrowing WordTable) {
      self.text = text
      self.word = words.id(of: text) ?? -1
    }
  }

  /// `nil` where the request names none.
  let namespace: Name?
  let name: Name?
  /// Whether a request that names none may be for any of them.
  let expectsAnyNamespace: Bool
  let expectsAnyName: Bool
  let user: Name
  let groups: [String]
  let impliedGroup: String?
  /// The numbers of all groups, the implied one's among them; good for as long as the call that gave them out.
  let groupWords: UnsafeBufferPointer<Int32>

  /// Calls `body` with the names of a request that `asker` makes.
  static func with(_ question: PolicyQuestion, _ asker: Asker, _ effect: Effect, _ words: borrowing WordTable, _ body: (AskedNames) -> Void)
  {
    // A name behind a proxy has parts, each of which may be meant: whoever denies looks at all of them.
    let isNamed = !(effect == .deny && question.namesAProxiedObject)
    self.withGroupWords(of: asker, words) { groupWords in
      body(
        AskedNames(
          namespace: question.namespace.map { Name($0, words) }, name: isNamed ? question.name.map { Name($0, words) } : nil,
          expectsAnyNamespace: effect == .deny, expectsAnyName: effect == .deny, user: Name(asker.user, words), groups: asker.groups,
          impliedGroup: asker.impliedGroup, groupWords: groupWords))
    }
  }

  /// Calls `body` with the names of somebody alone.
  static func with(_ asker: Asker, _ words: borrowing WordTable, _ body: (AskedNames) -> Void) {
    self.withGroupWords(of: asker, words) { groupWords in
      body(
        AskedNames(
          namespace: nil, name: nil, expectsAnyNamespace: false, expectsAnyName: false, user: Name(asker.user, words),
          groups: asker.groups, impliedGroup: asker.impliedGroup, groupWords: groupWords))
    }
  }

  private static func withGroupWords(of asker: Asker, _ words: borrowing WordTable, _ body: (UnsafeBufferPointer<Int32>) -> Void) {
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: asker.groups.count + 1) { space in
      var count = 0
      for group in asker.groups {
        guard let word = words.id(of: group) else { continue }
        space.initializeElement(at: count, to: word)
        count += 1
      }
      if let group = asker.impliedGroup, let word = words.id(of: group) {
        space.initializeElement(at: count, to: word)
        count += 1
      }
      body(UnsafeBufferPointer(rebasing: space[..<count]))
    }
  }
}
