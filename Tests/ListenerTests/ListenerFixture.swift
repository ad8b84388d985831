import Logging
import NIOCore
import NIOPosix
import NIOSSL
import SallyportCore
import SallyportListener
import SallyportPKI
import SallyportWire
import TestSupport

import struct Foundation.Date

/// A listener on loopback with certificates of its own.
struct ListenerFixture {
  let pki: TestPKI
  let directory: TemporaryDirectory
  let receiver: TestReceiver
  let listener: Listener

  var port: Int { self.listener.localAddress.port ?? 0 }

  /// - Parameters:
  ///   - clientCA: whether client certificates are asked for
  ///   - change: makes the configuration another
  static func start(
    tls: Bool = true, clientCA: Bool = true, now: @escaping @Sendable () -> Date = { Date() },
    change: (inout ListenerConfiguration) -> Void = { _ in }
  ) async throws -> ListenerFixture {
    let pki = try TestPKI()
    let directory = TemporaryDirectory()
    let receiver = TestReceiver()
    var configuration = ListenerConfiguration(
      name: "main", host: "127.0.0.1", port: 0,
      tls: tls ? try self.files(pki, in: directory, clientCA: clientCA ? pki.clientAuthority : nil) : nil)
    change(&configuration)
    let listener = try await Listener.start(
      configuration, receiver: receiver, group: MultiThreadedEventLoopGroup.singleton, logger: Logger(label: "test"), now: now)
    return ListenerFixture(pki: pki, directory: directory, receiver: receiver, listener: listener)
  }

  /// Writes the files of a TLS listener.
  static func files(
    _ pki: TestPKI, in directory: TemporaryDirectory, server: TestCertificate? = nil, clientCA: CertificateAuthority?
  ) throws -> ServerTLSConfiguration {
    let server = server ?? pki.server
    return ServerTLSConfiguration(
      certificateFile: try directory.write(server.chainPEM, to: "server.pem"),
      privateKeyFile: try directory.write(server.privateKeyPEM, to: "server.key"),
      clientCAFile: try clientCA.map { try directory.write($0.certificatePEM, to: "client-ca.pem") })
  }

  func connect(
    as certificate: TestCertificate? = nil, _ change: (inout RawTLSClient.TLS) -> Void = { _ in }
  ) async throws -> RawTLSClient {
    var tls = RawTLSClient.TLS(roots: try self.pki.serverAuthority.trustRoots(), certificate: certificate)
    change(&tls)
    return try await RawTLSClient.connect(port: self.port, tls: tls)
  }

  /// What the listener knows of a client: certificate, TLS version, server name.
  func facts(of client: RawTLSClient) async throws -> String {
    try await client.send("GET /facts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    return try await client.readToEnd().split(separator: "\r\n\r\n", maxSplits: 1).last.map(String.init) ?? ""
  }
}
