import Dispatch
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import SallyportConfiguration
import SallyportCore
import SallyportPKI
import SallyportPracticeCluster
import TestSupport
import Testing

@testable import SallyportAudit
@testable import SallyportService

/// A whole gateway on loopback, configured by a file as in real life, before the practice cluster or a scripted server.
///
/// Behind every test the house itself is looked over: each request has exactly one closing record, and no password is
/// found in the audit log, in the program's log or in what clients were answered.
final class House: Sendable {
  /// Who answers behind the gateway.
  enum Behind: Sendable {
    case practiceCluster
    case script(ScriptedUpstream.Script)
    /// Nobody listens on the upstream's port.
    case nobody
  }

  /// What is not as usual.
  struct Plan: Sendable {
    var behind = Behind.practiceCluster
    /// `kubernetes` or `generic`.
    var kind = "kubernetes"
    /// Keys of the listener, one line each: `limits: {headBytes: 4KiB}`.
    var listener: [String] = []
    /// Keys of `authentication` beside the certificates and the password file.
    var authentication: [String] = []
    /// How certificates are read, and what they are judged by.
    var clientCertificates = "username: subject.commonName, groups: subject.organization"
    /// Writes more of what the configuration names.
    var prepare: @Sendable (TestPKI, TemporaryDirectory) async throws -> Void = { _, _ in }
    /// Keys of the upstream.
    var upstream: [String] = []
    /// Whole upstreams beside it, in flow style; each must be some route's.
    var upstreams: [String] = []
    /// Keys of the one route, `api`.
    var route: [String] = ["match: {path: /}", "authenticate: [clientCertificate, password]", "anonymous: [/livez, /readyz]"]
    /// The credential of that route.
    var credential = "front-proxy"
    /// Credentials beside the front proxy's, in flow style; each must be some route's.
    var credentials: [String] = []
    /// How the practice cluster is set up beyond the usual.
    var practice: @Sendable (inout PracticeCluster.Configuration) -> Void = { _ in }
    /// Whole routes that stand before it, in flow style; they may name the upstream `kubernetes` and the credential
    /// `front-proxy`.
    var routesBefore: [String] = []
    var durability = "written"
    /// Keys of `audit`, in flow style.
    var audit: [String] = []
    /// Whole sections of the file, in flow style.
    var sections: [String] = []
    /// Files beside the configuration, by their names.
    var files: [String: String] = [:]
    /// How often and how long an upstream is asked for its API description.
    var catalogues = CatalogueSource.Limits()
    /// Whether the test is about records that could not be written.
    var losesRecords = false
  }

  let pki: TestPKI
  let directory: TemporaryDirectory
  let cluster: PracticeCluster?
  let upstream: ScriptedUpstream?
  let gateway: Gateway
  /// The disk under the audit log.
  let disk: TestDisk
  /// What the program logged, at every level.
  let log: LogCollector
  let answers = Observed<[Answer]>([])

  private init(
    pki: TestPKI, directory: TemporaryDirectory, cluster: PracticeCluster?, upstream: ScriptedUpstream?, gateway: Gateway, disk: TestDisk,
    log: LogCollector
  ) {
    self.pki = pki
    self.directory = directory
    self.cluster = cluster
    self.upstream = upstream
    self.gateway = gateway
    self.disk = disk
    self.log = log
  }

  var port: Int { self.gateway.addresses.first?.port ?? 0 }

  // MARK: Life

  /// Runs a body in a house of its own, closes it and looks it over.
  static func with<Result>(_ plan: Plan = Plan(), _ body: (House) async throws -> Result) async throws -> Result {
    let house = try await Self.open(plan)
    do {
      let result = try await body(house)
      await house.close()
      if !plan.losesRecords { try house.lookOver() }
      return result
    } catch {
      await house.close()
      throw error
    }
  }

  /// The same with a scripted server behind the gateway.
  static func with<Result>(
    script: @escaping ScriptedUpstream.Script, _ body: (House, ScriptedUpstream) async throws -> Result
  ) async throws -> Result {
    try await self.with(script: script, change: { _ in }, body)
  }

