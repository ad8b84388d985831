import NIOCore

/// Reads the trailer section behind a chunked body, up to its empty line (RFC 9112 section 7.1.2).
///
/// A trailer comes when everything was decided, so none may be of a kind that decides: framing, routing, identity,
/// control of the connection (RFC 9110 section 6.5.1). Such a message is refused and not cleaned, since its sender wants
/// something that it will not get.
struct TrailerSection {
  private let limits: MessageLimits
  private var scanner = LineScanner()
  private var entries: [HeaderFields.Entry] = []

  init(limits: MessageLimits) {
    self.limits = limits
  }

  /// The trailers, or `nil` where more bytes are needed.
  mutating func next(in unread: inout UnreadBytes) throws(MalformedMessage) -> HeaderFields? {
    let buffer = unread.buffer
    let isComplete = try buffer.withUnsafeReadableBytes { bytes throws(MalformedMessage) in try self.readLines(in: bytes) }
    guard isComplete else { return nil }
    let section = unread.read(self.scanner.lineStart)
    return self.entries.isEmpty ? HeaderFields() : HeaderFields(bytes: section, entries: self.entries)
  }

  private mutating func readLines(in bytes: UnsafeRawBufferPointer) throws(MalformedMessage) -> Bool {
    while let line = try self.scanner.nextLine(in: bytes, limit: self.limits.trailerBytes) {
      if line.isEmpty { return true }
      guard self.entries.count < self.limits.fieldCount else { throw .tooManyFields }
      let entry = try FieldLine.read(line, in: bytes)
      guard entry.known.map(Self.admits) != false else {
        throw .unfitTrailer
      }
      self.entries.append(entry)
    }
    return false
  }

  /// Whether a field of this kind may be a trailer, in any version of HTTP.
  static func admits(_ field: KnownField) -> Bool {
    switch field {
    case .contentLength, .host, .expect, .cookie, .setCookie: false
    default: !field.isIdentity && !field.isHopByHop
    }
  }
}

extension MalformedMessage {
  static let unfitTrailer = MalformedMessage("A trailer is a field of framing, routing or identity.")
}
