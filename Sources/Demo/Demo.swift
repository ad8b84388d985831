import Foundation
public import Logging
public import NIOCore
import NIOPosix
import SallyportConfiguration
import SallyportPracticeCluster
import SallyportPracticeDashboard
import SallyportService

/// Everything in one process on loopback: certificates, a password file, the practice cluster, a practice dashboard, and a gateway
/// before both.
public final class Demo: Sendable {
  private let folder: DemoFolder
  private let cluster: PracticeCluster
  private let dashboard: PracticeDashboard
  private let gateway: Gateway

  /// The gateway's port on loopback.
  public let port: Int
  /// The practice cluster's port on loopback.
  public let clusterPort: Int
  /// Bob's password, made for this run.
  public var password: String { self.folder.password }

  private init(folder: DemoFolder, cluster: PracticeCluster, dashboard: PracticeDashboard, gateway: Gateway, port: Int) {
    self.folder = folder
    self.cluster = cluster
    self.dashboard = dashboard
    self.gateway = gateway
    self.port = port
    self.clusterPort = cluster.port
  }

  /// Makes the folder, starts the practice cluster, the dashboard and the gateway.
  ///
  /// - Parameters:
  ///   - directory: where the demo's files go; what an earlier demo left there is written anew
  ///   - port: the gateway's port; 0 takes a free one
  /// - Throws: what went wrong, in a sentence.
  public static func start(directory: String, port: Int, group: any EventLoopGroup, logger: Logger) async throws -> Demo {
    // The issuer's URL names the port, so that it must be known before the gateway is there.
    let port = try await port == 0 ? Self.freePort(group) : port
    let folder = try DemoFolder(path: directory, password: Self.randomPassword())
    let cluster = try await PracticeCluster.start(try self.clusterConfiguration(folder), group: group, logger: logger)
    do {
      let dashboard = try await PracticeDashboard.start(try self.dashboardConfiguration(folder), group: group, logger: logger)
      do {
        try folder.writeConfiguration(port: port, clusterPort: cluster.port, dashboardPort: dashboard.port)
        let configuration = try GatewayConfiguration.load(file: folder.file(DemoFolder.Name.configuration))
        try folder.writeKubeconfigs(port: port)
        try dashboard.ask(
          api: "https://127.0.0.1:\(port)", trusting: try String(contentsOfFile: folder.file(DemoFolder.Name.serverCA), encoding: .utf8))
        // Last: what is started behind it would leave it running where it fails.
        let gateway = try await Gateway.start(configuration, group: group, logger: logger)
        return Demo(folder: folder, cluster: cluster, dashboard: dashboard, gateway: gateway, port: port)
      } catch {
        await dashboard.close()
        throw error
      }
    } catch {
      await cluster.close()
      throw error
    }
  }

  public func stop() async {
    await self.gateway.shutDown(grace: .seconds(1))
    await self.dashboard.close()
    await self.cluster.close()
  }

  /// What to try, as commands that can be pasted.
  public func invitation() -> String {
    let folder = self.folder.path
    let dashboard = "https://127.0.0.1:\(self.port)\(DemoFolder.dashboardPath)"
    let program = CommandLine.arguments.first ?? "sallyport"
    let people = DemoPerson.all.map { person in
      let way = person.credential == .certificate ? "client certificate" : "password \(self.password)"
      return "  \(person.name): group \(person.groups.joined(separator: " and ")), \(way); \(person.may)"
    }
    return """

      Sallyport listens on https://127.0.0.1:\(self.port), before a practice API server on port \(self.clusterPort).
      The practice server is a stand-in: it keeps its objects in memory; its pods know
      a dozen commands and run nothing else.

      \(people.joined(separator: "\n"))

      A dashboard is at \(dashboard)/: sign in there with a browser, as bob. It asks
      the API through the gateway, as whoever looks at it.

      Try, in another terminal:

        kubectl --kubeconfig \(folder)/alice.kubeconfig get pods
        kubectl --kubeconfig \(folder)/alice.kubeconfig get secrets        # alice may not
        kubectl --kubeconfig \(folder)/bob.kubeconfig create configmap hello --from-literal=a=1
        kubectl --kubeconfig \(folder)/bob.kubeconfig logs -f web-0
        kubectl --kubeconfig \(folder)/bob.kubeconfig exec -it web-0 -- cat    # what you type comes back; Ctrl-D ends it
        kubectl --kubeconfig \(folder)/bob.kubeconfig cp README.md web-0:/tmp/README.md
        kubectl --kubeconfig \(folder)/bob.kubeconfig exec web-0 -- ls /tmp
        kubectl --kubeconfig \(folder)/alice.kubeconfig exec web-0 -- ls /tmp   # alice may not
        kubectl --kubeconfig \(folder)/bob.kubeconfig port-forward web-0 8080   # an echo: nc 127.0.0.1 8080
        kubectl --kubeconfig \(folder)/carol.kubeconfig get pods --as alice --as-group view
        curl --cacert \(folder)/server-ca.pem -u bob:\(self.password) https://127.0.0.1:\(self.port)/api/v1/namespaces/dev/pods
        curl --cacert \(folder)/server-ca.pem -u bob:\(self.password) \(dashboard)/namespaces/dev
        \(program) login --server https://127.0.0.1:\(self.port) --ca-file \(folder)/server-ca.pem --username bob   # for kubectl's plugin
        \(program) audit follow \(folder)/audit                             # what a reviewer sees, as it happens
        \(program) sessions list --config \(folder)/sallyport.yaml    # who is signed in with a browser
        \(program) check --config \(folder)/sallyport.yaml         # the configuration it runs on

      Ctrl-C ends it.

      """
  }

  private static func clusterConfiguration(_ folder: DemoFolder) throws -> PracticeCluster.Configuration {
    func text(_ name: String) throws -> String { try String(contentsOfFile: folder.file(name), encoding: .utf8) }
    return PracticeCluster.Configuration(
      serverCertificate: try text(DemoFolder.Name.clusterServer), serverKey: try text(DemoFolder.Name.clusterServerKey),
      requestHeaderCA: try text(DemoFolder.Name.frontProxyCA))
  }

  private static func dashboardConfiguration(_ folder: DemoFolder) throws -> PracticeDashboard.Configuration {
    func text(_ name: String) throws -> String { try String(contentsOfFile: folder.file(name), encoding: .utf8) }
    return PracticeDashboard.Configuration(
      serverCertificate: try text(DemoFolder.Name.dashboardServer), serverKey: try text(DemoFolder.Name.dashboardServerKey),
      basePath: DemoFolder.dashboardPath)
  }

  /// A port of loopback that nobody listens on at this moment.
  private static func freePort(_ group: any EventLoopGroup) async throws -> Int {
    let channel = try await ServerBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
    let port = channel.localAddress?.port
    try await channel.close().get()
    guard let port else { throw DemoFault("the system gives no free port; name one with --port") }
    return port
  }

  /// 20 letters and digits without those that are read for one another.
  private static func randomPassword() -> String {
    let letters = Array("abcdefghjkmnpqrstuvwxyz23456789")
    return String((0..<20).map { _ in letters[Int.random(in: 0..<letters.count)] })
  }
}
