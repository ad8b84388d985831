/// A set of fields of an object, each named by the steps to it in the spelling of `FieldsV1`: `f:spec`,
/// `k:{"name":"web"}`, `v:"value"`, and `.` for an element of a list itself.
///
/// See sigs.k8s.io/structured-merge-diff and the API conventions on server-side apply.
struct FieldSet: Sendable, Hashable {
  typealias Path = [String]
  var paths: Set<Path>

  init(_ paths: Set<Path> = []) { self.paths = paths }

  /// All leaves of a value: what one owns who writes it.
  init(of value: JSON, _ type: FieldType) {
    self.paths = []
    self.collect(value, ObjectSchema.Field(name: "", type: type), [])
    self.paths = self.paths.filter { !Self.isSystemField($0) }
  }

  /// What belongs to the server or names the object, and so to no manager.
  private static func isSystemField(_ path: Path) -> Bool {
    guard let first = path.first else { return true }
    if first == "f:apiVersion" || first == "f:kind" { return true }
    guard first == "f:metadata", path.count > 1 else { return first == "f:metadata" }
    return [
      "f:name", "f:namespace", "f:uid", "f:resourceVersion", "f:generation", "f:creationTimestamp", "f:managedFields",
      "f:deletionTimestamp", "f:deletionGracePeriodSeconds", "f:selfLink",
    ].contains(path[1])
  }

  private mutating func collect(_ value: JSON, _ field: ObjectSchema.Field, _ path: Path) {
    switch (field.type, value) {
    case (_, .object(let members)) where !members.isEmpty && !field.isAtomic:
      for (key, member) in members { self.collect(member, FieldPlace.member(key, of: field.type), path + ["f:\(key)"]) }
    case (.list(let element), .array(let elements)) where !field.listKeys.isEmpty && !field.isAtomic:
      for value in elements {
        let step = path + [FieldPlace.step(of: value, keys: field.listKeys)]
        self.paths.insert(step + ["."])
        self.collect(value, ObjectSchema.Field(name: "", type: element), step)
      }
    case (.list, .array(let elements)) where field.isSet:
      for value in elements { self.paths.insert(path + ["v:\(value.text)"]) }
    default: self.paths.insert(path)
    }
  }

  /// The set as `fieldsV1` writes it.
  var fieldsV1: JSON {
    var tree: JSON = [:]
    for path in self.paths where tree[path] == nil { tree.set([:], at: path) }
    return tree
  }

  init(fieldsV1: JSON) {
    self.paths = []
    self.read(fieldsV1, [])
  }

  private mutating func read(_ tree: JSON, _ path: Path) {
    let members = tree.object ?? [:]
    if members.isEmpty, !path.isEmpty { self.paths.insert(path) }
    for (key, child) in members { self.read(child, path + [key]) }
  }
}

/// Finding, setting and removing what a path of steps names.
enum FieldPlace {
  static func member(_ key: String, of type: FieldType) -> ObjectSchema.Field {
    switch type {
    case .map(let element): ObjectSchema.Field(name: key, type: element)
    default: type.schema?.fields[key] ?? ObjectSchema.Field(name: key, type: .any)
    }
  }

  /// The step to an element of a list: its keys as compact JSON in alphabetical order.
  static func step(of element: JSON, keys: [String]) -> String {
    var named: [String: JSON] = [:]
    for key in keys { named[key] = element[key] ?? self.defaultKeys[key] }
    return "k:\(JSON.object(named).text)"
  }

  /// The only key of a list that may be left out, in all the schemas.
  private static let defaultKeys: [String: JSON] = ["protocol": "TCP"]

  static func value(at path: FieldSet.Path, in value: JSON) -> JSON? {
    var value = value
    for step in path {
      guard let next = self.child(step, of: value) else { return nil }
      value = next
    }
    return value
  }

  private static func child(_ step: String, of value: JSON) -> JSON? {
    if step == "." { return true }
    if step.hasPrefix("f:") { return value[String(step.dropFirst(2))] }
    guard let elements = value.array, let index = self.index(of: step, in: elements) else { return nil }
    return elements[index]
  }

  private static func index(of step: String, in elements: [JSON]) -> Int? {
    guard let wanted = try? JSONReader.read(String(step.dropFirst(2))) else { return nil }
    if step.hasPrefix("v:") { return elements.firstIndex(of: wanted) }
    let keys = wanted.object ?? [:]
    return elements.firstIndex { element in keys.allSatisfy { (element[$0.key] ?? self.defaultKeys[$0.key]) == $0.value } }
  }

  /// Removes what the path names, and what is left empty by it on the way.
  static func remove(_ path: FieldSet.Path, from value: inout JSON) {
    guard let step = path.first else { return }
    let rest = Array(path.dropFirst())
    if step.hasPrefix("f:"), var members = value.object {
      let key = String(step.dropFirst(2))
      if rest.isEmpty {
        members[key] = nil
      } else if var child = members[key] {
        self.remove(rest, from: &child)
        members[key] = child == [:] || child == [] ? nil : child
      }
      value = .object(members)
    } else if var elements = value.array, let index = self.index(of: step, in: elements) {
      if rest.isEmpty {
        elements.remove(at: index)
      } else {
        self.remove(rest, from: &elements[index])
      }
      value = .array(elements)
    }
  }
}
