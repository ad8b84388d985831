/// Where an object stands in its collection: ordered by namespace, then name, as the API server lists them.
struct ObjectKey: Sendable, Hashable, Comparable {
  var namespace: String
  var name: String

  static func < (left: ObjectKey, right: ObjectKey) -> Bool {
    (left.namespace, left.name) < (right.namespace, right.name)
  }
}

/// One state of an object, never changed.
///
/// `kind` and `apiVersion` are not kept: they are the collection's and are written where an object stands alone.
final class StoredObject: Sendable {
  let key: ObjectKey
  let revision: Int
  private let json: JSON
  /// Bytes of text to make up when the object is read, so that a very large list costs memory only while it is sent.
  private let fillerBytes: Int

  init(_ json: JSON, revision: Int, fillerBytes: Int = 0) {
    var json = json
    json.set(nil, at: "kind")
    json.set(nil, at: "apiVersion")
    json.set(.string(String(revision)), at: "metadata", "resourceVersion")
    self.json = json
    self.revision = revision
    self.fillerBytes = fillerBytes
    self.key = ObjectKey(namespace: json["metadata"]?["namespace"]?.string ?? "", name: json["metadata"]?["name"]?.string ?? "")
  }

  /// The object with everything in it.
  var value: JSON {
    guard self.fillerBytes > 0 else { return self.json }
    var full = self.json
    full.set(.string(String(repeating: "practice ", count: self.fillerBytes / 9)), at: "data", "filler")
    return full
  }

  var metadata: JSON { self.json["metadata"] ?? [:] }
  var labels: [String: String] { self.json["metadata"]?["labels"]?.strings ?? [:] }

  /// A field of the object without its filler.
  subscript(path: [String]) -> JSON? { self.json[path] }

  /// The last state of an object that was deleted: as it was, at the revision of the deletion.
  func tombstone(revision: Int) -> StoredObject { StoredObject(self.json, revision: revision, fillerBytes: self.fillerBytes) }
}
