import Foundation
import TestSupport
import Testing

/// The ways in which kubectl opens a tunnel: the machine's own by WebSocket, which is its default, and by SPDY; and Debian's,
/// which knows nothing but SPDY.
enum StreamClient: String, CaseIterable, CustomTestStringConvertible {
  case webSocket
  case spdy
  case debian

  var testDescription: String { self.rawValue }
  private var kubectl: Kubectl { self == .debian ? .debian : .installed }
  /// As the audit record names it.
  var upgrade: String { self == .webSocket ? "websocket" : "SPDY/3.1" }
  var verb: String { self == .webSocket ? "get" : "create" }

  private var environment: [String: String] {
    let isOn = self == .webSocket ? "true" : "false"
    return ["KUBECTL_REMOTE_COMMAND_WEBSOCKETS": isOn, "KUBECTL_PORT_FORWARD_WEBSOCKETS": isOn]
  }

  func start(_ arguments: [String], kubeconfig: String, input: String? = nil) throws -> RunningTool {
    try self.kubectl.start(arguments, kubeconfig: kubeconfig, input: input, environment: self.environment)
  }

  func run(_ arguments: String..., kubeconfig: String, input: String? = nil) async throws -> ToolRun {
    try await self.result { try self.start(arguments, kubeconfig: kubeconfig, input: input) }
  }

  /// kubectl begins to read before it knows the streams, and throws away what comes in that moment ("Unknown stream id 1, discarding
  /// message", client-go's `tools/remotecommand/websocket.go`). Pods of the practice cluster are that quick; it is asked again then.
  private func result(of start: () throws -> RunningTool) async throws -> ToolRun {
    var run = try await start().result()
    for _ in 0..<3 where run.errors.contains("Unknown stream id") { run = try await start().result() }
    return run
  }

  /// Runs it as somebody of the demo.
  func run(as person: DemoProcess.Person, _ arguments: String..., input: String? = nil) async throws -> ToolRun {
    try await self.result { try self.start(as: person, arguments, input: input) }
  }

  func start(as person: DemoProcess.Person, _ arguments: [String], input: String? = nil) throws -> RunningTool {
    let demo = try #require(DemoProcess.current, "the suite has no demo")
    return try self.start(arguments, kubeconfig: demo.file("\(person).kubeconfig"), input: input)
  }

  /// A port-forward that listens.
  ///
  /// - Returns: kubectl, and its port on loopback
  func forward(_ port: Int, kubeconfig: String) async throws -> (RunningTool, Int) {
    let kubectl = try self.start(["port-forward", "pod/web-0", ":\(port)", "--address", "127.0.0.1"], kubeconfig: kubeconfig)
    let line = #/Forwarding from 127\.0\.0\.1:(\d+) ->/#
    let output = try await kubectl.wait { $0.contains(line) }
    let match = try #require(output.firstMatch(of: line))
    return (kubectl, try #require(Int(match.1)))
  }
}

extension ServedGateway {
  /// A kubeconfig for eve, whose group is `edit`.
  func kubeconfig() throws -> String {
    try self.directory.write(
      """
      apiVersion: v1
      kind: Config
      clusters: [{name: gateway, cluster: {server: "\(self.url)", certificate-authority: \(self.file("server-ca.pem"))}}]
      users: [{name: eve, user: {client-certificate: \(self.file("eve.pem")), client-key: \(self.file("eve.key"))}}]
      contexts: [{name: gateway, context: {cluster: gateway, user: eve, namespace: dev}}]
      current-context: gateway

      """, to: "eve.kubeconfig")
    return self.file("eve.kubeconfig")
  }

  func auditRecords(_ series: String = "requests") throws -> [AuditLine] { try AuditLine.read(self.file("audit/\(series).jsonl")) }

  /// Waits for the closing records of tunnels, and returns them.
  func endedTunnels(_ count: Int, seconds: Double = 30) async throws -> [AuditLine] {
    var ended: [AuditLine] = []
    try await eventually(seconds: seconds, "\(count) records of tunnels' ends") {
      ended = try self.auditRecords().filter { $0.stage == "ResponseComplete" && $0.annotations?["sallyport.dev/upgrade"] != nil }
      return ended.count >= count
    }
    return ended
  }
}
