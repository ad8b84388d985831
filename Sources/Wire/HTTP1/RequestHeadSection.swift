import NIOCore

/// Reads a request's head, from its request line to its empty line, line by line as they arrive.
struct RequestHeadSection {
  private let limits: MessageLimits
  private var scanner = LineScanner()
  private var line: RequestLine?
  private var lineLength = 0
  private var fields: HeadFields

  init(limits: MessageLimits) {
    self.limits = limits
    self.fields = HeadFields(.request, maximumCount: limits.fieldCount)
  }

  /// The head and its request line, or `nil` where more bytes are needed.
  mutating func next(in unread: inout UnreadBytes) throws(MalformedMessage) -> (RequestHead, line: ByteBuffer)? {
    let buffer = unread.buffer
    let line = try buffer.withUnsafeReadableBytes { bytes throws(MalformedMessage) in try self.readLines(in: bytes) }
    guard let line else { return nil }
    let target = try RequestTarget(reading: unread.slice(line.target.lowerBound, line.target.count), for: line.method)
    let framing = try self.framing(of: line)
    try buffer.withUnsafeReadableBytes { bytes throws(MalformedMessage) in try self.checkHost(of: line, target, in: bytes) }
    let bytes = unread.read(self.scanner.lineStart)
    let head = RequestHead(
      method: line.method, target: target, version: line.version, fields: self.fields.table(over: bytes), framing: framing,
      keepsConnection: self.fields.keepsConnection(line.version),
      expectsContinue: self.fields.expectsContinue && line.version == .http11 && framing.hasContent)
    return (head, bytes.getSlice(at: 0, length: self.lineLength) ?? ByteBuffer())
  }

  /// Reads the lines that are complete; gives the request line when the empty line was read.
  private mutating func readLines(in bytes: UnsafeRawBufferPointer) throws(MalformedMessage) -> RequestLine? {
    while let range = try self.scanner.nextLine(in: bytes, limit: self.limits.headBytes) {
      guard let line = self.line else {
        self.line = try RequestLine(range, in: bytes)
        self.lineLength = range.count
        continue
      }
      if range.isEmpty { return line }
      try self.fields.add(range, in: bytes)
    }
    return nil
  }

  /// See RFC 9112 section 6.3; everything that the section leaves to the reader's judgement is refused.
  private func framing(of line: RequestLine) throws(MalformedMessage) -> BodyFraming {
    if self.fields.isChunked {
      guard line.version == .http11 else { throw MalformedMessage("Transfer-Encoding stands in a request of HTTP/1.0.") }
      guard line.method != .connect else { throw MalformedMessage("A CONNECT request has a body.") }
      return .chunked
    }
    guard let length = self.fields.contentLength else { return .none }
    guard line.method != .connect || length == 0 else { throw MalformedMessage("A CONNECT request has a body.") }
    return .length(length)
  }

  /// A request of HTTP/1.1 has one Host (RFC 9112 section 3.2), and a target that names an authority names the same.
  ///
  /// The RFC would have the target's authority win over Host. A client that lets the two differ breaks the RFC already,
  /// and whichever of the two is used for routing, the other could deceive somebody behind.
  private func checkHost(of line: RequestLine, _ target: RequestTarget, in bytes: UnsafeRawBufferPointer) throws(MalformedMessage) {
    guard let host = self.fields.host else {
      guard line.version == .http10 else { throw MalformedMessage("A request of HTTP/1.1 has no Host.") }
      return
    }
    guard let authority = target.authority else { return }
    guard FieldBytes.equalFolded(authority.utf8, bytes[host]) else {
      throw MalformedMessage("Host and the authority of the target differ.")
    }
  }
}
