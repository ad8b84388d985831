import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// Frames that are nearly right, from a fuzzer that shares no code with the gateway, against the real program.
  @Suite(.serialized) struct HTTP2FuzzerTests {
    private static let connections = Effort.isNightly ? 100_000 : 3000
    /// Every run of `make test` plays the same seeds; a night plays others than the night before.
    private static let firstSeed = Effort.isNightly ? Int(Date().timeIntervalSince1970) : 1

    private struct Report: Decodable {
      let connections: Int
      let goaways: [String: Int]
      let statuses: [String: Int]
      let failed: [Int]
      let seconds: Double
    }

    @Test func nothingThatAClientSendsStopsTheGateway() async throws {
      try await ServedGateway.with { served in
        _ = try await run("curl", served.throughGateway("/version"))
        let before = try served.facts()
        let pod = "/api/v1/namespaces/dev/pods/web-0"
        let fuzzer = try served.client("h2_fuzz.py", "\(Self.firstSeed)", "\(Self.connections)", pod)
        let run = try await fuzzer.result(seconds: Effort.isNightly ? 7200 : 900)
        // What it printed names the seeds, and how to play one again stands at the top of the program.
        #expect(run.status == 0, "h2_fuzz.py PORT CA CERTIFICATE KEY SEED 1 \(pod): \(run.transcript)")
        let report: Report = try ServedGateway.report(run)
        #expect(report.failed.isEmpty && report.connections == Self.connections)
        #expect(served.process.isRunning, "\(served.process.errors)")
        // The fuzzer gets somewhere: into answers of the upstream's, refusals, and the ends of connections.
        for status in ["200", "400", "401"] { #expect((report.statuses[status] ?? 0) > Self.connections / 100, "\(report.statuses)") }
        #expect((report.goaways["1"] ?? 0) > Self.connections / 20, "\(report.goaways)")
        #expect(report.statuses["500"] == nil, "\(report.statuses)")
        print("fuzzed: \(run.output.split(separator: "\n").last ?? "")")

        try await eventually("the end of all connections") { try served.facts().descriptors < before.descriptors + 30 }
        let growth = try served.facts().resident - before.resident
        #expect(growth < 96 << 20, "grew by \(growth.mebibytes)")
        // Nobody became anybody else by it.
        let records = try AuditLine.read(served.file("audit/requests.jsonl"))
        #expect(records.allSatisfy { $0.user?.username == "eve" })
      }
    }
  }
}
