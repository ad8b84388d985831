import NIOCore

/// One end of two connections of one event loop that are glued together: what arrives here leaves there, and is read no faster than
/// it leaves.
///
/// Each side ends for itself, so that the last words of both arrive: WebSocket says goodbye in both directions.
final class Relay: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private var other: (any Channel)?
  /// What arrived before the other end was there. Nothing more is read until it is.
  private var early: [ByteBuffer] = []
  private var hasEnded = false

  /// Hands on to a channel from here on, what was early first.
  func join(_ other: any Channel, context: ChannelHandlerContext) {
    self.other = other
    for bytes in self.early { other.write(bytes, promise: nil) }
    self.early = []
    other.flush()
    try? context.channel.syncOptions?.setOption(.autoRead, value: true)
    if self.hasEnded { self.endOther() }
    if !context.channel.isActive { self.closeOther() }
  }

  func handlerAdded(context: ChannelHandlerContext) {
    try? context.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
    if self.other == nil { try? context.channel.syncOptions?.setOption(.autoRead, value: false) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = self.unwrapInboundIn(data)
    if let other = self.other { other.write(bytes, promise: nil) } else { self.early.append(bytes) }
  }

  func channelReadComplete(context: ChannelHandlerContext) { self.other?.flush() }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    try? self.other?.syncOptions?.setOption(.autoRead, value: context.channel.isWritable)
    context.fireChannelWritabilityChanged()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .inputClosed? = event as? ChannelEvent {
      self.hasEnded = true
      self.endOther()
    }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.closeOther()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  /// This side says no more; the other is told behind all that was said.
  private func endOther() { self.behindAll { $0.close(mode: .output, promise: nil) } }
  private func closeOther() { self.behindAll { $0.close(promise: nil) } }

  /// A close throws away what has not been taken.
  private func behindAll(_ body: @escaping @Sendable (any Channel) -> Void) {
    guard let other = self.other else { return }
    other.writeAndFlush(ByteBuffer()).whenComplete { _ in body(other) }
  }
}
