import Foundation
import SallyportPracticeCluster
import TestSupport
import Testing

extension SystemTests {
  /// Tunnels that do not come to be: who refuses them, what the client is told, and that nothing is left of them.
  @Suite(.serialized) struct RefusedTunnelTests {
    private static let exec = "/api/v1/namespaces/dev/pods/web-0/exec?command=cat&stdin=true&stdout=true"

    private static func upgrade(_ fields: String...) -> [String] {
      [
        "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      ] + fields
    }

    /// curl with header fields; what it prints is the answer with its head.
    private func curl(_ arguments: [String], _ fields: [String]) async throws -> String {
      let run = try await run(
        "curl", arguments.filter { $0 != "--fail" } + ["--http1.1", "--include"] + fields.flatMap { ["--header", $0] })
      #expect(run.status == 0, "\(run.transcript)")
      return run.output.replacing("\r\n", with: "\n")
    }

    // MARK: The policy

    @Test(arguments: StreamClient.allCases) func aRulesMessageIsPrinted(_ client: StreamClient) async throws {
      let policy = Installation.package.appending(path: "policies/no-exec.yaml").path
      try await ServedGateway.with(policies: [policy]) { served in
        let kubeconfig = try served.kubeconfig()
        for command in [["exec", "web-0", "--", "echo", "hello"], ["attach", "web-0"], ["port-forward", "web-0", ":80"]] {
          let run = try await client.start(command, kubeconfig: kubeconfig).result()
          #expect(run.status == 1, "\(run.transcript)")
          #expect(run.errors.contains("Only the group debuggers may enter running pods."), "\(command): \(run.transcript)")
        }
        let denied = try served.auditRecords().filter { $0.annotations?["sallyport.dev/decision"] == "deny" }
        #expect(denied.count >= 3)
        #expect(denied.allSatisfy { $0.user?.username == "eve" && $0.responseStatus?.code == 403 })
        #expect(denied.allSatisfy { $0.annotations?["sallyport.dev/rule"]?.contains("debuggers-only") == true })
        #expect(denied.contains { $0.annotations?["sallyport.dev/upgrade"] == client.upgrade })
        let ways = [/\/exec/, /\/attach/, /\/portforward/]
        let heard = served.cluster.recordedRequests().filter { request in ways.contains { request.requestURI.contains($0) } }
        #expect(heard.isEmpty && served.cluster.openTunnels == 0)
      }
    }

    // MARK: The upstream

    @Test func kubectlFallsBackToSPDYWhereWebSocketIsRefused() async throws {
      // What servers before 1.29 and 1.30 did not know yet.
      try await ServedGateway.with(refusing: ["v5.channel.k8s.io", "SPDY/3.1+portforward.k8s.io"]) { served in
        let kubeconfig = try served.kubeconfig()
        let exec = try await StreamClient.webSocket.run("exec", "-i", "web-0", "--", "cat", kubeconfig: kubeconfig, input: "hello")
        #expect(exec.status == 0 && exec.output == "hello", "\(exec.transcript)")
        let tried = served.cluster.recordedRequests().filter { $0.requestURI.contains("/exec") }
        #expect(tried.map(\.method) == ["GET", "POST"] && tried.first?.status == 403)
        let (kubectl, port) = try await StreamClient.webSocket.forward(8080, kubeconfig: kubeconfig)
        let run = try await run(
          Installation.python, [Installation.client("port_client.py"), "half-close", "\(port)", "1000"])
        #expect(run.status == 0 && run.output.contains(#""received": 1000"#), "\(run.transcript)")
        kubectl.signal(SIGINT)
        _ = try await kubectl.result()
        #expect(served.cluster.recordedRequests().filter { $0.requestURI.contains("/portforward") }.map(\.method) == ["GET", "POST"])
      }
    }

    @Test func aRefusalIsRelayedAsItIsAndNothingIsLeftOpen() async throws {
      try await ServedGateway.with(refusing: ["v5.channel.k8s.io"]) { served in
        let cases: [(target: String, fields: [String])] = [
          (Self.exec, Self.upgrade("Sec-WebSocket-Protocol: v5.channel.k8s.io")),
          (Self.exec + "&container=none", Self.upgrade("Sec-WebSocket-Protocol: v4.channel.k8s.io")),
          (Self.exec.replacing("web-0", with: "none"), Self.upgrade("Sec-WebSocket-Protocol: v4.channel.k8s.io")),
          (Self.exec, ["Connection: Upgrade", "Upgrade: websocket"]),
        ]
        func comparable(_ answer: String) -> [Substring] {
          // Each answer has an identifier and a date of its own, and its connection is its own business.
          answer.split(separator: "\n").filter { line in
            !["audit-id:", "date:", "connection:", "content-length:"].contains { line.lowercased().hasPrefix($0) }
          }.sorted()
        }
        for one in cases {
          let through = try await self.curl(served.throughGateway(one.target), one.fields)
          let directly = try await self.curl(served.directly(one.target), one.fields)
          #expect(comparable(through) == comparable(directly))
          #expect(["HTTP/1.1 403", "HTTP/1.1 400", "HTTP/1.1 404"].contains(String(through.prefix(12))), "\(through)")
        }
        #expect(served.cluster.openTunnels == 0)
        try await eventually("the end of the refused connections") { served.cluster.openConnections == 0 }
      }
    }

    /// CVE-2018-1002105: an upgrade that the upstream refuses must not leave a connection on which a client says what it likes.
    @Test func behindARefusalAClientSaysNothingAsTheGateway() async throws {
      try await ServedGateway.with { served in
        let run = try await run(
          Installation.python,
          [
            Installation.client("raw_tunnels.py"), "refused", "\(served.port)", served.file("server-ca.pem"), served.file("eve.pem"),
            served.file("eve.key"), "1",
          ])
        #expect(run.status == 0, "\(run.transcript)")
        // The smuggled request states another user. If it came through at all, then as eve's own, read by the gateway.
        let heard = served.cluster.recordedRequests()
        #expect(heard.first?.status == 400 && heard.first?.user == "eve")
        #expect(heard.allSatisfy { $0.user == "eve" && !$0.values(of: "X-Remote-User").contains("admin") })
        #expect(heard.allSatisfy { $0.values(of: "X-Remote-Group") == ["edit"] })
        #expect(served.cluster.openTunnels == 0)
      }
    }

    // MARK: The gateway

    @Test func aForeignPageAndAStrayTokenGetNowhere() async throws {
      try await ServedGateway.with { served in
        let foreign = try await self.curl(
          served.throughGateway(Self.exec), Self.upgrade("Sec-WebSocket-Protocol: v4.channel.k8s.io", "Origin: https://evil.example"))
        #expect(foreign.hasPrefix("HTTP/1.1 403 "), "\(foreign)")
        let own = try await self.curl(
          served.throughGateway(Self.exec + "&container=none"),
          Self.upgrade("Sec-WebSocket-Protocol: v4.channel.k8s.io", "Origin: \(served.url)"))
        #expect(own.contains("container none is not valid"), "one's own page is no foreign one: \(own)")

        // This route takes no tokens: one that is shown is refused, and neither sent on nor written down.
        let token = "c2VjcmV0LXRva2Vu"
        let shown = try await self.curl(
          served.throughGateway(Self.exec),
          Self.upgrade("Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.\(token), v4.channel.k8s.io"))
        #expect(shown.hasPrefix("HTTP/1.1 401 "), "\(shown)")
        let heard = served.cluster.recordedRequests()
        #expect(heard.count == 1)
        for folder in try FileManager.default.contentsOfDirectory(atPath: served.file("audit")) {
          let text = try served.directory.read("audit/\(folder)")
          #expect(!text.contains(token) && !text.contains("secret-token"))
        }
        #expect(!served.process.errors.contains(token))
      }
    }
  }
}