  /// The same with something that is not as usual.
  static func with<Result>(
    script: @escaping ScriptedUpstream.Script, change: (inout Plan) -> Void, _ body: (House, ScriptedUpstream) async throws -> Result
  ) async throws -> Result {
    var plan = Plan(behind: .script(script))
    change(&plan)
    return try await self.with(plan) { house in try await body(house, try #require(house.upstream)) }
  }

  private static func open(_ plan: Plan) async throws -> House {
    let pki = try TestPKI()
    let directory = TemporaryDirectory()
    let log = LogCollector()
    let logger = log.logger
    let group = MultiThreadedEventLoopGroup.singleton
    var cluster: PracticeCluster?
    var upstream: ScriptedUpstream?
    let upstreamPort: Int
    switch plan.behind {
    case .practiceCluster:
      var practice = PracticeCluster.Configuration(
        serverCertificate: pki.server.chainPEM, serverKey: pki.server.privateKeyPEM,
        requestHeaderCA: pki.frontProxyAuthority.certificatePEM, clientCA: pki.clientAuthority.certificatePEM)
      plan.practice(&practice)
      let started = try await PracticeCluster.start(practice, group: group, logger: logger)
      cluster = started
      upstreamPort = started.port
    case .script(let script):
      let started = try await ScriptedUpstream(certificate: pki.server, script: script)
      upstream = started
      upstreamPort = started.port
    case .nobody:
      let started = try await ScriptedUpstream(certificate: pki.server) { _, _ in }
      upstreamPort = started.port
      await started.close()
    }
    try await plan.prepare(pki, directory)
    let configuration = try GatewayConfiguration.load(file: try self.write(plan, pki, to: directory, upstreamPort: upstreamPort))
    let disk = TestDisk()
    let gateway = try await Gateway.start(configuration, group: group, logger: logger, catalogues: plan.catalogues) {
      files throws(Problem) in
      try AuditLog(files, files: { disk.over($0) }, clock: WallTime.now, retryDelay: .milliseconds(100))
    }
    return House(pki: pki, directory: directory, cluster: cluster, upstream: upstream, gateway: gateway, disk: disk, log: log)
  }

  private func close() async {
    await self.gateway.shutDown(grace: .zero)
    await self.cluster?.close()
    await self.upstream?.close()
  }

  /// Writes everything that the gateway reads; returns the configuration file's path.
  private static func write(_ plan: Plan, _ pki: TestPKI, to directory: TemporaryDirectory, upstreamPort: Int) throws -> String {
    try directory.write(pki.server.chainPEM, to: "server.pem")
    try directory.write(pki.server.privateKeyPEM, to: "server.key")
    try directory.write(pki.serverAuthority.certificatePEM, to: "server-ca.pem")
    try directory.write(pki.clientAuthority.certificatePEM, to: "client-ca.pem")
    try directory.write(pki.frontProxy.chainPEM, to: "front-proxy.pem")
    try directory.write(pki.frontProxy.privateKeyPEM, to: "front-proxy.key")
    try directory.write(Person.usersFile, to: "users.yaml")
    for (name, content) in plan.files { try directory.write(content, to: name) }
    func keys(_ lines: [String], _ indent: String) -> String { lines.map { "\(indent)\($0)\n" }.joined() }
    return try directory.write(
      """
      apiVersion: sallyport.dev/v1alpha1
      kind: Gateway
      listeners:
      - name: main
        address: 127.0.0.1:0
        tls: {certificateFile: server.pem, privateKeyFile: server.key, clientCAFile: client-ca.pem}
      \(keys(plan.listener, "  "))authentication:
        clientCertificates: {\(plan.clientCertificates)}
        passwords: [{passwordFile: {file: users.yaml}}]
      \(keys(plan.authentication, "  "))credentials:
      - name: front-proxy
        requestHeaders: {certificateFile: front-proxy.pem, privateKeyFile: front-proxy.key}
      \(keys(plan.credentials.map { "- \($0)" }, ""))upstreams:
      - name: kubernetes
        kind: \(plan.kind)
        servers: ["https://127.0.0.1:\(upstreamPort)"]
        caFile: server-ca.pem
        serverName: localhost
      \(keys(plan.upstream, "  "))\(keys(plan.upstreams.map { "- \($0)" }, ""))routes:
      \(keys(plan.routesBefore.map { "- \($0)" }, ""))- name: api
        upstream: kubernetes
        credential: \(plan.credential)
      \(keys(plan.route, "  "))audit: {directory: audit, durability: \(plan.durability)\(plan.audit.map { ", \($0)" }.joined())}
      \(keys(plan.sections, ""))
      """, to: "sallyport.yaml")
  }

  // MARK: Clients

  /// A connection to the gateway.
  func connect(
    as certificate: TestCertificate? = nil, preface: ByteBuffer? = nil, receiveBuffer: Int? = nil,
    _ change: (inout RawTLSClient.TLS) -> Void = { _ in }
  ) async throws -> RawTLSClient {
    var tls = RawTLSClient.TLS(roots: try self.pki.serverAuthority.trustRoots(), certificate: certificate)
    change(&tls)
    return try await RawTLSClient.connect(port: self.port, tls: tls, preface: preface, receiveBuffer: receiveBuffer)
  }

  /// Sends bytes over a connection of their own and gives the first final answer.
  func ask(
    _ bytes: String, as certificate: TestCertificate? = nil, _ change: (inout RawTLSClient.TLS) -> Void = { _ in }
  ) async throws -> Answer {
    let client = try await self.connect(as: certificate, change)
    try await client.send(bytes)
    let answer = try await self.answer(from: client, toHead: bytes.hasPrefix("HEAD "))
    await client.close()
    return answer
  }

  /// A GET over a connection of its own.
  func get(_ target: String, as certificate: TestCertificate? = nil, _ fields: String...) async throws -> Answer {
    try await self.ask("GET \(target) HTTP/1.1\r\nHost: localhost\r\n\(fields.map { $0 + "\r\n" }.joined())\r\n", as: certificate)
  }

  /// Sends bytes over a connection of their own and gives everything that came until the gateway closed it.
  func askToEnd(_ bytes: ByteBuffer, as certificate: TestCertificate? = nil) async throws -> String {
    let client = try await self.connect(as: certificate)
    // Who refuses early closes while the rest is still being written.
    try? await client.send(bytes)
    return try await client.readToEnd()
  }

  func askToEnd(_ bytes: String, as certificate: TestCertificate? = nil) async throws -> String {
    try await self.askToEnd(ByteBuffer(string: bytes), as: certificate)
  }

  /// Reads the next final answer of a connection; informational ones before it are kept in it.
  func answer(from client: RawTLSClient, toHead: Bool = false, timeout: TimeAmount = .minutes(1)) async throws -> Answer {
    let answer = try await client.answer(toHead: toHead, timeout: timeout)
    self.answers.update { $0.append(answer) }
    return answer
  }

  /// A user's certificate.
  func certificate(_ name: String, _ groups: String...) throws -> TestCertificate { try self.pki.client(name, groups: groups) }

  /// The only recorded request of the scripted server, or the practice cluster's; there must be one.
  func theRequestUpstream() throws -> ScriptedUpstream.Request {
    let requests = try #require(self.upstream).requests
    try #require(requests.count == 1, "\(requests.count) requests reached the upstream")
    return requests[0]
  }
}
