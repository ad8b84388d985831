import NIOCore
import NIOSSL
import NIOTLS
import SallyportCore
import SallyportTunnel
import SallyportWire

/// One HTTP/1.1 connection to a server: the last handler of its channel.
///
/// It carries one request at a time, for the ``UpstreamExchange`` that holds its lease, and tells its pool when it can carry
/// another or none. What may happen is decided by ``ConnectionStateMachine``; this class moves the bytes.
final class UpstreamConnection: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// A body part up to this size is copied behind what is already to be written; a larger one is passed on as it is.
  private static let copiedPart = 8 * 1024

  let endpoint: Endpoint
  private var context: ChannelHandlerContext?
  private var machine = ConnectionStateMachine()
  private var reader = HTTP1ResponseReader(limits: MessageLimits())
  private var slot = LeaseSlot<UpstreamExchange>()
  private var framing = BodyFraming.none
  /// What is to be written with the next flush. Once it was written, the channel may still hold it.
  private var outgoing = ByteBuffer()
  private var outgoingIsWritten = false
  private var hasUnflushed = false
  private var isReadingPaused = false
  private var hasNewsForUser = false

  private var pool: ConnectionPool?
  private(set) var id: PoolStateMachine.ConnectionID?
  private var phase = Phase.handshaking
  private var handshakeTimeout: Scheduled<Void>?
  /// The first error of the channel: the reason for the end that follows it.
  private var channelError: (any Error)?

  private enum Phase: Equatable {
    case handshaking
    case ready
    case ended
  }

  init(endpoint: Endpoint) {
    self.endpoint = endpoint
    if !endpoint.usesTLS { self.phase = .ready }
  }

  /// Whether a request before the present one used the connection.
  var isReused: Bool { self.slot.uses > 1 }

  // MARK: For the pool

  /// The connection belongs to the pool from here on, which hears when it is ready or failed.
  ///
  /// - Parameter deadline: when the handshake must be done
  func adopt(by pool: ConnectionPool, id: PoolStateMachine.ConnectionID, deadline: NIODeadline) {
    self.pool = pool
    self.id = id
    switch self.phase {
    case .ready: pool.isReady(self)
    case .ended: pool.couldNotConnect(id, to: self.endpoint, self.channelError ?? ChannelError.eof)
    case .handshaking:
      guard let context else { return pool.couldNotConnect(id, to: self.endpoint, ChannelError.eof) }
      self.handshakeTimeout = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [self] in
        self.handshakeFailed(ChannelError.connectTimeout(.nanoseconds(0)))
      }
    }
  }

  /// Ends the connection, which nobody uses, with a proper farewell.
  func retire() {
    self.end()
    self.context?.close(promise: nil)
  }

  // MARK: For the exchange

  func attach(_ exchange: UpstreamExchange) -> Lease {
    self.slot.attach(exchange)
  }

  func isWritable(_ lease: Lease) -> Bool {
    self.slot.isCurrent(lease) && self.context?.channel.isWritable == true
  }

  func startRequest(_ request: OutgoingRequest, _ lease: Lease) {
    guard self.slot.isCurrent(lease) else { return }
    guard self.machine.requestStarted(framing: request.framing, upgrade: request.upgrade) == .write else { return self.refuseUnfit() }
    // A server may send its 101, all that it has to say, and its end at once.
    if request.upgrade != nil { try? self.context?.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true) }
    self.framing = request.framing
    self.reader.expectResponse(to: request.method)
    self.prepareOutgoing()
    request.write(host: self.endpoint.hostLine, to: &self.outgoing)
    self.hasUnflushed = true
  }

  func writeBody(_ bytes: ByteBuffer, _ lease: Lease) {
    guard self.slot.isCurrent(lease), bytes.readableBytes > 0 else { return }
    guard self.machine.bodyPart(bytes.readableBytes) == .write else { return self.refuseUnfit() }
    self.hasUnflushed = true
    if case .length = self.framing, bytes.readableBytes > Self.copiedPart {
      self.passOutgoing()
      self.context?.write(self.wrapOutboundOut(bytes), promise: nil)
    } else {
      self.prepareOutgoing()
      HTTP1Writer.writeBody(bytes, framing: self.framing, to: &self.outgoing)
    }
  }

  func writeEnd(_ trailers: HeaderFields, _ lease: Lease) {
    guard self.slot.isCurrent(lease) else { return }
    guard self.machine.requestEnded() == .write else { return self.refuseUnfit() }
    self.hasUnflushed = true
    self.prepareOutgoing()
    HTTP1Writer.writeEnd(trailers: trailers, framing: self.framing, to: &self.outgoing)
  }

  func flush(_ lease: Lease) {
    guard self.slot.isCurrent(lease), self.hasUnflushed else { return }
    self.hasUnflushed = false
    self.passOutgoing()
    self.context?.flush()
  }

  func setReading(paused: Bool, _ lease: Lease) {
    guard self.slot.isCurrent(lease) else { return }
    self.setReading(paused: paused)
  }

  /// Ends the connection at once, without a farewell: whoever waited for the answer is gone.
  func abort(_ lease: Lease) {
    guard self.slot.isCurrent(lease) else { return }
    _ = self.slot.detach()
    self.end()
    self.closeWithoutFarewell()
  }

  // MARK: The channel

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .handshakeCompleted(let negotiated)? = event as? TLSUserEvent { self.handshakeCompleted(negotiated) }
    // Half-closed is a connection only behind a 101, and then it is no longer this handler's.
    if case .inputClosed? = event as? ChannelEvent {
      if self.channelError == nil { context.close(promise: nil) } else { self.closeWithoutFarewell() }
    }
    context.fireUserInboundEventTriggered(event)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = self.unwrapInboundIn(data)
    guard bytes.readableBytes > 0, self.phase == .ready else { return }
    switch self.machine.bytesArrived() {
    case .read:
      self.reader.receive(bytes)
      self.passOnEvents()
    case .endConnection:
      self.retire()
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if self.hasNewsForUser {
      self.hasNewsForUser = false
      self.slot.user?.readComplete()
    }
    context.fireChannelReadComplete()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    self.slot.user?.writabilityChanged(context.channel.isWritable)
    context.fireChannelWritabilityChanged()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if self.channelError == nil { self.channelError = error }
    switch self.phase {
    case .handshaking: self.handshakeFailed(error)
    case .ready where (error as? NIOSSLError) == .uncleanShutdown: break  // The end of the channel follows.
    case .ready: self.closeWithoutFarewell()
    case .ended: break
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    switch self.phase {
    case .handshaking: self.handshakeFailed(self.channelError ?? ChannelError.eof)
    case .ready: self.channelEnded()
    case .ended: break
    }
    context.fireChannelInactive()
  }

  // MARK: The handshake

  private func handshakeCompleted(_ negotiated: String?) {
    guard self.phase == .handshaking else { return }
    if let negotiated, negotiated != ClientTLS.applicationProtocol {
      return self.handshakeFailed(self.endpoint.failure.unspokenProtocol(negotiated))
    }
    if let name = self.endpoint.verifiedName, !ServerIdentity.certificate(self.peerCertificate, holds: name) {
      return self.handshakeFailed(self.endpoint.failure.wrongName)
    }
    self.handshakeTimeout?.cancel()
    self.handshakeTimeout = nil
    self.phase = .ready
    self.pool?.isReady(self)
  }

  private func handshakeFailed(_ error: any Error) {
    guard self.phase == .handshaking else { return }
    self.channelError = error
    self.phase = .ended
    self.handshakeTimeout?.cancel()
    self.handshakeTimeout = nil
    self.closeWithoutFarewell()
    if let pool, let id { pool.couldNotConnect(id, to: self.endpoint, error) }
  }

  private var peerCertificate: NIOSSLCertificate? {
    guard let context else { return nil }
    return try? context.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self).peerCertificate
  }

  // MARK: The answer

  private func passOnEvents() {
    guard let exchange = self.slot.user else { return }
    do throws(MalformedMessage) {
      // A callback may end the exchange, and another may begin on this connection before it returns.
      while self.slot.user === exchange, let event = try self.reader.next() {
        self.hasNewsForUser = true
        let action = self.machine.received(event)
        if case .malformed(let reason) = action { throw MalformedMessage(reason) }
        switch event {
        case .informational(let head): if action == .passInformational { exchange.answered(informational: head) }
        case .head(let head):
          if action == .switchProtocols { return self.switchProtocols(exchange, head) }
          if action == .passHead { exchange.answered(head) }
        case .body(let bytes): if action == .passBody { exchange.answered(bytes) }
        case .end(let trailers): if case .finish(let reuse) = action { return self.finish(exchange, trailers, reuse: reuse) }
        }
      }
    } catch {
      guard self.slot.user === exchange else { return }
      self.fail(.upstreamMalformed.with(detail: "\(self.endpoint.server): \(error.reason)"))
    }
  }

  /// The answer is complete. The exchange lets go of the connection before it says so, and before the pool gets it back.
  private func finish(_ exchange: UpstreamExchange, _ trailers: HeaderFields, reuse: Bool) {
    _ = self.slot.detach()
    self.hasNewsForUser = false
    if reuse, self.reader.takeUnreadBytes().readableBytes == 0, let pool {
      self.setReading(paused: false)
      pool.release(self)
    } else {
      self.retire()
    }
    exchange.answerEnded(trailers)
  }

  /// Makes way for the tunnel's end. The pool counts the connection until it is closed.
  private func switchProtocols(_ exchange: UpstreamExchange, _ head: ResponseHead) {
    guard let context else { return }
    _ = self.slot.detach()
    self.hasNewsForUser = false
    self.setReading(paused: false)
    let end = TunnelHandler(unread: self.reader.takeUnreadBytes(), on: context.eventLoop)
    do {
      try context.pipeline.syncOperations.addHandler(end, position: .after(self))
    } catch {
      self.end()
      self.closeWithoutFarewell()
      return exchange.fail(.upstreamConnectionLost.with(detail: "\(self.endpoint.server): \(error)"))
    }
    context.channel.closeFuture.assumeIsolated().whenComplete { _ in self.end() }
    context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    exchange.switched(head, to: end)
  }

  private func channelEnded() {
    if let exchange = self.slot.user, self.channelError == nil {
      // The end of a body that lasts until the connection ends is a proper one only if TLS says so too.
      let last: ResponseEvent?
      do throws(MalformedMessage) { last = try self.reader.connectionEnded() } catch { last = nil }
      if case .end(let trailers)? = last, case .finish = self.machine.received(.end(trailers: trailers)) {
        _ = self.slot.detach()
        self.end()
        return exchange.answerEnded(trailers)
      }
    }
    self.lose(self.machine.ended())
  }

  private func lose(_ ending: ConnectionStateMachine.Ending) {
    let exchange = self.slot.detach()
    let wasReused = self.slot.uses > 1
    self.end()
    exchange?.connectionLost(ending, wasReused: wasReused, self.lossProblem(ending))
  }

  private func lossProblem(_ ending: ConnectionStateMachine.Ending) -> Problem {
    if let error = self.channelError as? BoringSSLError, ending == .beforeAnswer {
      // With TLS 1.3 a server that does not believe our certificate says so only now.
      return self.endpoint.failure.problem(error)
    }
    let when = ending == .duringAnswer ? "while it answered" : "before it answered"
    let reason = self.channelError.map { " (\($0))" } ?? ""
    return .upstreamConnectionLost.with(detail: "\(self.endpoint.server): the server closed the connection \(when)\(reason)")
  }

  // MARK: Ends

  private func refuseUnfit() {
    self.fail(.upstreamRequestUnfit.with(detail: "the request's body is not as long as its head says"))
  }

  /// Gives the exchange up and ends the connection at once.
  private func fail(_ problem: Problem) {
    let exchange = self.slot.detach()
    self.end()
    self.closeWithoutFarewell()
    exchange?.fail(problem)
  }

  /// From here on the connection has no part in its pool.
  private func end() {
    guard self.phase != .ended else { return }
    _ = self.machine.ended()
    self.phase = .ended
    self.pool?.hasEnded(self)
    self.pool = nil
  }

  /// Closes the socket below TLS: the other side would be given time to answer a farewell, and this must be quick.
  private func closeWithoutFarewell() {
    guard let context else { return }
    if let tls = try? context.pipeline.syncOperations.context(handlerType: NIOSSLClientHandler.self) {
      tls.close(promise: nil)
    } else {
      context.close(promise: nil)
    }
  }

  // MARK: Bytes

  private func setReading(paused: Bool) {
    guard paused != self.isReadingPaused, let context else { return }
    self.isReadingPaused = paused
    try? context.channel.syncOptions?.setOption(.autoRead, value: !paused)
  }

  /// Makes the buffer ready to be written to; its memory is used again if the channel has let go of it.
  private func prepareOutgoing() {
    guard self.outgoingIsWritten else { return }
    self.outgoing.clear()
    self.outgoingIsWritten = false
  }

  private func passOutgoing() {
    guard !self.outgoingIsWritten, self.outgoing.readableBytes > 0 else { return }
    self.context?.write(self.wrapOutboundOut(self.outgoing), promise: nil)
    self.outgoingIsWritten = true
  }
}
