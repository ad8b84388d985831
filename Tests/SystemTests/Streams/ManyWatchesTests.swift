import Foundation
import SallyportPracticeCluster
import TestSupport
import Testing

extension SystemTests {
  @Suite(.serialized) struct ManyWatchesTests {
    private struct Report: Decodable {
      let saw: Int
      let events: Int
      let spread: Double
    }

    @Test func aThousandWatchesSeeOneChangeAndCostLittle() async throws {
      let count = 1000
      try await ServedGateway.with { served in
        _ = try await run("curl", served.throughGateway("/api/v1/namespaces/dev/pods"))
        let before = try served.facts()
        let clients = try RunningTool(
          Installation.python,
          [
            Installation.client("many_watches.py"), "\(served.port)", served.file("server-ca.pem"), served.file("eve.pem"),
            served.file("eve.key"), "\(count)", "/api/v1/namespaces/dev/configmaps?watch=1", "one-change",
          ])
        _ = try await clients.wait(seconds: 240) { $0.contains("watching \(count)\n") }
        #expect(served.cluster.openWatches == count)
        let during = try served.facts()
        let change = #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"one-change"}}"#
        let created = try await run(
          "curl",
          served.throughGateway("/api/v1/namespaces/dev/configmaps")
            + ["--header", "Content-Type: application/json", "--data", change, "--output", "/dev/null"])
        #expect(created.status == 0, "\(created.transcript)")
        let output = try await clients.wait(seconds: 120) { $0.contains("}\n") }
        let line = try #require(output.split(separator: "\n").last)
        let report = try JSONDecoder().decode(Report.self, from: Data(line.utf8))
        #expect(report.saw == count && report.events == count, "each watch sees the change, once: \(line)")

        let each = (during.resident - before.resident) / count
        print(
          "\(count) watches: gateway \(before.resident.mebibytes) before, \(during.resident.mebibytes) with them, \(each / 1024) KiB each;"
            + " first to last saw the event within \(Int(report.spread * 1000)) ms")
        #expect(each < 256 * 1024, "two TLS connections, one to the client and one to the upstream: \(each) bytes")

        // The client ends: so do its watches at the upstream, and the connections on both sides.
        clients.signal(SIGTERM)
        _ = try await clients.result()
        try await eventually("the end of all watches") { served.cluster.openWatches == 0 }
        try await eventually("the end of all connections") { try served.facts().descriptors < before.descriptors + 50 }
      }
    }
  }
}
