import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// Clients that cost more than they ask for, each by a flaw that other servers had.
  @Suite(.serialized) struct HTTP2FloodTests {
    struct Flood: Sendable, CustomTestStringConvertible {
      /// Its name in `h2_flood.py`.
      let kind: String
      /// What it is known as.
      let testDescription: String
      /// How many rounds, over as many connections as that takes.
      var rounds = 4000
      /// Whether each connection ends with an error, and does not only stop to take requests.
      var isAnError = true

      init(_ kind: String, _ name: String, rounds: Int = 4000, isAnError: Bool = true) {
        self.kind = kind
        self.testDescription = "\(kind): \(name)"
        self.rounds = Effort.isNightly ? rounds * 5 : rounds
        self.isAnError = isAnError
      }
    }

    private struct Report: Decodable {
      let sent: Int
      let connections: Int
      let goaways: [String: Int]
      let silent: Int
      /// Rounds on one connection.
      let most: Int
      let statuses: [String: Int]
      let seconds: Double
    }

    static let floods = [
      Flood("rapid-reset", "CVE-2023-44487, 100,000 streams in a night", rounds: 20_000),
      Flood("made-you-reset-window", "CVE-2025-8671, a window of nothing"),
      Flood("made-you-reset-overflow", "CVE-2025-8671, a window beyond counting"),
      Flood("made-you-reset-half-closed", "CVE-2025-8671, DATA behind the end"),
      Flood("made-you-reset-length", "CVE-2025-8671, a body longer than its length", isAnError: false),
      Flood("made-you-reset-priority", "CVE-2025-8671, a stream that depends on itself"),
      Flood("continuation-empty", "VU#421644, a field section without an end"),
      Flood("continuation-fields", "VU#421644, fields without an end"),
      Flood("ping", "CVE-2019-9512"), Flood("ping-ack", "acknowledgements of no PING"), Flood("settings", "CVE-2019-9515"),
      Flood("settings-table", "a header table that comes and goes"), Flood("settings-window", "windows that come and go"),
      Flood("window-update", "of the connection"), Flood("window-update-stream", "of a stream"),
      Flood("empty-data", "CVE-2019-9518"), Flood("padding", "nothing but padding"),
      Flood("empty-headers", "CVE-2019-9516", isAnError: false), Flood("nameless-fields", "CVE-2019-9516", isAnError: false),
      Flood("priority", "CVE-2019-9513"), Flood("unknown", "types that nobody knows"), Flood("goaway", "farewells"),
      Flood("cookies", "CVE-2026-47774, many small cookies", rounds: 400, isAnError: false),
      Flood("cookie-bomb", "one large cookie, referred to 8,000 times", rounds: 400),
      Flood("table-updates", "nothing but changes of the table's size", rounds: 400),
    ]

    /// What the gateway may grow by under any of them, in bytes.
    private static let allowedGrowth = 64 << 20

    /// One gateway for all of them: what one leaves behind would show in the next.
    @Test func eachFloodEndsItsConnectionsAndNothingElse() async throws {
      try await ServedGateway.with { served in
        _ = try await run("curl", served.throughGateway("/version"))
        let before = try served.facts()
        let neighbour = try await served.withNeighbour {
          for flood in Self.floods { try await self.endure(flood, served, before: before.resident) }
        }
        print("the neighbour waited \(neighbour.slowest) s at most, for one of \(neighbour.h1 + neighbour.h2) answers")
        try await eventually("the end of all connections") { try served.facts().descriptors < before.descriptors + 30 }
      }
    }

    private func endure(_ flood: Flood, _ served: ServedGateway, before: Int) async throws {
      var seen: Report?
      let most = try await served.peak {
        let client = try served.client("h2_flood.py", flood.kind, "\(flood.rounds)", "/api/v1/namespaces/dev/pods/web-0")
        seen = try ServedGateway.report(try await client.result(seconds: 900))
      }
      let report = try #require(seen)
      print(
        "\(flood.testDescription): \(report.sent) rounds on \(report.connections) connections in \(report.seconds) s, GOAWAY"
          + " \(report.goaways), silent \(report.silent), \(report.statuses); gateway \(most.mebibytes) at most")
      #expect(report.sent >= flood.rounds)
      // All but the last connection, for which nothing was left to send, were ended.
      #expect(report.goaways.values.reduce(report.silent, +) >= report.connections - 1)
      if flood.isAnError {
        #expect(report.most < 3000, "\(flood): a connection bore \(report.most) rounds")
        #expect(report.goaways["0"] == nil, "\(flood): \(report.goaways)")
      }
      // No connection was worth much to it: each ended after a bounded number of rounds that were served.
      #expect(report.statuses.values.reduce(0, +) <= report.connections * 300, "\(flood): \(report.statuses)")
      #expect(report.statuses.keys.allSatisfy { ["200", "400", "413", "431", "405", "415"].contains($0) }, "\(flood): \(report.statuses)")
      #expect(most - before < Self.allowedGrowth, "\(flood): grew by \((most - before).mebibytes)")
      #expect(served.process.isRunning, "\(served.process.errors)")
    }
  }
}
