/// Reads JSON text (RFC 8259) in the one way that all readers agree on.
///
/// Where readers differ, the text is refused: repeated keys (some take the first, some the last), bytes that are no UTF-8,
/// halves of surrogate pairs, numbers that no 64-bit integer or double holds. Nesting is limited, so that hostile text does
/// not exhaust the stack, and every byte is looked at a bounded number of times.
public struct JSONReader {
  private let bytes: UnsafeRawBufferPointer
  private let maximumDepth: Int
  private var position = 0
  private var depth = 0

  private init(_ bytes: UnsafeRawBufferPointer, maximumDepth: Int) {
    self.bytes = bytes
    self.maximumDepth = maximumDepth
  }

  /// Reads one value, with nothing but blanks behind it.
  ///
  /// - Parameter maximumDepth: how deep arrays and objects may stand in each other
  /// - Throws: ``JSONFault``
  public static func read(_ text: some Collection<UInt8>, maximumDepth: Int = 32) throws(JSONFault) -> JSONValue {
    let bytes = Array(text)
    let result = bytes.withUnsafeBytes { raw -> Result<JSONValue, JSONFault> in
      var reader = JSONReader(raw, maximumDepth: maximumDepth)
      do throws(JSONFault) {
        let value = try reader.value()
        reader.skipBlanks()
        guard reader.position == raw.count else { throw reader.fault("there is text behind the value") }
        return .success(value)
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  private func fault(_ reason: String) -> JSONFault { JSONFault(reason: reason, offset: self.position) }

  private var current: UInt8? { self.position < self.bytes.count ? self.bytes[self.position] : nil }

  private mutating func skipBlanks() {
    while let byte = self.current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { self.position += 1 }
  }

  private mutating func value() throws(JSONFault) -> JSONValue {
    self.skipBlanks()
    switch self.current {
    case nil: throw self.fault("the text ends early")
    case UInt8(ascii: "{"): return try self.object()
    case UInt8(ascii: "["): return try self.array()
    case UInt8(ascii: "\""): return .string(try self.text())
    case UInt8(ascii: "t"): return try self.word("true", .bool(true))
    case UInt8(ascii: "f"): return try self.word("false", .bool(false))
    case UInt8(ascii: "n"): return try self.word("null", .null)
    default: return try self.number()
    }
  }

  private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONFault) -> JSONValue {
    let length = word.utf8CodeUnitCount
    let matches = word.withUTF8Buffer { self.bytes[self.position...].prefix(length).elementsEqual($0) }
    guard matches else { throw self.fault("a value was expected") }
    self.position += length
    return value
  }

  // MARK: - Arrays and objects

  private mutating func enter() throws(JSONFault) {
    self.depth += 1
    guard self.depth <= self.maximumDepth else { throw self.fault("the value is nested too deeply") }
    self.position += 1
    self.skipBlanks()
  }

  private mutating func object() throws(JSONFault) -> JSONValue {
    try self.enter()
    var members: [String: JSONValue] = [:]
    if self.takes(UInt8(ascii: "}")) { return .object(members) }
    while true {
      self.skipBlanks()
      guard self.current == UInt8(ascii: "\"") else { throw self.fault("a key was expected") }
      let key = try self.text()
      self.skipBlanks()
      guard self.current == UInt8(ascii: ":") else { throw self.fault("a colon was expected") }
      self.position += 1
      let value = try self.value()
      guard members.updateValue(value, forKey: key) == nil else { throw self.fault("a key is repeated") }
      if try self.ends(with: UInt8(ascii: "}")) { return .object(members) }
    }
  }

  private mutating func array() throws(JSONFault) -> JSONValue {
    try self.enter()
    var elements: [JSONValue] = []
    if self.takes(UInt8(ascii: "]")) { return .array(elements) }
    while true {
      elements.append(try self.value())
      if try self.ends(with: UInt8(ascii: "]")) { return .array(elements) }
    }
  }

  /// Takes the closing bracket of what is empty.
  private mutating func takes(_ bracket: UInt8) -> Bool {
    guard self.current == bracket else { return false }
    self.position += 1
    self.depth -= 1
    return true
  }

  /// Takes a comma (`false`) or the closing bracket (`true`).
  private mutating func ends(with bracket: UInt8) throws(JSONFault) -> Bool {
    self.skipBlanks()
    if self.takes(bracket) { return true }
    guard self.current == UInt8(ascii: ",") else { throw self.fault("a comma or a closing bracket was expected") }
    self.position += 1
    return false
  }

  // MARK: - Numbers

  /// `number = [ "-" ] ( "0" / digit1-9 *DIGIT ) [ "." 1*DIGIT ] [ ("e" / "E") [ "-" / "+" ] 1*DIGIT ]`
  private mutating func number() throws(JSONFault) -> JSONValue {
    let start = self.position
    if self.current == UInt8(ascii: "-") { self.position += 1 }
    let startsWithZero = self.current == UInt8(ascii: "0")
    let wholeDigits = self.skipDigits()
    guard wholeDigits > 0 else { throw self.fault("a value was expected") }
    guard !startsWithZero || wholeDigits == 1 else { throw self.fault("a number begins with a superfluous zero") }
    var isWhole = true
    if self.current == UInt8(ascii: ".") {
      isWhole = false
      self.position += 1
      guard self.skipDigits() > 0 else { throw self.fault("a number has no digit behind its point") }
    }
    if let byte = self.current, byte | 0x20 == UInt8(ascii: "e") {
      isWhole = false
      self.position += 1
      if self.current == UInt8(ascii: "+") || self.current == UInt8(ascii: "-") { self.position += 1 }
      guard self.skipDigits() > 0 else { throw self.fault("a number has no digit in its exponent") }
    }
    let text = String(decoding: self.bytes[start..<self.position], as: UTF8.self)
    if isWhole, let integer = Int64(text) { return .integer(integer) }
    guard let number = Double(text), number.isFinite else { throw self.fault("a number is too large") }
    return .number(number)
  }

  private mutating func skipDigits() -> Int {
    let start = self.position
    while let byte = self.current, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { self.position += 1 }
    return self.position - start
  }

  // MARK: - Strings

  private mutating func text() throws(JSONFault) -> String {
    self.position += 1
    let start = self.position
    while let byte = self.current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { self.position += 1 }
    // Most strings have no escape and are taken as they stand.
    if self.current == UInt8(ascii: "\"") {
      let text = try self.validated(self.bytes[start..<self.position])
      self.position += 1
      return text
    }
    var collected = Array(self.bytes[start..<self.position])
    while let byte = self.current {
      switch byte {
      case UInt8(ascii: "\""):
        let text = try self.validated(collected)
        self.position += 1
        return text
      case UInt8(ascii: "\\"):
        self.position += 1
        try self.escape(into: &collected)
      case 0..<0x20: throw self.fault("a string holds a control character")
      default:
        collected.append(byte)
        self.position += 1
      }
    }
    throw self.fault("the text ends in a string")
  }

  private func validated(_ bytes: some Sequence<UInt8>) throws(JSONFault) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw self.fault("a string is no UTF-8") }
    return text
  }

