import NIOCore
import TestSupport
import Testing

@testable import SallyportPracticeCluster

/// Replays what was recorded of a real server 1.36 against the practice cluster: each request must get the same status and
/// show the secret exactly where the real one did.
@Suite struct RecordedRequestsTests {
  @Test func theRecordedRequestsAreAnsweredAsByARealServer() async throws {
    guard let cases = try RecordedCase.load() else {
      print("no folder ../shared/kubernetes: the recorded requests are not replayed")
      return
    }
    try await Fixture.with { fixture in
      var compared = 0
      var outOfScope: [String: Int] = [:]
      for recorded in cases {
        if let reason = recorded.reasonOutOfScope {
          outOfScope[reason, default: 0] += 1
          continue
        }
        compared += 1
        for object in RecordedCase.objects { try fixture.cluster.seed(object) }
        let answer = try await self.replay(recorded, on: fixture)
        // What NIOHTTP1 refuses by itself is always 400, whatever a real server says to refuse it.
        let isSame = answer.isFromCodec ? recorded.status >= 400 : answer.status == recorded.status
        #expect(isSame, "\(recorded): \(answer.status), was \(recorded.status)")
        #expect(answer.showsSecret == recorded.leaksSecret, "\(recorded): shows the secret: \(answer.showsSecret)")
      }
      for (reason, count) in outOfScope.sorted(by: { $0.key < $1.key }) { print("not replayed: \(count), \(reason)") }
      print("replayed: \(compared) of \(cases.count)")
      #expect(compared >= 330)
      #expect(compared + outOfScope.values.reduce(0, +) == cases.count)
    }
  }

  private struct Answer {
    let status: Int
    let isFromCodec: Bool
    let showsSecret: Bool
  }

  private func replay(_ recorded: RecordedCase, on fixture: Fixture) async throws -> Answer {
    let client = try await fixture.connect(as: fixture.pki.frontProxy)
    try await client.send(recorded.message(adding: ["X-Remote-User: admin", "X-Remote-Group: system:masters"]))
    let bytes: [UInt8]
    if recorded.staysOpen {
      // A watch never ends: wait for what must come, or a moment longer than the head for what must not.
      let expectsSecret = recorded.leaksSecret
      _ = try await client.bytes { expectsSecret ? Self.showsSecret($0) : $0.firstRange(of: Array("\r\n\r\n".utf8)) != nil }
      bytes = try await client.bytes(within: .milliseconds(300)) { _ in expectsSecret }
    } else {
      let isUpgrade = recorded.category == "upgrade"
      // Who says by itself what becomes of the connection may leave it open.
      let mayStayOpen = recorded.fields.contains { $0.name == "Connection" }
      bytes = try await client.bytes(within: mayStayOpen ? .seconds(5) : .minutes(1)) { isUpgrade && Self.showsSecret($0) }
    }
    await client.close()
    let response = RawResponse(bytes)
    return Answer(
      status: response.status, isFromCodec: response.status == 400 && response.header("server") == nil, showsSecret: Self.showsSecret(bytes)
    )
  }

  private static func showsSecret(_ bytes: [UInt8]) -> Bool { RecordedCase.showsSecret(String(decoding: bytes, as: UTF8.self)) }
}
