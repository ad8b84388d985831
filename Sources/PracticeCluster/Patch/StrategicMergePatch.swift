/// Kubernetes' strategic merge patch: a merge patch in which lists whose elements have a key are merged by it.
///
/// The keys are those of the schema. Understood are the directives that kubectl writes: `$patch` (`delete`, `replace`,
/// `merge`), `$deleteFromPrimitiveList/FIELD`, `$setElementOrder/FIELD`, and `$retainKeys`. See apimachinery
/// pkg/util/strategicpatch.
enum StrategicMergePatch {
  struct Failure: Error, Equatable, CustomStringConvertible { let description: String }

  private static let deletePrefix = "$deleteFromPrimitiveList/"
  private static let orderPrefix = "$setElementOrder/"

  static func apply(_ patch: JSON, to target: JSON, _ type: FieldType) throws(Failure) -> JSON {
    guard let changes = patch.object else { throw Failure(description: "a strategic merge patch is an object") }
    return .object(try self.merge(changes, into: target.object ?? [:], type))
  }

  private static func merge(_ changes: [String: JSON], into target: [String: JSON], _ type: FieldType) throws(Failure) -> [String: JSON] {
    var changes = changes
    var members = target
    switch changes.removeValue(forKey: "$patch")?.string {
    case nil, "merge": break
    case "delete": return [:]
    case "replace": members = [:]
    case let other?: throw Failure(description: "unknown patch directive: $patch=\(other)")
    }
    if let kept = changes.removeValue(forKey: "$retainKeys")?.array?.compactMap(\.string) {
      members = members.filter { kept.contains($0.key) }
    }
    let directives = changes.filter { $0.key.hasPrefix("$") }
    for (key, value) in directives where key.hasPrefix(self.deletePrefix) {
      let field = String(key.dropFirst(self.deletePrefix.count))
      let gone = value.array ?? []
      members[field] = members[field]?.array.map { .array($0.filter { !gone.contains($0) }) } ?? members[field]
    }
    for (key, change) in changes where directives[key] == nil {
      members[key] = try self.merged(change, into: members[key], self.place(key, type))
    }
    for (key, value) in directives where key.hasPrefix(self.orderPrefix) {
      let field = String(key.dropFirst(self.orderPrefix.count))
      guard let elements = members[field]?.array, let order = value.array else { continue }
      members[field] = .array(self.ordered(elements, by: order, mergeKey: self.place(field, type)?.mergeKey))
    }
    return members
  }

  /// What the schema says of a member; within maps and unknown objects every member is like the others.
  private static func place(_ key: String, _ type: FieldType) -> ObjectSchema.Field? {
    if case .map(let element) = type { return ObjectSchema.Field(name: key, type: element) }
    return type.schema?.fields[key]
  }

  private static func merged(_ change: JSON, into present: JSON?, _ field: ObjectSchema.Field?) throws(Failure) -> JSON? {
    switch change {
    case .null: return nil
    case .object(let changes):
      if changes["$patch"]?.string == "delete" { return nil }
      return .object(try self.merge(changes, into: present?.object ?? [:], field?.type ?? .any))
    case .array(let changes):
      guard let field, field.isMerged, case .list(let element) = field.type else { return change }
      guard let key = field.mergeKey else {
        var elements = present?.array ?? []
        for change in changes where !elements.contains(change) { elements.append(change) }
        return .array(elements)
      }
      return .array(try self.merge(changes, into: present?.array ?? [], key: key, element))
    default: return change
    }
  }

  private static func merge(_ changes: [JSON], into target: [JSON], key: String, _ element: FieldType) throws(Failure) -> [JSON] {
    var elements = target
    if changes.contains(where: { $0["$patch"]?.string == "replace" && $0[key] == nil }) { elements = [] }
    for change in changes {
      guard let members = change.object else { throw Failure(description: "an element of a merged list is an object") }
      let directive = members["$patch"]?.string
      if directive == "replace", members[key] == nil { continue }
      guard let name = members[key] else { throw Failure(description: "map: \(change.text) does not contain declared merge key: \(key)") }
      let index = elements.firstIndex { $0[key] == name }
      if directive == "delete" {
        elements.removeAll { $0[key] == name }
      } else if let index {
        elements[index] = .object(try self.merge(members, into: elements[index].object ?? [:], element))
      } else {
        elements.append(.object(try self.merge(members, into: [:], element)))
      }
    }
    return elements
  }

  /// The elements in the stated order; those that are not named in it keep theirs, behind the others.
  private static func ordered(_ elements: [JSON], by order: [JSON], mergeKey: String?) -> [JSON] {
    func rank(_ element: JSON) -> Int {
      order.firstIndex { wanted in mergeKey.map { wanted[$0] != nil && wanted[$0] == element[$0] } ?? (wanted == element) } ?? order.count
    }
    return elements.enumerated().sorted { (rank($0.element), $0.offset) < (rank($1.element), $1.offset) }.map(\.element)
  }
}
