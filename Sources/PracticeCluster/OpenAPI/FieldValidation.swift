/// Finds what an object holds that its type does not know: the server's side of `fieldValidation`.
enum FieldValidation {
  /// What to do about unknown fields.
  enum Mode: String, Sendable { case ignore = "Ignore", warn = "Warn", strict = "Strict" }

  /// The unknown fields, as paths in the order of their names: `spec.containers[0].imagee`.
  static func unknownFields(in value: JSON, _ type: ResourceType) -> [String] {
    var found: [String] = []
    self.walk(value, SchemaTable.type(type), "", &found)
    return found
  }

  /// A value that cannot be decoded into its type, in the words of Go's decoder; `nil` where all fit.
  static func mistypedField(in value: JSON, _ type: ResourceType) -> String? { self.mistyped(value, SchemaTable.type(type), "") }

  private static func walk(_ value: JSON, _ type: FieldType, _ path: String, _ found: inout [String]) {
    switch (type, value) {
    case (.object, .object(let members)):
      guard let schema = type.schema else { return }
      for key in members.keys.sorted() {
        let path = path.isEmpty ? key : "\(path).\(key)"
        guard let field = schema.fields[key] else {
          found.append(path)
          continue
        }
        if let member = members[key] { self.walk(member, field.type, path, &found) }
      }
    case (.list(let element), .array(let elements)):
      for (index, value) in elements.enumerated() { self.walk(value, element, "\(path)[\(index)]", &found) }
    case (.map(let element), .object(let members)):
      for key in members.keys.sorted() { members[key].map { self.walk($0, element, "\(path).\(key)", &found) } }
    default: break
    }
  }

  private static func mistyped(_ value: JSON, _ type: FieldType, _ path: String) -> String? {
    guard type.admits(value) else { return "json: cannot unmarshal \(value.kindName) into Go struct field \(path)" }
    switch (type, value) {
    case (.object, .object(let members)):
      guard let schema = type.schema else { return nil }
      for key in members.keys.sorted() {
        if let member = members[key], let field = schema.fields[key],
          let fault = self.mistyped(member, field.type, path.isEmpty ? "\(schema.name).\(key)" : "\(path).\(key)")
        {
          return fault
        }
      }
    case (.list(let element), .array(let elements)):
      for value in elements { if let fault = self.mistyped(value, element, path) { return fault } }
    case (.map(let element), .object(let members)):
      for value in members.values { if let fault = self.mistyped(value, element, path) { return fault } }
    default: break
    }
    return nil
  }
}
