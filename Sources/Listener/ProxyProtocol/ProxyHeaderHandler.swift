import NIOCore
import SallyportCore

/// Stands at the front of a listed proxy's connection until its PROXY header is whole, then makes way for TLS.
///
/// The header comes before TLS: nothing proves who sent it but the proxy's address, so that only listed peers are asked.
final class ProxyHeaderHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private let setup: ConnectionSetup
  private let peer: ClientAddress
  /// When the header, and the handshake behind it, must be over.
  private let deadline: NIODeadline
  private var machine = ProxyHeaderStateMachine()
  private var timer: Scheduled<Void>?
  private var isOver = false
  private var windsDown = false

  init(setup: ConnectionSetup, peer: ClientAddress, deadline: NIODeadline) {
    self.setup = setup
    self.peer = peer
    self.deadline = deadline
  }

  func handlerAdded(context: ChannelHandlerContext) {
    let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
    self.timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: self.deadline) {
      // A peer that connected and said nothing is a load balancer that looks whether the port is open.
      let (handler, context) = bound.value
      handler.end(context, handler.machine.hasBegun ? ListenerProblem.proxyHeaderTimedOut : nil)
    }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.timer?.cancel()
    self.timer = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !self.isOver else { return }
    switch self.machine.received(self.unwrapInboundIn(data)) {
    case .wait: break
    case .refuse(.missing): self.end(context, ListenerProblem.proxyHeaderMissing)
    case .refuse(.malformed(let reason)): self.end(context, ListenerProblem.proxyHeaderMalformed.with(detail: reason))
    case .proceed(let header, let rest): self.proceed(context, header, rest)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    if self.machine.hasBegun { self.end(context, ListenerProblem.proxyHeaderMalformed.with(detail: "the connection ended within it")) }
    self.isOver = true
    context.fireChannelInactive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event as? ConnectionEvent {
    case .windDown: self.windsDown = true
    case .drain, .cut: self.end(context, nil)
    case nil: context.fireUserInboundEventTriggered(event)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { self.end(context, nil) }

  private func proceed(_ context: ChannelHandlerContext, _ header: ProxyHeader, _ rest: ByteBuffer) {
    self.isOver = true
    do {
      try self.setup.setUp(context.channel, behind: header, of: self.peer, position: .after(self), deadline: self.deadline)
    } catch {
      context.close(promise: nil)
      return
    }
    if rest.readableBytes > 0 { context.fireChannelRead(self.wrapInboundOut(rest)) }
    if self.windsDown { context.channel.tell(.windDown) }
    context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
  }

  private func end(_ context: ChannelHandlerContext, _ problem: Problem?) {
    guard !self.isOver else { return }
    self.isOver = true
    if let problem { self.setup.receiver.connectionFailed(problem, from: self.peer, listener: self.setup.name) }
    context.close(promise: nil)
  }
}
