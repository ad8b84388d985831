import Yams

/// What a scalar of a document is, where the document could as well be JSON.
public enum YAMLScalarKind: Sendable, Hashable {
  case text, number, boolean, nothing
}

/// Hears of a document's values in their order. Whatever it throws ends the reading.
public protocol YAMLEventReceiver {
  mutating func beginMapping() throws
  /// The key of the value that comes next; keys that YAML would read as a number are given as they are spelled.
  mutating func key(_ text: String) throws
  mutating func endMapping() throws
  mutating func beginSequence() throws
  mutating func endSequence() throws
  mutating func scalar(_ text: String, _ kind: YAMLScalarKind) throws
}

extension StrictYAML {
  /// Tells a receiver what stands in a document that other people's tools wrote: whatever JSON could say too.
  ///
  /// Unlike ``decode(_:fileName:limits:_:)`` this takes any keys, in whatever order, and keys such as `200` that stand
  /// without quotes. Anchors, aliases, merge keys, tags and several documents are refused as there.
  ///
  /// - Throws: ``FileFaults``, and whatever the receiver throws. The receiver may have heard of the document by then.
  public static func read(
    _ text: String, fileName: String, limits: YAMLLimits, into receiver: inout some YAMLEventReceiver
  ) throws {
    let session = DecodingSession(fileName: fileName)
    let walk = YAMLWalk(session: session, limits: limits)
    let outcome = YAMLComposer(session: session, limits: limits).withRoot(of: text) { root in
      Result { try walk.tell(root, at: .root, depth: 0, to: &receiver) }
    }
    try outcome?.get()
    guard session.faults.isEmpty else { throw FileFaults(session.faults) }
  }
}

/// Walks Yams' nodes. The first fault ends the walk: whoever wrote the document is not there to mend ten of them.
private struct YAMLWalk {
  let session: DecodingSession
  let limits: YAMLLimits

  func tell(_ node: Node, at path: YAMLPath, depth: Int, to receiver: inout some YAMLEventReceiver) throws {
    func refused(_ problem: String, _ remedy: String) -> FileFaults {
      FileFaults([FileFault(at: self.session.place(.init(node.mark), path), problem, remedy)])
    }
    guard node.anchor == nil else { throw refused("has an anchor (`&`)", "write the value out wherever it is used") }
    guard depth <= self.limits.depth else { throw refused("is nested too deep", "use at most \(self.limits.depth) levels") }
    switch node {
    case .scalar(let scalar):
      let isPlain = scalar.style == .plain
      guard scalar.tag.description == (isPlain ? Tag.Name.implicit : .str).rawValue else {
        throw refused("has a tag (`!`)", "write the value without it, in quotes where it is text")
      }
      try receiver.scalar(scalar.string, isPlain ? YAMLScalarKind(ofPlain: scalar.string) : .text)
    case .sequence(let sequence):
      guard sequence.tag.description == Tag.Name.implicit.rawValue else { throw refused("has a tag (`!`)", "write the list without it") }
      try receiver.beginSequence()
      for (index, item) in sequence.enumerated() { try self.tell(item, at: path.index(index), depth: depth + 1, to: &receiver) }
      try receiver.endSequence()
    case .mapping(let mapping):
      guard mapping.tag.description == Tag.Name.implicit.rawValue else { throw refused("has a tag (`!`)", "write the mapping without it") }
      try receiver.beginMapping()
      for (key, value) in mapping {
        guard case .scalar(let scalar) = key else { throw refused("has a key that is a list or a mapping", "use text as key") }
        guard key.anchor == nil else { throw refused("has a key with an anchor (`&`)", "write the key out") }
        if scalar.style == .plain, scalar.string == "<<" { throw refused("has a merge key (`<<`)", "write the keys out") }
        try receiver.key(scalar.string)
        try self.tell(value, at: path.key(scalar.string), depth: depth + 1, to: &receiver)
      }
      try receiver.endMapping()
    case .alias:
      throw refused("is an alias (`*`)", "write the value out")
    }
  }
}

extension YAMLScalarKind {
  fileprivate init(ofPlain text: String) {
    switch YAMLScalar.kind(ofPlain: text) {
    case .text: self = .text
    case .integer, .decimal: self = .number
    case .boolean: self = .boolean
    case .nothing: self = .nothing
    }
  }
}
