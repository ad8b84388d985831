import Crypto
import NIOCore
import NIOPosix
import NIOSSL
import SallyportWire
import TestSupport

@testable import SallyportUpstream

/// A server that answers with whatever bytes a test tells it to.
final class ScriptedServer: Sendable {
  /// A request as it came, or as much of it as a head says.
  struct Request: Sendable {
    /// The number of the connection, from 1.
    let connection: Int
    /// The number of the request on its connection, from 1.
    let number: Int
    /// The head's bytes as text, the empty line included.
    let head: String
    var body = ByteBuffer()
    var trailers: [String] = []
    /// The client certificate's fingerprint.
    let certificate: String?
  }

  struct Log: Sendable {
    var connections = 0
    var closedConnections: Set<Int> = []
    /// Requests whose end came.
    var requests: [Request] = []
    var bytesReceived = 0
  }

  enum Moment: Sendable {
    case head(Request)
    case end(Request)
  }

  typealias Script = @Sendable (Moment, Peer) -> Void

  /// The server's end of one connection.
  struct Peer: Sendable {
    let channel: any Channel

    func send(_ text: String) { self.send(ByteBuffer(string: text)) }
    func send(_ bytes: ByteBuffer) { self.channel.writeAndFlush(bytes, promise: nil) }
    func close() { self.channel.close(promise: nil) }

    /// Closes the socket below TLS, so that TLS sees its stream cut off.
    func cut() {
      self.channel.eventLoop.execute {
        if let tls = try? self.channel.pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self) {
          tls.close(promise: nil)
        } else {
          self.channel.close(promise: nil)
        }
      }
    }

    func setReading(_ reads: Bool) { _ = self.channel.setOption(.autoRead, value: reads) }
  }

  let log = Observed(Log())
  let port: Int
  private let channel: any Channel

  /// - Parameters:
  ///   - certificate: the server's own; `nil` for a server without TLS
  ///   - clientAuthority: whose client certificates are asked for and needed
  init(
    certificate: TestCertificate?, clientRoots: NIOSSLTrustRoots? = nil, protocols: [String] = ["http/1.1"], port: Int = 0,
    script: @escaping Script
  ) async throws {
    let context = try certificate.map { try Self.context($0, clientRoots, protocols) }
    let log = self.log
    self.channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.socketOption(.so_rcvbuf), value: 64 * 1024)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          if let context { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context)) }
          try channel.pipeline.syncOperations.addHandler(ScriptedConnection(log: log, script: script))
        }
      }
      .bind(host: "127.0.0.1", port: port).get()
    self.port = self.channel.localAddress?.port ?? 0
  }

  /// Stops listening; connections stay.
  func close() async throws { try await self.channel.close() }

  private static func context(
    _ certificate: TestCertificate, _ clientRoots: NIOSSLTrustRoots?, _ protocols: [String]
  ) throws -> NIOSSLContext {
    var tls = TLSConfiguration.makeServerConfiguration(
      certificateChain: try certificate.chain(), privateKey: try certificate.privateKey())
    tls.applicationProtocols = protocols
    if let clientRoots {
      tls.trustRoots = clientRoots
      tls.certificateVerification = .noHostnameVerification
    }
    return try NIOSSLContext(configuration: tls)
  }
}

/// One connection of a ``ScriptedServer``.
private final class ScriptedConnection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let log: Observed<ScriptedServer.Log>
  private let script: ScriptedServer.Script
  private var connection = 0
  private var count = 0
  private var reader = HTTP1RequestReader(limits: MessageLimits())
  private var raw = ByteBuffer()
  private var request: ScriptedServer.Request?

  init(log: Observed<ScriptedServer.Log>, script: @escaping ScriptedServer.Script) {
    self.log = log
    self.script = script
  }

  func channelActive(context: ChannelHandlerContext) {
    self.log.update { log in
      log.connections += 1
      self.connection = log.connections
    }
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.log.update { $0.closedConnections.insert(self.connection) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = self.unwrapInboundIn(data)
    self.log.update { $0.bytesReceived += bytes.readableBytes }
    if self.request == nil { self.raw.writeImmutableBuffer(bytes) }
    self.reader.receive(bytes)
    let peer = ScriptedServer.Peer(channel: context.channel)
    do {
      while let event = try self.reader.next() {
        switch event {
        case .head:
          let text = String(buffer: self.raw)
          let head = text.split(separator: "\r\n\r\n", maxSplits: 1).first.map { $0 + "\r\n\r\n" } ?? ""
          self.raw.clear()
          self.count += 1
          let request = ScriptedServer.Request(
            connection: self.connection, number: self.count, head: String(head), certificate: self.fingerprint(context))
          self.request = request
          self.script(.head(request), peer)
        case .body(let part):
          self.request?.body.writeImmutableBuffer(part)
        case .end(let trailers):
          guard var request = self.request else { continue }
          request.trailers = trailers.map { "\($0.name): \($0.value)" }
          self.request = nil
          self.log.update { $0.requests.append(request) }
          self.script(.end(request), peer)
        }
      }
    } catch {
      context.close(promise: nil)
    }
  }

  private func fingerprint(_ context: ChannelHandlerContext) -> String? {
    let tls = try? context.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self)
    guard let der = try? tls?.peerCertificate?.toDERBytes() else { return nil }
    return SHA256.hash(data: der).map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }.joined()
  }
}
