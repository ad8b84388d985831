import NIOCore
import SallyportPracticeCluster
import TestSupport
import Testing

@testable import SallyportService

/// How a gateway ends.
@Suite(.serialized, .timeLimit(.minutes(5))) struct DrainTests {
  private static let version = "GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n"

  @Test func readinessIsRedBeforeTheDoorCloses() async throws {
    var plan = House.Plan()
    plan.sections = ["admin: {address: '127.0.0.1:0'}"]
    try await House.with(plan) { house in
      #expect(try await house.look("/readyz").status == 200)
      let end = Task { await house.gateway.shutDown(.init(delay: .seconds(30), requests: .seconds(30), streams: .seconds(30))) }
      try await eventually("red") { try await house.look("/readyz").status == 500 }
      #expect(try await house.look("/readyz").body.contains("[-]shutdown failed: the gateway is shutting down"))
      #expect(try await house.look("/livez").status == 200)
      #expect(try await house.get("/livez").status == 200, "whoever comes during the delay is served")
      await #expect(throws: StartFault.self) { try await house.reload() }
      house.gateway.hurry()
      await end.value
      await #expect(throws: (any Error).self) { try await house.look("/livez") }
    }
  }

  @Test func requestsEndAndSayThatTheyAreTheLast() async throws {
    try await House.with(script: { _, _ in }) { house, upstream in
      let alice = try house.certificate("alice")
      let waiting = try await house.connect(as: alice)
      try await waiting.send(Self.version)
      try await eventually("the request upstream") { upstream.requests.count == 1 }
      let idle = try await house.connect(as: alice)
      let end = Task { await house.gateway.shutDown(grace: .seconds(60)) }
      try await eventually("the closed door") { (try? await RawTLSClient.connect(port: house.port, tls: nil)) == nil }
      // One that was on its way.
      try await idle.send(Self.version)
      try await eventually("the second request upstream") { upstream.requests.count == 2 }
      for (client, peer) in [(idle, 2), (waiting, 1)] {
        upstream.peer(peer)?.send(ScriptedUpstream.ok("still served"))
        let answer = try await house.answer(from: client)
        #expect(answer.status == 200 && answer.body == "still served" && answer.closes)
        _ = try await client.readToEnd()
      }
      await end.value
      #expect(!house.log.text.contains("is cut"))
    }
  }

  @Test func streamsGetTheirGraceAndAreCutBehindIt() async throws {
    try await House.with { house in
      let (client, answer) = try await house.watch(as: house.certificate("alice", "view"))
      let begin = ContinuousClock.now
      let end = Task { await house.gateway.shutDown(.init(requests: .seconds(60), streams: .seconds(2))) }
      try await Task.sleep(for: .milliseconds(500))
      try house.cluster?.seed(
        #"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"late","namespace":"dev"},"spec":{"containers":[{"name":"a","image":"b"}]}}"#)
      #expect(try await client.read(until: "late").contains("ADDED"))
      await end.value
      #expect(ContinuousClock.now - begin >= .seconds(2))
      #expect(ContinuousClock.now - begin < .seconds(50), "nobody waits for the requests' grace when there are none")
      let record = try #require(try house.records(of: answer).last)
      #expect(record.stage == "ResponseComplete" && record.fact("ended") == "shutdown")
      #expect(house.log.text.contains("what was still open at the end is cut"))
    }
  }

  @Test func aRequestThatIsCutIsNotItsClientsFault() async throws {
    try await House.with(script: { _, _ in }) { house, upstream in
      let client = try await house.connect(as: house.certificate("alice"))
      try await client.send(Self.version)
      try await eventually("the request upstream") { upstream.requests.count == 1 }
      await house.gateway.shutDown(grace: .milliseconds(100))
      let record = try house.theRecord()
      #expect(record.error.hasPrefix("shuttingDown"))
      #expect(record.responseStatus?.code == 503)
    }
  }
}
