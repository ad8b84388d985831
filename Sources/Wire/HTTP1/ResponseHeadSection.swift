import NIOCore

/// Reads a response's head, from its status line to its empty line, line by line as they arrive.
struct ResponseHeadSection {
  private let limits: MessageLimits
  private var scanner = LineScanner()
  private var line: StatusLine?
  private var fields: HeadFields

  init(limits: MessageLimits) {
    self.limits = limits
    self.fields = HeadFields(.response, maximumCount: limits.fieldCount)
  }

  /// The head, or `nil` where more bytes are needed.
  ///
  /// - Parameter method: the method of the request that is answered; it decides whether there is a body
  mutating func next(in unread: inout UnreadBytes, answering method: Method) throws(MalformedMessage) -> ResponseHead? {
    let buffer = unread.buffer
    let line = try buffer.withUnsafeReadableBytes { bytes throws(MalformedMessage) in try self.readLines(in: bytes) }
    guard let line else { return nil }
    let framing = try self.framing(of: line, answering: method)
    // Of HTTP/1.0 and of a connection that ends, an answer before the answer makes no sense (RFC 9110 section 15.2).
    guard line.status >= 200 || self.fields.keepsConnection(line.version) && line.version == .http11 else {
      throw MalformedMessage("An informational response is of HTTP/1.0 or ends the connection.")
    }
    let bytes = unread.read(self.scanner.lineStart)
    return ResponseHead(
      status: line.status, reason: line.reason, version: line.version, fields: self.fields.table(over: bytes), framing: framing,
      statedLength: self.fields.contentLength,
      keepsConnection: framing != .untilClose && self.fields.keepsConnection(line.version))
  }

  /// Reads the lines that are complete; gives the status line when the empty line was read.
  private mutating func readLines(in bytes: UnsafeRawBufferPointer) throws(MalformedMessage) -> StatusLine? {
    while let range = try self.scanner.nextLine(in: bytes, limit: self.limits.headBytes) {
      guard let line = self.line else {
        self.line = try StatusLine(range, in: bytes)
        continue
      }
      if range.isEmpty { return line }
      try self.fields.add(range, in: bytes)
    }
    return nil
  }

  /// See RFC 9112 section 6.3.
  private func framing(of line: StatusLine, answering method: Method) throws(MalformedMessage) -> BodyFraming {
    if self.fields.isChunked, line.version == .http10 {
      throw MalformedMessage("Transfer-Encoding stands in a response of HTTP/1.0.")
    }
    if line.status < 200 || line.status == 204 {
      // Neither may carry framing fields (RFC 9112 section 6.1, RFC 9110 section 8.6). Zero is said by some and harms
      // nobody; with anything else some reader would wait for a body.
      guard !self.fields.isChunked, self.fields.contentLength ?? 0 == 0 else {
        throw MalformedMessage("A response that cannot have a body announces one.")
      }
      return .none
    }
    if method == .head || line.status == 304 || method == .connect && line.status / 100 == 2 { return .none }
    if self.fields.isChunked { return .chunked }
    return self.fields.contentLength.map { .length($0) } ?? .untilClose
  }
}
