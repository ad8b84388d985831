/// JSON patch (RFC 6902): operations one after the other, all or none.
enum JSONPatch {
  /// Why a patch cannot be read or applied.
  struct Failure: Error, Equatable, CustomStringConvertible {
    /// The patch itself is no patch; otherwise it does not fit the document.
    let isMalformed: Bool
    let description: String
  }

  static func apply(_ patch: JSON, to document: JSON) throws(Failure) -> JSON {
    guard let operations = patch.array else { throw Failure(isMalformed: true, description: "a JSON patch is an array of operations") }
    var document = document
    for operation in operations { try self.apply(operation: operation, to: &document) }
    return document
  }

  private static func apply(operation: JSON, to document: inout JSON) throws(Failure) {
    guard let name = operation["op"]?.string, let text = operation["path"]?.string else {
      throw Failure(isMalformed: true, description: "an operation needs op and path")
    }
    let path = try self.pointer(text)
    switch name {
    case "add": try self.add(self.value(of: operation), at: path, to: &document)
    case "remove": try self.remove(at: path, from: &document)
    case "replace":
      guard self.find(path, in: document) != nil else { throw self.missing(text) }
      if path.isEmpty {
        document = try self.value(of: operation)
      } else {
        try self.remove(at: path, from: &document)
        try self.add(self.value(of: operation), at: path, to: &document)
      }
    case "move", "copy":
      guard let from = operation["from"]?.string else { throw Failure(isMalformed: true, description: "\(name) needs from") }
      let source = try self.pointer(from)
      guard let value = self.find(source, in: document) else { throw self.missing(from) }
      if name == "move" {
        guard path.count <= source.count || !path.starts(with: source) else {
          throw Failure(isMalformed: false, description: "a value cannot move into itself")
        }
        try self.remove(at: source, from: &document)
      }
      try self.add(value, at: path, to: &document)
    case "test":
      let expected = try self.value(of: operation)
      guard let found = self.find(path, in: document) else { throw self.missing(text) }
      guard self.equal(found, expected) else { throw Failure(isMalformed: false, description: "testing value \(text) failed") }
    default: throw Failure(isMalformed: true, description: "unknown operation \(name)")
    }
  }

  private static func missing(_ path: String) -> Failure { Failure(isMalformed: false, description: "there is nothing at \(path)") }

  private static func value(of operation: JSON) throws(Failure) -> JSON {
    guard let value = operation["value"] else { throw Failure(isMalformed: true, description: "the operation needs a value") }
    return value
  }

  /// Numbers are equal by their value: 1 is 1.0 (RFC 6902 section 4.6).
  private static func equal(_ left: JSON, _ right: JSON) -> Bool {
    switch (left, right) {
    case (.integer(let whole), .number(let number)), (.number(let number), .integer(let whole)): Double(whole) == number
    case (.array(let left), .array(let right)): left.count == right.count && zip(left, right).allSatisfy(self.equal)
    case (.object(let left), .object(let right)):
      left.count == right.count && left.allSatisfy { key, value in right[key].map { self.equal(value, $0) } ?? false }
    default: left == right
    }
  }

  /// The reference tokens of a JSON pointer (RFC 6901).
  private static func pointer(_ text: String) throws(Failure) -> [String] {
    if text.isEmpty { return [] }
    guard text.first == "/" else { throw Failure(isMalformed: true, description: "a path begins with /: \(text)") }
    return text.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map {
      String($0).replacing("~1", with: "/").replacing("~0", with: "~")
    }
  }

  /// An array index: digits without a leading zero, within the array.
  private static func index(_ token: String, in elements: [JSON], endIsAllowed: Bool = false) -> Int? {
    if token == "-" { return endIsAllowed ? elements.count : nil }
    guard token.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }), let index = Int(token),
      token == String(index), index < elements.count + (endIsAllowed ? 1 : 0)
    else { return nil }
    return index
  }

  private static func find(_ path: [String], in document: JSON) -> JSON? {
    var value = document
    for token in path {
      switch value {
      case .object(let members):
        guard let next = members[token] else { return nil }
        value = next
      case .array(let elements):
        guard let index = self.index(token, in: elements) else { return nil }
        value = elements[index]
      default: return nil
      }
    }
    return value
  }

  private static func add(_ value: JSON, at path: [String], to document: inout JSON) throws(Failure) {
    try self.change(at: path, in: &document) { (parent, token) throws(Failure) in
      switch parent {
      case .object(var members):
        members[token] = value
        parent = .object(members)
      case .array(var elements):
        guard let index = self.index(token, in: elements, endIsAllowed: true) else { throw self.missing(token) }
        elements.insert(value, at: index)
        parent = .array(elements)
      default: throw self.missing(token)
      }
    } whole: { document in
      document = value
    }
  }

  private static func remove(at path: [String], from document: inout JSON) throws(Failure) {
    try self.change(at: path, in: &document) { (parent, token) throws(Failure) in
      switch parent {
      case .object(var members):
        guard members.removeValue(forKey: token) != nil else { throw self.missing(token) }
        parent = .object(members)
      case .array(var elements):
        guard let index = self.index(token, in: elements) else { throw self.missing(token) }
        elements.remove(at: index)
        parent = .array(elements)
      default: throw self.missing(token)
      }
    } whole: { document in
      document = .null
    }
  }

  /// Walks to the parent of what the path names and changes it there.
  private static func change(
    at path: [String], in document: inout JSON, _ body: (inout JSON, String) throws(Failure) -> Void, whole: (inout JSON) -> Void
  ) throws(Failure) {
    guard let token = path.first else { return whole(&document) }
    if path.count == 1 { return try body(&document, token) }
    let rest = Array(path.dropFirst())
    switch document {
    case .object(var members):
      guard var child = members[token] else { throw self.missing(token) }
      try self.change(at: rest, in: &child, body, whole: whole)
      members[token] = child
      document = .object(members)
    case .array(var elements):
      guard let index = self.index(token, in: elements) else { throw self.missing(token) }
      try self.change(at: rest, in: &elements[index], body, whole: whole)
      document = .array(elements)
    default: throw self.missing(token)
    }
  }
}
