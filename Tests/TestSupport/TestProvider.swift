import NIOConcurrencyHelpers
public import NIOCore
import NIOPosix
import NIOSSL

/// An HTTPS server on loopback that answers every path as a test tells it to: an identity provider, honest or not.
public final class TestProvider: Sendable {
  /// Answers a request, with whatever bytes, over its channel and on its event loop.
  public typealias Script = @Sendable (_ path: String, _ channel: any Channel) -> Void

  public let port: Int
  private let channel: any Channel
  private let state: NIOLockedValueBox<State>

  /// A request as it came.
  public struct Request: Sendable {
    public let path: String
    /// The request line and the fields, without the empty line.
    public let head: String
    public let body: String
  }

  struct State: Sendable {
    var script: @Sendable (_ request: Request, _ channel: any Channel) -> Void
    var requests: [Request] = []
    var open: [any Channel] = []
  }

  /// - Parameter port: the same as another's that is gone; 0 for any
  public init(certificate: TestCertificate, port: Int = 0, script: @escaping Script = { _, channel in channel.close(promise: nil) })
    async throws
  {
    let context = try NIOSSLContext(
      configuration: .makeServerConfiguration(certificateChain: try certificate.chain(), privateKey: try certificate.privateKey()))
    let state = NIOLockedValueBox(State { request, channel in script(request.path, channel) })
    self.state = state
    self.channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
          try channel.pipeline.syncOperations.addHandler(ProviderConnection(state: state))
        }
      }
      .bind(host: "127.0.0.1", port: port).get()
    self.port = self.channel.localAddress?.port ?? 0
  }

  /// The URL of the issuer that it is.
  public var issuer: String { "https://localhost:\(self.port)" }

  /// The paths that were asked for, in their order.
  public var paths: [String] { self.requests.map(\.path) }

  public var requests: [Request] { self.state.withLockedValue { $0.requests } }

  public func answer(_ script: @escaping Script) { self.answerRequests { request, channel in script(request.path, channel) } }

  /// The same for whoever wants to know what was sent.
  public func answerRequests(_ script: @escaping @Sendable (_ request: Request, _ channel: any Channel) -> Void) {
    self.state.withLockedValue { $0.script = script }
  }

  /// Answers as an honest provider with this key set.
  public func serve(_ keySet: String) {
    let issuer = self.issuer
    self.answer { path, channel in
      switch path {
      case "/.well-known/openid-configuration": Self.send(#"{"issuer":"\#(issuer)","jwks_uri":"\#(issuer)/keys"}"#, to: channel)
      case "/keys": Self.send(keySet, to: channel)
      default: Self.send("", status: "404 Not Found", to: channel)
      }
    }
  }

  /// Sends a complete answer.
  public static func send(
    _ body: String, status: String = "200 OK", type: String = "application/json", fields: String = "", to channel: any Channel
  ) {
    channel.writeAndFlush(
      ByteBuffer(string: "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"),
      promise: nil)
  }

  /// Sends bytes, and closes the connection when they have surely been read: whoever closes in the same moment may break off what
  /// the client still has to send, and the client would see that and no answer.
  public static func sendAndClose(_ bytes: String, to channel: any Channel) {
    channel.writeAndFlush(ByteBuffer(string: bytes)).whenComplete { _ in
      channel.eventLoop.scheduleTask(in: .milliseconds(500)) { channel.close(promise: nil) }
    }
  }

  public func close() async {
    try? await self.channel.close().get()
    for channel in self.state.withLockedValue({ $0.open }) { try? await channel.close().get() }
  }
}

private final class ProviderConnection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let state: NIOLockedValueBox<TestProvider.State>
  private var unread = ""

  init(state: NIOLockedValueBox<TestProvider.State>) { self.state = state }

  func channelActive(context: ChannelHandlerContext) {
    let channel = context.channel
    self.state.withLockedValue { $0.open.append(channel) }
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    let channel = context.channel
    self.state.withLockedValue { $0.open.removeAll { $0 === channel } }
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    self.unread += String(buffer: self.unwrapInboundIn(data))
    while let end = self.unread.firstRange(of: "\r\n\r\n") {
      let head = String(self.unread[..<end.lowerBound])
      let length = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
        .flatMap { Int($0.split(separator: ":")[1].drop { $0 == " " }) }
      let rest = self.unread[end.upperBound...]
      guard rest.utf8.count >= length ?? 0 else { return }
      let body = String(rest.prefix(length ?? 0))
      self.unread = String(rest.dropFirst(length ?? 0))
      let path = String(head.split(separator: " ", maxSplits: 2).dropFirst().first ?? "")
      let request = TestProvider.Request(path: path, head: head, body: body)
      let script = self.state.withLockedValue { state in
        state.requests.append(request)
        return state.script
      }
      script(request, context.channel)
    }
  }
}
