import NIOCore
import NIOHTTP1

/// Makes a browser's connection a terminal: asks the API for a command in the pod by the user's token, and glues the two connections
/// together. Of one connection.
///
/// It reads no frame: browser and API speak to each other, which is what a dashboard without rights has to say in it.
final class TerminalUpgrader: HTTPServerProtocolUpgrader {
  /// The request is for a page, which says what is wrong with it.
  struct NoTerminal: Error {}

  let supportedProtocol = "websocket"
  let requiredUpgradeHeaders: [String] = []
  private let api: APIClient
  private let basePath: String
  private var answer: ExecAnswer?

  init(api: APIClient, basePath: String) {
    self.api = api
    self.basePath = basePath
  }

  func buildUpgradeResponse(
    channel: any Channel, upgradeRequest head: HTTPRequestHead, initialResponseHeaders: HTTPHeaders
  ) -> EventLoopFuture<HTTPHeaders> {
    guard case .exec(let pod)? = DashboardPlace(head.uri, below: self.basePath), let request = ExecRequest(head, pod) else {
      return channel.eventLoop.makeFailedFuture(NoTerminal())
    }
    return self.api.exec(request, on: channel.eventLoop).assumeIsolated().map { answer in
      self.answer = answer
      var headers = initialResponseHeaders
      headers.add(name: "Sec-WebSocket-Accept", value: ServerMessage.accept(request.key))
      switch answer {
      case .opened(let exec, let chosen):
        headers.add(name: "Sec-WebSocket-Protocol", value: chosen)
        // Whatever becomes of the browser before the two are joined.
        channel.closeFuture.whenComplete { _ in exec.close(promise: nil) }
      case .refused: headers.add(name: "Sec-WebSocket-Protocol", value: request.protocols[0])
      }
      return headers
    }.nonisolated()
  }

  func upgrade(context: ChannelHandlerContext, upgradeRequest: HTTPRequestHead) -> EventLoopFuture<Void> {
    let channel = context.channel
    let pipeline = context.pipeline.syncOperations
    return channel.eventLoop.makeCompletedFuture {
      switch self.answer {
      case .opened(let exec, _):
        // The API may have ended it again meanwhile.
        guard exec.isActive else {
          return try pipeline.addHandler(Farewell(ServerMessage.refusal(ExecAnswer.status("The API has ended it."))))
        }
        let relay = Relay()
        try pipeline.addHandler(relay)
        let execPipeline = exec.pipeline.syncOperations
        let execContext = try execPipeline.context(handlerType: Relay.self)
        try execPipeline.handler(type: Relay.self).join(channel, context: execContext)
        relay.join(exec, context: try pipeline.context(handler: relay))
      case .refused(let status): try pipeline.addHandler(Farewell(ServerMessage.refusal(status)))
      case nil: throw NoTerminal()
      }
    }
  }
}
