import Foundation
import SallyportPracticeCluster
import TestSupport
import Testing

extension SystemTests {
  /// Answers that are larger than what the gateway may hold in memory.
  @Suite(.serialized) struct LargeAnswerTests {
    private static let path = "/api/v1/namespaces/large/configmaps"
    private static let megabyte = 1024 * 1024
    /// What the gateway may grow by while it passes on an answer: some buffers, whatever the answer's length.
    private static let allowedGrowth = 24 * megabyte

    @Test func fiftyMegabytesPassUnchangedInConstantMemory() async throws {
      try await ServedGateway.with { served in
        try served.cluster.seedLargeList(bytes: 50 * Self.megabyte)
        let direct = served.file("direct")
        let through = served.file("through")
        let expected = try await run("curl", served.directly(Self.path) + ["--output", direct])
        #expect(expected.status == 0, "\(expected.transcript)")
        // One small request first: what is allocated once is not growth.
        _ = try await run("curl", served.throughGateway("/api/v1/namespaces/dev/pods"))
        let before = try served.facts().resident
        let started = ContinuousClock.now
        let most = try await served.peak {
          let got = try await run("curl", served.throughGateway(Self.path) + ["--output", through])
          #expect(got.status == 0, "\(got.transcript)")
        }
        let size = try #require(try FileManager.default.attributesOfItem(atPath: through)[.size] as? Int)
        print(
          "50 MB list: \(size) bytes in \(ContinuousClock.now - started); gateway \(before.mebibytes) before, \(most.mebibytes) at most")
        #expect(size >= 50 * Self.megabyte)
        #expect(try FileHash.sha256(through) == FileHash.sha256(direct))
        #expect(most - before < Self.allowedGrowth, "grew by \((most - before).mebibytes)")
      }
    }

    @Test func aSlowReaderHoldsTheUpstreamBackAndNotTheAnswer() async throws {
      try await ServedGateway.with { served in
        try served.cluster.seedLargeList(bytes: 50 * Self.megabyte)
        _ = try await run("curl", served.throughGateway("/api/v1/namespaces/dev/pods"))
        let before = try served.facts().resident
        let most = try await served.peak {
          // Four of them, so that what each holds shows. curl ends them: 28 is its code for the time being up.
          let slow = try (0..<4).map { _ in
            try RunningTool(
              "curl",
              served.throughGateway(Self.path) + ["--limit-rate", "1k", "--max-time", "4", "--output", "/dev/null"])
          }
          for reader in slow { #expect(try await reader.result().status == 28) }
        }
        print("4 readers of 1 KB/s: gateway \(before.mebibytes) before, \(most.mebibytes) at most")
        #expect(most - before < Self.allowedGrowth, "grew by \((most - before).mebibytes)")
        // Gone is gone: their upstream connections are closed, and others are served.
        let next = try await run("curl", served.throughGateway("/api/v1/namespaces/dev/pods/web-0"))
        #expect(next.status == 0, "\(next.transcript)")
        try await eventually { try served.facts().descriptors < 40 }
      }
    }
  }
}
