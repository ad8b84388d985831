/// Reads the text of a filter (RFC 4515 section 3):
///
/// ```
/// filter     = LPAREN filtercomp RPAREN
/// filtercomp = and / or / not / item
/// and        = AMPERSAND filterlist       ; filterlist = 1*filter
/// or         = VERTBAR filterlist
/// not        = EXCLAMATION filter
/// item       = simple / present / substring / extensible
/// simple     = attr filtertype assertionvalue      ; = ~= >= <=
/// extensible = ( attr [dnattrs] [matchingrule] COLON EQUALS assertionvalue )
///            / ( [dnattrs] matchingrule COLON EQUALS assertionvalue )
/// valueencoding = 0*(normal / escaped)
/// escaped    = ESC HEX HEX
/// ```
///
/// With one addition: `{username}` and `{dn}` stand in a value for what is filled in later. A brace that is part of the
/// value is written as `\7b` or `\7d`.
struct FilterReader {
  private static let deepest = 20
  private static let longest = 4096

  private let bytes: [UInt8]
  private var index = 0

  static func read(_ text: String) throws(LDAPSyntaxFault) -> FilterNode {
    guard text.utf8.count <= self.longest else { throw LDAPSyntaxFault("is longer than 4096 bytes", "write a shorter filter") }
    var reader = FilterReader(bytes: Array(text.utf8))
    let node = try reader.filter(depth: 0)
    guard reader.index == reader.bytes.count else {
      throw LDAPSyntaxFault("has something behind its closing parenthesis", "put several filters together with (&(…)(…)) or (|(…)(…))")
    }
    return node
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private var next: UInt8? { self.index < self.bytes.count ? self.bytes[self.index] : nil }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard self.next == UInt8(ascii: character) else { return false }
    self.index += 1
    return true
  }

  private mutating func filter(depth: Int) throws(LDAPSyntaxFault) -> FilterNode {
    guard depth < Self.deepest else { throw LDAPSyntaxFault("is nested deeper than 20 levels", "write a simpler filter") }
    guard self.take("(") else { throw LDAPSyntaxFault("has no parenthesis where a filter begins", "write it as in (uid={username})") }
    let node: FilterNode
    if self.take("&") {
      node = .and(try self.list(depth: depth + 1))
    } else if self.take("|") {
      node = .or(try self.list(depth: depth + 1))
    } else if self.take("!") {
      node = .not(try self.filter(depth: depth + 1))
    } else {
      node = try self.item()
    }
    guard self.take(")") else { throw LDAPSyntaxFault("has no closing parenthesis", "close every parenthesis that is opened") }
    return node
  }

  private mutating func list(depth: Int) throws(LDAPSyntaxFault) -> [FilterNode] {
    var nodes: [FilterNode] = []
    repeat { nodes.append(try self.filter(depth: depth)) } while self.next == UInt8(ascii: "(")
    return nodes
  }

  private mutating func item() throws(LDAPSyntaxFault) -> FilterNode {
    let start = self.index
    while let byte = self.next, ![UInt8(ascii: "="), UInt8(ascii: "("), UInt8(ascii: ")")].contains(byte) { self.index += 1 }
    var left = self.bytes[start..<self.index]
    guard self.take("=") else { throw LDAPSyntaxFault("has a part without `=`", "write each part as in (uid={username})") }
    var op = "="
    if let last = left.last, [UInt8(ascii: "~"), UInt8(ascii: ">"), UInt8(ascii: "<"), UInt8(ascii: ":")].contains(last) {
      left.removeLast()
      op = "\(UnicodeScalar(last))="
    }
    guard op == ":=" ? Self.isExtensible(left) : AttributeName.isDescription(left) else {
      throw LDAPSyntaxFault("has a part without the name of an attribute", "write each part as in (uid={username})")
    }
    return .item(left: String(decoding: left, as: UTF8.self), operator: op, value: try self.value(allowingWildcards: op == "="))
  }

  /// What may stand before `:=`.
  private static func isExtensible(_ left: ArraySlice<UInt8>) -> Bool {
    var parts = left.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    let attribute = parts.removeFirst()
    guard attribute.isEmpty || AttributeName.isDescription(attribute) else { return false }
    if let first = parts.first, String(decoding: first, as: UTF8.self).lowercased() == "dn" { parts.removeFirst() }
    guard parts.count <= 1, parts.allSatisfy(AttributeName.isObjectIdentifier) else { return false }
    return !attribute.isEmpty || !parts.isEmpty
  }

  private mutating func value(allowingWildcards: Bool) throws(LDAPSyntaxFault) -> [FilterNode.ValuePart] {
    var parts: [FilterNode.ValuePart] = []
    var plain: [UInt8] = []
    func flush() {
      if !plain.isEmpty { parts.append(.bytes(plain)) }
      plain = []
    }
    while let byte = self.next, byte != UInt8(ascii: ")") {
      switch byte {
      case 0, UInt8(ascii: "("):
        throw LDAPSyntaxFault("has a character in a value that must be escaped", "write `(` as \\28, `)` as \\29, `*` as \\2a")
      case UInt8(ascii: "*"):
        guard allowingWildcards, parts.last != .wildcard || !plain.isEmpty else {
          throw LDAPSyntaxFault("has a `*` where none may stand", "write \\2a for the character itself")
        }
        self.index += 1
        flush()
        parts.append(.wildcard)
      case UInt8(ascii: "\\"):
        guard self.index + 3 <= self.bytes.count, let escaped = HexText.byte(self.bytes[(self.index + 1)..<(self.index + 3)]) else {
          throw LDAPSyntaxFault("has a backslash without two hexadecimal digits", "write \\5c for the character itself")
        }
        self.index += 3
        plain.append(escaped)
      case UInt8(ascii: "{"):
        let placeholder = try self.placeholder()
        flush()
        parts.append(.placeholder(placeholder))
      case UInt8(ascii: "}"):
        throw LDAPSyntaxFault("has a brace in a value", "write `{` as \\7b and `}` as \\7d; the placeholders are {username} and {dn}")
      default:
        self.index += 1
        plain.append(byte)
      }
    }
    flush()
    return parts
  }

  private mutating func placeholder() throws(LDAPSyntaxFault) -> FilterPlaceholder {
    let end = self.bytes[self.index...].firstIndex(of: UInt8(ascii: "}"))
    let name = end.map { String(decoding: self.bytes[(self.index + 1)..<$0], as: UTF8.self) }
    guard let end, let name, let placeholder = FilterPlaceholder(rawValue: name) else {
      throw LDAPSyntaxFault("has an unknown placeholder", "the placeholders are {username} and {dn}; write \\7b for a brace")
    }
    self.index = end + 1
    return placeholder
  }
}
