import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// A steady load of everything that clients do: what the gateway holds does not grow with time.
  @Suite(.serialized) struct SoakTests {
    /// 20 seconds see that the load is right; a night has SALLYPORT_SOAK_SECONDS=600, in which a small leak shows.
    private static let seconds = ProcessInfo.processInfo.environment["SALLYPORT_SOAK_SECONDS"].flatMap { Int($0) } ?? 20
    /// By how much the median of the last third may lie above that of the second: of memory, 4 % and what an allocator keeps
    /// for itself; of descriptors, some connections more or fewer.
    private static let memoryMargin = (share: 0.04, bytes: 3 << 20)
    private static let descriptorMargin = 12

    private struct Report: Decodable {
      let done: [String: Int]
      let failures: [String]
      let failed: Int
    }

    @Test func memoryAndDescriptorsStayFlatUnderASteadyLoad() async throws {
      try await ServedGateway.withSink { served in
        let load = try served.client("soak_load.py", "\(Self.seconds)")
        _ = try await load.wait { $0.contains("loading\n") }
        var samples: [ProcessFacts] = []
        while load.isRunning {
          samples.append(try served.facts())
          try await Task.sleep(for: .milliseconds(500))
        }
        let report: Report = try ServedGateway.report(try await load.result(seconds: 120))
        #expect(report.failed == 0, "\(report.failures)")
        for kind in ["kept h1", "kept h2", "new", "writes", "watches", "downloads", "uploads", "tunnels", "broken"] {
          #expect((report.done[kind] ?? 0) > 0, "\(report.done)")
        }
        #expect(report.done["events of the watch that stays"] ?? 0 >= report.done["writes"] ?? 0, "\(report.done)")

        let third = samples.count / 3
        let (second, last) = (samples[third..<2 * third], samples[(2 * third)...])
        let memory = (Self.median(second.map(\.resident)), Self.median(last.map(\.resident)))
        let descriptors = (Self.median(second.map(\.descriptors)), Self.median(last.map(\.descriptors)))
        print(
          "\(Self.seconds) s of steady load, \(report.done): memory \(samples.first?.resident.mebibytes ?? "") at first,"
            + " \(memory.0.mebibytes) in the second third, \(memory.1.mebibytes) in the last; descriptors \(descriptors.0), \(descriptors.1)"
        )
        let allowed = Double(memory.0) * (1 + Self.memoryMargin.share) + Double(Self.memoryMargin.bytes)
        #expect(Double(memory.1) <= allowed, "memory grew from \(memory.0.mebibytes) to \(memory.1.mebibytes)")
        #expect(descriptors.1 <= descriptors.0 + Self.descriptorMargin, "\(descriptors)")
      }
    }

    private static func median(_ values: [Int]) -> Int { values.sorted()[values.count / 2] }
  }
}
