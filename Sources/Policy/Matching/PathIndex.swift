/// The path templates of an upstream's operations and of the rules for it, in one tree: what fits a path is found once, for all who
/// ask.
///
/// An object, since every request asks it, and a tree has more parts than may be copied for each.
final class PathIndex: Sendable {
  /// How the upstream reads paths, of whose templates an index is made.
  enum Reading: Sendable {
    case kubernetes, unknown
  }

  private let lenient: PathTrie
  /// Empty where the walk of the other tells what fits exactly.
  private let exact: PathTrie

  /// An index while rules are compiled.
  struct Draft {
    fileprivate var lenient: PathTrie.Draft
    fileprivate var exact: PathTrie.Draft
    private let isTwofold: Bool

    init(_ reading: Reading) {
      switch reading {
      case .kubernetes: self.lenient = PathTrie.Draft(.kubernetes)
      case .unknown: self.lenient = PathTrie.Draft(.unknown(.lenient))
      }
      self.exact = PathTrie.Draft(.unknown(.exact))
      self.isTwofold = reading == .unknown
    }

    /// Adds a template that is asked about in a spelling.
    ///
    /// - Returns: its number among those of the spelling, by which ``PathMatches`` names it
    mutating func insert(_ template: PathPattern, _ spelling: PathTrie.Spelling) -> Int {
      Int(spelling == .exact && self.isTwofold ? self.exact.insert(template) : self.lenient.insert(template))
    }
  }

  init(_ draft: Draft) {
    self.lenient = PathTrie(draft.lenient)
    self.exact = PathTrie(draft.exact)
  }

  /// Room for the templates that fit one path, in each spelling: more than any that was seen.
  private static let usual = 32

  /// Calls `body` with the templates that fit a path. Nothing is allocated for it, but where they are very many.
  func withMatches<Result>(of path: String, _ body: (borrowing PathMatches) -> Result) -> Result {
    let result = path.utf8.withContiguousStorageIfAvailable { self.withMatches(of: $0, room: Self.usual, body) }
    return result ?? Array(path.utf8).withUnsafeBufferPointer { self.withMatches(of: $0, room: Self.usual, body) }
  }

  private func withMatches<Result>(
    of path: UnsafeBufferPointer<UInt8>, room: Int, _ body: (borrowing PathMatches) -> Result
  ) -> Result {
    var needed = 0
    let result: Result? = withUnsafeTemporaryAllocation(of: Int32.self, capacity: 2 * room) { space in
      let lenient = UnsafeMutableBufferPointer(rebasing: space[..<room])
      let exact = UnsafeMutableBufferPointer(rebasing: space[room...])
      var findings = PathTrie.Findings(lenient: .init(lenient), exact: .init(exact))
      if !self.lenient.isEmpty { self.lenient.walk(path, &findings) }
      if !self.exact.isEmpty { self.exact.walk(path, &findings) }
      needed = max(findings.lenient.count, findings.exact.count)
      // None may be missing: a deny could be the one.
      guard needed <= room else { return nil }
      return body(
        PathMatches(
          lenient: UnsafeBufferPointer(rebasing: lenient[..<findings.lenient.count]),
          exact: UnsafeBufferPointer(rebasing: exact[..<findings.exact.count])))
    }
    return result ?? self.withMatches(of: path, room: needed, body)
  }
}

/// The templates that fit a path, by their numbers. It cannot be copied, so that nobody keeps what lies on the stack.
struct PathMatches: ~Copyable {
  private let lenient: UnsafeBufferPointer<Int32>
  private let exact: UnsafeBufferPointer<Int32>

  fileprivate init(lenient: UnsafeBufferPointer<Int32>, exact: UnsafeBufferPointer<Int32>) {
    self.lenient = lenient
    self.exact = exact
  }

  /// Calls `body` with each that fits in the spelling, those with literal segments first, until it returns `false`.
  @inline(__always)
  func forEach(_ spelling: PathTrie.Spelling, _ body: (Int) -> Bool) {
    switch spelling {
    case .exact: for template in self.exact where !body(Int(template)) { return }
    case .lenient: for template in self.lenient where !body(Int(template)) { return }
    }
  }
}

extension Effect {
  /// How a path must be spelled for a rule to mean it: a deny must expect what an allow may not assume.
  var spelling: PathTrie.Spelling { self == .deny ? .lenient : .exact }
}
