/// Reads the text of a distinguished name (RFC 4514 section 3):
///
/// ```
/// distinguishedName = [ relativeDistinguishedName *( COMMA relativeDistinguishedName ) ]
/// relativeDistinguishedName = attributeTypeAndValue *( PLUS attributeTypeAndValue )
/// attributeTypeAndValue = attributeType EQUALS attributeValue
/// attributeValue = string / hexstring
/// pair = ESC ( ESC / special / hexpair )
/// ```
///
/// Blanks around `,`, `+` and `=` are taken, as many tools write them and servers read them (RFC 2253 section 4). In a
/// template `{username}` stands in a value; a brace that is part of the value is written with a backslash before it.
struct NameReader {
  struct Part: Sendable, Hashable {
    let type: AttributeName
    let value: Value
    let isHexadecimal: Bool
  }

  struct Value: Sendable, Hashable {
    enum Piece: Sendable, Hashable {
      case bytes([UInt8])
      case username
      /// `#` and what follows it.
      case hexadecimal(String)
    }
    var pieces: [Piece]

    var placeholderCount: Int { self.pieces.count { $0 == .username } }

    var bytes: [UInt8] {
      self.pieces.flatMap { piece in if case .bytes(let bytes) = piece { bytes } else { [UInt8]() } }
    }

    func text(username: [UInt8] = []) -> String {
      if case .hexadecimal(let text)? = self.pieces.first { return text }
      return DistinguishedNameText.escape(
        self.pieces.flatMap { piece in
          switch piece {
          case .bytes(let bytes): bytes
          case .username: username
          case .hexadecimal: [UInt8]()
          }
        })
    }
  }

  private static let longest = 4096

  private let bytes: [UInt8]
  private let isTemplate: Bool
  private var index = 0

  /// - Parameter asTemplate: whether a brace means something
  static func read(_ text: String, asTemplate: Bool) throws(LDAPSyntaxFault) -> [[Part]] {
    guard text.utf8.count <= self.longest else { throw LDAPSyntaxFault("is longer than 4096 bytes", "write a shorter name") }
    var reader = NameReader(bytes: Array(text.utf8), isTemplate: asTemplate)
    var names = [[try reader.part()]]
    while let byte = reader.next {
      reader.index += 1
      switch byte {
      case UInt8(ascii: ","): names.append([try reader.part()])
      case UInt8(ascii: "+"): names[names.count - 1].append(try reader.part())
      default: throw Self.form
      }
    }
    return names
  }

  private static var form: LDAPSyntaxFault {
    LDAPSyntaxFault("is not a distinguished name", "write it as in ou=people,dc=example,dc=org")
  }

  private init(bytes: [UInt8], isTemplate: Bool) {
    self.bytes = bytes
    self.isTemplate = isTemplate
  }

  private var next: UInt8? { self.index < self.bytes.count ? self.bytes[self.index] : nil }

  private mutating func skipBlanks() { while self.next == UInt8(ascii: " ") { self.index += 1 } }

  private mutating func part() throws(LDAPSyntaxFault) -> Part {
    self.skipBlanks()
    let start = self.index
    while let byte = self.next, byte != UInt8(ascii: "="), byte != UInt8(ascii: " ") { self.index += 1 }
    let type = self.bytes[start..<self.index]
    self.skipBlanks()
    guard self.next == UInt8(ascii: "="), AttributeName.isObjectIdentifier(type) else { throw Self.form }
    self.index += 1
    self.skipBlanks()
    let name = try AttributeName(parsing: String(decoding: type, as: UTF8.self))
    if self.next == UInt8(ascii: "#") { return Part(type: name, value: try self.hexadecimal(), isHexadecimal: true) }
    return Part(type: name, value: try self.string(), isHexadecimal: false)
  }

  private mutating func hexadecimal() throws(LDAPSyntaxFault) -> Value {
    let start = self.index
    self.index += 1
    while let byte = self.next, HexText.value(of: byte) != nil { self.index += 1 }
    let text = String(decoding: self.bytes[start..<self.index], as: UTF8.self)
    self.skipBlanks()
    guard text.utf8.count >= 3, text.utf8.count % 2 == 1 else { throw Self.form }
    return Value(pieces: [.hexadecimal(text)])
  }

  private mutating func string() throws(LDAPSyntaxFault) -> Value {
    var pieces: [Value.Piece] = []
    var plain: [UInt8] = []
    // How much of `plain` a blank at the end does not belong to.
    var meant = 0
    reading: while let byte = self.next {
      switch byte {
      case UInt8(ascii: ","), UInt8(ascii: "+"): break reading
      case 0, UInt8(ascii: "\""), UInt8(ascii: ";"), UInt8(ascii: "<"), UInt8(ascii: ">"):
        throw LDAPSyntaxFault("has a character in a value that must be escaped", "write a backslash before it")
      case UInt8(ascii: "\\"):
        plain.append(try self.escaped())
        meant = plain.count
      case UInt8(ascii: "{") where self.isTemplate, UInt8(ascii: "}") where self.isTemplate:
        let name = Array("{username}".utf8)
        guard self.bytes[self.index...].starts(with: name) else {
          throw LDAPSyntaxFault("has an unknown placeholder", "the placeholder is {username}; write \\{ for a brace")
        }
        self.index += name.count
        if !plain.isEmpty { pieces.append(.bytes(plain)) }
        pieces.append(.username)
        (plain, meant) = ([], 0)
      case UInt8(ascii: " "):
        self.index += 1
        plain.append(byte)
      default:
        self.index += 1
        plain.append(byte)
        meant = plain.count
      }
    }
    plain.removeLast(plain.count - meant)
    if !plain.isEmpty { pieces.append(.bytes(plain)) }
    return Value(pieces: pieces)
  }

  private mutating func escaped() throws(LDAPSyntaxFault) -> UInt8 {
    let rest = self.bytes[(self.index + 1)...].prefix(2)
    if let byte = HexText.byte(rest) {
      self.index += 3
      return byte
    }
    guard let byte = rest.first, ##" "#,+;<>=\{}"##.utf8.contains(byte) else {
      throw LDAPSyntaxFault("has a backslash before a character that needs none", "write \\\\ for the character itself")
    }
    self.index += 2
    return byte
  }
}

enum DistinguishedNameText {
  /// A value as it stands in a distinguished name. Blanks between other characters stay as they are.
  static func escape(_ bytes: [UInt8]) -> String {
    bytes.enumerated().map { index, byte in
      let isInnerBlank = byte == UInt8(ascii: " ") && index > 0 && index < bytes.count - 1
      return PlainByte.contains(byte) || isInnerBlank ? String(UnicodeScalar(byte)) : HexText.escaped(byte)
    }.joined()
  }
}
