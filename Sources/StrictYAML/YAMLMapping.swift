/// A mapping whose keys are fixed. A key becomes known by being asked for.
public final class YAMLMapping {
  private let entries: [YAMLTree.Entry]
  private let position: YAMLTree.Position
  private let path: YAMLPath
  private let session: DecodingSession
  private var known: Set<String> = []
  /// Keys that were refused by name, so that they are neither unknown nor proposed.
  private var later: Set<String> = []

  init(entries: [YAMLTree.Entry], position: YAMLTree.Position, path: YAMLPath, session: DecodingSession) {
    self.entries = entries
    self.position = position
    self.path = path
    self.session = session
  }

  /// The value of a key that must be there; its absence is a fault of the mapping.
  public func required(_ key: String) -> YAMLCursor? {
    guard let cursor = self.optional(key) else {
      self.session.record(at: self.position, self.path.key(key), "is missing", "add this key")
      return nil
    }
    return cursor
  }

  /// The value of a key that may be there.
  public func optional(_ key: String) -> YAMLCursor? {
    self.known.insert(key)
    self.session.asked(for: self.path.key(key))
    return self.entries.first { $0.key == key }.map {
      YAMLCursor(tree: $0.value, path: self.path.key(key), session: self.session)
    }
  }

  /// Exactly one of several keys, as with a secret that has one source.
  ///
  /// - Parameter choices: the keys, each with what reads its value
  public func exactlyOne<Value>(of choices: KeyValuePairs<String, (YAMLCursor) -> Value?>) -> Value? {
    let present = choices.compactMap { key, read in self.optional(key).map { (key, $0, read) } }
    let names = choices.map { "`\($0.key)`" }.joined(separator: " or ")
    guard let (first, cursor, read) = present.first else {
      self.session.record(at: self.position, self.path, "has none of the keys \(names)", "add one of them")
      return nil
    }
    for (_, extra, _) in present.dropFirst() { extra.fault("stands beside `\(first)`", "keep one of the two") }
    return read(cursor)
  }

  /// Declares keys that a later version reads, so that their fault says so.
  ///
  /// - Returns: whether any of them is there
  @discardableResult
  public func notInThisVersion(_ keys: String...) -> Bool {
    self.later.formUnion(keys)
    let early = self.entries.filter { keys.contains($0.key) }
    for entry in early {
      self.session.record(at: entry.keyPosition, self.path.key(entry.key), "is not supported in this version", "remove it")
    }
    return !early.isEmpty
  }

  /// Records that something is wrong with the mapping as a whole.
  public func fault(_ problem: String, _ remedy: String) {
    self.session.record(at: self.position, self.path, problem, remedy)
  }

  func refuseUnknownKeys() {
    for entry in self.entries where !self.known.contains(entry.key) && !self.later.contains(entry.key) {
      let remedy =
        NearestName.of(entry.key, among: self.known).map { "did you mean `\($0)`?" }
        ?? (self.known.isEmpty ? "remove it" : "known here: \(self.known.sorted().joined(separator: ", "))")
      self.session.record(at: entry.keyPosition, self.path.key(entry.key), "is not a known key", remedy)
    }
  }
}
