import NIOCore

/// The first handler of a tunnelled connection: closes the socket only when it has taken everything.
///
/// NIO throws away what was not written when a channel is closed. NIOSSL closes the channel right behind its
/// `close_notify`, which is lost then if the socket is full at that moment, and the peer would take a tunnel that was
/// complete for one that was cut.
final class UnhurriedClose: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// Whether a close waits no longer.
  private var isHurried = false
  private var context: ChannelHandlerContext?

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }
  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    guard mode == .all, !self.isHurried else { return context.close(mode: mode, promise: promise) }
    let taken = context.eventLoop.makePromise(of: Void.self)
    taken.futureResult.assumeIsolated().whenComplete { _ in
      if let context = self.context { context.close(promise: promise) } else { promise?.succeed() }
    }
    context.writeAndFlush(self.wrapOutboundOut(ByteBuffer()), promise: taken)
  }

  /// Closes the socket under TLS now, whatever waits: the peer misses the `close_notify` and knows that it was cut.
  func hurry() {
    self.isHurried = true
    self.context?.close(promise: nil)
  }
}
