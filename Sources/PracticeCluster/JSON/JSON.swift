/// A JSON value as the API server holds it: whole numbers stay whole, and an object's keys have no order.
enum JSON: Sendable, Hashable {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  case array([JSON])
  case object([String: JSON])
}

extension JSON {
  var string: String? { if case .string(let value) = self { value } else { nil } }
  var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  var array: [JSON]? { if case .array(let value) = self { value } else { nil } }
  var object: [String: JSON]? { if case .object(let value) = self { value } else { nil } }
  var integer: Int64? { if case .integer(let value) = self { value } else { nil } }

  /// An object whose values are all strings: labels, annotations, data; other values are left out.
  var strings: [String: String] { self.object?.compactMapValues(\.string) ?? [:] }

  /// The value's kind in the words of Go's decoder, for error messages.
  var kindName: String {
    switch self {
    case .null: "null"
    case .bool: "bool"
    case .integer, .number: "number"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }

  subscript(key: String) -> JSON? { if case .object(let members) = self { members[key] } else { nil } }

  /// The value behind a way of keys; `nil` where some step is missing or no object.
  subscript(path: [String]) -> JSON? {
    var value = self
    for key in path {
      guard let next = value[key] else { return nil }
      value = next
    }
    return value
  }

  /// Sets the value behind a way of keys, making objects where steps are missing; `nil` removes it.
  mutating func set(_ value: JSON?, at path: some Collection<String>) {
    guard let key = path.first else {
      self = value ?? .null
      return
    }
    var members: [String: JSON]
    if case .object(let present) = self { members = present } else { members = [:] }
    self = .null  // so that the dictionary is changed in place
    if path.count == 1 {
      members[key] = value
    } else if value != nil || members[key] != nil {
      var child = members.removeValue(forKey: key) ?? .object([:])
      child.set(value, at: path.dropFirst())
      members[key] = child
    }
    self = .object(members)
  }

  mutating func set(_ value: JSON?, at path: String...) { self.set(value, at: path) }
}

extension JSON: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral
{
  init(stringLiteral value: String) { self = .string(value) }
  init(integerLiteral value: Int64) { self = .integer(value) }
  init(booleanLiteral value: Bool) { self = .bool(value) }
  init(arrayLiteral elements: JSON...) { self = .array(elements) }
  init(dictionaryLiteral elements: (String, JSON)...) { self = .object(Dictionary(elements) { _, last in last }) }

  init(_ values: [String]) { self = .array(values.map(JSON.string)) }
  init(_ members: [String: String]) { self = .object(members.mapValues(JSON.string)) }
}
