import Logging
import NIOCore
import NIOPosix
import NIOSSL
import SallyportCore
import SallyportPKI
import SallyportWire
import TestSupport

@testable import SallyportUpstream

/// One test's certificates, files, event loop and upstream.
final class Bench: Sendable {
  let pki: TestPKI
  let directory: TemporaryDirectory
  let eventLoop: any EventLoop
  let rootsFile: String

  init() throws {
    self.pki = try TestPKI()
    self.directory = TemporaryDirectory()
    self.eventLoop = MultiThreadedEventLoopGroup.singleton.next()
    self.rootsFile = try self.directory.write(self.pki.serverAuthority.certificatePEM, to: "roots.pem")
  }

  /// A server that proves to be `localhost` and `127.0.0.1`.
  func server(
    protocols: [String] = ["http/1.1"], clientRoots: NIOSSLTrustRoots? = nil, _ script: @escaping ScriptedServer.Script
  ) async throws -> ScriptedServer {
    try await ScriptedServer(certificate: self.pki.server, clientRoots: clientRoots, protocols: protocols, script: script)
  }

  func configuration(_ servers: [ScriptedServer], host: String = "127.0.0.1", tls: Bool = true) -> UpstreamConfiguration {
    UpstreamConfiguration(
      name: "test", servers: servers.map { .init(host: host, port: $0.port, tls: tls) }, rootsFile: self.rootsFile)
  }

  func upstream(_ servers: ScriptedServer...) throws -> Upstream {
    try self.upstream(self.configuration(servers))
  }

  func upstream(_ configuration: UpstreamConfiguration) throws -> Upstream {
    try Upstream(
      configuration: configuration, group: MultiThreadedEventLoopGroup.singleton,
      logger: Logger(label: "test") { _ in
        SwiftLogNoOpLogHandler()
      })
  }

  /// A client certificate in files, as the configuration names it.
  func clientCertificate(_ name: String) throws -> UpstreamConfiguration.ClientCertificate {
    let certificate = try self.pki.client(name)
    return try UpstreamConfiguration.ClientCertificate(
      certificateFile: try self.directory.write(certificate.chainPEM, to: "\(name).pem"),
      privateKeyFile: try self.directory.write(certificate.privateKeyPEM, to: "\(name).key"))
  }

  /// A port that nobody listens on.
  func deadPort() async throws -> Int {
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: 0).get()
    let port = channel.localAddress?.port ?? 0
    try await channel.close()
    return port
  }

  func start(
    _ upstream: Upstream, _ request: CredentialedRequest, body: [ByteBuffer] = [], ends: Bool = true
  ) -> TestExchange {
    TestExchange(upstream, request, body: body, ends: ends, on: self.eventLoop)
  }

  /// Sends a request and waits for the answer's end.
  func answer(_ upstream: Upstream, _ request: CredentialedRequest, body: [ByteBuffer] = []) async -> TestExchange.Record {
    await self.start(upstream, request, body: body).end()
  }
}

/// Answers every request alike.
func always(_ answer: String) -> ScriptedServer.Script {
  { moment, peer in
    if case .end = moment { peer.send(answer) }
  }
}

let okay = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
