import NIOCore

/// Another protocol's bytes in binary messages: how kubectl carries SPDY through proxies that know only WebSocket
/// (`SPDY/3.1+portforward.k8s.io`). Where a message ends has no meaning.
struct WebSocketTunnel<Inner: StreamTransport>: StreamTransport {
  private var inner: Inner
  private var reader = WebSocketReader()
  /// What WebSocket itself has to say.
  private var frames: [ByteBuffer] = []
  private var isFinished = false

  init(_ inner: Inner) { self.inner = inner }

  var endsOutput: Bool { self.inner.endsOutput }

  mutating func open() -> [StreamEvent] { self.inner.open() }

  mutating func receive(_ bytes: ByteBuffer) throws(StreamFault) -> [StreamEvent] {
    var events: [StreamEvent] = []
    do throws(StreamFault) {
      for part in try self.reader.read(bytes) {
        switch part {
        case .bytes(let bytes): events += try self.inner.receive(bytes)
        case .ping(let content): if !self.isFinished { self.frames.append(WebSocketFrame.pong(content)) }
        case .close: events.append(.goodbye)
        case .begin, .end, .pong: break
        }
      }
    } catch {
      self.close(WebSocketFrame.protocolError)
      throw error
    }
    return events
  }

  mutating func send(_ bytes: ByteBuffer, on stream: StreamID) { self.inner.send(bytes, on: stream) }
  mutating func end(_ stream: StreamID) { self.inner.end(stream) }
  mutating func reset(_ stream: StreamID) { self.inner.reset(stream) }

  mutating func finish() {
    self.inner.finish()
    self.close(WebSocketFrame.normalClosure)
  }

  private mutating func close(_ code: UInt16) {
    guard !self.isFinished else { return }
    self.isFinished = true
    // What the inner protocol said before goes first.
    self.frames = self.wrapped() + self.frames + [WebSocketFrame.close(code)]
  }

  mutating func takeOutput() -> [ByteBuffer] {
    defer { self.frames = [] }
    return self.isFinished ? self.frames : self.wrapped() + self.frames
  }

  private mutating func wrapped() -> [ByteBuffer] { self.inner.takeOutput().flatMap { WebSocketFrame.binary($0) } }
}
