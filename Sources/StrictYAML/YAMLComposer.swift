import Yams

/// Makes a ``YAMLTree`` of a text, refusing what a strict file has no use for: anchors, merges, tags, keys that are not
/// text, several documents.
struct YAMLComposer {
  let session: DecodingSession
  let limits: YAMLLimits

  /// The tree, or `nil` where there is none; every reason is on the session's list.
  func compose(_ text: String) -> YAMLTree? {
    self.withRoot(of: text) { self.tree(of: $0, at: .root, depth: 0) }
  }

  /// Hands out the text's one document while the parser that made it lives; `nil` where there is none.
  @discardableResult
  func withRoot<Value>(of text: String, _ body: (Node) -> Value) -> Value? {
    guard text.utf8.count <= self.limits.bytes else {
      self.refuse(.start, "is larger than \(self.limits.bytes) bytes", "split it, or remove what is not needed")
      return nil
    }
    if let bomb = BombGuard.bomb(in: text) {
      self.refuse(bomb, "holds anchors and many aliases", "write each value out")
      return nil
    }
    do {
      // The parser must outlive the walk: a node's anchor is a weak reference to an object that the parser holds.
      let parser = try Parser(yaml: text)
      return try withExtendedLifetime(parser) {
        guard let root = try parser.nextRoot() else {
          self.refuse(.start, "is empty", "write the document")
          return nil
        }
        let value = body(root)
        if let second = try parser.nextRoot() {
          self.refuse(.init(second.mark), "holds a second document", "put it into a file of its own")
        }
        return value
      }
    } catch let error as YamlError {
      self.record(error, in: text)
    } catch {
      self.refuse(.start, "is not YAML", "check the syntax")
    }
    return nil
  }

  private func refuse(_ position: YAMLTree.Position, _ problem: String, _ remedy: String) {
    self.session.record(at: position, .root, problem, remedy)
  }

  private func tree(of node: Node, at path: YAMLPath, depth: Int) -> YAMLTree {
    let position = YAMLTree.Position(node.mark)
    func refused(_ problem: String, _ remedy: String) -> YAMLTree {
      self.session.record(at: position, path, problem, remedy)
      return .refused(position)
    }
    // An alias comes as the node that it stands for, anchor and position included, so this one check refuses both.
    guard node.anchor == nil else {
      if self.session.hasFault(at: position) { return .refused(position) }
      return refused("has an anchor (`&`)", "write the value out wherever it is used")
    }
    guard depth <= self.limits.depth else { return refused("is nested too deep", "use at most \(self.limits.depth) levels") }
    switch node {
    case .scalar(let scalar):
      let isPlain = scalar.style == .plain
      guard scalar.tag.description == (isPlain ? Tag.Name.implicit : .str).rawValue else {
        return refused("has a tag (`!`)", "write the value without it, in quotes where it is text")
      }
      return .scalar(YAMLScalar(scalar.string, isPlain: isPlain), position)
    case .sequence(let sequence):
      guard sequence.tag.description == Tag.Name.implicit.rawValue else { return refused("has a tag (`!`)", "write the list without it") }
      return .sequence(
        sequence.enumerated().map { index, item in self.tree(of: item, at: path.index(index), depth: depth + 1) }, position)
    case .mapping(let mapping):
      guard mapping.tag.description == Tag.Name.implicit.rawValue else { return refused("has a tag (`!`)", "write the mapping without it") }
      return .mapping(mapping.compactMap { self.entry($0.key, $0.value, at: path, depth: depth) }, position)
    case .alias:
      return refused("is an alias (`*`)", "write the value out")
    }
  }

  private func entry(_ key: Node, _ value: Node, at path: YAMLPath, depth: Int) -> YAMLTree.Entry? {
    let position = YAMLTree.Position(key.mark)
    func refuse(_ problem: String, _ remedy: String) -> YAMLTree.Entry? {
      self.session.record(at: position, path, problem, remedy)
      return nil
    }
    guard key.anchor == nil else { return refuse("has a key with an anchor (`&`)", "write the key out") }
    guard case .scalar(let scalar) = key else { return refuse("has a key that is a list or a mapping", "use text as key") }
    let isPlain = scalar.style == .plain
    if isPlain, scalar.string == "<<" { return refuse("has a merge key (`<<`)", "write the keys out") }
    // Yams resolved the key's tag when it looked for duplicates, so `!!str` cannot be told from none; others can.
    let tag = scalar.tag.description
    guard tag.isEmpty || tag.hasPrefix("tag:yaml.org,2002:") else {
      return refuse("has a key with a tag (`!`)", "write the key without it")
    }
    guard YAMLScalar(scalar.string, isPlain: isPlain).kind == .text else {
      return refuse("has a key that YAML does not read as text", "put the key in quotes")
    }
    return .init(
      key: scalar.string, keyPosition: position, value: self.tree(of: value, at: path.key(scalar.string), depth: depth + 1))
  }

  /// Yams' own messages repeat the document; only libyaml's constant sentence and the position are taken from them.
  private func record(_ error: YamlError, in text: String) {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
      self.refuse(.init(mark), "is not YAML: \(problem)", "check the indentation and the quotes from here upwards")
    case .reader(_, let offset, _, _):
      self.refuse(.init(offset: offset ?? 0, in: text), "holds a control character", "remove it")
    case .duplicatedKeysInMapping(let keys, let context):
      let name = Printable.quoted(keys.first ?? "", or: "one key")
      self.refuse(.init(context.mark), "has \(name) twice in one mapping", "keep one of the two")
    default:
      self.refuse(.start, "is not YAML", "check the syntax")
    }
  }
}

extension YAMLTree.Position {
  static let start = Self(line: 1, column: 1)

  init(_ mark: Mark?) {
    self.init(line: mark?.line ?? 1, column: mark?.column ?? 1)
  }

  /// The position of the character with this number, counted as Yams counts characters for its reader's errors.
  init(offset: Int, in text: String) {
    let end = text.index(text.startIndex, offsetBy: offset, limitedBy: text.endIndex) ?? text.endIndex
    let before = text[..<end].unicodeScalars
    let lineStart = before.lastIndex(of: "\n").map { before.index(after: $0) } ?? before.startIndex
    self.init(line: before.count { $0 == "\n" } + 1, column: before.distance(from: lineStart, to: before.endIndex) + 1)
  }
}
