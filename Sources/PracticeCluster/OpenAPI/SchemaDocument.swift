/// Writes schemas as OpenAPI definitions; the two versions differ in where references point and in a few idioms.
struct SchemaDocument: Sendable {
  enum Version: Sendable { case v2, v3 }

  let version: Version

  private var base: String { self.version == .v2 ? "#/definitions/" : "#/components/schemas/" }

  func reference(to name: String) -> JSON { ["$ref": .string(self.base + Self.fullName(name))] }

  private static let metaPackage = "io.k8s.apimachinery.pkg.apis.meta.v1"

  static func fullName(_ name: String) -> String {
    if let schema = SchemaTable.schemas[name] { return schema.fullName }
    if let item = self.item(ofList: name), let schema = SchemaTable.schemas[item] { return "\(schema.package).\(name)" }
    return "\(self.metaPackage).\(name)"
  }

  private static func item(ofList name: String) -> String? {
    name.hasSuffix("List") ? ResourceCatalog.all.first { $0.listKind == name }?.kind : nil
  }

  /// The definitions of these schemas and of all that they refer to, by their full names.
  func definitions(of names: Set<String>) -> JSON {
    var open = names.sorted()
    var definitions: [String: JSON] = [:]
    while let name = open.popLast() {
      let fullName = Self.fullName(name)
      guard definitions[fullName] == nil else { continue }
      let (json, references) = self.definition(name)
      definitions[fullName] = json
      open += references
    }
    return .object(definitions)
  }

  private func definition(_ name: String) -> (json: JSON, references: [String]) {
    if name == "Patch" { return (["description": "A patch of one of the four kinds.", "type": "object"], []) }
    if name == "WatchEvent" {
      let properties: JSON = ["type": ["type": "string"], "object": ["type": "object", "description": "The object after the change."]]
      return (["description": "One change.", "type": "object", "required": ["type", "object"], "properties": properties], [])
    }
    if let item = Self.item(ofList: name) {
      let kind = ResourceCatalog.all.first { $0.kind == item }
      var json: JSON = [
        "description": .string("A list of \(item) objects."), "type": "object", "required": ["items"],
        "properties": [
          "apiVersion": ["type": "string"], "kind": ["type": "string"], "metadata": self.reference(to: "ListMeta"),
          "items": ["type": "array", "items": self.reference(to: item)],
        ],
      ]
      if let kind { json.set([self.kind(kind.group, kind.version, name)], at: "x-kubernetes-group-version-kind") }
      return (json, ["ListMeta", item])
    }
    guard let schema = SchemaTable.schemas[name] else { return (["type": "object"], []) }
    return self.definition(schema)
  }

  private func definition(_ schema: ObjectSchema) -> (json: JSON, references: [String]) {
    var references: [String] = []
    var json: JSON = ["type": "object"]
    var properties: [String: JSON] = [:]
    for field in schema.fields.values { properties[field.name] = self.property(field, of: schema, &references) }
    if !properties.isEmpty { json.set(.object(properties), at: "properties") }
    let required = schema.fields.values.filter(\.isRequired).map(\.name).sorted()
    if !required.isEmpty { json.set(JSON(required), at: "required") }
    if let note = SchemaNotes.note(schema.name) { json.set(.string(note), at: "description") }
    if let kind = Self.topLevelKind(schema) { json.set([kind], at: "x-kubernetes-group-version-kind") }
    return (json, references)
  }

  /// Objects that stand alone say what they are; scales and token requests are not in the catalogue by themselves.
  private static func topLevelKind(_ schema: ObjectSchema) -> JSON? {
    guard schema.fields["kind"] != nil, schema.fields["apiVersion"] != nil, schema.fields["metadata"] != nil else { return nil }
    let document = SchemaDocument(version: .v3)
    if let type = ResourceCatalog.all.first(where: { $0.kind == schema.name }) {
      return document.kind(type.group, type.version, type.kind)
    }
    for subresource in ResourceCatalog.all.flatMap(\.subresources) where subresource.kind == schema.name {
      return document.kind(subresource.group ?? "", subresource.version ?? "v1", schema.name)
    }
    return nil
  }

  private func kind(_ group: String, _ version: String, _ kind: String) -> JSON {
    ["group": .string(group), "version": .string(version), "kind": .string(kind)]
  }

  private func property(_ field: ObjectSchema.Field, of schema: ObjectSchema, _ references: inout [String]) -> JSON {
    var json = self.type(field.type, &references)
    let note = SchemaNotes.note("\(schema.name).\(field.name)") ?? SchemaNotes.common[field.name]
    // In v3 nothing may stand beside a reference.
    if note != nil, self.version == .v3, json["$ref"] != nil { json = ["allOf": [json]] }
    if let note { json.set(.string(note), at: "description") }
    if !field.listKeys.isEmpty {
      json.set("map", at: "x-kubernetes-list-type")
      json.set(JSON(field.listKeys), at: "x-kubernetes-list-map-keys")
    } else if field.isSet {
      json.set("set", at: "x-kubernetes-list-type")
    } else if case .list = field.type, field.isAtomic || !field.isMerged {
      json.set("atomic", at: "x-kubernetes-list-type")
    }
    if let key = field.mergeKey { json.set(.string(key), at: "x-kubernetes-patch-merge-key") }
    let strategy = (field.isMerged ? ["merge"] : []) + (field.retainsKeys ? ["retainKeys"] : [])
    if !strategy.isEmpty { json.set(.string(strategy.joined(separator: ",")), at: "x-kubernetes-patch-strategy") }
    return json
  }

  private func type(_ type: FieldType, _ references: inout [String]) -> JSON {
    switch type {
    case .string: return ["type": "string"]
    case .bytes: return ["type": "string", "format": "byte"]
    case .time, .microTime: return ["type": "string", "format": "date-time"]
    case .bool: return ["type": "boolean"]
    case .int32: return ["type": "integer", "format": "int32"]
    case .int64: return ["type": "integer", "format": "int64"]
    case .number: return ["type": "number", "format": "double"]
    case .quantity: return self.version == .v2 ? ["type": "string"] : ["oneOf": [["type": "string"], ["type": "number"]]]
    case .intOrString:
      return self.version == .v2
        ? ["type": "string", "format": "int-or-string"]
        : ["format": "int-or-string", "oneOf": [["type": "integer"], ["type": "string"]]]
    case .any: return ["type": "object"]
    case .list(let element): return ["type": "array", "items": self.type(element, &references)]
    case .map(let element): return ["type": "object", "additionalProperties": self.type(element, &references)]
    case .object(let name):
      references.append(name)
      return self.reference(to: name)
    }
  }
}
