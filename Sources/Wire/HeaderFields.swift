public import NIOCore

/// The header fields of one message: one byte buffer and a table of ranges into it.
///
/// HTTP/1.1 parses into it and serialises from it without a string being made. A field that is removed only leaves the
/// table; one that is appended is written behind the bytes that are there. Order and repetitions are kept.
public struct HeaderFields: Sendable {
  /// Where one field's name and value stand in the buffer, as absolute indices.
  struct Entry: Sendable {
    var nameStart: UInt32
    var nameLength: UInt32
    var valueStart: UInt32
    var valueLength: UInt32
    var known: KnownField?

    func isOneOf(_ kinds: KnownFields) -> Bool { self.known.map(kinds.contains) ?? false }

    var valueRange: Range<Int> { Int(self.valueStart)..<Int(self.valueStart + self.valueLength) }
  }

  private(set) var bytes: ByteBuffer
  private(set) var entries: [Entry]
  /// The kinds that stand in the table, each at least once.
  public private(set) var kinds: KnownFields

  public init() {
    self.bytes = ByteBuffer()
    self.entries = []
    self.kinds = []
  }

  /// The fields that a parser found.
  ///
  /// - Parameters:
  ///   - bytes: the buffer that holds them
  ///   - entries: their ranges, as indices into `bytes`
  init(bytes: ByteBuffer, entries: [Entry]) {
    self.bytes = bytes
    self.entries = entries
    self.kinds = Self.kinds(of: entries)
  }

  private static func kinds(of entries: [Entry]) -> KnownFields {
    var kinds: UInt64 = 0
    for entry in entries {
      if let known = entry.known { kinds |= KnownFields(known).rawValue }
    }
    return KnownFields(rawValue: kinds)
  }

  /// Whether some field is of this kind.
  public func contains(_ known: KnownField) -> Bool {
    self.kinds.contains(known)
  }

  /// The first field of this kind.
  public func first(_ known: KnownField) -> Field? {
    guard self.kinds.contains(known) else { return nil }
    return self.entries.first { $0.known == known }.map { Field(bytes: self.bytes, entry: $0) }
  }

  /// The first field with this name, in any letter case.
  public func first(named name: String) -> Field? {
    self.first { $0.hasName(name) }
  }

  /// Every field of this kind, in the order in which they came.
  public func all(_ known: KnownField) -> [Field] {
    guard self.kinds.contains(known) else { return [] }
    return self.entries.compactMap { $0.known == known ? Field(bytes: self.bytes, entry: $0) : nil }
  }

  /// Removes every field for which `condition` holds.
  public mutating func removeAll(where condition: (Field) throws -> Bool) rethrows {
    try self.entries.removeAll { try condition(Field(bytes: self.bytes, entry: $0)) }
    self.kinds = Self.kinds(of: self.entries)
  }

  /// Removes every field of these kinds; fields of no known kind stay.
  public mutating func removeAll(_ kinds: KnownFields) {
    guard !self.kinds.isDisjoint(with: kinds) else { return }
    self.entries.removeAll { $0.isOneOf(kinds) }
    self.kinds.subtract(kinds)
  }

  /// Appends one field.
  ///
  /// - Throws: ``FieldError`` when the name is no token or the value holds a byte that would end or break the line
  ///   (RFC 9110 section 5.5): such a field is never written.
  public mutating func append(_ name: String, _ value: String) throws(FieldError) {
    guard !name.isEmpty, name.utf8.allSatisfy(FieldBytes.isTokenByte) else { throw FieldError.name }
    guard FieldBytes.isValue(value.utf8) else { throw FieldError.value(of: name) }
    self.appendChecked(name, value)
  }

  /// Appends one field whose value need be no UTF-8, such as a part of one that came.
  ///
  /// - Throws: ``FieldError`` as ``append(_:_:)`` does
  public mutating func append(_ name: StaticString, bytes value: [UInt8]) throws(FieldError) {
    guard FieldBytes.isValue(value) else { throw FieldError.value(of: "\(name)") }
    self.appendChecked("\(name)", value)
  }

  /// Appends a field whose name and value are constants or numbers of this program.
  public mutating func append(trusted name: StaticString, _ value: Int) {
    self.appendChecked("\(name)", String(value))
  }

  private mutating func appendChecked(_ name: String, _ value: String) { self.appendChecked(name, value.utf8) }

  private mutating func appendChecked(_ name: String, _ value: some Collection<UInt8>) {
    let nameStart = self.bytes.writerIndex
    let nameLength = self.bytes.writeString(name)
    self.bytes.writeStaticString(": ")
    let valueStart = self.bytes.writerIndex
    let valueLength = self.bytes.writeBytes(value)
    self.bytes.writeStaticString("\r\n")
    var entry = Entry(
      nameStart: UInt32(nameStart), nameLength: UInt32(nameLength), valueStart: UInt32(valueStart), valueLength: UInt32(valueLength),
      known: nil)
    entry.known = Field(bytes: self.bytes, entry: entry).classified()
    self.entries.append(entry)
    if let known = entry.known { self.kinds.insert(KnownFields(known)) }
  }

