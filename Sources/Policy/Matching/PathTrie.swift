/// Path templates as a tree of segments: all that fit a path are found in one walk along the path.
///
/// At every segment the walk follows the literal edge and the parameter's, so its length is that of the path, however many
/// templates there are.
struct PathTrie: Sendable {
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

  private struct Node: Sendable {
    var parameter: Int32 = -1
    /// The template that ends here, and the one that ends here with a slash.
    var end: Int32 = -1
    var endWithSlash: Int32 = -1
    /// The template that goes on from here with whatever follows.
    var open: Int32 = -1
    /// Segments that are parameters in part; few templates have any.
    var partials: [(pattern: NamePattern, child: Int32)] = []
  }

  private let spelling: Spelling
  private let reading: Reading
  private var words: WordTable
  private var edges = EdgeTable()
  private var nodes = [Node()]
  private(set) var templateCount: Int32 = 0

  /// What is known of the upstream's own reading.
  enum Reading: Sendable {
    /// An API server's: slashes at both ends make no difference, and `namespaces//` is no namespace at all.
    case kubernetes
    case unknown
  }

  init(_ spelling: Spelling, _ reading: Reading) {
    self.spelling = spelling
    self.reading = reading
    self.words = WordTable(foldsCase: spelling == .lenient && reading == .unknown)
  }

  var isEmpty: Bool { self.templateCount == 0 }

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
      let folded = self.foldsCase ? pattern.lowercased : pattern
      if let known = self.nodes[Int(node)].partials.first(where: { $0.pattern == folded }) { return known.child }
      self.nodes[Int(node)].partials.append((folded, new))
    }
    self.nodes.append(Node())
    return new
  }

  private var foldsCase: Bool { self.spelling == .lenient && self.reading == .unknown }

  // MARK: - The walk

  /// Calls `body` with the number of every template that fits the path, those with literal segments first.
  ///
  /// They are gathered before `body` is called with the first: a closure that is handed on from step to step has what it holds
  /// retained at each of them.
  func forEachMatch(of path: String, _ body: (Int32) -> Void) {
    guard !self.isEmpty else { return }
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: Matches.usual) { space in
      var matches = Matches(space)
      if path.utf8.withContiguousStorageIfAvailable({ self.walk($0, &matches) }) == nil {
        Array(path.utf8).withUnsafeBufferPointer { self.walk($0, &matches) }
      }
      matches.forEach(body)
    }
  }

  /// The numbers of templates in the order in which they were found: on the stack, as long as they are few.
  private struct Matches {
    static let usual = 32
    private let space: UnsafeMutableBufferPointer<Int32>
    private var count = 0
    private var rest: [Int32] = []

    init(_ space: UnsafeMutableBufferPointer<Int32>) { self.space = space }

    mutating func append(_ template: Int32) {
      guard self.count < Self.usual else { return self.rest.append(template) }
      self.space.initializeElement(at: self.count, to: template)
      self.count += 1
    }

    func forEach(_ body: (Int32) -> Void) {
      for index in 0..<self.count { body(self.space[index]) }
      for template in self.rest { body(template) }
    }
  }

  private static let slash = UInt8(ascii: "/")

  private func walk(_ path: UnsafeBufferPointer<UInt8>, _ matches: inout Matches) {
    var start = 0
    var end = path.count
    while start < end, path[start] == Self.slash { start += 1 }
    while end > start, path[end - 1] == Self.slash { end -= 1 }
    let walk = Walk(
      path: UnsafeBufferPointer(rebasing: path[..<end]), hasTrailingSlash: end < path.count && start < end)
    self.visit(0, from: start < end ? start : end + 1, of: walk, &matches)
  }

  private struct Walk {
    /// Without slashes at its end.
    let path: UnsafeBufferPointer<UInt8>
    let hasTrailingSlash: Bool
  }

  private func visit(_ node: Int32, from start: Int, of walk: Walk, _ matches: inout Matches) {
    let path = walk.path
    guard start <= path.count else { return self.arrive(at: node, walk, &matches) }
    var end = start
    while end < path.count, path[end] != Self.slash { end += 1 }
    let segment = UnsafeBufferPointer(rebasing: path[start..<end])
    if let word = self.words.id(of: segment), let child = self.edges.target(from: node, by: word) {
      self.visit(child, from: end + 1, of: walk, &matches)
    }
    let name = self.foldsCase ? Self.bareName(of: segment) : segment
    if name.count != segment.count, let word = self.words.id(of: name), let child = self.edges.target(from: node, by: word) {
      self.visit(child, from: end + 1, of: walk, &matches)
    }
    for (pattern, child) in self.nodes[Int(node)].partials
    where pattern.matches(segment, foldsCase: self.foldsCase) || name.count != segment.count && pattern.matches(name, foldsCase: true) {
      self.visit(child, from: end + 1, of: walk, &matches)
    }
    let parameter = self.nodes[Int(node)].parameter
    if parameter >= 0, !segment.isEmpty || self.spelling == .lenient { self.visit(parameter, from: end + 1, of: walk, &matches) }
    // An empty namespace is none: the path means what it would without the two segments.
    if self.reading == .kubernetes, end + 1 < path.count, path[end + 1] == Self.slash, self.isNamespaces(segment) {
      self.visit(node, from: end + 2, of: walk, &matches)
    }
    let open = self.nodes[Int(node)].open
    if open >= 0 { matches.append(open) }
  }

  private func arrive(at node: Int32, _ walk: Walk, _ matches: inout Matches) {
    let ends = (self.nodes[Int(node)].end, self.nodes[Int(node)].endWithSlash, self.nodes[Int(node)].open)
    let slashesCount = self.spelling == .exact && self.reading == .unknown
    if ends.0 >= 0, !slashesCount || !walk.hasTrailingSlash { matches.append(ends.0) }
    if ends.1 >= 0, !slashesCount || walk.hasTrailingSlash { matches.append(ends.1) }
    if ends.2 >= 0 { matches.append(ends.2) }
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
