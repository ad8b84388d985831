import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// Waits on this machine for the one request by which a browser brings a provider's answer.
///
/// It listens on 127.0.0.1 alone, on a port that the system chooses. Whatever does not have the attempt's `state` is not its answer,
/// and is refused while the wait goes on: any page can make a browser ask here.
final class LoopbackReceiver: Sendable {
  static let path = "/callback"

  let redirectURI: String
  private let channel: any Channel
  private let promise: EventLoopPromise<[String: String]>

  private init(channel: any Channel, port: Int, promise: EventLoopPromise<[String: String]>) {
    self.channel = channel
    self.redirectURI = "http://127.0.0.1:\(port)\(Self.path)"
    self.promise = promise
  }

  static func start(state: String) async throws(CommandFailure) -> LoopbackReceiver {
    let group = MultiThreadedEventLoopGroup.singleton
    let promise = group.next().makePromise(of: [String: String].self)
    do {
      let channel = try await ServerBootstrap(group: group)
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.configureHTTPServerPipeline(withPipeliningAssistance: false)
            try channel.pipeline.syncOperations.addHandler(Handler(state: state, promise: promise))
          }
        }
        .bind(host: "127.0.0.1", port: 0).get()
      return LoopbackReceiver(channel: channel, port: channel.localAddress?.port ?? 0, promise: promise)
    } catch {
      promise.fail(error)
      throw CommandFailure("cannot listen on 127.0.0.1 for the browser's answer: \(error)")
    }
  }

  /// The answer's parameters.
  ///
  /// - Throws: ``CommandFailure`` when the time is over
  func answer(within timeout: Duration) async throws(CommandFailure) -> [String: String] {
    let timer = self.channel.eventLoop.scheduleTask(in: TimeAmount(timeout)) {
      self.promise.fail(CommandFailure("nobody signed in in time"))
    }
    defer { timer.cancel() }
    do {
      return try await self.promise.futureResult.get()
    } catch {
      throw error as? CommandFailure ?? CommandFailure("\(error)")
    }
  }

  func close() async {
    self.promise.fail(CommandFailure("the sign-in has ended"))
    try? await self.channel.close()
  }

  /// The parameters of an answer to this attempt; `nil` for everything else.
  static func parameters(of target: String, state: String) -> [String: String]? {
    guard let url = URLComponents(string: target), url.path == self.path else { return nil }
    var parameters: [String: String] = [:]
    for item in url.percentEncodedQueryItems ?? [] {
      // Two readers of a repeated parameter would see two answers.
      guard let name = self.decoded(item.name), let value = self.decoded(item.value ?? ""),
        parameters.updateValue(value, forKey: name) == nil
      else { return nil }
    }
    guard let sent = parameters["state"], sent.utf8.count == state.utf8.count else { return nil }
    let difference = zip(sent.utf8, state.utf8).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) }
    return difference == 0 ? parameters : nil
  }

  /// As forms are encoded: `+` is a blank, and `%2B` a `+`.
  private static func decoded(_ text: String) -> String? { text.replacing("+", with: "%20").removingPercentEncoding }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let state: String
    private let promise: EventLoopPromise<[String: String]>
    private var head: HTTPRequestHead?

    init(state: String, promise: EventLoopPromise<[String: String]>) {
      self.state = state
      self.promise = promise
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch self.unwrapInboundIn(data) {
      case .head(let head): self.head = head
      case .body: break
      case .end: if let head { self.answer(head, context) }
      }
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
      let parameters = head.method == .GET ? LoopbackReceiver.parameters(of: head.uri, state: self.state) : nil
      let text = parameters == nil ? "Nothing is waiting for this.\n" : "You can close this page and go back to the terminal.\n"
      var fields = HTTPHeaders()
      fields.add(name: "Content-Type", value: "text/plain; charset=utf-8")
      fields.add(name: "Content-Length", value: "\(text.utf8.count)")
      fields.add(name: "Cache-Control", value: "no-store")
      fields.add(name: "Connection", value: "close")
      context.write(
        self.wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: parameters == nil ? .notFound : .ok, headers: fields))),
        promise: nil)
      context.write(self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
      let promise = self.promise
      let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
      context.writeAndFlush(self.wrapOutboundOut(.end(nil))).whenComplete { _ in
        bound.value.close(promise: nil)
        // The browser has its page before the program goes on, and perhaps ends.
        if let parameters { promise.succeed(parameters) }
      }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
  }
}
