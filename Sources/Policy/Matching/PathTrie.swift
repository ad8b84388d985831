/// Path templates as a tree of segments: all that fit a path are found in one walk along the path.
///
/// At every segment the walk follows the literal edge and the parameter's, so its length is that of the path, however many
/// templates there are.
struct PathTrie: ~Copyable, Sendable {
  /// How exactly a path must be spelled.
  enum Spelling: Sendable {
    /// As the upstream takes it for certain: what an allow is judged by.
    case exact
    /// In any way in which some upstream might take it: what a deny is judged by. A parameter may be empty; and where the
    /// upstream is not known to be an API server, ASCII letters are the same in both cases, what stands behind a `;` in a
    /// segment is a parameter of it, dots and blanks at a segment's end are none, and slashes at the path's end make no
    /// difference.
    case lenient
  }

  /// Whose paths they are, which is how the tree is walked.
  enum Reading: Sendable {
    /// An API server's: slashes at both ends make no difference, and `namespaces//` is no namespace at all. The two spellings
    /// differ in empty parameters alone, so that one walk tells what fits in which.
    case kubernetes
    /// Of an upstream of which nothing is known, in one spelling.
    case unknown(Spelling)
  }

  /// What a reading means for a walk.
  fileprivate struct Rules: Sendable {
    /// The spellings that a walk tells of.
    let isExact: Bool
    let isLenient: Bool

    init(_ reading: Reading) {
      switch reading {
      case .kubernetes: (self.isExact, self.isLenient) = (true, true)
      case .unknown(.exact): (self.isExact, self.isLenient) = (true, false)
      case .unknown(.lenient): (self.isExact, self.isLenient) = (false, true)
      }
    }

    var foldsCase: Bool { self.isLenient && !self.isExact }
    /// Whether a slash at the path's end makes a difference.
    var slashesCount: Bool { self.isExact && !self.isLenient }
    var isOfAPIServer: Bool { self.isExact && self.isLenient }
  }

  /// Fixed in size, so that to look at a node is to read memory and nothing else.
  ///
  /// Not private: the compiler (6.3.1) fails on a generic type of another file over a private one.
  struct Node: BitwiseCopyable, Sendable {
    var parameter: Int32 = -1
    /// The template that ends here, and the one that ends here with a slash.
    var end: Int32 = -1
    var endWithSlash: Int32 = -1
    /// The template that goes on from here with whatever follows.
    var open: Int32 = -1
    /// The first of the segments that are parameters in part; few templates have any.
    var partial: Int32 = -1
  }

  fileprivate struct Partial: Sendable {
    let pattern: NamePattern
    let child: Int32
    /// The next one of the same node.
    var next: Int32 = -1
  }

  private let rules: Rules
  private let words: WordTable
  private let edges: EdgeTable
  private let nodes: FrozenArray<Node>
  private let partials: [Partial]
  let isEmpty: Bool

  init(_ draft: Draft) {
    self.rules = draft.rules
    self.words = WordTable(draft.words)
    self.edges = EdgeTable(draft.edges)
    self.nodes = FrozenArray(draft.nodes)
    self.partials = draft.partials
    self.isEmpty = draft.templateCount == 0
  }

  // MARK: - The walk

  /// Numbers of templates in the order in which they are found; what there is no space for is counted all the same.
  struct Found {
    private let space: UnsafeMutableBufferPointer<Int32>
    private(set) var count = 0

    init(_ space: UnsafeMutableBufferPointer<Int32>) { self.space = space }

    fileprivate mutating func append(_ template: Int32) {
      if self.count < self.space.count { self.space.initializeElement(at: self.count, to: template) }
      self.count += 1
    }
  }

  /// What a walk finds: those with literal segments first.
  struct Findings {
    /// Those that fit by some spelling.
    var lenient: Found
    /// Those that fit as they are written.
    var exact: Found

    fileprivate mutating func append(_ template: Int32, isExact: Bool, isLenient: Bool) {
      if isExact { self.exact.append(template) }
      if isLenient { self.lenient.append(template) }
    }
  }

  private static let slash = UInt8(ascii: "/")

  /// Finds every template that fits the path.
  func walk(_ path: UnsafeBufferPointer<UInt8>, _ findings: inout Findings) {
    var start = 0
    var end = path.count
    while start < end, path[start] == Self.slash { start += 1 }
    while end > start, path[end - 1] == Self.slash { end -= 1 }
    let walk = Walk(
      path: UnsafeBufferPointer(rebasing: path[..<end]), hasTrailingSlash: end < path.count && start < end)
    self.visit(0, from: start < end ? start : end + 1, of: walk, self.rules.isExact, &findings)
  }

  private struct Walk {
    /// Without slashes at its end.
    let path: UnsafeBufferPointer<UInt8>
    let hasTrailingSlash: Bool
  }

