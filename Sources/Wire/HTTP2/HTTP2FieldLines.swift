import NIOCore

/// The fields of an HTTP/2 section, checked one by one and written as the lines that HTTP/1.1 would have for them.
///
/// What passes here can be written into an HTTP/1.1 message as it is: no name and no value holds a byte that would begin
/// or end something there (RFC 9113 sections 8.2.1 and 10.3). The names are in lower case, as they came.
struct HTTP2FieldLines {
  private let sizeLimit: Int
  private let countLimit: Int
  private var size = 0
  private var count = 0
  private var bytes = ByteBuffer()
  private var entries: [HeaderFields.Entry] = []

  /// - Parameters:
  ///   - sizeLimit: the most bytes of all names and values, with 32 for each field (RFC 9113 section 6.5.2)
  ///   - countLimit: the most fields
  init(sizeLimit: Int, countLimit: Int) {
    self.sizeLimit = sizeLimit
    self.countLimit = countLimit
  }

  var fields: HeaderFields { HeaderFields(bytes: self.bytes, entries: self.entries) }

  /// Counts a field against the limits; a pseudo-header is one, and so is each `cookie` that is joined with others.
  mutating func count(_ name: String, _ value: String) throws(MalformedMessage) {
    self.size += name.utf8.count + value.utf8.count + 32
    self.count += 1
    guard self.size <= self.sizeLimit else { throw .sectionTooLong }
    guard self.count <= self.countLimit else { throw .tooManyFields }
  }

  /// What is wrong with a field's value: a byte that no value may hold, or one that is none of the client's.
  ///
  /// The library below decodes values as UTF-8 and writes U+FFFD for what is none. Passing that on would change what the
  /// client said, so such a value is refused, and with it the few that hold this character by themselves.
  static func fault(ofValue value: String) -> MalformedMessage? {
    Self.withBytes(of: value) { bytes in
      if let first = bytes.first, let last = bytes.last, FieldBytes.isBlank(first) || FieldBytes.isBlank(last) {
        return MalformedMessage("A field's value has a blank at an end.")
      }
      guard FieldBytes.holdsOnlyValueBytes(bytes) else { return MalformedMessage("A control character stands in a field's value.") }
      return Self.holdsReplacement(bytes) ? MalformedMessage("A field's value is not UTF-8.") : nil
    }
  }

  /// Writes one field, whose value was found without fault.
  ///
  /// - Throws: for a name that is no token in lower case (RFC 9113 section 8.2.1)
  mutating func append(_ name: String, _ value: String) throws(MalformedMessage) {
    if self.entries.isEmpty {
      self.entries.reserveCapacity(16)
      self.bytes.reserveCapacity(512)
    }
    let nameStart = self.bytes.writerIndex
    let nameLength = self.bytes.writeString(name)
    self.bytes.writeStaticString(": ")
    let valueStart = self.bytes.writerIndex
    let valueLength = self.bytes.writeString(value)
    self.bytes.writeStaticString("\r\n")
    self.entries.append(
      HeaderFields.Entry(
        nameStart: UInt32(nameStart), nameLength: UInt32(nameLength), valueStart: UInt32(valueStart), valueLength: UInt32(valueLength),
        known: try Self.kind(of: name)))
  }

  /// The known field that a name stands for, if the name is one that a field may have.
  static func kind(of name: String) throws(MalformedMessage) -> KnownField? {
    let (isName, known) = Self.withBytes(of: name) { bytes in
      (Self.isName(bytes), KnownField(nameBytes: bytes))
    }
    guard isName else { throw MalformedMessage("A field's name is not a token in lower case.") }
    return known
  }

  private static func isName(_ bytes: UnsafeRawBufferPointer) -> Bool {
    !bytes.isEmpty && bytes.allSatisfy { FieldBytes.isTokenByte($0) && !($0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z")) }
  }

  private static func holdsReplacement(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count >= 3 else { return false }
    return (0..<bytes.count - 2).contains { bytes[$0] == 0xEF && bytes[$0 + 1] == 0xBF && bytes[$0 + 2] == 0xBD }
  }

  static func withBytes<Result>(of text: String, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    var text = text
    return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
  }
}
