public import Logging
public import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// A dashboard to practise on: a small web application behind the gateway that has no rights of its own.
///
/// It does what Kubernetes' dashboard does: takes the Bearer token that comes with each request, and asks the API by it, as the
/// user whose token it is. Whatever a page shows the API has told that user. It keeps nothing, neither tokens nor answers, and
/// it listens on 127.0.0.1 only.
public final class PracticeDashboard: Sendable {
  public struct Configuration: Sendable {
    /// The server's certificate, with intermediates behind it, and its key: PEM.
    public var serverCertificate: String
    public var serverKey: String
    /// What stands before every path: `/dashboard`; empty where it has a host of its own.
    public var basePath: String

    public init(serverCertificate: String, serverKey: String, basePath: String = "") {
      self.serverCertificate = serverCertificate
      self.serverKey = serverKey
      self.basePath = basePath
    }
  }

  private let channel: any Channel
  private let api: APIClient

  /// The port that it listens on.
  public let port: Int

  private init(channel: any Channel, api: APIClient, port: Int) {
    self.channel = channel
    self.api = api
    self.port = port
  }

  /// Starts a dashboard. Until ``ask(api:trusting:)`` says where the API is, every page says that it is not there.
  ///
  /// - Parameter port: 0 takes a free one
  /// - Throws: NIOSSL's errors for PEM text that cannot be read; an `IOError` where the port is taken
  public static func start(
    _ configuration: Configuration, port: Int = 0, group: any EventLoopGroup, logger: Logger
  ) async throws -> PracticeDashboard {
    let certificates = try NIOSSLCertificate.fromPEMBytes(Array(configuration.serverCertificate.utf8))
    var tls = TLSConfiguration.makeServerConfiguration(
      certificateChain: certificates.map { .certificate($0) },
      privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(configuration.serverKey.utf8), format: .pem)))
    tls.minimumTLSVersion = .tlsv12
    tls.applicationProtocols = ["http/1.1"]
    let context = try NIOSSLContext(configuration: tls)
    let api = APIClient(group: group)
    let pages = DashboardPages(api: api, basePath: configuration.basePath)
    let channel = try await ServerBootstrap(group: group)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          try pipeline.addHandler(NIOSSLServerHandler(context: context))
          // Changes of protocol are for the first request of a connection; the gateway opens one for each.
          try pipeline.configureHTTPServerPipeline(
            withServerUpgrade: (
              upgraders: [TerminalUpgrader(api: api, basePath: configuration.basePath)],
              completionHandler: { context in
                let pipeline = context.pipeline.syncOperations
                if let pages = try? pipeline.handler(type: DashboardHandler.self) { pipeline.removeHandler(pages, promise: nil) }
              }
            ), withErrorHandling: true)
          try pipeline.addHandler(DashboardHandler(pages: pages))
        }
      }
      .bind(host: "127.0.0.1", port: port).get()
    let port = channel.localAddress?.port ?? port
    logger.notice("practice dashboard listens", metadata: ["address": "127.0.0.1:\(port)"])
    return PracticeDashboard(channel: channel, api: api, port: port)
  }

  /// Says where the API is: the gateway, and not the cluster behind it.
  ///
  /// - Parameters:
  ///   - url: `https://127.0.0.1:8443`
  ///   - authorities: of its certificate, PEM
  /// - Throws: NIOSSL's errors for PEM text that cannot be read
  public func ask(api url: String, trusting authorities: String) throws { try self.api.connect(to: url, trusting: authorities) }

  /// Stops listening.
  public func close() async {
    try? await self.channel.close().get()
    await self.api.close()
  }
}
