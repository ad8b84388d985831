/// A distinguished name (RFC 4514), read.
public struct DistinguishedName: Sendable, Hashable, CustomStringConvertible {
  /// `uid=alice` of `uid=alice+ou=x,dc=example`.
  public struct Part: Sendable, Hashable {
    public let type: AttributeName
    /// The value, unescaped; `nil` for one in `#` and hexadecimal, which only its schema can read.
    public let value: [UInt8]?
    let text: String
  }

  /// The relative names, the entry's own first; each has one part or more.
  public let names: [[Part]]

  public init(parsing text: String) throws(LDAPSyntaxFault) {
    self.names = try NameReader.read(text, asTemplate: false).map { parts in
      parts.map { part in
        Part(type: part.type, value: part.isHexadecimal ? nil : part.value.bytes, text: part.value.text())
      }
    }
  }

  /// The name in one spelling, to be sent.
  public var text: String { self.names.map { $0.map { "\($0.type.text)=\($0.text)" }.joined(separator: "+") }.joined(separator: ",") }
  public var description: String { self.text }

  /// The value of the entry's own name for an attribute, if it has one and it is text.
  public func ownValue(of type: AttributeName) -> String? {
    guard let part = self.names.first?.first(where: { $0.type == type }), let value = part.value else { return nil }
    return String(validating: value, as: UTF8.self)
  }

  /// The name in the spelling by which two are compared here: lower case, values escaped alike. Servers give one name to one
  /// entry, so that this needs no schema: it is for loops and counters, not for access.
  public static func key(of text: String) -> String {
    ((try? DistinguishedName(parsing: text))?.text ?? text).lowercased()
  }
}

/// A distinguished name of the configuration with a place for the user name.
public struct NameTemplate: Sendable, Hashable {
  private let names: [[NameReader.Part]]

  /// - Throws: what is wrong with the text, also where `{username}` does not stand in it
  public init(parsing text: String) throws(LDAPSyntaxFault) {
    let names = try NameReader.read(text, asTemplate: true)
    let count = names.joined().reduce(0) { $0 + $1.value.placeholderCount }
    guard count == 1 else {
      throw LDAPSyntaxFault("does not have {username} in one place", "write it as in uid={username},ou=people,dc=example,dc=org")
    }
    self.names = names
  }

  /// Fills the place. Whatever the name holds, it is one value: it adds no part to the distinguished name.
  public func name(username: String) -> String {
    self.names.map { parts in
      parts.map { "\($0.type.text)=\($0.value.text(username: Array(username.utf8)))" }.joined(separator: "+")
    }.joined(separator: ",")
  }
}
