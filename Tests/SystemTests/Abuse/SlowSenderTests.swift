import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// Clients that take their time to send (slowloris and its kin): all are ended, and nobody else waits for them.
  @Suite(.serialized) struct SlowSenderTests {
    private struct Report: Decodable {
      let ended: Int
      let first: Double
      let last: Double
      let failures: [String]
    }

    /// Connections of each kind, all kinds at once.
    private static let count = Effort.isNightly ? 700 : 50
    private static let limits = "limits: {handshakeTimeout: 3s, headTimeout: 3s, bodyTimeout: 3s, idleTimeout: 5s}"
    /// Of memory for one such connection, in bytes.
    private static let allowedEach = 192 * 1024

    private static let kinds = [
      "no-handshake", "half-a-handshake", "handshake-in-drops", "no-request", "head-in-drops", "body-that-stops", "no-preface",
      "preface-in-drops", "no-stream", "pings-and-no-stream", "section-in-drops", "empty-continuations", "stream-that-stops",
    ]
    @Test func nobodyIsWaitedForLongerThanTheLimitsSay() async throws {
      try await ServedGateway.withSink(listener: Self.limits) { served in
        _ = try await run("curl", served.throughGateway("/sink"))
        let before = try served.facts()
        let most = try await served.peak {
          try await served.withNeighbour {
            let crowds = try Self.kinds.map { ($0, try served.client("slow_clients.py", $0, "\(Self.count)", "/sink/upload")) }
            for (kind, clients) in crowds {
              let seen: Report = try ServedGateway.report(try await clients.result(seconds: 300))
              #expect(seen.ended == Self.count && seen.failures.isEmpty, "\(kind): \(seen)")
              // Not before their time, and without a bound on how long a busy machine takes.
              #expect(seen.first > 2.9 && seen.last < 100, "\(kind): \(seen)")
              print("\(Self.count) \(kind): ended after \(seen.first) to \(seen.last) s")
            }
          }
        }
        let count = Self.kinds.count * Self.count
        print("\(count) slow senders: gateway \(before.resident.mebibytes) before, \(most.mebibytes) at most")
        #expect(most - before.resident < count * Self.allowedEach + (16 << 20), "\(most.mebibytes)")
        try await eventually("the end of all connections") { try served.facts().descriptors < before.descriptors + 30 }
        let failed = try AuditLine.read(served.file("audit/unauthenticated.jsonl"))
        #expect(failed.count <= count && failed.count >= 4 * Self.count, "\(failed.count): each leaves one record at most")
      }
    }
  }
}
