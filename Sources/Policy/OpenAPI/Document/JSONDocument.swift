/// Reads JSON (RFC 8259), strictly: UTF-8 without surrogates left over, no key twice, nothing behind the value. It uses no
/// stack of its own for what is nested.
struct JSONDocument {
  /// Why a text is no JSON.
  struct Failure: Error, Equatable {
    let message: String
    let pointer: JSONPointer
  }

  private let bytes: [UInt8]
  private var position = 0
  private var builder: DocumentTreeBuilder

  /// - Throws: ``Failure`` with the place, as a pointer and as line and column
  static func read(_ bytes: [UInt8], limits: OpenAPILimits) throws(Failure) -> DocumentTree {
    // Places in a document are 32 bits wide.
    guard bytes.count <= min(limits.bytes, Int(Int32.max)) else {
      throw Failure(message: "is larger than \(limits.bytes) bytes", pointer: .root)
    }
    guard bytes.withUnsafeBufferPointer({ String(validating: $0, as: UTF8.self) }) != nil else {
      throw Failure(message: "is not UTF-8", pointer: .root)
    }
    var reader = JSONDocument(bytes: bytes, builder: DocumentTreeBuilder(source: bytes, limits: limits))
    do {
      try reader.read()
    } catch {
      throw Failure(message: "\(error.message) (\(reader.place))", pointer: reader.builder.pointer)
    }
    return reader.builder.build()
  }

  private init(bytes: [UInt8], builder: DocumentTreeBuilder) {
    self.bytes = bytes
    self.builder = builder
  }

  private typealias Fault = DocumentTreeBuilder.Failure

  // MARK: - Structure

  private enum Container {
    case object, array
  }

  private mutating func read() throws(Fault) {
    var open: [Container] = []
    while true {
      // A value stands here, whatever is around it.
      if try self.opens(&open) { continue }
      // A value is behind us: what follows is a comma, or the end of a container, which is a value too.
      while true {
        self.skipBlanks()
        guard let container = open.last else {
          guard self.position == self.bytes.count else { throw Fault(message: "has text behind its end") }
          return
        }
        let byte = self.current
        self.position += 1
        if byte == UInt8(ascii: ",") {
          if container == .object { try self.key() }
          break
        }
        guard byte == (container == .object ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
          self.position -= 1
          throw Fault(message: byte == nil ? "ends within a value" : "is no JSON: a comma or a closing bracket is missing")
        }
        open.removeLast()
        try self.builder.end()
      }
    }
  }

