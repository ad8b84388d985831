import NIOCore
import SallyportCore
import SallyportWire

/// The lease of a connection for one request.
///
/// It ends with the answer: what is called on it later reaches neither the connection nor the request that follows.
final class HTTP1ClientStream: ClientStream {
  let eventLoop: any EventLoop
  let memory: ConnectionMemory
  /// The cycle is broken by ``end()``, which the front calls for every stream that it made.
  private var front: HTTP1FrontHandler?

  init(of front: HTTP1FrontHandler, on eventLoop: any EventLoop) {
    self.front = front
    self.eventLoop = eventLoop
    self.memory = front.memory
  }

  func end() { self.front = nil }

  func sendInformational(_ head: ResponseHead) { self.leased()?.sendInformational(head) }
  func sendHead(_ head: ResponseHead) { self.leased()?.sendHead(head) }
  func sendBody(_ bytes: ByteBuffer) { self.leased()?.sendBody(bytes) }
  func sendEnd(trailers: HeaderFields) { self.leased()?.sendEnd(trailers: trailers) }
  func flush() { self.leased()?.flushResponse() }
  func abort() { self.leased()?.abort() }
  func setRequestFlow(paused: Bool) { self.leased()?.setRequestFlow(paused: paused) }
  func abandonRequestBody() { self.leased()?.abandonRequestBody() }

  func switchProtocols(_ head: ResponseHead) -> (any TunnelEnd)? { self.leased()?.switchProtocols(head) }

  private func leased() -> HTTP1FrontHandler? {
    self.eventLoop.assertInEventLoop()
    return self.front
  }
}
