/// Who wrote which fields of an object: `metadata.managedFields`.
struct ManagedFields: Sendable {
  struct Manager: Sendable, Hashable {
    let name: String
    /// `Apply` or `Update`
    let operation: String
    let subresource: String
  }

  struct Entry: Sendable {
    let manager: Manager
    var fields: FieldSet
    var time: String
    let apiVersion: String
  }

  var entries: [Entry]

  init(_ json: JSON?) {
    self.entries = (json?.array ?? []).map { entry in
      Entry(
        manager: Manager(
          name: entry["manager"]?.string ?? "", operation: entry["operation"]?.string ?? "", subresource: entry["subresource"]?.string ?? ""
        ),
        fields: FieldSet(fieldsV1: entry["fieldsV1"] ?? [:]), time: entry["time"]?.string ?? "",
        apiVersion: entry["apiVersion"]?.string ?? "")
    }
  }

  var json: JSON {
    .array(
      self.entries.filter { !$0.fields.paths.isEmpty }.map { entry in
        var json: JSON = [
          "manager": .string(entry.manager.name), "operation": .string(entry.manager.operation), "apiVersion": .string(entry.apiVersion),
          "time": .string(entry.time), "fieldsType": "FieldsV1", "fieldsV1": entry.fields.fieldsV1,
        ]
        if !entry.manager.subresource.isEmpty { json.set(.string(entry.manager.subresource), at: "subresource") }
        return json
      })
  }

  func fields(of manager: Manager) -> FieldSet { self.entries.first { $0.manager == manager }?.fields ?? FieldSet() }

  mutating func set(_ fields: FieldSet, of manager: Manager, apiVersion: String, now: String) {
    if let index = self.entries.firstIndex(where: { $0.manager == manager }) {
      guard self.entries[index].fields != fields else { return }
      self.entries[index].fields = fields
      self.entries[index].time = now
    } else {
      self.entries.append(Entry(manager: manager, fields: fields, time: now, apiVersion: apiVersion))
    }
  }

  mutating func take(_ paths: Set<FieldSet.Path>, fromAllBut manager: Manager) {
    for index in self.entries.indices where self.entries[index].manager != manager { self.entries[index].fields.paths.subtract(paths) }
  }

  /// After a write that was no apply: what it changed is its manager's, and what is gone is nobody's.
  mutating func recordUpdate(from old: JSON?, to new: JSON, _ type: ResourceType, by manager: Manager, now: String) {
    let schema = SchemaTable.type(type)
    let present = FieldSet(of: new, schema).paths
    let changed = present.filter { path in
      guard let old else { return true }
      return FieldPlace.value(at: path, in: old) != FieldPlace.value(at: path, in: new)
    }
    for index in self.entries.indices { self.entries[index].fields.paths.formIntersection(present) }
    guard !changed.isEmpty else { return }
    self.take(changed, fromAllBut: manager)
    self.set(FieldSet(self.fields(of: manager).paths.union(changed)), of: manager, apiVersion: type.groupVersion, now: now)
  }
}
