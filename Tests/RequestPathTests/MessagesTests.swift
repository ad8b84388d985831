import Foundation
import NIOCore
import TestSupport
import Testing

/// HTTP/1.1 as clients really use it, from end to end.
@Suite(.serialized, .timeLimit(.minutes(5))) struct MessagesTests {
  @Test func aKeptConnectionCarriesManyRequests() async throws {
    try await House.with { house in
      let client = try await house.connect(as: house.certificate("alice", "view"))
      var ids: Set<String> = []
      for target in ["/version", "/api/v1/namespaces/dev/pods", "/api/v1/namespaces/dev/pods/absent", "/livez"] {
        try await client.send("GET \(target) HTTP/1.1\r\nHost: localhost\r\n\r\n")
        let answer = try await house.answer(from: client)
        #expect(answer.status == (target.hasSuffix("absent") ? 404 : 200))
        #expect(try house.closingRecord(of: answer).requestURI == target)
        ids.insert(try #require(answer.auditID))
      }
      #expect(ids.count == 4)
    }
  }

  @Test func pipelinedRequestsAreAnsweredInTheirOrder() async throws {
    try await House.with { house in
      let client = try await house.connect(as: house.certificate("ed", "edit"))
      let body = #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"made"},"data":{"a":"b"}}"#
      let targets = ["/version", "/api/v1/namespaces/dev/pods/absent", "/nowhere/at/all", "/api/v1/namespaces/dev/configmaps/made"]
      try await client.send(
        targets.prefix(2).map { "GET \($0) HTTP/1.1\r\nHost: localhost\r\n\r\n" }.joined()
          + "POST /api/v1/namespaces/dev/configmaps HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
          + "GET \(targets[3]) HTTP/1.1\r\nHost: localhost\r\n\r\n")
      var statuses: [Int] = []
      for _ in 0..<4 { statuses.append(try await house.answer(from: client).status) }
      #expect(statuses == [200, 404, 201, 200])
      #expect(try house.records().filter { $0.stage == "ResponseComplete" }.map(\.verb) == ["get", "get", "create", "get"])
    }
  }

  @Test func aClientOfHTTP10IsServed() async throws {
    try await House.with { house in
      let alice = try house.certificate("alice", "view")
      let text = try await house.askToEnd("GET /api/v1/namespaces/dev/pods HTTP/1.0\r\n\r\n", as: alice)
      #expect(text.hasPrefix("HTTP/1.1 200 ") && text.contains("PodList") && text.contains("Connection: close\r\n"))
      #expect(!text.contains("chunked"))
    }
  }

  /// A body of unknown length goes to a client of HTTP/1.0 until the connection ends.
  @Test func aClientOfHTTP10GetsNoChunks() async throws {
    try await House.with(
      script: ScriptedUpstream.answering(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
    ) { house, _ in
      let client = try await house.connect(as: house.certificate("alice"))
      try await client.send("GET /version HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
      let answer = try await house.answer(from: client)
      #expect(answer.body == "onetwo" && answer.endedWithConnection)
      #expect(answer.values("Transfer-Encoding").isEmpty)
      #expect(try await client.end() == nil, "the connection ends in order, so that the body is known to be whole")
    }
  }

  @Test func headIsAnsweredWithTheLengthAlone() async throws {
    try await House.with(script: ScriptedUpstream.answering("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n")) { house, _ in
      let client = try await house.connect(as: house.certificate("alice"))
      for _ in 0..<2 {
        try await client.send("HEAD /version HTTP/1.1\r\nHost: localhost\r\n\r\n")
        let answer = try await house.answer(from: client, toHead: true)
        #expect(answer.status == 200 && answer.values("Content-Length") == ["1234"])
        #expect(try house.closingRecord(of: answer).fact("bytes-out") == "0")
      }
    }
  }

  @Test func theGatewaysOwnAnswersToHeadHaveNoBodyEither() async throws {
    try await House.with { house in
      let client = try await house.connect()
      for _ in 0..<2 {
        try await client.send("HEAD /version HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(try await house.answer(from: client, toHead: true).status == 401)
      }
    }
  }

  @Test(arguments: [("204 No Content", ""), ("304 Not Modified", "ETag: \"1\"\r\n"), ("205 Reset Content", "Content-Length: 0\r\n")])
  func anAnswerWithoutABodyIsPassedOnAsOne(_ status: String, _ fields: String) async throws {
    try await House.with(script: ScriptedUpstream.answering("HTTP/1.1 \(status)\r\n\(fields)\r\n")) { house, upstream in
      let client = try await house.connect(as: house.certificate("alice"))
      for _ in 0..<2 {
        try await client.send("GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n")
        let answer = try await house.answer(from: client)
        #expect("\(answer.status)" == status.prefix(3))
        #expect(answer.body == "")
      }
      #expect(upstream.connections == 1)
    }
  }

  // MARK: Bodies and 100 Continue

  @Test(arguments: [0, 1, 100_000, 3_000_000]) func aBodyArrivesAsItIs(_ count: Int) async throws {
    try await House.with(script: { moment, peer in
      if case .end(let request) = moment { peer.send(ScriptedUpstream.ok("\(request.body.utf8.count)")) }
    }) { house, _ in
      let client = try await house.connect(as: house.certificate("ed", "edit"))
      let body = String(repeating: "0123456789", count: count / 10 + 1).prefix(count)
      client.sendAndForget("POST /api/v1/namespaces/dev/pods HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(count)\r\n\r\n\(body)")
      let answer = try await house.answer(from: client)
      #expect(answer.body == "\(count)")
      #expect(try house.theRequestUpstream().body == body)
      #expect(try house.theRequestUpstream().values("Content-Length") == ["\(count)"])
      #expect(try house.closingRecord(of: answer).fact("bytes-in") == "\(count)")
    }
  }

  @Test func aClientThatWaitsToBeToldIsToldOnceItIsAdmitted() async throws {
    try await House.with(script: ScriptedUpstream.answering(ScriptedUpstream.ok())) { house, _ in
      let client = try await house.connect(as: house.certificate("ed", "edit"))
      try await client.send(
        "POST /api/v1/namespaces/dev/pods HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
      #expect(try await client.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
      try await client.send("hello")
      #expect(try await house.answer(from: client).status == 200)
      let request = try house.theRequestUpstream()
      #expect(request.body == "hello" && request.values("Expect").isEmpty)
    }
  }

  @Test func aClientThatWaitsToBeToldIsRefusedWithoutItsBody() async throws {
    try await House.with(script: ScriptedUpstream.answering(ScriptedUpstream.ok())) { house, upstream in
      let client = try await house.connect()
      try await client.send(
        "POST /api/v1/namespaces/dev/pods HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
      let answer = try await house.answer(from: client)
      #expect(answer.status == 401 && answer.informational.isEmpty && answer.closes)
      #expect(try await client.readToEnd() == "")
      #expect(upstream.connections == 0)
    }
  }

  /// A password is hashed while the body waits: none of it gets lost, and none of it goes ahead.
  @Test func theBodyWaitsForThePassword() async throws {
    try await House.with(script: ScriptedUpstream.answering(ScriptedUpstream.ok())) { house, upstream in
      let body = String(repeating: "x", count: 200_000)
      let client = try await house.connect()
      client.sendAndForget(
        "POST /api/v1/namespaces/dev/pods HTTP/1.1\r\nHost: localhost\r\n\(Person.bob.basic)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
      )
      #expect(try await house.answer(from: client).status == 200)
      #expect(try house.theRequestUpstream().body == body)
      let wrong = try await house.connect()
      wrong.sendAndForget(
        "POST /api/v1/namespaces/dev/pods HTTP/1.1\r\nHost: localhost\r\n\(Person.basic("bob", Person.wrongPassword))\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
      )
      #expect(try await house.answer(from: wrong).status == 401)
      #expect(upstream.requests.count == 1)
    }
  }
}
