/// Server-side apply: a manager states the fields that it wants, the server finds who else claims them.
///
/// A field that another manager owns with another value is a conflict, unless the request forces it. What the manager
/// applied before and does not state any more is removed, where nobody else owns it. Kept minimal: one version of each
/// type, defaults are nobody's, and a list without keys is changed as a whole.
enum ServerSideApply {
  /// - Parameters:
  ///   - live: the object as it is; `nil` where it is to be made
  ///   - isForced: take conflicting fields over
  /// - Throws: 409 with one cause for each field in conflict
  static func apply(
    _ applied: JSON, to live: JSON?, _ type: ResourceType, by name: String, subresource: String, isForced: Bool, now: String
  ) throws(APIError) -> JSON {
    let schema = SchemaTable.type(type)
    let manager = ManagedFields.Manager(name: name, operation: "Apply", subresource: subresource)
    let wanted = FieldSet(of: applied, schema)
    var managed = ManagedFields(live?["metadata"]?["managedFields"])
    if let live {
      let conflicts = self.conflicts(wanted, applied, live, managed, manager)
      if !conflicts.isEmpty {
        guard isForced else { throw self.conflict(conflicts) }
        managed.take(Set(conflicts.map(\.path)), fromAllBut: manager)
      }
    }
    var applied = applied
    applied.set(nil, at: "metadata", "managedFields")
    var result = self.merge(applied, into: live, ObjectSchema.Field(name: "", type: schema))
    let owned = managed.entries.filter { $0.manager != manager }.reduce(into: Set<FieldSet.Path>()) { $0.formUnion($1.fields.paths) }
    let dropped = managed.fields(of: manager).paths.subtracting(wanted.paths).subtracting(owned)
    // An element goes as a whole and before its fields: without its keys it could not be found any more.
    for path in dropped.sorted(by: { $0.count > $1.count }) where path.last == "." {
      let element = Array(path.dropLast())
      if !owned.contains(where: { $0.starts(with: element) }) { FieldPlace.remove(element, from: &result) }
    }
    for path in dropped where path.last != "." { FieldPlace.remove(path, from: &result) }
    managed.set(wanted, of: manager, apiVersion: type.groupVersion, now: now)
    result.set(managed.json, at: "metadata", "managedFields")
    return result
  }

  private struct Conflict {
    let manager: ManagedFields.Entry
    let path: FieldSet.Path

    /// `.spec.containers[name="web"].image`
    var field: String {
      self.path.reduce(into: "") { text, step in
        if step.hasPrefix("f:") {
          text += ".\(step.dropFirst(2))"
        } else if step.hasPrefix("k:"), let keys = (try? JSONReader.read(String(step.dropFirst(2))))?.object {
          text += "[" + keys.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.text)" }.joined(separator: ",") + "]"
        } else {
          text += "[\(step.dropFirst(2))]"
        }
      }
    }
  }

  private static func conflicts(
    _ wanted: FieldSet, _ applied: JSON, _ live: JSON, _ managed: ManagedFields, _ manager: ManagedFields.Manager
  ) -> [Conflict] {
    managed.entries.filter { $0.manager != manager }.flatMap { entry in
      entry.fields.paths.intersection(wanted.paths)
        .filter { $0.last != "." && FieldPlace.value(at: $0, in: live) != FieldPlace.value(at: $0, in: applied) }
        .map { Conflict(manager: entry, path: $0) }
    }.sorted { $0.field < $1.field }
  }

  private static func conflict(_ conflicts: [Conflict]) -> APIError {
    func text(_ entry: ManagedFields.Entry) -> String {
      "conflict with \(entry.manager.name.quoted)"
        + (entry.manager.subresource.isEmpty ? "" : " with subresource \(entry.manager.subresource.quoted)") + " using \(entry.apiVersion)"
    }
    let count = conflicts.count == 1 ? "1 conflict" : "\(conflicts.count) conflicts"
    let list = conflicts.map { "\(text($0.manager)): \($0.field)" }.joined(separator: "\n")
    let causes = conflicts.map { conflict -> JSON in
      ["reason": "FieldManagerConflict", "message": .string(text(conflict.manager)), "field": .string(conflict.field)]
    }
    return APIError(409, "Conflict", "Apply failed with \(count): \(list)", details: ["causes": .array(causes)])
  }

  private static func merge(_ applied: JSON, into live: JSON?, _ field: ObjectSchema.Field) -> JSON {
    switch (field.type, applied) {
    case (_, .object(let wanted)) where !field.isAtomic:
      var members = live?.object ?? [:]
      for (key, value) in wanted { members[key] = self.merge(value, into: members[key], FieldPlace.member(key, of: field.type)) }
      return .object(members)
    case (.list(let element), .array(let wanted)) where !field.listKeys.isEmpty && !field.isAtomic:
      var elements = live?.array ?? []
      for value in wanted {
        let step = FieldPlace.step(of: value, keys: field.listKeys)
        let place = ObjectSchema.Field(name: "", type: element)
        if let index = elements.firstIndex(where: { FieldPlace.step(of: $0, keys: field.listKeys) == step }) {
          elements[index] = self.merge(value, into: elements[index], place)
        } else {
          elements.append(value)
        }
      }
      return .array(elements)
    case (.list, .array(let wanted)) where field.isSet:
      let present = live?.array ?? []
      return .array(present + wanted.filter { !present.contains($0) })
    default: return applied
    }
  }
}
