/// Reads a body as strict JSON (RFC 8259) and writes it anew: without blanks, with every string escaped as in the rest of the
/// record, and without what must not be in the log.
///
/// It goes over the body twice, and both times along the same grammar: ``read()`` finds out whether it is JSON at all and
/// which objects in it hold secrets, which may stand behind these; ``write(to:)`` writes.
struct BodyRewriter: ~Copyable {
  private let bytes: UnsafeRawBufferPointer
  private let redaction: BodyRedaction
  private var position = 0
  private var isWriting = false
  /// Where the objects begin that are of a kind that holds secrets.
  private var secretObjects: Set<Int> = []
  private var hasHidden = false

  /// Deeper than any object of Kubernetes', and not too deep for the stack or for readers of the log.
  private static let depthLimit = 100

  init(_ bytes: UnsafeRawBufferPointer, _ redaction: BodyRedaction) {
    self.bytes = bytes
    self.redaction = redaction
  }

  /// - Returns: whether all of it is one JSON value
  mutating func read() -> Bool {
    var nowhere = LineBytes(capacity: 0)
    return self.document(to: &nowhere)
  }

  /// Writes what was read.
  ///
  /// - Returns: whether something was hidden
  mutating func write(to line: inout LineBytes) -> Bool {
    self.position = 0
    self.isWriting = true
    _ = self.document(to: &line)
    return self.hasHidden
  }

  private mutating func document(to line: inout LineBytes) -> Bool {
    self.skipBlanks()
    guard self.value(self.redaction.start, depth: 0, isMetadata: false, to: &line) else { return false }
    self.skipBlanks()
    return self.position == self.bytes.count
  }

  // MARK: - Values

  /// `value = false / null / true / object / array / number / string`
  private mutating func value(_ mode: BodyRedaction.Mode, depth: Int, isMetadata: Bool, to line: inout LineBytes) -> Bool {
    guard depth <= Self.depthLimit, self.position < self.bytes.count else { return false }
    let start = self.position
    switch self.bytes[start] {
    case UInt8(ascii: "{"):
      let isSecret = mode == .watched && self.secretObjects.contains(start)
      return self.object(isSecret ? .secret : mode, depth: depth, isMetadata: isMetadata, to: &line)
    case UInt8(ascii: "["): return self.array(mode, depth: depth, to: &line)
    case UInt8(ascii: "\""):
      guard let text = self.string() else { return false }
      self.writeScalar(mode, to: &line) { line in
        line.write("\"")
        Self.write(text, to: &line)
        line.write("\"")
      }
    case UInt8(ascii: "n"):
      guard self.skip("null") else { return false }
      // That there is nothing is no secret, and in a patch it says that a key is removed.
      if self.isWriting { line.write("null") }
    case UInt8(ascii: "t"), UInt8(ascii: "f"):
      let isTrue = self.bytes[start] == UInt8(ascii: "t")
      guard self.skip(isTrue ? "true" : "false") else { return false }
      self.writeScalar(mode, to: &line) { $0.write(isTrue ? "true" : "false") }
    default:
      guard self.number() else { return false }
      let digits = UnsafeRawBufferPointer(rebasing: self.bytes[start..<self.position])
      self.writeScalar(mode, to: &line) { $0.write(digits) }
    }
    return true
  }

