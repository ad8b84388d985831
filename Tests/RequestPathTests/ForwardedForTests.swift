import NIOCore
import TestSupport
import Testing

@testable import SallyportService

/// Where a request comes from, said by proxies in front: believed of those that are listed, in the record, by the throttle
/// and by the policies; and told to the upstream.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ForwardedForTests {
  private func plan(trusting range: String) -> House.Plan {
    var plan = House.Plan(behind: .script(ScriptedUpstream.answering(ScriptedUpstream.ok())))
    plan.listener = ["clientAddress: {trustedPeers: [\(range)]}"]
    return plan
  }

  @Test func aTrustedPeersWordIsInTheRecordAndGoesOn() async throws {
    try await House.with(self.plan(trusting: "127.0.0.0/8")) { house in
      let answer = try await house.get(
        "/version", as: house.certificate("alice", "view"), "X-Forwarded-For: 192.0.2.1", "x-forwarded-for: 203.0.113.7, 127.0.0.9",
        "Forwarded: for=198.51.100.1", "X-Real-Ip: 198.51.100.2", "X-Forwarded-Proto: https")
      #expect(answer.status == 200)
      #expect(try house.closingRecord(of: answer).sourceIPs == ["192.0.2.1", "203.0.113.7", "127.0.0.9", "127.0.0.1"])
      let lines = try house.theRequestUpstream().fieldLines
      #expect(lines.contains("X-Forwarded-For: 192.0.2.1, 203.0.113.7, 127.0.0.9, 127.0.0.1"))
      #expect(lines.contains("X-Forwarded-Proto: https"))
      #expect(!lines.contains { $0.contains("198.51.100") })
    }
  }

  /// A web UI makes links of what clients know it as; an API server is not told.
  @Test func aWebUIIsToldWhatClientsKnowItAs() async throws {
    for (kind, trusted, sent, expected) in [
      ("kubernetes", "10.0.0.0/8", [], []),
      ("generic", "10.0.0.0/8", [], ["X-Forwarded-Host: ui.example:8443", "X-Forwarded-Proto: https"]),
      (
        "generic", "10.0.0.0/8", ["X-Forwarded-Host: evil.example", "X-Forwarded-Proto: http", "X-Forwarded.Host: evil.example"],
        ["X-Forwarded-Host: ui.example:8443", "X-Forwarded-Proto: https"]
      ),
      (
        "generic", "127.0.0.0/8", ["X-Forwarded-Host: front.example"],
        ["X-Forwarded-Host: front.example", "X-Forwarded-Proto: https"]
      ),
    ] as [(String, String, [String], [String])] {
      var plan = self.plan(trusting: trusted)
      plan.kind = kind
      try await House.with(plan) { house in
        let fields = sent.map { "\($0)\r\n" }.joined()
        let answer = try await house.ask(
          "GET /x HTTP/1.1\r\nHost: ui.example:8443\r\n\(fields)\r\n", as: house.certificate("alice", "view"))
        #expect(answer.status == 200)
        let lines = try house.theRequestUpstream().fieldLines
        #expect(lines.filter { $0.hasPrefix("X-Forwarded-") && !$0.hasPrefix("X-Forwarded-For") }.sorted() == expected, "\(kind) \(sent)")
      }
    }
  }

  @Test(arguments: ["garbage", "203.0.113.7:80", "<script>alert(1)</script>", "\u{C3}\u{A9}", ""])
  func whatCannotBeReadIsNowhere(_ value: String) async throws {
    try await House.with(self.plan(trusting: "127.0.0.0/8")) { house in
      let answer = try await house.get("/version", as: house.certificate("alice", "view"), "X-Forwarded-For: \(value)")
      #expect(answer.status == 200)
      #expect(try house.closingRecord(of: answer).sourceIPs == ["127.0.0.1"])
      #expect(try house.theRequestUpstream().values("X-Forwarded-For") == ["127.0.0.1"])
    }
  }

  @Test func aStrangersWordIsReplaced() async throws {
    try await House.with(self.plan(trusting: "10.0.0.0/8")) { house in
      let answer = try await house.get("/version", as: house.certificate("alice", "view"), "X-Forwarded-For: 203.0.113.7")
      #expect(try house.closingRecord(of: answer).sourceIPs == ["127.0.0.1"])
      #expect(try house.theRequestUpstream().values("X-Forwarded-For") == ["127.0.0.1"])
    }
  }

  /// Failures are counted by the client's address, so that one client does not lock out a proxy's others, and cannot be
  /// somebody else by writing to the left.
  @Test func theThrottleCountsTheClientAndNotTheProxy() async throws {
    try await House.with(self.plan(trusting: "127.0.0.0/8")) { house in
      func attempt(_ number: Int, _ from: String) async throws -> Int {
        try await house.get("/version", Person.basic("bob", "\(Person.wrongPassword)\(number)"), "X-Forwarded-For: \(from)").status
      }
      for number in 0..<5 {
        let status = try await attempt(number, "198.51.100.\(number), 203.0.113.7")
        #expect(status == 401)
      }
      let locked = try await attempt(6, "198.51.100.99, 203.0.113.7")
      #expect(locked == 429)
      let another = try await attempt(7, "192.0.2.44")
      #expect(another == 401)
    }
  }
}
