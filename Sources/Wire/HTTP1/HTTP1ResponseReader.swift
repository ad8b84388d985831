public import NIOCore

/// Reads HTTP/1.1 responses from the bytes of one upstream connection, strictly (RFC 9112).
///
/// The method of the request that is being answered decides whether there is a body, so the reader is told of each
/// request before its answer is read; bytes that no request asked for are malformed.
public struct HTTP1ResponseReader {
  public init(limits: MessageLimits) { fatalError("being written") }

  /// A request was sent; the next final head answers it.
  public mutating func expectResponse(to method: Method) { fatalError("being written") }

  public mutating func receive(_ bytes: ByteBuffer) { fatalError("being written") }

  public mutating func next() throws(MalformedMessage) -> ResponseEvent? { fatalError("being written") }

  /// The connection ended: the end of a body that is framed so, `nil` between messages, an error inside a message.
  public mutating func connectionEnded() throws(MalformedMessage) -> ResponseEvent? { fatalError("being written") }

  public mutating func takeUnreadBytes() -> ByteBuffer { fatalError("being written") }
}
