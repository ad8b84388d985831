import Foundation
import SallyportPracticeCluster
import TestSupport
import Testing

extension SystemTests {
  /// Tunnels by the hundred, their ends, and what is written of them.
  @Suite(.serialized) struct ManyTunnelsTests {
    private func tunnels(_ served: ServedGateway, _ mode: String, _ count: Int) throws -> RunningTool {
      try RunningTool(
        Installation.python,
        [
          Installation.client("raw_tunnels.py"), mode, "\(served.port)", served.file("server-ca.pem"), served.file("eve.pem"),
          served.file("eve.key"), "\(count)",
        ])
    }

    @Test func twoHundredAtOnceEndOneByOne() async throws {
      let count = 200
      try await ServedGateway.with { served in
        _ = try await run("curl", served.throughGateway("/api/v1/namespaces/dev/pods"))
        let before = try served.facts()
        let clients = try self.tunnels(served, "many", count)
        _ = try await clients.wait(seconds: 240) { $0.contains("open \(count)\n") }
        #expect(served.cluster.openTunnels == count)
        let during = try served.facts()
        print("\(count) tunnels: gateway \(before.resident.mebibytes) before, \(during.resident.mebibytes) with them")
        let end = try await clients.result(seconds: 240)
        #expect(end.status == 0 && end.output.contains("success \(count)\n"), "\(end.transcript)")
        let ended = try await served.endedTunnels(count)
        #expect(ended.count == count)
        #expect(ended.allSatisfy { $0.annotations?["sallyport.dev/ended"] == "complete" })
        #expect(ended.allSatisfy { $0.responseStatus?.code == 101 && $0.user?.username == "eve" })
        try await eventually("the end of all tunnels") { served.cluster.openTunnels == 0 }
        try await eventually("the end of all connections") { try served.facts().descriptors < before.descriptors + 20 }
      }
    }

    @Test func aClientThatVanishesTakesItsTunnelWithIt() async throws {
      try await ServedGateway.with { served in
        let clients = try self.tunnels(served, "hold", 20)
        _ = try await clients.wait { $0.contains("open 20\n") }
        #expect(served.cluster.openTunnels == 20)
        clients.signal(SIGKILL)
        _ = try await clients.result()
        try await eventually("the end of all tunnels") { served.cluster.openTunnels == 0 }
        let ended = try await served.endedTunnels(20)
        #expect(ended.allSatisfy { $0.annotations?["sallyport.dev/ended"] == "clientLost" }, "\(ended.map(\.annotations))")
      }
    }

    @Test func anUpstreamThatVanishesTakesItsTunnelsWithIt() async throws {
      try await ServedGateway.with { served in
        let clients = try self.tunnels(served, "hold", 5)
        _ = try await clients.wait { $0.contains("open 5\n") }
        await served.cluster.close()
        let end = try await clients.result(seconds: 30)
        #expect(end.output.contains("over 5\n"), "\(end.transcript)")
        let ended = try await served.endedTunnels(5)
        #expect(ended.allSatisfy { ["upstreamLost", "complete"].contains($0.annotations?["sallyport.dev/ended"] ?? "") })
      }
    }

    @Test func theRecordsSayWhatPassedAndHowItEnded() async throws {
      try await ServedGateway.with { served in
        let kubeconfig = try served.kubeconfig()
        for client in StreamClient.allCases {
          let run = try await client.run("exec", "-i", "web-0", "--", "cat", kubeconfig: kubeconfig, input: "12345")
          #expect(run.output == "12345", "\(run.transcript)")
        }
        let ended = try await served.endedTunnels(3)
        #expect(ended.map { $0.annotations?["sallyport.dev/upgrade"] } == StreamClient.allCases.map(\.upgrade))
        for record in ended {
          // kubectl is gone as soon as it has the exit status, now and then without TLS's closing word.
          #expect(["complete", "clientLost"].contains(record.annotations?["sallyport.dev/ended"]), "\(record.annotations ?? [:])")
          #expect(record.annotations?["sallyport.dev/duration"]?.wholeMatch(of: /\d+\.\d{3}/) != nil)
          let bytes = try ["bytes-in", "bytes-out"].map { try #require(Int(record.annotations?["sallyport.dev/\($0)"] ?? "")) }
          #expect(bytes.allSatisfy { $0 > 5 && $0 < 2000 })
        }
        // Each tunnel has a record before it is forwarded, one before its 101 leaves, and one at its end.
        let stages = try served.auditRecords().filter { $0.auditID == ended[0].auditID }.map(\.stage)
        #expect(stages == ["RequestReceived", "ResponseStarted", "ResponseComplete"])
      }
    }

    private struct Seen: Decodable {
      let output: String
      let errors: String
      let code: Int
      let echoed: String
      let forwarded: String
      let refused: Int
      let seconds: Double
    }

    @Test func pythonsClientOpensTunnelsToo() async throws {
      try await ServedGateway.with { served in
        let run = try await run(
          Installation.python, [Installation.client("kubernetes_stream.py"), try served.kubeconfig(), "dev", "web-0"])
        #expect(run.status == 0, "\(run.transcript)")
        let seen = try JSONDecoder().decode(Seen.self, from: Data(run.output.utf8))
        #expect(seen.output == "web-0\n" && seen.errors == "cat: /missing: No such file or directory\n" && seen.code == 1)
        #expect(seen.echoed == "hello\n" && seen.forwarded == "over a port" && seen.refused == 404)
        // It waits for the socket while its TLS library holds the last messages: the end behind them wakes it.
        #expect(seen.seconds < 8)
        let protocols = served.cluster.recordedRequests().flatMap { $0.values(of: "Sec-WebSocket-Protocol") }
        #expect(protocols.allSatisfy { $0.contains("v4.channel.k8s.io") } && !protocols.isEmpty)
      }
    }
  }
}
