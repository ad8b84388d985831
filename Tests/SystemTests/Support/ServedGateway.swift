import Foundation
import Logging
import NIOCore
import NIOPosix
import SallyportPKI
import SallyportPracticeCluster
import TestSupport
import Testing

/// `sallyport serve` in a process of its own, before a practice cluster in the test's: the gateway can be measured and killed
/// alone.
final class ServedGateway {
  let directory = TemporaryDirectory()
  let cluster: PracticeCluster
  let pki: TestPKI
  private let group: MultiThreadedEventLoopGroup
  /// The process that serves.
  private(set) var process: RunningTool
  /// The gateway's port; the same after a restart.
  private(set) var port: Int

  private init(
    cluster: PracticeCluster, group: MultiThreadedEventLoopGroup, policies: [String], pki: TestPKI, changing: Change
  ) async throws {
    self.cluster = cluster
    self.group = group
    self.pki = pki
    try Self.write(pki, to: self.directory)
    var configuration = Self.configuration(clusterPort: cluster.port, policies: policies)
    try await changing(&configuration, self.directory)
    let file = try self.directory.write(configuration, to: "sallyport.yaml")
    self.process = try Self.serve(file)
    self.port = try await Self.port(of: self.process)
    try self.directory.write(
      configuration.replacing("address: 127.0.0.1:0", with: "address: 127.0.0.1:\(self.port)"), to: "sallyport.yaml")
  }

  /// Makes the configuration another, with files of its own where it needs them.
  typealias Change = (_ configuration: inout String, _ directory: TemporaryDirectory) async throws -> Void

  /// Runs a test with a gateway and a cluster, and ends both behind it.
  ///
  /// - Parameters:
  ///   - policies: paths of policy files
  ///   - refusing: protocols of exec and port-forward that the cluster does not speak
  ///   - changing: makes the configuration another before the gateway reads it
  static func with(
    policies: [String] = [], refusing: Set<String> = [], changing: Change = { _, _ in }, _ body: (ServedGateway) async throws -> Void
  ) async throws {
    // The cluster's side of many connections is in this process.
    var limit = rlimit()
    if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
      limit.rlim_cur = limit.rlim_max
      setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
    let pki = try TestPKI()
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    var logger = Logger(label: "cluster")
    logger.logLevel = .error
    var configuration = PracticeCluster.Configuration(
      serverCertificate: pki.server.chainPEM, serverKey: pki.server.privateKeyPEM,
      requestHeaderCA: pki.frontProxyAuthority.certificatePEM)
    configuration.refusedStreamProtocols = refusing
    let cluster = try await PracticeCluster.start(configuration, group: group, logger: logger)
    do {
      let served = try await ServedGateway(cluster: cluster, group: group, policies: policies, pki: pki, changing: changing)
      try await body(served)
      served.process.signal(SIGKILL)
    } catch {
      await cluster.close()
      try await group.shutdownGracefully()
      throw error
    }
    await cluster.close()
    try await group.shutdownGracefully()
  }

  private static func write(_ pki: TestPKI, to directory: TemporaryDirectory) throws {
    let editor = try pki.client("eve", groups: ["edit"])
    for (name, content) in [
      ("server-ca.pem", pki.serverAuthority.certificatePEM), ("client-ca.pem", pki.clientAuthority.certificatePEM),
      ("server.pem", pki.server.chainPEM), ("server.key", pki.server.privateKeyPEM), ("front-proxy.pem", pki.frontProxy.chainPEM),
      ("front-proxy.key", pki.frontProxy.privateKeyPEM), ("eve.pem", editor.chainPEM), ("eve.key", editor.privateKeyPEM),
    ] { try directory.write(content, to: name) }
  }

  private static func configuration(clusterPort: Int, policies: [String]) -> String {
    let policy = policies.isEmpty ? "" : "policy: {files: [\(policies.map { "\"\($0)\"" }.joined(separator: ", "))]}\n"
    return """
      apiVersion: sallyport.dev/v1alpha1
      kind: Gateway
      listeners:
      - name: main
        address: 127.0.0.1:0
        tls: {certificateFile: server.pem, privateKeyFile: server.key, clientCAFile: client-ca.pem}
      authentication: {clientCertificates: {}}
      credentials:
      - name: front-proxy
        requestHeaders: {certificateFile: front-proxy.pem, privateKeyFile: front-proxy.key}
      upstreams:
      - name: kubernetes
        kind: kubernetes
        servers: [https://127.0.0.1:\(clusterPort)]
        caFile: server-ca.pem
        serverName: localhost
        connectTimeout: 60s
      routes:
      - name: api
        upstream: kubernetes
        credential: front-proxy
        authenticate: [clientCertificate]
      audit: {directory: audit}
      \(policy)
      """
  }

  /// Starts `sallyport serve`, as a login shell does: with a soft limit of 1024 open files.
  static func serve(_ configuration: String) throws -> RunningTool {
    try RunningTool("bash", ["-c", #"ulimit -Sn 1024 && exec "$0" "$@""#, Installation.sallyport, "serve", "--config", configuration])
  }

  /// Waits until a gateway listens, and gives the port.
  static func port(of process: RunningTool) async throws -> Int {
    let line = #/address=127\.0\.0\.1:(\d+) listener=main/#
    let errors = try await process.waitForErrors { $0.contains(line) }
    let match = try #require(errors.firstMatch(of: line))
    return try #require(Int(match.1))
  }

  /// Starts the gateway again after it was killed, on the same port, with the same files.
  func restart() async throws {
    self.process = try Self.serve(self.file("sallyport.yaml"))
    _ = try await Self.port(of: self.process)
  }

  func file(_ name: String) -> String { self.directory.file(name) }
  var url: String { "https://127.0.0.1:\(self.port)" }
  func facts() throws -> ProcessFacts { try ProcessFacts(pid: self.process.pid) }

  private static let curlOptions = ["--silent", "--show-error", "--fail", "--max-time", "300"]

  /// curl's arguments for eve, whose group is `edit`, through the gateway.
  func throughGateway(_ path: String) -> [String] {
    Self.curlOptions + [
      "--cacert", self.file("server-ca.pem"), "--cert", self.file("eve.pem"), "--key", self.file("eve.key"), self.url + path,
    ]
  }

  /// curl's arguments for the same request past the gateway: with what the gateway would tell the cluster.
  func directly(_ path: String) -> [String] {
    Self.curlOptions + [
      "--cacert", self.file("server-ca.pem"), "--cert", self.file("front-proxy.pem"), "--key", self.file("front-proxy.key"),
      "--header", "X-Remote-User: eve", "--header", "X-Remote-Group: edit", self.cluster.url + path,
    ]
  }
}
