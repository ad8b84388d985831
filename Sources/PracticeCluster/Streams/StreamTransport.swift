import NIOCore

/// What a client says on the streams of one connection, whichever protocol carries them.
enum StreamEvent: Equatable {
  /// - Parameter fields: what the stream is for, with names in lower case: `streamtype`, `port`, `requestid`
  case opened(StreamID, fields: [String: String])
  case data(StreamID, ByteBuffer)
  /// The client sends no more on this stream.
  case ended(StreamID)
  /// The client has given the stream up, both ways.
  case reset(StreamID)
  /// The client wants no more of the connection.
  case goodbye
}

typealias StreamID = UInt32

/// A protocol that carries streams, as a machine without I/O: bytes in, events out, and bytes to send that pile up inside
/// until somebody takes them.
protocol StreamTransport {
  /// Called once, before anything is received.
  mutating func open() -> [StreamEvent]
  /// - Throws: what is wrong with the bytes; what ``takeOutput()`` then holds is the last that is sent
  mutating func receive(_ bytes: ByteBuffer) throws(StreamFault) -> [StreamEvent]
  mutating func send(_ bytes: ByteBuffer, on stream: StreamID)
  /// This side sends no more on the stream.
  mutating func end(_ stream: StreamID)
  /// This side has given the stream up, both ways.
  mutating func reset(_ stream: StreamID)
  /// Says goodbye; nothing is sent after it.
  mutating func finish()
  mutating func takeOutput() -> [ByteBuffer]
  /// Whether the connection's output ends behind the goodbye, while the client's side is still heard.
  ///
  /// A WebSocket client may wait for its socket with messages in its TLS library already, as Python's does, and only the end
  /// wakes it. kubectl's SPDY library throws away at the end what it has read and not yet handed on, so there it is the
  /// client that ends.
  var endsOutput: Bool { get }
}
