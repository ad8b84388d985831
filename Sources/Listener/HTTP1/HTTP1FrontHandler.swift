import NIOCore
import SallyportCore
import SallyportTunnel
import SallyportWire

/// Speaks HTTP/1.1 with one client: carries out what ``HTTP1FrontStateMachine`` decides.
///
/// An answer's head and small body leave in one write; the receiver says when, by `flush`. Back-pressure is kept by
/// holding back the channel's reads, so that the kernel's window closes and not a buffer of ours grows.
final class HTTP1FrontHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// A body part of this many bytes is written by itself and not copied behind what waits for the flush.
  private static let largeBodyPart = 16 * 1024

  private let receiver: any RequestReceiver
  private let facts: ConnectionFacts
  let memory = ConnectionMemory()
  private var machine: HTTP1FrontStateMachine
  private var context: ChannelHandlerContext?
  private var stream: HTTP1ClientStream?
  private var delegate: (any ClientStreamDelegate)?
  /// What was sent and waits for the flush; once it was written, what waits for its memory to be used again.
  private var out = ByteBuffer()
  private var isOutWritten = false
  private var isAdvancing = false
  private var holdsRead = false
  private var timer: Scheduled<Void>?
  private var timerDeadline = NIODeadline.distantFuture

  init(receiver: any RequestReceiver, facts: ConnectionFacts, limits: MessageLimits, timeouts: ListenerTimeouts, now: NIODeadline) {
    self.receiver = receiver
    self.facts = facts
    self.machine = HTTP1FrontStateMachine(limits: limits, timeouts: timeouts, now: now)
  }

  // MARK: The channel

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    self.armTimer(context)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.connectionEnded()
    self.context = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    self.machine.received(self.unwrapInboundIn(data), now: context.eventLoop.now)
    self.advance()
  }

  func read(context: ChannelHandlerContext) {
    if self.machine.wantsRead {
      context.read()
    } else {
      self.holdsRead = true
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    let isWritable = context.channel.isWritable
    if self.machine.writabilityChanged(isWritable, now: context.eventLoop.now) {
      self.delegate?.clientFlowChanged(paused: !isWritable)
    }
    self.advance()
    context.fireChannelWritabilityChanged()
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.connectionEnded()
    context.fireChannelInactive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event as? ConnectionEvent {
    case .drain:
      if self.machine.drain(now: context.eventLoop.now) { self.closeOutput() }
    case .windDown:
      self.machine.windDown(now: context.eventLoop.now)
      self.armTimer(context)
    case .cut: self.cut(reset: false)
    case nil: context.fireUserInboundEventTriggered(event)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // Every error of a client's transport ends in `channelInactive`, which says all that a request has to hear.
    self.cut(reset: false)
  }

  private func connectionEnded() {
    self.timer?.cancel()
    self.timer = nil
    self.timerDeadline = .distantFuture
    let isHeard = self.machine.connectionEnded()
    let delegate = self.delegate
    self.endStream()
    if isHeard { delegate?.clientGone(.closed) }
  }

  // MARK: Requests

  /// Does what can be done with the bytes that are there.
  private func advance() {
    // A receiver may answer, pause or resume from inside a call of ours; the loop that made the call sees to it.
    guard !self.isAdvancing, let context = self.context else { return }
    self.isAdvancing = true
    loop: while true {
      switch self.machine.next(now: context.eventLoop.now) {
      case .receive(let head):
        let stream = HTTP1ClientStream(of: self, on: context.eventLoop)
        self.stream = stream
        let delegate = self.receiver.receive(head, on: stream, of: self.facts)
        // It may have been answered, and the stream may be over, before there was a delegate.
        if self.stream === stream {
          self.delegate = delegate
          if !context.channel.isWritable { delegate.clientFlowChanged(paused: true) }
        }
      case .refuse(let malformed):
        let stream = HTTP1ClientStream(of: self, on: context.eventLoop)
        self.stream = stream
        self.receiver.refuse(malformed, on: stream, of: self.facts)
      case .body(let bytes): self.delegate?.clientSentBody(bytes)
      case .end(let trailers): self.delegate?.clientSentEnd(trailers: trailers)
      case .brokeOff(let malformed):
        let delegate = self.delegate
        self.delegate = nil
        delegate?.clientGone(.malformed(malformed))
      case .cut(let malformed):
        let delegate = self.delegate
        self.endStream()
        delegate?.clientGone(.malformed(malformed))
        self.cut(reset: false)
      case .close: self.cut(reset: false)
      case .wait: break loop
      }
    }
    self.isAdvancing = false
    self.resumeReading(context)
    self.armTimer(context)
  }

  private func resumeReading(_ context: ChannelHandlerContext) {
    guard self.holdsRead, self.machine.wantsRead else { return }
    self.holdsRead = false
    context.read()
  }

  // MARK: The stream's calls

  func sendInformational(_ head: ResponseHead) {
    guard self.machine.sendInformational(status: head.status) else { return }
    self.prepareOut()
    HTTP1Writer.writeResponseHead(
      status: head.status, fields: head.fields, framing: .none, statedLength: nil, closes: false, to: &self.out)
    if let context = self.context { self.writeAndFlush(context) }
  }

  func sendHead(_ head: ResponseHead) {
    switch self.machine.sendHead(head) {
    case .write(let framing, let statedLength, let closes):
      self.prepareOut()
      if case .length(let length) = framing {
        self.out.reserveCapacity(
          minimumWritableBytes: head.fields.byteCount + 192 + Int(min(length, UInt64(Self.largeBodyPart))))
      }
      HTTP1Writer.writeResponseHead(
        status: head.status, fields: head.fields, auditID: head.auditID, framing: framing, statedLength: statedLength, closes: closes,
        to: &self.out)
    case .ignore: break
    }
  }

  func sendBody(_ bytes: ByteBuffer) {
    switch self.machine.sendBody(count: bytes.readableBytes) {
    case .write(let framing) where framing != .chunked && bytes.readableBytes >= Self.largeBodyPart:
      self.writeOut()
      self.context?.write(self.wrapOutboundOut(bytes), promise: nil)
    case .write(let framing):
      self.prepareOut()
      HTTP1Writer.writeBody(bytes, framing: framing, to: &self.out)
    case .ignore: break
    case .cut: self.breakOff()
    }
  }

  func sendEnd(trailers: HeaderFields) {
    switch self.machine.sendEnd() {
    case .write(let framing):
      if framing == .chunked {
        self.prepareOut()
        HTTP1Writer.writeEnd(trailers: trailers, framing: framing, to: &self.out)
      }
      self.delegate = nil
    case .ignore: break
    case .cut: self.breakOff()
    }
  }

  private func writeAndFlush(_ context: ChannelHandlerContext) {
    self.writeOut()
    context.flush()
    guard self.isOutWritten else { return }
    self.isOutWritten = false
    ScratchBuffer.giveBack(&self.out)
  }

  func flushResponse() {
    guard let context = self.context else { return }
    self.writeAndFlush(context)
    switch self.machine.flush(now: context.eventLoop.now) {
    case .goOn: break
    case .finish:
      self.endStream()
      self.advance()
    case .finishAndClose:
      self.endStream()
      self.closeOutput()
    }
  }

  func abort() {
    guard let truncation = self.machine.abort() else { return }
    self.endStream()
    self.cut(reset: truncation == .reset)
  }

  func setRequestFlow(paused: Bool) {
    guard let context = self.context else { return }
    self.machine.setRequestFlow(paused: paused, now: context.eventLoop.now)
    if !paused { self.advance() }
  }

  func abandonRequestBody() {
    self.machine.abandonRequestBody()
    self.advance()
  }

  /// Writes the 101 and makes way for the tunnel's end.
  func switchProtocols(_ head: ResponseHead) -> (any TunnelEnd)? {
    guard let context = self.context, let unread = self.machine.switchProtocols() else { return nil }
    self.prepareOut()
    HTTP1Writer.writeResponseHead(
      status: head.status, fields: head.fields, framing: .none, statedLength: nil, closes: false, to: &self.out)
    self.writeOut()
    context.flush()
    self.endStream()
    let end = TunnelHandler(unread: unread, on: context.eventLoop)
    do {
      try context.pipeline.syncOperations.addHandlers([TunnelledConnectionHandler(), end], position: .after(self))
    } catch {
      self.cut(reset: false)
      return nil
    }
    context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    return end
  }

  /// Makes the buffer ready to be written to.
  private func prepareOut() {
    if self.isOutWritten {
      self.isOutWritten = false
      self.out.clear(minimumCapacity: 0)
    } else if self.out.capacity == 0 {
      self.out = ScratchBuffer.take()
    }
  }

  private func writeOut() {
    guard !self.isOutWritten, self.out.readableBytes > 0 else { return }
    self.context?.write(self.wrapOutboundOut(self.out), promise: nil)
    self.isOutWritten = true
  }

  private func endStream() {
    self.stream?.end()
    self.stream = nil
    self.delegate = nil
  }

  /// The receiver's answer does not hold what its head promised.
  private func breakOff() {
    let delegate = self.delegate
    self.endStream()
    self.cut(reset: false)
    delegate?.clientGone(.closed)
  }

  // MARK: The end

  /// Closes the output once all of it was taken, and goes on reading for a while.
  private func closeOutput() {
    guard let context = self.context else { return }
    let promise = context.eventLoop.makePromise(of: Void.self)
    promise.futureResult.assumeIsolated().whenComplete { result in
      guard let context = self.context else { return }
      switch result {
      case .success:
        self.machine.outputClosed(now: context.eventLoop.now)
        self.advance()
      case .failure: self.cut(reset: false)
      }
    }
    context.close(mode: .output, promise: promise)
    self.advance()
  }

  /// Closes the connection at once, without the farewell by which TLS says that all was said.
  private func cut(reset: Bool) {
    guard let context = self.context else { return }
    self.out = ByteBuffer()
    self.isOutWritten = false
    context.closeTransport(reset: reset)
  }

  private func armTimer(_ context: ChannelHandlerContext) {
    guard let deadline = self.machine.deadline, deadline < self.timerDeadline else { return }
    // A deadline that moved away is noticed when the old one fires: most requests touch no timer.
    self.timer?.cancel()
    self.timerDeadline = deadline
    self.timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.timerFired() }
  }

  private func timerFired() {
    self.timer = nil
    self.timerDeadline = .distantFuture
    guard let context = self.context else { return }
    switch self.machine.timerFired(now: context.eventLoop.now) {
    case .none: self.armTimer(context)
    case .close: self.cut(reset: false)
    case .finish: self.closeOutput()
    case .closeHalfAHead:
      self.receiver.connectionFailed(ListenerProblem.requestHeadTimedOut, from: self.facts.clientAddress, listener: self.facts.listener)
      self.cut(reset: false)
    case .cut:
      let delegate = self.delegate
      self.endStream()
      delegate?.clientGone(.timedOut)
      self.cut(reset: false)
    }
  }
}
