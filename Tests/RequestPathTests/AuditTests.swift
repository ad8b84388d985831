import Foundation
import NIOCore
import SallyportPracticeCluster
import TestSupport
import Testing

/// Every end of a request has its record, and no answer leaves before it. (What holds for every house, one closing record
/// each, is looked over behind every test: see ``House``.)
@Suite(.serialized, .timeLimit(.minutes(5))) struct AuditTests {
  private static let pods = "/api/v1/namespaces/dev/pods"

  @Test func aReadLeavesOneRecordWithAllThatIsKnown() async throws {
    try await House.with { house in
      let answer = try await house.get("\(Self.pods)/web-0?pretty=1", as: house.certificate("alice", "view"), "User-Agent: kubectl/v1.36")
      let records = try house.records(of: answer)
      #expect(records.map(\.stage) == ["ResponseComplete"])
      let record = records[0]
      #expect(record.kind == "Event" && record.verb == "get" && record.requestURI == "\(Self.pods)/web-0?pretty=1")
      #expect(record.user.username == "alice" && record.user.groups == ["view"])
      #expect(record.objectRef == ["resource": "pods", "namespace": "dev", "name": "web-0", "apiVersion": "v1"])
      #expect(record.responseStatus?.code == 200 && record.userAgent == "kubectl/v1.36")
      #expect(record.fact("decision") == "allow" && record.fact("route") == "api" && record.fact("upstream") == "kubernetes")
      #expect(record.fact("credential") == "requestHeaders" && record.fact("tls") == "TLSv1.3" && record.fact("listener") == "main")
      #expect(record.fact("bytes-out") == "\(answer.body.utf8.count)")
      #expect(record.fact("original-identity")?.contains("CN=alice") == true)
    }
  }

  /// A change does not happen unrecorded: the log has it before the upstream does.
  @Test func aChangeIsRecordedBeforeItIsForwarded() async throws {
    let seen = Observed<[[String]]>([])
    let house = Observed<House?>(nil)
    try await House.with(script: { moment, peer in
      guard case .head(let request) = moment else { return }
      let records = (try? house.value?.records()) ?? []
      let id = request.values("Audit-ID").first
      seen.update { $0.append(records.filter { $0.auditID == id }.map(\.stage)) }
      peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
    }) { opened, _ in
      house.update { $0 = opened }
      for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let answer = try await opened.ask(
          "\(method) \(Self.pods)/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", as: opened.certificate("ed"))
        #expect(answer.status == 200)
        #expect(try opened.records(of: answer).map(\.stage) == ["RequestReceived", "ResponseComplete"])
      }
      _ = try await opened.get(Self.pods, as: opened.certificate("ed"))
      house.update { $0 = nil }
    }
    #expect(seen.value == Array(repeating: ["RequestReceived"], count: 4) + [[]])
  }

  struct End: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: String
    let code: Int
    var series = House.requests
  }

  static let ends: [End] = [
    End(testDescription: "allowed", bytes: "GET \(pods) HTTP/1.1\r\nHost: localhost\r\n\r\n", code: 200),
    End(testDescription: "not found by the API server", bytes: "GET \(pods)/absent HTTP/1.1\r\nHost: localhost\r\n\r\n", code: 404),
    End(testDescription: "forbidden by the API server", bytes: "GET /api/v1/secrets HTTP/1.1\r\nHost: localhost\r\n\r\n", code: 403),
    End(
      testDescription: "an ambiguous target", bytes: "GET /api/v1//secrets HTTP/1.1\r\nHost: localhost\r\n\r\n", code: 400,
      series: House.unauthenticated),
    End(testDescription: "no request", bytes: "nonsense\r\n\r\n", code: 400, series: House.unauthenticated),
    End(
      testDescription: "an own path that is none", bytes: "GET /.sallyport/x HTTP/1.1\r\nHost: localhost\r\n\r\n", code: 404,
      series: House.unauthenticated),
    End(
      testDescription: "a method for proxies", bytes: "TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n", code: 405,
      series: House.unauthenticated),
    End(
      testDescription: "an unreadable impersonation", bytes: "GET / HTTP/1.1\r\nHost: localhost\r\nImpersonate-Uid: 1\r\n\r\n", code: 400,
      series: House.unauthenticated),
  ]

  @Test(arguments: ends) func everyEndHasItsRecord(_ end: End) async throws {
    try await House.with { house in
      let answer = try await house.ask(end.bytes, as: house.certificate("alice", "view"))
      #expect(answer.status == end.code, "\(answer)")
      let record = try house.closingRecord(of: answer)
      #expect(record.responseStatus?.code == end.code)
      #expect(record.series == end.series)
      #expect(record.user.username == (end.series == House.requests ? "alice" : nil))
    }
  }

  /// The ID of the answer is the record's, and the one that the upstream got.
  @Test func oneIDJoinsTheAnswerTheRecordAndTheUpstream() async throws {
    try await House.with { house in
      let alice = try house.certificate("alice", "view")
      var ids: [String] = []
      for target in [Self.pods, "\(Self.pods)/absent", "/api/v1/secrets", "/version"] {
        let answer = try await house.get(target, as: alice)
        ids.append(try house.closingRecord(of: answer).auditID)
      }
      #expect(house.cluster?.recordedRequests().map(\.auditID) == ids)
      #expect(Set(ids).count == 4)
    }
  }

  /// CVE-2024-45808: whatever a client sends is one line of JSON.
  @Test func whatAClientSendsCannotForgeALine() async throws {
    try await House.with { house in
      let agent = #"x", "user": {"username": "admin"}}{"kind":"Event"#
      let answer = try await house.get(
        "/api/v1/namespaces/d%22ev%7D/pods?a=%0A{\"kind\":1}", as: house.certificate("al\"ice", "vi\\ew"), "User-Agent: \(agent)")
      let record = try house.closingRecord(of: answer)
      #expect(record.userAgent == agent)
      #expect(record.user.username == "al\"ice" && record.user.groups == ["vi\\ew"])
      #expect(record.objectRef?["namespace"] == "d\"ev}")
    }
  }

  // MARK: A log that cannot be written

  @Test func withoutTheLogNothingIsAnsweredAndItHealsByItself() async throws {
    try await House.with(script: ScriptedUpstream.answering(ScriptedUpstream.ok("SECRET"))) { house, upstream in
      let alice = try house.certificate("alice", "view")
      #expect(try await house.get(Self.pods, as: alice).status == 200)
      house.disk.isFull = true
      let kept = try await house.connect(as: alice)
      for _ in 0..<3 {
        try await kept.send("GET \(Self.pods) HTTP/1.1\r\nHost: localhost\r\n\r\n")
        let answer = try await kept.answer()
        #expect(answer.status == 503)
        #expect(answer.kubernetesStatus?.reason == "ServiceUnavailable")
        #expect(!answer.description.contains("SECRET"))
      }
      // Refusals are answers too.
      #expect(try await house.connect().ask("GET \(Self.pods) HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 503)
      #expect(try await house.connect().ask("nonsense\r\n\r\n").status == 503)
      let before = upstream.requests.count
      // A change is not even forwarded.
      let change = "POST \(Self.pods) HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi"
      #expect(try await house.connect(as: alice).ask(change).status == 503)
      #expect(upstream.requests.count == before)
      house.disk.isFull = false
      try await kept.send("GET \(Self.pods) HTTP/1.1\r\nHost: localhost\r\n\r\n")
      let healed = try await house.answer(from: kept)
      #expect(healed.status == 200 && healed.body == "SECRET")
      #expect(try await house.ask(change, as: alice).status == 200)
    }
  }

  /// A stream whose beginning cannot be recorded does not begin; one whose end cannot be recorded does not end well.
  @Test func withoutTheLogNoStreamBeginsOrEndsWell() async throws {
    try await House.with(script: { moment, peer in
      if case .end = moment { peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nSECRET\r\n") }
    }) { plan in
      plan.losesRecords = true
    } _: { house, upstream in
      let alice = try house.certificate("alice", "view")
      let begun = try await house.connect(as: alice)
      try await begun.send("GET \(Self.pods) HTTP/1.1\r\nHost: localhost\r\n\r\n")
      _ = try await begun.read(until: "SECRET\r\n")
      house.disk.isFull = true
      upstream.peer(1)?.send("0\r\n\r\n")
      #expect(try await begun.readToEnd() == "", "the end is withheld")
      let answer = try await house.connect(as: alice).ask("GET \(Self.pods) HTTP/1.1\r\nHost: localhost\r\n\r\n")
      #expect(answer.status == 503 && !answer.description.contains("SECRET"))
      house.disk.isFull = false
      try await eventually("the end of all connections") { upstream.openConnections == 0 }
      // The one record that is missing is the one that could not be written.
      let records = try house.records()
      #expect(records.map(\.stage) == ["ResponseStarted"])
    }
  }

  /// With a log that waits for the disk the same order holds.
  @Test func aSyncedLogServesAlike() async throws {
    var plan = House.Plan()
    plan.durability = "synced"
    try await House.with(plan) { house in
      let ed = try house.certificate("ed", "edit")
      let client = try await house.connect(as: ed)
      for _ in 0..<3 {
        try await client.send("GET \(Self.pods) HTTP/1.1\r\nHost: localhost\r\n\r\n")
        let answer = try await house.answer(from: client)
        #expect(answer.status == 200)
        #expect(try house.records(of: answer).count == 1)
      }
      let change = try await house.ask("DELETE \(Self.pods)/web-0 HTTP/1.1\r\nHost: localhost\r\n\r\n", as: ed)
      #expect(try house.records(of: change).map(\.stage) == ["RequestReceived", "ResponseComplete"])
    }
  }
}

extension RawTLSClient {
  /// Asks once, without the house's keeping account.
  fileprivate func ask(_ bytes: String) async throws -> Answer {
    try await self.send(bytes)
    let answer = try await self.answer()
    await self.close()
    return answer
  }
}
