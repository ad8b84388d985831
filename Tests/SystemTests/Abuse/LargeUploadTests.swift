import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// Uploads that are larger than what the gateway may hold in memory.
  @Suite(.serialized) struct LargeUploadTests {
    private static let bytes = 300_000_000
    /// What the gateway may grow by while it passes an upload on, in bytes.
    private static let allowedGrowth = 24 << 20

    private struct Seen: Decodable {
      let bytes: Int
      let sha256: String
    }

    /// Bytes that no loss, repetition or exchange of a part leaves as they are.
    private static func writePattern(to path: String) throws {
      #expect(FileManager.default.createFile(atPath: path, contents: nil))
      let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
      var value: UInt64 = 0x9E37_79B9_7F4A_7C15
      var left = Self.bytes
      while left > 0 {
        var words = [UInt64](repeating: 0, count: 128 * 1024)
        for index in words.indices {
          value = value &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
          words[index] = value
        }
        let part = words.withUnsafeBytes { Data($0.prefix(left)) }
        try file.write(contentsOf: part)
        left -= part.count
      }
      try file.close()
    }

    @Test func threeHundredMegabytesArriveUnchangedInConstantMemory() async throws {
      try await ServedGateway.withSink { served in
        let file = served.file("upload")
        try Self.writePattern(to: file)
        let hash = try FileHash.sha256(file)
        for version in ["--http1.1", "--http2"] {
          for framing in version == "--http1.1" ? [[], ["--header", "Transfer-Encoding: chunked"]] : [[]] {
            let upload = served.throughGateway("/sink/upload") + [version, "--header", "Expect:", "--upload-file", file] + framing
            _ = try await run("curl", served.throughGateway("/sink") + [version])
            let before = try served.facts().resident
            let began = ContinuousClock.now
            let most = try await served.peak {
              let curl = try await run("curl", upload, seconds: 600)
              #expect(curl.status == 0, "\(curl.transcript)")
              let seen = try JSONDecoder().decode(Seen.self, from: Data(curl.output.utf8))
              #expect(seen.bytes == Self.bytes)
              #expect(seen.sha256 == hash, "\(version) \(framing)")
            }
            print(
              "300 MB up, \(version) \(framing): \(ContinuousClock.now - began); gateway \(before.mebibytes) before, \(most.mebibytes) at most"
            )
            #expect(most - before < Self.allowedGrowth, "\(version) \(framing): grew by \((most - before).mebibytes)")
          }
        }
        let records = try AuditLine.read(served.file("audit/requests.jsonl")).filter { $0.requestURI == "/sink/upload" }
        let closing = records.filter { $0.stage == "ResponseComplete" }
        #expect(closing.map { $0.annotations?["sallyport.dev/bytes-in"] } == Array(repeating: "\(Self.bytes)", count: 3))
      }
    }
  }
}
