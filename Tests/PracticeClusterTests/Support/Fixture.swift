import Logging
import NIOCore
import NIOPosix
import NIOSSL
import SallyportPKI
import TestSupport

@testable import SallyportPracticeCluster

/// A practice cluster on loopback with the certificates to reach it.
struct Fixture: Sendable {
  let pki: TestPKI
  let cluster: PracticeCluster

  static func start(isSeeded: Bool = true) async throws -> Fixture {
    let pki = try TestPKI()
    let configuration = PracticeCluster.Configuration(
      serverCertificate: pki.server.chainPEM, serverKey: pki.server.privateKeyPEM,
      requestHeaderCA: pki.frontProxyAuthority.certificatePEM, clientCA: pki.clientAuthority.certificatePEM, isSeeded: isSeeded)
    let cluster = try await PracticeCluster.start(
      configuration, group: MultiThreadedEventLoopGroup.singleton, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    )
    return Fixture(pki: pki, cluster: cluster)
  }

  /// Runs a body against a cluster of its own and stops it afterwards.
  static func with<Result>(isSeeded: Bool = true, _ body: (Fixture) async throws -> Result) async throws -> Result {
    let fixture = try await Self.start(isSeeded: isSeeded)
    do {
      let result = try await body(fixture)
      await fixture.cluster.close()
      return result
    } catch {
      await fixture.cluster.close()
      throw error
    }
  }

  /// A connection with a certificate, or without one.
  func connect(as certificate: TestCertificate? = nil) async throws -> RawClient {
    try await RawClient.connect(port: self.cluster.port, context: try self.context(as: certificate))
  }

  func context(as certificate: TestCertificate?) throws -> NIOSSLContext {
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.trustRoots = try self.pki.serverAuthority.trustRoots()
    if let certificate {
      tls.certificateChain = try certificate.chain()
      tls.privateKey = try certificate.privateKey()
    }
    return try NIOSSLContext(configuration: tls)
  }

  /// One request over a connection of its own.
  ///
  /// - Parameters:
  ///   - groups: the groups of the user that the front proxy states; `system:masters` unless told otherwise
  ///   - fields: more header fields, written as they are
  func request(
    _ method: String, _ target: String, user: String = "admin", groups: [String] = ["system:masters"], fields: [String] = [],
    body: String = "", contentType: String = "application/json"
  ) async throws -> RawResponse {
    let identity = ["X-Remote-User: \(user)"] + groups.map { "X-Remote-Group: \($0)" }
    let framing = body.isEmpty ? [] : ["Content-Type: \(contentType)", "Content-Length: \(body.utf8.count)"]
    let lines = ["\(method) \(target) HTTP/1.1", "Host: practice", "Connection: close"] + identity + fields + framing
    return try await self.send(lines, body: body, as: self.pki.frontProxy)
  }

  /// Lines as they are, over a connection of its own.
  func send(_ lines: [String], body: String = "", as certificate: TestCertificate?) async throws -> RawResponse {
    let client = try await self.connect(as: certificate)
    try await client.send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
    return try await client.response()
  }
}
