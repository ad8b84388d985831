import NIOCore
import NIOHTTP1

/// One connection to the dashboard: reads a request, has its page made, sends it.
final class DashboardHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let pages: DashboardPages
  private var head: HTTPRequestHead?

  init(pages: DashboardPages) { self.pages = pages }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch self.unwrapInboundIn(data) {
    case .head(let head): self.head = head
    // No page wants a body.
    case .body: break
    case .end:
      guard let head = self.head else { return }
      self.head = nil
      self.answer(head, context: context)
    }
  }

  /// The codec before this one reads no further until the answer is there.
  private func answer(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
    let pages = self.pages
    let promise = context.eventLoop.makePromise(of: DashboardAnswer.self)
    promise.completeWithTask { await pages.answer(head) }
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    promise.futureResult.whenSuccess { answer in
      let (handler, context) = bound.value
      handler.send(answer, to: head, context: context)
    }
  }

  private func send(_ answer: DashboardAnswer, to head: HTTPRequestHead, context: ChannelHandlerContext) {
    var response = HTTPResponseHead(version: head.version, status: answer.status, headers: answer.headers)
    let body = ByteBuffer(string: answer.body)
    response.headers.replaceOrAdd(name: "Content-Length", value: String(body.readableBytes))
    if !head.isKeepAlive { response.headers.replaceOrAdd(name: "Connection", value: "close") }
    context.write(self.wrapOutboundOut(.head(response)), promise: nil)
    if head.method != .HEAD { context.write(self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    context.writeAndFlush(self.wrapOutboundOut(.end(nil))).whenComplete { _ in
      if !head.isKeepAlive { bound.value.close(promise: nil) }
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // The request follows, and has its answer.
    guard !(error is TerminalUpgrader.NoTerminal) else { return }
    context.close(promise: nil)
  }
}

/// A page as it leaves.
struct DashboardAnswer: Sendable {
  let status: HTTPResponseStatus
  let headers: HTTPHeaders
  let body: String
}
