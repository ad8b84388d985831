import NIOCore

/// What happens in a pod behind a connection's streams, as a machine without I/O.
protocol PodSession {
  mutating func receive(_ event: StreamEvent) -> [StreamCommand]
}

/// What a session wants done with the streams.
enum StreamCommand: Equatable {
  case send(ByteBuffer, on: StreamID)
  /// No more comes on this stream.
  case end(StreamID)
  /// The stream is refused, or given up.
  case reset(StreamID)
  /// All is said.
  case finish
}
