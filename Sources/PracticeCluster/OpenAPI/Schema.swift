/// The fields that an object may have: what validation, strategic patches, server-side apply, and the OpenAPI documents
/// read alike.
struct ObjectSchema: Sendable {
  let name: String
  /// `io.k8s.api.core.v1`
  let package: String
  let fields: [String: Field]

  struct Field: Sendable {
    let name: String
    let type: FieldType
    var isRequired = false
    /// The keys that tell a list's elements apart in server-side apply (`x-kubernetes-list-map-keys`).
    var listKeys: [String] = []
    /// The elements of the list are a set (`x-kubernetes-list-type: set`).
    var isSet = false
    /// The key that tells a list's elements apart in a strategic merge patch (`x-kubernetes-patch-merge-key`).
    var mergeKey: String?
    /// A strategic merge patch adds to the list instead of replacing it.
    var isMerged = false
    /// A strategic merge patch may name the keys that stay (`retainKeys`).
    var retainsKeys = false
    /// The value is changed as a whole.
    var isAtomic = false
  }

  var fullName: String { "\(self.package).\(self.name)" }
}

indirect enum FieldType: Sendable, Hashable {
  case string, bytes, time, microTime, quantity, intOrString, bool, int32, int64, number
  /// Anything, as it comes.
  case any
  case list(FieldType)
  case map(FieldType)
  /// An object with a schema of its own.
  case object(String)

  init(_ text: Substring) {
    if text.first == "[" {
      self = .list(FieldType(text.dropFirst().dropLast()))
    } else if text.first == "{" {
      self = .map(FieldType(text.dropFirst().dropLast()))
    } else {
      self = Self.words[text] ?? .object(String(text))
    }
  }

  private static let words: [Substring: FieldType] = [
    "string": .string, "bytes": .bytes, "time": .time, "micro-time": .microTime, "quantity": .quantity, "int-or-string": .intOrString,
    "bool": .bool, "int32": .int32, "int64": .int64, "number": .number, "any": .any,
  ]

  var schema: ObjectSchema? { if case .object(let name) = self { SchemaTable.schemas[name] } else { nil } }

  /// Whether a value can be of this type, not looking into it. A null is nothing and fits everywhere.
  func admits(_ value: JSON) -> Bool {
    switch (self, value) {
    case (_, .null), (.any, _): true
    case (.string, .string), (.bytes, .string), (.time, .string), (.microTime, .string), (.bool, .bool): true
    case (.int32, .integer), (.int64, .integer), (.number, .integer), (.number, .number): true
    case (.quantity, .string), (.quantity, .integer), (.quantity, .number), (.intOrString, .string), (.intOrString, .integer): true
    case (.list, .array), (.map, .object), (.object, .object): true
    default: false
    }
  }
}

/// All schemas, read once from ``SchemaText``.
enum SchemaTable {
  static let schemas: [String: ObjectSchema] = Dictionary(
    uniqueKeysWithValues: SchemaText.all.flatMap(Self.read).map { ($0.name, $0) })

  static func type(_ type: ResourceType) -> FieldType { .object(type.kind) }

  private static func read(_ text: String) -> [ObjectSchema] {
    var schemas: [ObjectSchema] = []
    var package = ""
    var current: (name: String, fields: [ObjectSchema.Field])?
    func finish() {
      guard let done = current else { return }
      let fields = Dictionary(uniqueKeysWithValues: done.fields.map { ($0.name, $0) })
      schemas.append(ObjectSchema(name: done.name, package: package, fields: fields))
      current = nil
    }
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words[0] == "#" {
        finish()
        package = String(words[1])
      } else if line.first == " " {
        current?.fields += words.compactMap(self.field)
      } else {
        finish()
        current = (String(words[0]), words.dropFirst().compactMap(self.field))
      }
    }
    finish()
    return schemas
  }

  private static func field(_ word: Substring) -> ObjectSchema.Field? {
    guard let colon = word.firstIndex(of: ":") else { return nil }
    let name = word[..<colon]
    let rest = word[word.index(after: colon)...]
    let type = rest.prefix { !"/~$^".contains($0) }
    var field = ObjectSchema.Field(name: String(name.filter { $0 != "*" }), type: FieldType(type), isRequired: name.last == "*")
    var marks = rest.dropFirst(type.count)
    while let mark = marks.popFirst() {
      let argument = marks.prefix { !"/~$^".contains($0) }
      marks = marks.dropFirst(argument.count)
      switch mark {
      case "/" where argument == "set": field.isSet = true
      case "/": field.listKeys = argument.split(separator: ",").map(String.init)
      case "~":
        field.isMerged = true
        field.mergeKey = argument.isEmpty ? nil : String(argument)
      case "$": field.retainsKeys = true
      default: field.isAtomic = true
      }
    }
    return field
  }
}

/// The schemas of everything that is served, as facts: the fields of Kubernetes 1.36 and their types, taken from its
/// OpenAPI document.
///
/// One schema a paragraph: its name, then its fields as `name:type`, with `*` for a required one. Lists are `[type]`, maps
/// `{type}`. Behind the type may stand `/keys` or `/set` (how server-side apply tells elements apart), `~key` (how a
/// strategic merge patch does; `~` alone adds elements), `$` (retainKeys), `^` (changed as a whole).
enum SchemaText {
  static let all = [pods, volumes, nodes, objects, others]
}