  /// Writes every field as a line of its own, each ended by CRLF, without the empty line behind the last.
  ///
  /// Lines that stand side by side in the bytes, spelled as they would be written, are copied together: a head that was
  /// not touched is one copy.
  ///
  /// - Parameter leavingOut: the kinds that are not written
  public func write(to buffer: inout ByteBuffer, leavingOut: KnownFields = []) {
    self.bytes.withUnsafeReadableBytes { source in
      let base = self.bytes.readerIndex
      // The lines that wait to be copied together.
      var run = 0..<0
      for entry in self.entries where !entry.isOneOf(leavingOut) {
        let name = Int(entry.nameStart) - base..<Int(entry.nameStart) - base + Int(entry.nameLength)
        let value = Int(entry.valueStart) - base..<Int(entry.valueStart) - base + Int(entry.valueLength)
        if Self.isLine(name: name, value: value, in: source) {
          if name.lowerBound != run.upperBound {
            buffer.writeBytes(UnsafeRawBufferPointer(rebasing: source[run]))
            run = name.lowerBound..<name.lowerBound
          }
          run = run.lowerBound..<value.upperBound + 2
        } else {
          buffer.writeBytes(UnsafeRawBufferPointer(rebasing: source[run]))
          run = 0..<0
          buffer.writeBytes(UnsafeRawBufferPointer(rebasing: source[name]))
          buffer.writeStaticString(": ")
          buffer.writeBytes(UnsafeRawBufferPointer(rebasing: source[value]))
          buffer.writeStaticString("\r\n")
        }
      }
      buffer.writeBytes(UnsafeRawBufferPointer(rebasing: source[run]))
    }
  }

  /// Whether name and value stand in the bytes exactly as `name: value` and CRLF.
  private static func isLine(name: Range<Int>, value: Range<Int>, in source: UnsafeRawBufferPointer) -> Bool {
    value.lowerBound == name.upperBound + 2 && value.upperBound + 2 <= source.count
      && source[name.upperBound] == UInt8(ascii: ":") && source[name.upperBound + 1] == 0x20
      && source[value.upperBound] == 0x0D && source[value.upperBound + 1] == 0x0A
  }

  /// How many bytes ``write(to:)`` writes.
  public var byteCount: Int {
    self.entries.reduce(0) { $0 + Int($1.nameLength) + Int($1.valueLength) + 4 }
  }
}

extension HeaderFields {
  /// The kind of the field at a position, without the field being made.
  public func kind(at position: Int) -> KnownField? { self.entries[position].known }
}

extension HeaderFields: RandomAccessCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { self.entries.count }
  public subscript(position: Int) -> Field { Field(bytes: self.bytes, entry: self.entries[position]) }
}

extension HeaderFields {
  /// One field: a name and a value in the message's own bytes.
  public struct Field: Sendable {
    let bytes: ByteBuffer
    let entry: Entry

    /// The kind of the field, if some station knows it.
    public var known: KnownField? { self.entry.known }

    /// The name as it was sent.
    public var name: String { self.withName { String(decoding: $0, as: UTF8.self) } }

    /// The value without the blanks around it; bytes that are no UTF-8 are replaced, so decide nothing of weight by it.
    public var value: String { self.withValue { String(decoding: $0, as: UTF8.self) } }

    /// The value, or `nil` where it is no UTF-8.
    public var utf8Value: String? { self.withValue { String(validating: $0, as: UTF8.self) } }

    /// The value's bytes as they stand in the message's buffer, which they keep alive.
    public var valueBytes: ByteBuffer {
      // An entry always lies within its buffer.
      self.bytes.getSlice(at: Int(self.entry.valueStart), length: Int(self.entry.valueLength)) ?? ByteBuffer()
    }

    /// Whether the field has this name, in any letter case.
    public func hasName(_ name: String) -> Bool {
      self.withName { bytes in
        bytes.count == name.utf8.count && zip(bytes, name.utf8).allSatisfy { FieldBytes.lowercased($0) == FieldBytes.lowercased($1) }
      }
    }

    public func withName<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
      try self.slice(self.entry.nameStart, self.entry.nameLength, body)
    }

    public func withValue<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
      try self.slice(self.entry.valueStart, self.entry.valueLength, body)
    }

    func classified() -> KnownField? {
      self.withName { KnownField(nameBytes: $0) }
    }

    private func slice<Result>(
      _ start: UInt32, _ length: UInt32, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
      try self.bytes.withUnsafeReadableBytes { whole in
        let offset = Int(start) - self.bytes.readerIndex
        return try body(UnsafeRawBufferPointer(rebasing: whole[offset..<offset + Int(length)]))
      }
    }
  }
}

/// Why a field cannot be written.
public enum FieldError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The name is empty or holds a byte that no token may hold.
  case name
  /// The value of the field with this name holds a control byte, or blanks at an end.
  case value(of: String)

  public var description: String {
    switch self {
    case .name: "a header field's name is not a token"
    case .value(let name): "the value for the header field \(name) holds a control character or outer blanks"
    }
  }
}
