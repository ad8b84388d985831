import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// The dashboard's side of an upgrade at the API: asks, and settles what came of it once.
final class ExecHandshake: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundOut = HTTPClientRequestPart

  private static let longestStatus = 64 * 1024
  private static let timeLimit = TimeAmount.seconds(20)

  private let head: HTTPRequestHead
  private var promise: EventLoopPromise<ExecAnswer>?
  private var timer: Scheduled<Void>?
  private var code: UInt = 0
  private var body = ByteBuffer()

  init(_ head: HTTPRequestHead, _ promise: EventLoopPromise<ExecAnswer>) {
    self.head = head
    self.promise = promise
  }

  func settle(_ answer: ExecAnswer) {
    self.timer?.cancel()
    self.promise?.succeed(answer)
    self.promise = nil
  }

  func channelActive(context: ChannelHandlerContext) {
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    self.timer = context.eventLoop.scheduleTask(in: Self.timeLimit) {
      let (handler, context) = bound.value
      handler.giveUp(context: context)
    }
    context.write(self.wrapOutboundOut(.head(self.head)), promise: nil)
    context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: nil)
    context.fireChannelActive()
  }

  /// Only what is no 101 comes here.
  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch self.unwrapInboundIn(data) {
    case .head(let head): self.code = head.status.code
    case .body(var part):
      guard self.body.readableBytes + part.readableBytes <= Self.longestStatus else { return self.giveUp(context: context) }
      self.body.writeBuffer(&part)
    case .end:
      let status = Data(self.body.readableBytesView)
      let isStatus = (try? JSONDecoder().decode(APIObjects.Failure.self, from: status))?.message != nil
      self.settle(isStatus ? .refused(status: status) : .refused("The API answered \(self.code)."))
      context.close(promise: nil)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.settle(.unreachable)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { self.giveUp(context: context) }

  private func giveUp(context: ChannelHandlerContext) {
    self.settle(.unreachable)
    context.close(promise: nil)
  }
}

/// Takes a connection out of HTTP when the API has agreed.
private final class ExecUpgrader: NIOHTTPClientProtocolUpgrader {
  let supportedProtocol = "websocket"
  let requiredUpgradeHeaders: [String] = []
  private let request: ExecRequest
  private let handshake: ExecHandshake

  init(_ request: ExecRequest, _ handshake: ExecHandshake) {
    self.request = request
    self.handshake = handshake
  }

  func addCustom(upgradeRequestHeaders: inout HTTPHeaders) {}
  func shouldAllowUpgrade(upgradeResponse: HTTPResponseHead) -> Bool { self.request.isAnswered(by: upgradeResponse) }

  func upgrade(context: ChannelHandlerContext, upgradeResponse: HTTPResponseHead) -> EventLoopFuture<Void> {
    let pipeline = context.pipeline.syncOperations
    let chosen = upgradeResponse.headers.first(name: "Sec-WebSocket-Protocol") ?? ""
    let handshake = self.handshake
    let channel = context.channel
    return pipeline.removeHandler(handshake).assumeIsolated().flatMapThrowing {
      try channel.pipeline.syncOperations.addHandler(Relay())
      handshake.settle(.opened(channel, protocol: chosen))
    }.nonisolated()
  }
}

/// Where the API is, for connections that become tunnels.
struct ExecPlace: Sendable {
  let host: String
  let port: Int
  let tls: NIOSSLContext

  /// Asks for a command in a pod. Never fails: that nobody is there is an answer, too.
  func open(_ request: ExecRequest, on eventLoop: any EventLoop) -> EventLoopFuture<ExecAnswer> {
    let promise = eventLoop.makePromise(of: ExecAnswer.self)
    let host = self.host
    let port = self.port
    let tls = self.tls
    ClientBootstrap(group: eventLoop).connectTimeout(.seconds(3)).channelInitializer { channel in
      channel.eventLoop.makeCompletedFuture {
        let pipeline = channel.pipeline.syncOperations
        let isAddress = (try? SocketAddress(ipAddress: host, port: port)) != nil
        try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : host))
        let handshake = ExecHandshake(request.head(host: "\(host):\(port)"), promise)
        try pipeline.addHTTPClientHandlers(
          leftOverBytesStrategy: .forwardBytes,
          withClientUpgrade: (upgraders: [ExecUpgrader(request, handshake)], completionHandler: { _ in }))
        try pipeline.addHandler(handshake)
      }
    }.connect(host: host, port: port).whenFailure { _ in promise.succeed(.unreachable) }
    return promise.futureResult
  }
}
