import NIOCore

/// Hears what the listener tells a connection that has become a tunnel.
///
/// A listener that drains waits for its tunnels: how long, and what ends those that stay, is not the listener's to say.
final class TunnelledConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event as? ConnectionEvent {
    case .cut: context.closeTransport()
    case .drain, .windDown: break
    case nil: context.fireUserInboundEventTriggered(event)
    }
  }
}
