import NIOConcurrencyHelpers

/// One change of one object, shared by all who watch it.
final class StoreEvent: Sendable {
  enum Kind: String, Sendable { case added = "ADDED", modified = "MODIFIED", deleted = "DELETED" }

  let kind: Kind
  /// The object after the change; for a deletion its last state, at the revision of the deletion.
  let object: StoredObject
  let previous: StoredObject?
  /// The lines that were already made from this event, so that a thousand watchers cost one encoding.
  private let lines = NIOLockedValueBox<[Kind: [UInt8]]>([:])

  init(kind: Kind, object: StoredObject, previous: StoredObject?) {
    self.kind = kind
    self.object = object
    self.previous = previous
  }

  /// The event as a line of a watch's answer.
  func line(_ kind: Kind, _ type: ResourceType, _ representation: Representation) -> [UInt8] {
    guard representation == .plain else { return self.encode(kind, type, representation) }
    return self.lines.withLockedValue { lines in
      if let line = lines[kind] { return line }
      let line = self.encode(kind, type, representation)
      lines[kind] = line
      return line
    }
  }

  private func encode(_ kind: Kind, _ type: ResourceType, _ representation: Representation) -> [UInt8] {
    // An object that left the selection is shown as it was, at the revision at which it left.
    let shown = kind == .deleted && self.kind == .modified ? self.previous?.tombstone(revision: self.object.revision) : self.object
    let json = ObjectEncoder(type: type, representation: representation).single(shown ?? self.object)
    return WatchLine.bytes(kind.rawValue, json)
  }
}

/// One line of a watch's answer: `{"type":"ADDED","object":{…}}` and a line feed.
enum WatchLine {
  static func bytes(_ type: String, _ object: JSON) -> [UInt8] {
    var line = Array("{\"type\":\"\(type)\",\"object\":".utf8)
    object.write(to: &line)
    line.append(contentsOf: "}\n".utf8)
    return line
  }
}
