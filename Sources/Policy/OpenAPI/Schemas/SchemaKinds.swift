/// The Kubernetes kinds of a document's schemas (`x-kubernetes-group-version-kind`).
enum SchemaKinds {
  /// The kind of each schema that is exactly one; a list's is its items'.
  ///
  /// `DeleteOptions` and `WatchEvent` name a kind for each group that uses them, and are none of them.
  static func read(_ schemas: DocumentValue?) -> [String: GroupVersionKind] {
    guard let schemas else { return [:] }
    var kinds: [String: GroupVersionKind] = [:]
    for schema in schemas.members {
      guard let kind = self.kind(schema.value) else { continue }
      kinds[schema.key] = kind
    }
    var itemKinds: [String: GroupVersionKind] = [:]
    for schema in schemas.members {
      guard let own = kinds[schema.key], own.kind.hasSuffix("List"), let item = self.itemSchema(of: schema.value),
        let kind = kinds[item]
      else { continue }
      itemKinds[schema.key] = kind
    }
    return kinds.merging(itemKinds) { $1 }
  }

  /// Reads `{group, version, kind}`; `nil` for anything else.
  static func read(_ value: DocumentValue) -> GroupVersionKind? {
    guard let group = value["group"]?.text, let version = value["version"]?.text, let kind = value["kind"]?.text, !version.isEmpty,
      !kind.isEmpty
    else { return nil }
    return GroupVersionKind(group: group, version: version, kind: kind)
  }

  private static func kind(_ schema: DocumentValue) -> GroupVersionKind? {
    guard let value = schema["x-kubernetes-group-version-kind"] else { return nil }
    if value.kind == .object { return self.read(value) }
    let all = value.elements
    return all.count == 1 ? self.read(all[0]) : nil
  }

  /// The schema of a list's `items`: referred to directly, or as the one part of an `allOf` (which is how v3 documents
  /// set a default beside a reference).
  private static func itemSchema(of list: DocumentValue) -> String? {
    guard let items = list["properties"]?["items"]?["items"] else { return nil }
    let reference = items["$ref"] ?? items["allOf"].flatMap { $0.count == 1 ? $0.elements[0]["$ref"] : nil }
    return reference?.text.flatMap { JSONPointer(fragment: $0) }?.tokens.last
  }
}
