/// Clauses by names, and by the beginnings of names: `team-blue`, `team-*`.
///
/// Of a pattern only what stands before its first star is looked at here; whether the whole of it fits is judged behind.
struct NameIndex: Sendable {
  private var clausesOfName: [Int32: [Int32]] = [:]
  private var clausesOfBeginning: [Int32: [Int32]] = [:]
  /// The lengths that beginnings have, ascending: a name is looked up once for each.
  private var lengths: [Int] = []

  var isEmpty: Bool { self.clausesOfName.isEmpty && self.clausesOfBeginning.isEmpty }

  /// Whether a set of patterns can be filed: one that begins with a star could be any name.
  static func canFile(_ names: NameSet) -> Bool {
    names.patterns.allSatisfy { $0.isLiteral || !$0.beginning.isEmpty }
  }

  mutating func insert(_ clause: Int32, _ names: NameSet, _ words: inout WordTable) {
    for pattern in names.patterns {
      if pattern.isLiteral {
        Self.add(clause, to: &self.clausesOfName[words.insert(pattern.text), default: []])
      } else {
        let beginning = pattern.beginning
        Self.add(clause, to: &self.clausesOfBeginning[words.insert(beginning), default: []])
        let length = beginning.utf8.count
        if let place = self.lengths.firstIndex(where: { $0 >= length }) {
          if self.lengths[place] != length { self.lengths.insert(length, at: place) }
        } else {
          self.lengths.append(length)
        }
      }
    }
  }

  private static func add(_ clause: Int32, to clauses: inout [Int32]) {
    if clauses.last != clause { clauses.append(clause) }
  }

  /// Calls `body` with the clauses that may mean a name, as ``Bucket/forEach(for:_:_:_:_:)`` does.
  func forEach(of name: String, _ words: WordTable, _ body: (Int32) -> Bool) {
    if !self.clausesOfName.isEmpty, let word = words.id(of: name), let found = self.clausesOfName[word] { Bucket.go(found, body) }
    guard !self.lengths.isEmpty else { return }
    if name.utf8.withContiguousStorageIfAvailable({ self.forEachBeginning(of: $0, words, body) }) == nil {
      Array(name.utf8).withUnsafeBufferPointer { self.forEachBeginning(of: $0, words, body) }
    }
  }

  private func forEachBeginning(of name: UnsafeBufferPointer<UInt8>, _ words: WordTable, _ body: (Int32) -> Bool) {
    for length in self.lengths {
      guard length <= name.count else { return }
      let beginning = UnsafeBufferPointer(rebasing: name[..<length])
      if let word = words.id(of: beginning), let found = self.clausesOfBeginning[word] { Bucket.go(found, body) }
    }
  }
}
