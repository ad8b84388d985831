public import NIOCore

/// Writes HTTP/1.1 messages. What it is given was checked when it was made, so it cannot fail.
public enum HTTP1Writer {
  /// Writes a request head: method, the target's forwarded part, the fields, then `additions` (complete field lines,
  /// each with its CRLF), the framing fields that `framing` calls for, and the empty line.
  ///
  /// `fields` must hold no framing fields: the head of a message that is passed on was framed by its sender, and is
  /// framed anew for its receiver.
  public static func writeRequestHead(
    method: Method, target: ByteBuffer, fields: HeaderFields, additions: ByteBuffer, framing: BodyFraming, to buffer: inout ByteBuffer
  ) { fatalError("being written") }

  /// Writes a response head with the framing fields that `framing` calls for, and `Connection: close` where the
  /// connection ends behind it. Informational heads, 204 and 304 get none.
  ///
  /// - Parameter length: the length to state for an answer without a body (HEAD, 304), where the upstream stated one
  public static func writeResponseHead(
    status: Int, fields: HeaderFields, additions: ByteBuffer, framing: BodyFraming, statedLength: UInt64?, closes: Bool,
    to buffer: inout ByteBuffer
  ) { fatalError("being written") }

  /// Writes one body part: as it is, or as a chunk. An empty part writes nothing (an empty chunk would end the body).
  public static func writeBody(_ bytes: ByteBuffer, framing: BodyFraming, to buffer: inout ByteBuffer) { fatalError("being written") }

  /// Writes what ends a body: nothing, or the last chunk and the trailers.
  public static func writeEnd(trailers: HeaderFields, framing: BodyFraming, to buffer: inout ByteBuffer) { fatalError("being written") }

  /// The standard reason phrase of a status code; empty for an unknown one.
  public static func reasonPhrase(_ status: Int) -> StaticString { fatalError("being written") }
}