  private mutating func escape(into collected: inout [UInt8]) throws(JSONFault) {
    guard let byte = self.current else { throw self.fault("the text ends in a string") }
    self.position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): collected.append(byte)
    case UInt8(ascii: "b"): collected.append(0x08)
    case UInt8(ascii: "f"): collected.append(0x0C)
    case UInt8(ascii: "n"): collected.append(0x0A)
    case UInt8(ascii: "r"): collected.append(0x0D)
    case UInt8(ascii: "t"): collected.append(0x09)
    case UInt8(ascii: "u"): collected.append(contentsOf: Character(try self.scalar()).utf8)
    default: throw self.fault("an escape is unknown")
    }
  }

  /// What stands behind `\u`, with its second half where it is the first of a surrogate pair.
  private mutating func scalar() throws(JSONFault) -> Unicode.Scalar {
    var unit = UInt32(try self.codeUnit())
    if unit & 0xFC00 == 0xD800 {
      guard self.bytes[self.position...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) else {
        throw self.fault("an escape is half of a surrogate pair")
      }
      self.position += 2
      let low = UInt32(try self.codeUnit())
      guard low & 0xFC00 == 0xDC00 else { throw self.fault("an escape is half of a surrogate pair") }
      unit = 0x10000 + ((unit & 0x3FF) << 10) + (low & 0x3FF)
    }
    guard let scalar = Unicode.Scalar(unit) else { throw self.fault("an escape is half of a surrogate pair") }
    return scalar
  }

  private mutating func codeUnit() throws(JSONFault) -> UInt16 {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = self.current, let digit = Self.hexadecimal(byte) else {
        throw self.fault("an escape has no four hexadecimal digits")
      }
      unit = unit << 4 | UInt16(digit)
      self.position += 1
    }
    return unit
  }

  private static func hexadecimal(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
