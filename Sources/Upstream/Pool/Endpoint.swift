import NIOCore
import NIOSSL
import SallyportCore

/// A server as the connections of one pool see it: where it is, and what it has to prove.
final class Endpoint: Sendable {
  let server: UpstreamConfiguration.Server
  /// The complete `Host` line.
  let hostLine: ByteBuffer
  /// For words about a connection that could not be made.
  let failure: ConnectFailure
  private let tls: NIOSSLContext?
  /// The name that the server is asked for and must prove; `nil` for one that must prove its address.
  private let serverName: String?

  /// - Throws: ``Problem/upstreamConfiguration`` when no server could prove such a name.
  init(_ server: UpstreamConfiguration.Server, of upstream: UpstreamConfiguration, tls: NIOSSLContext) throws(Problem) {
    self.server = server
    self.hostLine = ByteBuffer(string: "Host: \(server.authority)\r\n")
    self.failure = ConnectFailure(server: server, rootsFile: upstream.rootsFile, serverName: upstream.serverName)
    self.tls = server.tls ? tls : nil
    // An address is no name for SNI (RFC 6066 section 3); without a name the library has the certificate hold the address.
    let isAddress = (try? SocketAddress(ipAddress: server.host, port: server.port)) != nil
    self.serverName = upstream.serverName ?? (isAddress ? nil : server.host)
    do {
      _ = try self.makeTLSHandler()
    } catch {
      throw .upstreamConfiguration.with(
        detail: "\(upstream.name): \(self.serverName ?? ""): not a name that a TLS server can prove (\(error)); a DNS name would be right")
    }
  }

  var usesTLS: Bool { self.tls != nil }

  /// The name that the certificate must hold as a `dNSName`.
  var verifiedName: String? { self.serverName }

  func makeTLSHandler() throws -> NIOSSLClientHandler? {
    try self.tls.map { try NIOSSLClientHandler(context: $0, serverHostname: self.serverName) }
  }
}