  /// Reads a scalar, an empty container or the beginning of a container.
  ///
  /// - Returns: whether the next value is the first within a container
  private mutating func opens(_ open: inout [Container]) throws(Fault) -> Bool {
    self.skipBlanks()
    switch self.current {
    case UInt8(ascii: "{"):
      self.position += 1
      try self.builder.begin(.object)
      open.append(.object)
      self.skipBlanks()
      guard self.current != UInt8(ascii: "}") else { return false }
      try self.key()
      return true
    case UInt8(ascii: "["):
      self.position += 1
      try self.builder.begin(.array)
      open.append(.array)
      self.skipBlanks()
      return self.current != UInt8(ascii: "]")
    case UInt8(ascii: "\""): try self.text(.text)
    case UInt8(ascii: "t"): try self.word("true", .boolean)
    case UInt8(ascii: "f"): try self.word("false", .boolean)
    case UInt8(ascii: "n"): try self.word("null", .null)
    case nil: throw Fault(message: "ends where a value is missing")
    case let byte? where byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte): try self.number()
    default: throw Fault(message: "is no JSON: a value is missing")
    }
    return false
  }

  private mutating func key() throws(Fault) {
    self.skipBlanks()
    guard self.current == UInt8(ascii: "\"") else { throw Fault(message: "is no JSON: a key in double quotes is missing") }
    try self.text(.key)
    self.skipBlanks()
    guard self.current == UInt8(ascii: ":") else { throw Fault(message: "is no JSON: the colon behind a key is missing") }
    self.position += 1
  }

  // MARK: - Scalars

  private var current: UInt8? { self.position < self.bytes.count ? self.bytes[self.position] : nil }

  private mutating func skipBlanks() {
    while self.position < self.bytes.count {
      switch self.bytes[self.position] {
      case 0x20, 0x0A, 0x0D, 0x09: self.position += 1
      default: return
      }
    }
  }

  private mutating func word(_ word: StaticString, _ kind: DocumentTree.Kind) throws(Fault) {
    let end = self.position + word.utf8CodeUnitCount
    guard end <= self.bytes.count, word.withUTF8Buffer({ self.bytes[self.position..<end].elementsEqual($0) }) else {
      throw Fault(message: "is no JSON: a value is missing")
    }
    try self.builder.add(kind, source: self.position..<end)
    self.position = end
  }

  /// `number = [ "-" ] ( "0" / digit1-9 *DIGIT ) [ "." 1*DIGIT ] [ ("e" / "E") [ "-" / "+" ] 1*DIGIT ]`
  private mutating func number() throws(Fault) {
    let start = self.position
    if self.current == UInt8(ascii: "-") { self.position += 1 }
    let leadsWithZero = self.current == UInt8(ascii: "0")
    let whole = self.digits()
    guard whole == 1 || whole > 1 && !leadsWithZero else { throw Fault(message: "is no JSON: a number is malformed") }
    if self.current == UInt8(ascii: ".") {
      self.position += 1
      guard self.digits() > 0 else { throw Fault(message: "is no JSON: a number is malformed") }
    }
    if self.current == UInt8(ascii: "e") || self.current == UInt8(ascii: "E") {
      self.position += 1
      if self.current == UInt8(ascii: "+") || self.current == UInt8(ascii: "-") { self.position += 1 }
      guard self.digits() > 0 else { throw Fault(message: "is no JSON: a number is malformed") }
    }
    try self.builder.add(.number, source: start..<self.position)
  }

  private mutating func digits() -> Int {
    let start = self.position
    while let byte = self.current, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { self.position += 1 }
    return self.position - start
  }

  /// Most text has no escape and stays where it is.
  private mutating func text(_ kind: DocumentTree.Kind) throws(Fault) {
    self.position += 1
    let start = self.position
    while self.position < self.bytes.count {
      switch self.bytes[self.position] {
      case UInt8(ascii: "\""):
        try self.builder.add(kind, source: start..<self.position)
        self.position += 1
        return
      case UInt8(ascii: "\\"): return try self.escapedText(kind, from: start)
      case 0..<0x20: throw Fault(message: "is no JSON: a control character stands in a text")
      default: self.position += 1
      }
    }
    throw Fault(message: "ends within a text")
  }

  private mutating func escapedText(_ kind: DocumentTree.Kind, from start: Int) throws(Fault) {
    var text = Array(self.bytes[start..<self.position])
    while let byte = self.current {
      self.position += 1
      switch byte {
      case UInt8(ascii: "\""): return try self.builder.add(kind, decoded: text)
      case UInt8(ascii: "\\"): try self.escape(into: &text)
      case 0..<0x20: throw Fault(message: "is no JSON: a control character stands in a text")
      default: text.append(byte)
      }
    }
    throw Fault(message: "ends within a text")
  }

  private mutating func escape(into text: inout [UInt8]) throws(Fault) {
    let byte = self.current
    self.position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(self.bytes[self.position - 1])
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var code = try self.codeUnit()
      if code & 0xFC00 == 0xD800, self.current == UInt8(ascii: "\\"), self.position + 1 < self.bytes.count,
        self.bytes[self.position + 1] == UInt8(ascii: "u")
      {
        self.position += 2
        let low = try self.codeUnit()
        code = low & 0xFC00 == 0xDC00 ? 0x10000 + (code & 0x3FF) << 10 + low & 0x3FF : 0xD800
      }
      guard let scalar = Unicode.Scalar(code) else { throw Fault(message: "is no JSON: half a character is escaped") }
      text.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [])
    default: throw Fault(message: "is no JSON: an escape is unknown")
    }
  }

  private mutating func codeUnit() throws(Fault) -> UInt32 {
    guard self.position + 4 <= self.bytes.count else { throw Fault(message: "ends within a text") }
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = HexadecimalDigit.value(self.bytes[self.position]) else {
        throw Fault(message: "is no JSON: an escape is malformed")
      }
      code = code << 4 | UInt32(digit)
      self.position += 1
    }
    return code
  }

  /// Line and column (in bytes) of the position, both from 1.
  private var place: String {
    let before = self.bytes[..<min(self.position, self.bytes.count)]
    let line = before.count { $0 == 0x0A } + 1
    let column = before.count - (before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0) + 1
    return "line \(line), column \(column)"
  }
}
