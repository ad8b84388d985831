/// Reads JSON text (RFC 8259), the whole of it and nothing behind it.
///
/// As in Go's decoder the last of repeated keys wins and a number that is whole and fits 64 bits stays whole. Nesting is
/// limited so that a hostile body cannot exhaust the stack.
struct JSONReader {
  /// Why text is no JSON, with the place.
  struct Failure: Error, CustomStringConvertible {
    let reason: String
    let offset: Int
    var description: String { "invalid character at offset \(self.offset): \(self.reason)" }
  }

  private static let maximumDepth = 256
  private let bytes: [UInt8]
  private var position = 0
  private var depth = 0

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  static func read(_ bytes: some Sequence<UInt8>) throws(Failure) -> JSON {
    var reader = JSONReader(Array(bytes))
    let value = try reader.value()
    reader.skipBlanks()
    guard reader.position == reader.bytes.count else { throw reader.failure("text behind the value") }
    return value
  }

  static func read(_ text: String) throws(Failure) -> JSON { try self.read(text.utf8) }

  private func failure(_ reason: String) -> Failure { Failure(reason: reason, offset: self.position) }

  private var current: UInt8? { self.position < self.bytes.count ? self.bytes[self.position] : nil }

  private mutating func skipBlanks() {
    while let byte = self.current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { self.position += 1 }
  }

  private mutating func value() throws(Failure) -> JSON {
    self.skipBlanks()
    guard let byte = self.current else { throw self.failure("unexpected end of JSON input") }
    switch byte {
    case UInt8(ascii: "{"): return try self.nested { (reader) throws(Failure) in try reader.object() }
    case UInt8(ascii: "["): return try self.nested { (reader) throws(Failure) in try reader.array() }
    case UInt8(ascii: "\""): return .string(try self.text())
    case UInt8(ascii: "t"): return try self.word("true", .bool(true))
    case UInt8(ascii: "f"): return try self.word("false", .bool(false))
    case UInt8(ascii: "n"): return try self.word("null", .null)
    default: return try self.number()
    }
  }

  private mutating func nested(_ body: (inout JSONReader) throws(Failure) -> JSON) throws(Failure) -> JSON {
    self.depth += 1
    defer { self.depth -= 1 }
    guard self.depth <= Self.maximumDepth else { throw self.failure("exceeded max depth") }
    self.position += 1
    return try body(&self)
  }

  private mutating func word(_ word: StaticString, _ value: JSON) throws(Failure) -> JSON {
    let length = word.utf8CodeUnitCount
    let matches = word.withUTF8Buffer { self.bytes[self.position...].prefix(length).elementsEqual($0) }
    guard matches else { throw self.failure("looking for beginning of value") }
    self.position += length
    return value
  }

  private mutating func object() throws(Failure) -> JSON {
    var members: [String: JSON] = [:]
    self.skipBlanks()
    if self.current == UInt8(ascii: "}") {
      self.position += 1
      return .object(members)
    }
    while true {
      self.skipBlanks()
      guard self.current == UInt8(ascii: "\"") else { throw self.failure("looking for beginning of object key string") }
      let key = try self.text()
      self.skipBlanks()
      guard self.current == UInt8(ascii: ":") else { throw self.failure("after object key") }
      self.position += 1
      members[key] = try self.value()
      if try self.ends(with: UInt8(ascii: "}")) { return .object(members) }
    }
  }

  private mutating func array() throws(Failure) -> JSON {
    var elements: [JSON] = []
    self.skipBlanks()
    if self.current == UInt8(ascii: "]") {
      self.position += 1
      return .array(elements)
    }
    while true {
      elements.append(try self.value())
      if try self.ends(with: UInt8(ascii: "]")) { return .array(elements) }
    }
  }

  /// Takes a comma (`false`) or the closing bracket (`true`).
  private mutating func ends(with bracket: UInt8) throws(Failure) -> Bool {
    self.skipBlanks()
    guard let byte = self.current else { throw self.failure("unexpected end of JSON input") }
    guard byte == bracket || byte == UInt8(ascii: ",") else { throw self.failure("looking for a comma or a closing bracket") }
    self.position += 1
    return byte == bracket
  }

