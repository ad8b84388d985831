import NIOCore

/// Says something last, and waits for the other side to end: a connection that is closed while the other still writes loses what is on
/// its way.
final class Farewell: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private static let timeLimit = TimeAmount.seconds(10)
  private let words: ByteBuffer

  init(_ words: ByteBuffer) { self.words = words }

  func handlerAdded(context: ChannelHandlerContext) {
    try? context.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
    let channel = context.channel
    context.writeAndFlush(self.wrapOutboundOut(self.words)).whenComplete { _ in channel.close(mode: .output, promise: nil) }
    let timer = context.eventLoop.scheduleTask(in: Self.timeLimit) { channel.close(promise: nil) }
    channel.closeFuture.whenComplete { _ in timer.cancel() }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .inputClosed? = event as? ChannelEvent { context.close(promise: nil) }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
