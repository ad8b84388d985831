import NIOCore
import SallyportCore

/// Writes who somebody is as field lines, one line a value.
///
/// A value is written as the UTF-8 that it is; the API server decodes nothing in values. Only what would not arrive as it
/// was is refused: see ``Fault``.
struct IdentityFieldWriter {
  /// The two families of fields that the API server reads; they differ in their names alone.
  enum Family {
    case remote, impersonate

    var user: StaticString { self == .remote ? "X-Remote-User" : "Impersonate-User" }
    var uid: StaticString { self == .remote ? "X-Remote-Uid" : "Impersonate-Uid" }
    var group: StaticString { self == .remote ? "X-Remote-Group" : "Impersonate-Group" }
    var extraPrefix: StaticString { self == .remote ? "X-Remote-Extra-" : "Impersonate-Extra-" }
  }

  /// Why somebody cannot be told of.
  enum Fault: Error, Equatable, CustomStringConvertible {
    /// The server takes no empty user, and leaves out empty groups and keys.
    case empty(StaticString)
    /// A control character would end the field or break it; outer blanks would be trimmed.
    case unwritable(StaticString)

    static func == (left: Fault, right: Fault) -> Bool { left.description == right.description }

    var description: String {
      switch self {
      case .empty(let name): "empty value for \(name)"
      case .unwritable(let name): "control character or outer blank in a value for \(name)"
      }
    }
  }

  private(set) var buffer: ByteBuffer

  init(capacity: Int) {
    self.buffer = ByteBufferAllocator().buffer(capacity: capacity)
  }

  /// Writes the lines of one user; after a fault the buffer holds a part of them and is not to be used.
  mutating func write(
    _ family: Family, user: String, uid: String?, groups: [String], extra: [Identity.Extra]
  ) throws(Fault) {
    try self.writeLine(family.user, user)
    if let uid { try self.writeLine(family.uid, uid) }
    for group in groups { try self.writeLine(family.group, group) }
    for attribute in extra {
      guard !attribute.key.isEmpty else { throw .empty(family.extraPrefix) }
      for value in attribute.values {
        self.buffer.writeStaticString(family.extraPrefix)
        ExtraKey.write(attribute.key, to: &self.buffer)
        self.buffer.writeStaticString(": ")
        // An extra value may be empty: the server keeps those.
        try self.writeValue(value, of: family.extraPrefix)
      }
    }
  }

  private mutating func writeLine(_ name: StaticString, _ value: String) throws(Fault) {
    guard !value.isEmpty else { throw .empty(name) }
    self.buffer.writeStaticString(name)
    self.buffer.writeStaticString(": ")
    try self.writeValue(value, of: name)
  }

  private mutating func writeValue(_ value: String, of name: StaticString) throws(Fault) {
    guard Self.isWritable(value.utf8) else { throw .unwritable(name) }
    self.buffer.writeString(value)
    self.buffer.writeStaticString("\r\n")
  }

  /// Tabs are refused too, though a field could hold them within: no identity has one.
  private static func isWritable(_ value: String.UTF8View) -> Bool {
    value.first != 0x20 && value.last != 0x20 && value.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
  }
}
