import NIOCore

/// The last handler of a connection that has left HTTP: bytes to a transport, its events to a session, and back.
///
/// A client that takes no more is read no more, so that nothing piles up: what a session says is at most what it was told, or
/// a file that is in memory anyway.
final class StreamingHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// How long a client has to end the connection after everything was said. Whoever closes first while the other still
  /// sends makes the kernel throw away what is on its way.
  private static let goodbyeLimit = TimeAmount.seconds(10)

  private var transport: any StreamTransport
  private var session: any PodSession
  private var isFinished = false
  private var outputHasEnded = false

  init(_ transport: any StreamTransport, _ session: any PodSession) {
    self.transport = transport
    self.session = session
  }

  /// Begins, once the client has been told that it may.
  func begin(context: ChannelHandlerContext) {
    try? context.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
    self.apply(self.transport.open(), context: context)
    self.flush(context: context)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    do throws(StreamFault) {
      self.apply(try self.transport.receive(self.unwrapInboundIn(data)), context: context)
      self.flush(context: context)
    } catch {
      self.flush(context: context)
      self.close(context: context)
    }
  }

  private func apply(_ events: [StreamEvent], context: ChannelHandlerContext) {
    for event in events {
      guard !self.isFinished else {
        if event == .goodbye { self.close(context: context) }
        continue
      }
      for command in self.session.receive(event) {
        switch command {
        case .send(let bytes, let stream): self.transport.send(bytes, on: stream)
        case .end(let stream): self.transport.end(stream)
        case .reset(let stream): self.transport.reset(stream)
        case .finish: self.finish(context: context)
        }
      }
      if event == .goodbye {
        self.finish(context: context)
        self.flush(context: context)
        self.close(context: context)
      }
    }
  }

  private func finish(context: ChannelHandlerContext) {
    guard !self.isFinished else { return }
    self.isFinished = true
    self.transport.finish()
    let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    let timer = context.eventLoop.scheduleTask(in: Self.goodbyeLimit) {
      let (handler, context) = loopBound.value
      handler.close(context: context)
    }
    context.channel.closeFuture.whenComplete { _ in timer.cancel() }
  }

  private func flush(context: ChannelHandlerContext) {
    let output = self.transport.takeOutput()
    guard !output.isEmpty else { return }
    for bytes in output { context.write(self.wrapOutboundOut(bytes), promise: nil) }
    context.flush()
    guard self.isFinished, self.transport.endsOutput, !self.outputHasEnded else { return }
    self.outputHasEnded = true
    self.whenTaken(context: context) { $0.close(mode: .output, promise: nil) }
  }

  /// Does something once everything that was said has been taken: a close throws away what was not.
  private func whenTaken(context: ChannelHandlerContext, _ body: @escaping @Sendable (ChannelHandlerContext) -> Void) {
    let loopBound = NIOLoopBound(context, eventLoop: context.eventLoop)
    context.writeAndFlush(self.wrapOutboundOut(ByteBuffer())).whenComplete { _ in body(loopBound.value) }
  }

  /// Closes when everything that was said has been taken.
  private func close(context: ChannelHandlerContext) {
    self.whenTaken(context: context) { $0.close(promise: nil) }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    // Without the client's side nothing can be asked or ended any more; what was said before is still sent.
    if case .inputClosed? = event as? ChannelEvent { self.close(context: context) }
    context.fireUserInboundEventTriggered(event)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    let isWritable = context.channel.isWritable
    try? context.channel.syncOptions?.setOption(.autoRead, value: isWritable)
    context.fireChannelWritabilityChanged()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
