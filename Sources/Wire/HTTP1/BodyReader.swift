import NIOCore

/// What a body's bytes hold next.
enum BodyPart {
  case bytes(ByteBuffer)
  case end(trailers: HeaderFields)
}

/// Reads the body of one message by its framing; the same for requests and responses.
struct BodyReader {
  private enum State {
    case length(remaining: UInt64)
    case chunked(ChunkReader)
    case untilClose
  }

  private var state: State

  init(_ framing: BodyFraming, limits: MessageLimits) {
    switch framing {
    case .none: self.state = .length(remaining: 0)
    case .length(let length): self.state = .length(remaining: length)
    case .chunked: self.state = .chunked(ChunkReader(limits: limits))
    case .untilClose: self.state = .untilClose
    }
  }

  /// Whether the end of the connection ends the body properly.
  var endsWithConnection: Bool {
    if case .untilClose = self.state { true } else { false }
  }

  /// The next part, or `nil` where more bytes are needed.
  mutating func next(in unread: inout UnreadBytes) throws(MalformedMessage) -> BodyPart? {
    switch self.state {
    case .length(remaining: 0):
      return .end(trailers: HeaderFields())
    case .length(let remaining):
      guard !unread.isEmpty else { return nil }
      let length = Int(min(remaining, UInt64(unread.count)))
      self.state = .length(remaining: remaining - UInt64(length))
      return .bytes(unread.read(length))
    case .chunked(var reader):
      // The state lets go of the reader while it works: with two owners its table of trailers would be copied.
      self.state = .untilClose
      defer { self.state = .chunked(reader) }
      return try reader.next(in: &unread)
    case .untilClose:
      return unread.isEmpty ? nil : .bytes(unread.read(unread.count))
    }
  }
}