  /// A scalar as it is, unless it is hidden or stands where only members of objects are shown.
  private mutating func writeScalar(_ mode: BodyRedaction.Mode, to line: inout LineBytes, _ write: (inout LineBytes) -> Void) {
    guard self.isWriting else { return }
    switch mode {
    case .plain, .watched: write(&line)
    case .secret, .metadata, .hidden:
      self.hasHidden = true
      line.write(#""REDACTED""#)
    }
  }

  /// `object = "{" [ member *( "," member ) ] "}"`
  private mutating func object(_ mode: BodyRedaction.Mode, depth: Int, isMetadata: Bool, to line: inout LineBytes) -> Bool {
    let start = self.position
    self.position += 1
    if self.isWriting { line.write("{") }
    self.skipBlanks()
    var isFirst = true
    if !self.take("}") {
      repeat {
        self.skipBlanks()
        guard let key = self.string() else { return false }
        self.skipBlanks()
        guard self.take(":") else { return false }
        self.skipBlanks()
        if !self.isWriting, key.isJSONText("kind"), self.isSecretKind { self.secretObjects.insert(start) }
        let isOmitted = isMetadata && key.isText("managedFields") && (self.redaction.omitsManagedFields || mode == .metadata)
        if isOmitted, self.isWriting {
          // They were read before, and are passed over now.
          self.isWriting = false
          let isRead = self.value(.plain, depth: depth + 1, isMetadata: false, to: &line)
          self.isWriting = true
          guard isRead else { return false }
        } else {
          if self.isWriting {
            line.write(isFirst ? "\"" : ",\"")
            Self.write(key, to: &line)
            line.write("\":")
            isFirst = false
          }
          let inner = BodyRedaction.mode(key, isScalar: !self.isAtContainer, in: mode)
          guard self.value(inner, depth: depth + 1, isMetadata: key.isText("metadata"), to: &line) else { return false }
        }
        self.skipBlanks()
      } while self.take(",")
      guard self.take("}") else { return false }
    }
    if self.isWriting { line.write("}") }
    return true
  }

  /// `array = "[" [ value *( "," value ) ] "]"`
  private mutating func array(_ mode: BodyRedaction.Mode, depth: Int, to line: inout LineBytes) -> Bool {
    self.position += 1
    if self.isWriting { line.write("[") }
    self.skipBlanks()
    if !self.take("]") {
      var isFirst = true
      repeat {
        self.skipBlanks()
        if self.isWriting, !isFirst { line.write(",") }
        isFirst = false
        guard self.value(mode, depth: depth + 1, isMetadata: false, to: &line) else { return false }
        self.skipBlanks()
      } while self.take(",")
      guard self.take("]") else { return false }
    }
    if self.isWriting { line.write("]") }
    return true
  }

  private var isAtContainer: Bool {
    guard self.position < self.bytes.count else { return false }
    return self.bytes[self.position] == UInt8(ascii: "{") || self.bytes[self.position] == UInt8(ascii: "[")
  }

  /// Whether a string stands here that names a kind that holds secrets; nothing is passed over.
  private var isSecretKind: Bool {
    mutating get {
      let start = self.position
      defer { self.position = start }
      guard let text = self.string() else { return false }
      return BodyRedaction.kinds.contains(where: text.isJSONText)
    }
  }

  // MARK: - Tokens

  /// The inside of the string that begins here.
  private mutating func string() -> UnsafeRawBufferPointer? {
    guard self.take("\"") else { return nil }
    let start = self.position
    while self.position < self.bytes.count {
      switch self.bytes[self.position] {
      case UInt8(ascii: "\""):
        self.position += 1
        return UnsafeRawBufferPointer(rebasing: self.bytes[start..<(self.position - 1)])
      case UInt8(ascii: "\\"):
        guard self.position + 1 < self.bytes.count else { return nil }
        switch self.bytes[self.position + 1] {
        case UInt8(ascii: "u"):
          guard self.bytes.hexadecimal(at: self.position + 2) != nil else { return nil }
          self.position += 6
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
          UInt8(ascii: "r"), UInt8(ascii: "t"):
          self.position += 2
        default: return nil
        }
      case 0x00...0x1F: return nil
      default: self.position += 1
      }
    }
    return nil
  }

  /// `number = [ minus ] int [ frac ] [ exp ]`; one that is beyond a Double is none, because readers of the log choke on it.
  private mutating func number() -> Bool {
    let start = self.position
    _ = self.take("-")
    if !self.take("0") { guard self.digits() else { return false } }
    if self.take(".") { guard self.digits() else { return false } }
    var hasExponent = false
    if self.take("e") || self.take("E") {
      hasExponent = true
      if !self.take("+") { _ = self.take("-") }
      guard self.digits() else { return false }
    }
    guard hasExponent || self.position - start > 32 else { return true }
    let text = String(decoding: self.bytes[start..<self.position], as: UTF8.self)
    return Double(text)?.isFinite == true
  }

  private mutating func digits() -> Bool {
    let start = self.position
    while self.position < self.bytes.count, self.bytes[self.position] &- UInt8(ascii: "0") < 10 { self.position += 1 }
    return self.position > start
  }

  private mutating func skipBlanks() {
    while self.position < self.bytes.count {
      switch self.bytes[self.position] {
      case 0x20, 0x09, 0x0A, 0x0D: self.position += 1
      default: return
      }
    }
  }

  private mutating func take(_ byte: Unicode.Scalar) -> Bool {
    guard self.position < self.bytes.count, self.bytes[self.position] == UInt8(ascii: byte) else { return false }
    self.position += 1
    return true
  }

  private mutating func skip(_ word: StaticString) -> Bool {
    guard self.bytes.has(word, at: self.position) else { return false }
    self.position += word.utf8CodeUnitCount
    return true
  }

  // MARK: - Strings

  /// Writes the inside of a string with the same value and the record's own escapes. Half a surrogate pair stands for nothing,
  /// and some readers refuse a document that has one: it becomes U+FFFD.
  private static func write(_ text: UnsafeRawBufferPointer, to line: inout LineBytes) {
    var start = 0
    while let slash = text[start...].firstIndex(of: UInt8(ascii: "\\")) {
      JSONText.plain.write(UnsafeRawBufferPointer(rebasing: text[start..<slash]), to: &line)
      var length = 2
      if text[slash + 1] == UInt8(ascii: "u"), let first = text.hexadecimal(at: slash + 2) {
        length = 6
        if (0xD800...0xDFFF).contains(first) {
          let isPair =
            first < 0xDC00 && text.has("\\u", at: slash + 6)
            && text.hexadecimal(at: slash + 8).map { (0xDC00...0xDFFF).contains($0) } ?? false
          guard isPair else {
            line.write("\\ufffd")
            start = slash + length
            continue
          }
          length = 12
        }
      }
      line.write(UnsafeRawBufferPointer(rebasing: text[slash..<(slash + length)]))
      start = slash + length
    }
    JSONText.plain.write(UnsafeRawBufferPointer(rebasing: text[start...]), to: &line)
  }
}

extension UnsafeRawBufferPointer {
  /// Whether the inside of a JSON string stands for a text of ASCII.
  fileprivate func isJSONText(_ text: StaticString) -> Bool {
    var characters = JSONCharacters(self)
    for offset in 0..<text.utf8CodeUnitCount where characters.next() != text.utf8Start[offset] { return false }
    return characters.next() == nil
  }
}
