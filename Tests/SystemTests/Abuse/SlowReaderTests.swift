import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// Clients that take next to nothing of what they asked for.
  @Suite(.serialized) struct SlowReaderTests {
    private struct Report: Decodable {
      let answers: Int
      let bytes: Int
    }

    struct Crowd: Sendable, CustomTestStringConvertible {
      let testDescription: String
      let kind: String
      let connections: Int
      /// Of each connection.
      let streams: Int
      /// How many bytes of the answers its clients can have taken.
      let taken: ClosedRange<Int>
      /// What one answer that waits may cost, in bytes: its part in our buffers and the libraries', and an upstream connection
      /// with TLS. A connection of HTTP/1.1 has read buffers of its own, which streams share.
      let allowed: Int
    }

    @Test(arguments: [
      Crowd(
        testDescription: "windows of HTTP/2 that never open", kind: "h2-shut", connections: 4, streams: 25, taken: 0...0, allowed: 512 << 10
      ),
      Crowd(
        testDescription: "windows of HTTP/2 that open by a kilobyte now and then", kind: "h2-drip", connections: 4, streams: 25,
        taken: 65_535...(4 * 25 * 65_535 + 2_000_000), allowed: 512 << 10),
      Crowd(
        testDescription: "sockets that are read in drops", kind: "h1", connections: 40, streams: 1, taken: 200...20_000_000,
        allowed: 2 << 20),
    ])
    func theyHoldTheirUpstreamsBackAndNotTheAnswers(_ crowd: Crowd) async throws {
      try await ServedGateway.withSink { served in
        _ = try await run("curl", served.throughGateway("/sink"))
        let before = try served.facts()
        let count = crowd.connections * crowd.streams
        var during = before
        let most = try await served.peak {
          // Each answer is 100 MB: held back at the gateway, they would be 4 GB and more.
          let clients = try served.client(
            "slow_readers.py", crowd.kind, "\(crowd.connections)", "\(crowd.streams)", "/sink/bytes/100000000")
          _ = try await clients.wait(seconds: 120) { $0.contains("waiting\n") }
          try await served.withNeighbour {
            try await Task.sleep(for: .seconds(4))
            during = try served.facts()
          }
          let report: Report = try await ServedGateway.end(clients)
          #expect(report.answers == count)
          #expect(crowd.taken.contains(report.bytes), "\(report.bytes)")
        }
        let each = (most - before.resident) / count
        print(
          "\(count) answers, \(crowd.kind): gateway \(before.resident.mebibytes) before, \(most.mebibytes) at most, \(each / 1024) KiB each"
        )
        #expect(each < crowd.allowed, "\(each) bytes")
        #expect(during.descriptors >= before.descriptors + crowd.connections + count, "each answer has its upstream connection")
        // Gone is gone.
        try await eventually("the end of all connections") { try served.facts().descriptors < before.descriptors + 30 }
      }
    }
  }
}
