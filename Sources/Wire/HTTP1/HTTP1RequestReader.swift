public import NIOCore

/// Reads HTTP/1.1 requests from the bytes of one connection, strictly (RFC 9112).
///
/// The reader does no I/O: bytes go in by ``receive(_:)``, events come out by ``next()`` until it returns `nil`. A head
/// shares the buffer that it came in. Once it has thrown it stays broken and throws the same again.
public struct HTTP1RequestReader {
  public init(limits: MessageLimits) { fatalError("being written") }

  /// Takes bytes that arrived.
  public mutating func receive(_ bytes: ByteBuffer) { fatalError("being written") }

  /// The next event in the bytes received so far, or `nil` where more are needed.
  public mutating func next() throws(MalformedMessage) -> RequestEvent? { fatalError("being written") }

  /// Whether the connection is between two messages with no byte of the next one read: the only state in which a
  /// closed connection leaves nothing unanswered.
  public var isBetweenMessages: Bool { fatalError("being written") }

  /// Bytes received and not yet read, for a connection that becomes a tunnel.
  public mutating func takeUnreadBytes() -> ByteBuffer { fatalError("being written") }
}
