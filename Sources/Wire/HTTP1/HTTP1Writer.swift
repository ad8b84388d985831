public import NIOCore

/// Writes HTTP/1.1 messages. What it is given was checked when it was made, so it cannot fail.
public enum HTTP1Writer {
  /// Writes a request head: method, the target's forwarded part, the fields, then `additions` (complete field lines,
  /// each with its CRLF), the framing fields that `framing` calls for, and the empty line.
  ///
  /// `fields` must hold no framing fields: the head of a message that is passed on was framed by its sender, and is
  /// framed anew for its receiver. A request without a body says so by `Content-Length: 0` where its method leads one to
  /// expect a body (RFC 9110 section 8.6).
  public static func writeRequestHead(
    method: Method, target: ByteBuffer, fields: HeaderFields, additions: ByteBuffer, framing: BodyFraming, to buffer: inout ByteBuffer
  ) {
    self.beginRequestHead(method: method, target: target, fields: fields, reserving: additions.readableBytes, to: &buffer)
    buffer.writeImmutableBuffer(additions)
    self.endRequestHead(method: method, framing: framing, to: &buffer)
  }

  /// The first part of ``writeRequestHead(method:target:fields:additions:framing:to:)``: the caller writes additions of its own
  /// behind it, complete field lines, and then ``endRequestHead(method:framing:to:)``.
  ///
  /// - Parameters:
  ///   - leavingOut: the kinds of fields that are not written
  ///   - reserving: how many bytes the additions will have, so that the buffer grows once
  public static func beginRequestHead(
    method: Method, target: ByteBuffer, fields: HeaderFields, leavingOut: KnownFields = [], reserving: Int, to buffer: inout ByteBuffer
  ) {
    buffer.reserveCapacity(minimumWritableBytes: target.readableBytes + fields.byteCount + reserving + 96)
    self.write(method, to: &buffer)
    buffer.writeStaticString(" ")
    buffer.writeImmutableBuffer(target)
    buffer.writeStaticString(" HTTP/1.1\r\n")
    fields.write(to: &buffer, leavingOut: leavingOut)
  }

  /// The framing fields that `framing` calls for, and the empty line.
  public static func endRequestHead(method: Method, framing: BodyFraming, to buffer: inout ByteBuffer) {
    switch framing {
    case .none:
      if self.leadsToExpectBody(method) { buffer.writeStaticString("Content-Length: 0\r\n") }
    // A request cannot be framed by the connection's end; chunks carry the same body.
    case .length, .chunked, .untilClose: self.writeFraming(framing == .untilClose ? .chunked : framing, to: &buffer)
    }
    buffer.writeStaticString("\r\n")
  }

  /// Writes a response head with the framing fields that `framing` calls for, and `Connection: close` where the
  /// connection ends behind it. Informational heads, 204 and 304 get none.
  ///
  /// - Parameters:
  ///   - auditID: what to write as `Audit-Id`, which was checked when it was made
  ///   - statedLength: the length to state for an answer without a body (HEAD, 304), where the upstream stated one
  public static func writeResponseHead(
    status: Int, fields: HeaderFields, auditID: String? = nil, framing: BodyFraming, statedLength: UInt64?, closes: Bool,
    to buffer: inout ByteBuffer
  ) {
    buffer.reserveCapacity(minimumWritableBytes: fields.byteCount + 192)
    buffer.writeStaticString("HTTP/1.1 ")
    buffer.writeDecimal(UInt64(status))
    buffer.writeStaticString(" ")
    buffer.writeStaticString(self.reasonPhrase(status))
    buffer.writeStaticString("\r\n")
    fields.write(to: &buffer)
    if let auditID {
      buffer.writeStaticString("Audit-Id: ")
      buffer.writeString(auditID)
      buffer.writeStaticString("\r\n")
    }
    switch framing {
    case .none:
      // Neither 1xx nor 204 may state a length (RFC 9110 section 8.6).
      if let statedLength, status >= 200, status != 204 { self.writeFraming(.length(statedLength), to: &buffer) }
    case .length, .chunked, .untilClose:
      if status >= 200, status != 204, status != 304 { self.writeFraming(framing, to: &buffer) }
    }
    if closes, status >= 200 { buffer.writeStaticString("Connection: close\r\n") }
    buffer.writeStaticString("\r\n")
  }

  /// Writes one body part: as it is, or as a chunk. An empty part writes nothing (an empty chunk would end the body).
  public static func writeBody(_ bytes: ByteBuffer, framing: BodyFraming, to buffer: inout ByteBuffer) {
    guard bytes.readableBytes > 0 else { return }
    guard framing == .chunked else {
      buffer.writeImmutableBuffer(bytes)
      return
    }
    buffer.reserveCapacity(minimumWritableBytes: bytes.readableBytes + 20)
    buffer.writeHexadecimal(UInt64(bytes.readableBytes))
    buffer.writeStaticString("\r\n")
    buffer.writeImmutableBuffer(bytes)
    buffer.writeStaticString("\r\n")
  }

  /// Writes what ends a body: nothing, or the last chunk and the trailers.
  public static func writeEnd(trailers: HeaderFields, framing: BodyFraming, to buffer: inout ByteBuffer) {
    guard framing == .chunked else { return }
    buffer.writeStaticString("0\r\n")
    trailers.write(to: &buffer)
    buffer.writeStaticString("\r\n")
  }

  private static func writeFraming(_ framing: BodyFraming, to buffer: inout ByteBuffer) {
    switch framing {
    case .none, .untilClose: break
    case .length(let length):
      buffer.writeStaticString("Content-Length: ")
      buffer.writeDecimal(length)
      buffer.writeStaticString("\r\n")
    case .chunked: buffer.writeStaticString("Transfer-Encoding: chunked\r\n")
    }
  }

  private static func leadsToExpectBody(_ method: Method) -> Bool {
    switch method {
    case .post, .put, .patch: true
    case .get, .head, .delete, .options, .connect, .trace, .other: false
    }
  }

  private static func write(_ method: Method, to buffer: inout ByteBuffer) {
    switch method {
    case .get: buffer.writeStaticString("GET")
    case .head: buffer.writeStaticString("HEAD")
    case .post: buffer.writeStaticString("POST")
    case .put: buffer.writeStaticString("PUT")
    case .patch: buffer.writeStaticString("PATCH")
    case .delete: buffer.writeStaticString("DELETE")
    case .options: buffer.writeStaticString("OPTIONS")
    case .connect: buffer.writeStaticString("CONNECT")
    case .trace: buffer.writeStaticString("TRACE")
    case .other(let name): buffer.writeString(name)
    }
  }
}
