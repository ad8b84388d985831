import Foundation
import SallyportPracticeCluster
import TestSupport
import Testing

extension SystemTests {
  /// `kubectl port-forward` through the gateway, in both protocols.
  @Suite(.serialized) struct PortForwardTests {
    private struct Report: Decodable {
      let sent: Int
      let received: Int
      let sentHash: String
      let receivedHash: String
      let text: String
      let seconds: Double
    }

    /// Runs `port_client.py`.
    private func client(_ mode: String, _ port: Int, _ number: Int = 0, seconds: Double = 60) async throws -> Report {
      let run = try await run(
        Installation.python, [Installation.client("port_client.py"), mode, "\(port)", "\(number)"], seconds: seconds)
      #expect(run.status == 0, "\(run.transcript)")
      return try JSONDecoder().decode(Report.self, from: Data(run.output.utf8))
    }

    @Test(arguments: StreamClient.allCases) func everyEndOfAConnectionIsSeen(_ client: StreamClient) async throws {
      try await ServedGateway.with { served in
        let kubeconfig = try served.kubeconfig()
        let (kubectl, port) = try await client.forward(8080, kubeconfig: kubeconfig)
        // The client is done first, and what it said still comes back.
        let echo = try await self.client("half-close", port, 100_000)
        #expect(echo.received == 100_000 && echo.sentHash == echo.receivedHash)
        // Several at once over the one tunnel.
        let many = try await self.client("many", port, 20)
        #expect(many.received == many.sent && many.sentHash == many.receivedHash)

        // The pod is done first.
        let (clock, clockPort) = try await client.forward(13, kubeconfig: kubeconfig)
        let time = try await self.client("read", clockPort)
        #expect(time.text.hasPrefix("20") && time.text.hasSuffix("Z\r\n"), "\(time.text)")

        // Nothing listens: kubectl says so.
        let (closed, closedPort) = try await client.forward(1, kubeconfig: kubeconfig)
        #expect(try await self.client("read", closedPort).received == 0)
        _ = try await closed.waitForErrors { $0.contains("connection refused") }

        for tool in [kubectl, clock, closed] { tool.signal(SIGINT) }
        for tool in [kubectl, clock, closed] { _ = try await tool.result() }
        let ended = try await served.endedTunnels(3)
        #expect(ended.allSatisfy { $0.annotations?["sallyport.dev/upgrade"] == client.upgrade && $0.verb == client.verb })
        // A kubectl that is interrupted does not always wait for the last words, and resets the connection then.
        let endings = ended.map { $0.annotations?["sallyport.dev/ended"] ?? "" }
        #expect(endings.allSatisfy { ["complete", "clientLost"].contains($0) }, "\(ended.map(\.annotations))")
        let bytes = ended.compactMap { Int($0.annotations?["sallyport.dev/bytes-in"] ?? "") }
        #expect(bytes.contains { $0 > 100_000 }, "\(bytes)")
        try await eventually("the end of the cluster's connections") { served.cluster.openTunnels == 0 }
      }
    }

    /// There and back: 1 GiB in kubectl's own way, 256 MiB by SPDY. SALLYPORT_TUNNEL_MEGABYTES says otherwise for both.
    @Test(arguments: [StreamClient.webSocket, .spdy]) func whatPassesIsUnchanged(_ client: StreamClient) async throws {
      let usual = client == .webSocket ? 1024 : 256
      let megabytes = ProcessInfo.processInfo.environment["SALLYPORT_TUNNEL_MEGABYTES"].flatMap { Int($0) } ?? usual
      try await ServedGateway.with { served in
        let (kubectl, port) = try await client.forward(8080, kubeconfig: try served.kubeconfig())
        let before = try served.facts()
        let report = try await self.client("half-close", port, megabytes * 1_048_576, seconds: 600)
        #expect(report.sent == megabytes * 1_048_576 && report.received == report.sent)
        #expect(report.sentHash == report.receivedHash)
        let after = try served.facts()
        print(
          "\(megabytes) MiB there and back over \(client): \(String(format: "%.1f", report.seconds)) s;"
            + " gateway \(before.resident.mebibytes) before, \(after.resident.mebibytes) after")
        #expect(after.resident - before.resident < 64 * 1_048_576, "nothing is held on the way")
        kubectl.signal(SIGINT)
        _ = try await kubectl.result()
        let record = try #require(try await served.endedTunnels(1).last)
        for name in ["bytes-in", "bytes-out"] {
          let bytes = try #require(Int(record.annotations?["sallyport.dev/\(name)"] ?? ""))
          #expect(bytes >= report.sent && bytes < report.sent + report.sent / 10)
        }
      }
    }
  }
}