  private mutating func number() throws(Failure) -> JSON {
    let start = self.position
    while let byte = self.current, Self.isNumberByte(byte) { self.position += 1 }
    let text = String(decoding: self.bytes[start..<self.position], as: UTF8.self)
    guard Self.isNumber(text.utf8) else {
      self.position = start
      throw self.failure("looking for beginning of value")
    }
    if let whole = Int64(text) { return .integer(whole) }
    guard let number = Double(text), number.isFinite else { throw self.failure("number out of range") }
    return .number(number)
  }

  private static func isNumberByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"),
      UInt8(ascii: "E"):
      true
    default: false
    }
  }

  /// `number = [ "-" ] ( "0" / digit1-9 *DIGIT ) [ "." 1*DIGIT ] [ ("e" / "E") [ "-" / "+" ] 1*DIGIT ]`
  private static func isNumber(_ text: String.UTF8View) -> Bool {
    var rest = text[...]
    func digits(_ rest: inout Substring.UTF8View) -> Int {
      let count = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }.count
      rest = rest.dropFirst(count)
      return count
    }
    if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
    let leadingZero = rest.first == UInt8(ascii: "0")
    let whole = digits(&rest)
    guard whole > 0, !leadingZero || whole == 1 else { return false }
    if rest.first == UInt8(ascii: ".") {
      rest = rest.dropFirst()
      guard digits(&rest) > 0 else { return false }
    }
    if let byte = rest.first, byte | 0x20 == UInt8(ascii: "e") {
      rest = rest.dropFirst()
      if let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { rest = rest.dropFirst() }
      guard digits(&rest) > 0 else { return false }
    }
    return rest.isEmpty
  }

  private mutating func text() throws(Failure) -> String {
    self.position += 1
    let start = self.position
    // Most strings have no escape and are taken as they stand.
    while let byte = self.current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { self.position += 1 }
    var collected = Array(self.bytes[start..<self.position])
    while let byte = self.current {
      self.position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: collected, as: UTF8.self)
      case UInt8(ascii: "\\"): try self.escape(into: &collected)
      case 0..<0x20: throw self.failure("control character in string literal")
      default: collected.append(byte)
      }
    }
    throw self.failure("unexpected end of JSON input")
  }

  private mutating func escape(into collected: inout [UInt8]) throws(Failure) {
    guard let byte = self.current else { throw self.failure("unexpected end of JSON input") }
    self.position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): collected.append(byte)
    case UInt8(ascii: "b"): collected.append(0x08)
    case UInt8(ascii: "f"): collected.append(0x0C)
    case UInt8(ascii: "n"): collected.append(0x0A)
    case UInt8(ascii: "r"): collected.append(0x0D)
    case UInt8(ascii: "t"): collected.append(0x09)
    case UInt8(ascii: "u"):
      var unit = UInt32(try self.codeUnit())
      if unit & 0xFC00 == 0xD800, self.bytes[self.position...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) {
        let before = self.position
        self.position += 2
        let low = UInt32(try self.codeUnit())
        if low & 0xFC00 == 0xDC00 {
          unit = 0x10000 + ((unit & 0x3FF) << 10) + (low & 0x3FF)
        } else {
          self.position = before
        }
      }
      collected.append(contentsOf: Character(Unicode.Scalar(unit) ?? "\u{FFFD}").utf8)
    default: throw self.failure("in string escape code")
    }
  }

  private mutating func codeUnit() throws(Failure) -> UInt16 {
    let digits = self.bytes[self.position...].prefix(4)
    guard digits.count == 4, digits.allSatisfy({ Hexadecimal.value(of: $0) != nil }),
      let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw self.failure("in \\u hexadecimal character escape") }
    self.position += 4
    return unit
  }
}

/// Hexadecimal digits as bytes.
enum Hexadecimal {
  static func value(of byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