  /// - Parameters:
  ///   - isExact: whether everything so far was spelled exactly
  ///   - hasSkipped: whether an empty namespace was left out already. A path has one at the most; what a proxied path has more is
  ///     the backend's own, and a walk that left each of them out would have no bound.
  private func visit(
    _ node: Int32, from start: Int, of walk: Walk, _ isExact: Bool, hasSkipped: Bool = false, _ findings: inout Findings
  ) {
    let path = walk.path
    guard start <= path.count else { return self.arrive(at: node, walk, isExact, &findings) }
    var end = start
    while end < path.count, path[end] != Self.slash { end += 1 }
    let segment = UnsafeBufferPointer(rebasing: path[start..<end])
    if let word = self.words.id(of: segment), let child = self.edges.target(from: node, by: word) {
      self.visit(child, from: end + 1, of: walk, isExact, hasSkipped: hasSkipped, &findings)
    }
    let name = self.rules.foldsCase ? Self.bareName(of: segment) : segment
    if name.count != segment.count, let word = self.words.id(of: name), let child = self.edges.target(from: node, by: word) {
      self.visit(child, from: end + 1, of: walk, isExact, hasSkipped: hasSkipped, &findings)
    }
    var partial = self.nodes[Int(node)].partial
    while partial >= 0 {
      let pattern = self.partials[Int(partial)].pattern
      if pattern.matches(segment, foldsCase: self.rules.foldsCase) || name.count != segment.count && pattern.matches(name, foldsCase: true)
      {
        self.visit(self.partials[Int(partial)].child, from: end + 1, of: walk, isExact, hasSkipped: hasSkipped, &findings)
      }
      partial = self.partials[Int(partial)].next
    }
    let parameter = self.nodes[Int(node)].parameter
    if parameter >= 0, !segment.isEmpty || self.rules.isLenient {
      self.visit(parameter, from: end + 1, of: walk, isExact && !segment.isEmpty, hasSkipped: hasSkipped, &findings)
    }
    // An empty namespace is none: the path means what it would without the two segments.
    if !hasSkipped, self.rules.isOfAPIServer, end + 1 < path.count, path[end + 1] == Self.slash, self.isNamespaces(segment) {
      self.visit(node, from: end + 2, of: walk, isExact, hasSkipped: true, &findings)
    }
    let open = self.nodes[Int(node)].open
    if open >= 0 { findings.append(open, isExact: isExact, isLenient: self.rules.isLenient) }
  }

  private func arrive(at node: Int32, _ walk: Walk, _ isExact: Bool, _ findings: inout Findings) {
    let (end, endWithSlash, open) = (self.nodes[Int(node)].end, self.nodes[Int(node)].endWithSlash, self.nodes[Int(node)].open)
    func find(_ template: Int32) { findings.append(template, isExact: isExact, isLenient: self.rules.isLenient) }
    if end >= 0, !self.rules.slashesCount || !walk.hasTrailingSlash { find(end) }
    if endWithSlash >= 0, !self.rules.slashesCount || walk.hasTrailingSlash { find(endWithSlash) }
    if open >= 0 { find(open) }
  }

  private func isNamespaces(_ segment: UnsafeBufferPointer<UInt8>) -> Bool {
    segment.elementsEqual("namespaces".utf8)
  }

  /// The segment as some servers take it: `/admin;v=1` is `/admin` to those that keep parameters in their paths (RFC 3986
  /// section 3.3), and dots and blanks at the end of a name are nothing to some file systems.
  private static func bareName(of segment: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
    var end = segment.firstIndex(of: UInt8(ascii: ";")) ?? segment.count
    while end > 0, segment[end - 1] == UInt8(ascii: ".") || segment[end - 1] == UInt8(ascii: " ") { end -= 1 }
    return UnsafeBufferPointer(rebasing: segment[..<end])
  }
}

extension PathTrie {
  /// A tree that templates are still put into.
  struct Draft {
    fileprivate let rules: Rules
    fileprivate private(set) var words: WordTable.Draft
    fileprivate private(set) var edges = EdgeTable.Draft()
    fileprivate private(set) var nodes = [Node()]
    fileprivate private(set) var partials: [Partial] = []
    fileprivate private(set) var templateCount: Int32 = 0

    init(_ reading: Reading) {
      self.rules = Rules(reading)
      self.words = WordTable.Draft(foldsCase: self.rules.foldsCase)
    }

    /// Adds a template; the same path under other parameters' names is the same template.
    ///
    /// - Returns: the template's number, from 0 in the order in which new ones came
    mutating func insert(_ template: PathPattern) -> Int32 {
      var node: Int32 = 0
      for segment in template.segments { node = self.child(of: node, for: segment) }
      let place: WritableKeyPath<Node, Int32> = template.isOpen ? \.open : template.hasTrailingSlash ? \.endWithSlash : \.end
      if self.nodes[Int(node)][keyPath: place] < 0 {
        self.nodes[Int(node)][keyPath: place] = self.templateCount
        self.templateCount += 1
      }
      return self.nodes[Int(node)][keyPath: place]
    }

    private mutating func child(of node: Int32, for segment: PathPattern.Segment) -> Int32 {
      let new = Int32(self.nodes.count)
      switch segment {
      case .literal(let text):
        let word = self.words.insert(text)
        if let known = self.edges.target(from: node, by: word) { return known }
        self.edges.insert(from: node, by: word, to: new)
      case .parameter:
        if self.nodes[Int(node)].parameter >= 0 { return self.nodes[Int(node)].parameter }
        self.nodes[Int(node)].parameter = new
      case .partial(let pattern):
        if let known = self.addPartial(self.rules.foldsCase ? pattern.lowercased : pattern, to: node, leadingTo: new) { return known }
      }
      self.nodes.append(Node())
      return new
    }

    /// Adds a segment that is a parameter in part behind those of the node.
    ///
    /// - Returns: where the segment leads already; `nil` for a new one
    private mutating func addPartial(_ pattern: NamePattern, to node: Int32, leadingTo new: Int32) -> Int32? {
      var last: Int32 = -1
      var number = self.nodes[Int(node)].partial
      while number >= 0 {
        if self.partials[Int(number)].pattern == pattern { return self.partials[Int(number)].child }
        (last, number) = (number, self.partials[Int(number)].next)
      }
      let added = Int32(self.partials.count)
      self.partials.append(Partial(pattern: pattern, child: new))
      if last >= 0 { self.partials[Int(last)].next = added } else { self.nodes[Int(node)].partial = added }
      return nil
    }
  }
}
