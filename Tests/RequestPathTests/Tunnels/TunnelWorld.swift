import Foundation
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import SallyportConfiguration
import SallyportPKI
import SallyportService
import TestSupport

/// A gateway before a server that a test speaks for.
struct TunnelWorld {
  let pki: TestPKI
  let directory: TemporaryDirectory
  let upstream: RawUpstream
  let gateway: Gateway
  let port: Int

  /// - Parameter limits: more lines of the listener's limits, `streamGrace: 1s`
  static func start(limits: String = "", kind: String = "kubernetes") async throws -> TunnelWorld {
    let pki = try TestPKI()
    let directory = TemporaryDirectory()
    let upstream = try await RawUpstream(pki)
    try directory.write(pki.server.chainPEM, to: "server.pem")
    try directory.write(pki.server.privateKeyPEM, to: "server.key")
    try directory.write(pki.clientAuthority.certificatePEM, to: "client-ca.pem")
    try directory.write(pki.serverAuthority.certificatePEM, to: "server-ca.pem")
    try directory.write(pki.frontProxy.chainPEM, to: "front-proxy.pem")
    try directory.write(pki.frontProxy.privateKeyPEM, to: "front-proxy.key")
    let file = try directory.write(
      """
      apiVersion: sallyport.dev/v1alpha1
      kind: Gateway
      listeners:
      - name: main
        address: 127.0.0.1:0
        tls: {certificateFile: server.pem, privateKeyFile: server.key, clientCAFile: client-ca.pem}
        limits: {\(limits)}
      authentication:
        clientCertificates: {}
      credentials:
      - name: front-proxy
        requestHeaders: {certificateFile: front-proxy.pem, privateKeyFile: front-proxy.key}
      upstreams:
      - name: kubernetes
        kind: \(kind)
        servers: ["https://127.0.0.1:\(upstream.port)"]
        caFile: server-ca.pem
      routes:
      - name: api
        match: {path: /}
        upstream: kubernetes
        credential: front-proxy
        authenticate: [clientCertificate]
      audit: {directory: audit}

      """, to: "sallyport.yaml")
    let configuration = try GatewayConfiguration.load(file: file)
    let gateway = try await Gateway.start(
      configuration, group: MultiThreadedEventLoopGroup.singleton, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    return TunnelWorld(
      pki: pki, directory: directory, upstream: upstream, gateway: gateway, port: gateway.addresses.first?.port ?? 0)
  }

  func stop(grace: TimeAmount = .seconds(1)) async {
    await self.gateway.shutDown(grace: grace)
    await self.upstream.close()
  }

  func context(as certificate: TestCertificate) throws -> NIOSSLContext {
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.trustRoots = try self.pki.serverAuthority.trustRoots()
    tls.certificateChain = try certificate.chain()
    tls.privateKey = try certificate.privateKey()
    return try NIOSSLContext(configuration: tls)
  }

  /// A connection with alice's certificate, or with another.
  func connect(as certificate: TestCertificate? = nil) async throws -> RawPeer {
    try await RawPeer.connect(
      port: self.port, tls: try self.context(as: try certificate ?? self.pki.client("alice", groups: ["dev"])))
  }

  static let exec = "/api/v1/namespaces/dev/pods/web-0/exec?command=cat&stdin=true&stdout=true"

  static func webSocketRequest(_ target: String = exec, fields: String = "") -> String {
    "GET \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
      + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\(fields)\r\n"
  }

  static func spdyRequest(_ target: String = exec, fields: String = "Content-Length: 0\r\n") -> String {
    "POST \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
      + "X-Stream-Protocol-Version: v4.channel.k8s.io\r\n\(fields)\r\n"
  }

  static let webSocketAnswer =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n"

  /// A tunnel, with both its ends.
  func tunnel(as certificate: TestCertificate? = nil) async throws -> (client: RawPeer, server: RawPeer) {
    let client = try await self.connect(as: certificate)
    try await client.send(Self.webSocketRequest())
    let server = try await self.upstream.accept()
    _ = try await server.readHead()
    try await server.send(Self.webSocketAnswer)
    _ = try await client.readHead()
    return (client, server)
  }

  /// The records of requests so far, as JSON objects; not the log's own events.
  func records(_ file: String = "requests.jsonl") throws -> [[String: any Sendable]] {
    try self.directory.read("audit/\(file)").split(separator: "\n").filter { !$0.contains("\"sallyport.dev/event\"") }.map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
      guard let object = object as? [String: any Sendable] else { throw RawPeer.Failure(description: "no object: \(line)") }
      return object
    }
  }

  /// The last record of a stage, once it is there.
  func record(stage: String, file: String = "requests.jsonl", count: Int = 1) async throws -> TunnelRecord {
    let end = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < end {
      let found = ((try? self.records(file)) ?? []).filter { $0["stage"] as? String == stage }
      if found.count >= count, let last = found.last { return TunnelRecord(fields: last) }
      try await Task.sleep(for: .milliseconds(20))
    }
    throw RawPeer.Failure(description: "no \(stage) record: \(try self.directory.read("audit/\(file)"))")
  }
}

/// A record of the audit log.
struct TunnelRecord: Sendable {
  let fields: [String: any Sendable]

  var verb: String? { self.fields["verb"] as? String }
  var code: Int? { (self.fields["responseStatus"] as? [String: any Sendable])?["code"] as? Int }
  func annotation(_ name: String) -> String? {
    (self.fields["annotations"] as? [String: any Sendable])?["sallyport.dev/\(name)"] as? String
  }
}
