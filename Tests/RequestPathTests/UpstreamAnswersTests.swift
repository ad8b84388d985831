import Foundation
import NIOCore
import TestSupport
import Testing

/// What comes from behind is judged as strictly as what comes from before, and nothing half-sent passes as whole.
@Suite(.serialized, .timeLimit(.minutes(5))) struct UpstreamAnswersTests {
  private static let request = "GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n"

  struct Bad: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: String

    init(_ name: String, _ bytes: String) {
      self.testDescription = name
      self.bytes = bytes
    }

    static func fields(_ name: String, _ lines: String) -> Bad { Bad(name, "HTTP/1.1 200 OK\r\n\(lines)\r\nSECRET") }
  }

  /// CVE-2022-3215 of SwiftNIO (response splitting) and the smuggling of answers.
  static let bad: [Bad] = [
    .fields("both lengths", "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n"),
    .fields("two lengths", "Content-Length: 6\r\nContent-Length: 7\r\n"),
    .fields("a list of lengths", "Content-Length: 6, 6\r\n"),
    .fields("a length with a sign", "Content-Length: +6\r\n"),
    .fields("another transfer coding", "Transfer-Encoding: gzip, chunked\r\n"),
    .fields("a folded field", "X-One: SECRET\r\n 2\r\nContent-Length: 6\r\n"),
    .fields("a blank before a colon", "Content-Length : 6\r\n"),
    .fields("a bare CR", "X-One: 1\rSet-Cookie: SECRET\r\nContent-Length: 6\r\n"),
    .fields("a bare LF", "X-One: 1\nSet-Cookie: SECRET\r\nContent-Length: 6\r\n"),
    .fields("NUL", "X-One: SECRET\u{0}\r\nContent-Length: 6\r\n"),
    .fields("a field without a name", ": SECRET\r\nContent-Length: 6\r\n"),
    .fields("a head that is too long", "X-Long: \(String(repeating: "SECRET", count: 20_000))\r\n"),
    Bad("another version", "HTTP/2 200 OK\r\nContent-Length: 6\r\n\r\nSECRET"),
    Bad("no HTTP at all", "SSH-2.0-SECRET\r\n\r\n"),
    Bad("a status that is none", "HTTP/1.1 2OO OK\r\nContent-Length: 6\r\n\r\nSECRET"),
    Bad("a status below 100", "HTTP/1.1 099 No\r\nContent-Length: 6\r\n\r\nSECRET"),
    Bad("a control character in the reason", "HTTP/1.1 200 O\u{1}K\r\nContent-Length: 6\r\n\r\nSECRET"),
    Bad(
      "101 that nobody asked for (CVE-2018-1002105)",
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nSECRET"),
    Bad("204 with a body", "HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\nSECRET"),
    Bad("100 with a body", "HTTP/1.1 100 Continue\r\nContent-Length: 6\r\n\r\nSECRET"),
    Bad("a chunk size that is none", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nSECRET\r\n0\r\n\r\n"),
  ]

  @Test(arguments: bad) func anAnswerThatCannotBeReadIsA502WithoutAByteOfIt(_ bad: Bad) async throws {
    try await House.with(script: ScriptedUpstream.answering(bad.bytes)) { house, upstream in
      let client = try await house.connect(as: house.certificate("alice"))
      try await client.send(Self.request)
      let answer = try await house.answer(from: client)
      #expect(answer.status == 502, "\(answer)")
      #expect(answer.kubernetesStatus?.code == 502)
      #expect(!answer.description.contains("SECRET"))
      let record = try house.closingRecord(of: answer)
      #expect(record.responseStatus?.code == 502)
      #expect(record.user.username == "alice")
      #expect(record.error.hasPrefix("upstream"))
      try await eventually("the end of the connection to the upstream") { upstream.openConnections == 0 }
      // The client did nothing wrong: its connection goes on.
      try await client.send(Self.request)
      #expect(try await house.answer(from: client).status == 502)
    }
  }

  @Test(arguments: ["", "HTTP/1.1 200 OK\r\nContent-", "HTTP/1.1 100 Continue\r\n\r\n"])
  func anUpstreamThatHangsUpBeforeItsAnswerIsA502(_ bytes: String) async throws {
    try await House.with(script: { moment, peer in
      guard case .end = moment else { return }
      if bytes.isEmpty { peer.close() } else { peer.send(bytes) { peer.close() } }
    }) { house, _ in
      let answer = try await house.get("/version", as: house.certificate("alice"))
      #expect(answer.status == 502)
      #expect(try house.closingRecord(of: answer).error.hasPrefix("upstreamConnectionLost"))
    }
  }

  @Test func anUpstreamThatIsNotThereIsA503() async throws {
    try await House.with(House.Plan(behind: .nobody)) { house in
      let answer = try await house.get("/version", as: house.certificate("alice"))
      #expect(answer.status == 503)
      #expect(!answer.body.contains("127.0.0.1"), "a client learns no address of the inside")
      let record = try house.closingRecord(of: answer)
      #expect(record.error.hasPrefix("upstreamUnreachable: ") && record.error.contains("127.0.0.1"))
      #expect(record.responseStatus?.code == 503)
    }
  }

  // MARK: Half an answer

  struct Half: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let first: String
    /// What comes once the client has seen the first; then the connection is cut.
    let rest: String
  }

  static let halves: [Half] = [
    Half(testDescription: "a length that is not reached", first: "Content-Length: 100\r\n\r\nhalf", rest: "more"),
    Half(testDescription: "chunks without an end", first: "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", rest: "4\r\nmore\r\n"),
    Half(testDescription: "a chunk without its end", first: "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", rest: "100\r\nmore"),
    Half(testDescription: "chunks without the empty line", first: "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", rest: "0\r\n"),
    Half(testDescription: "a broken chunk", first: "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", rest: "zz\r\n"),
    Half(testDescription: "a broken trailer", first: "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", rest: "0\r\nX : 1\r\n\r\n"),
    Half(testDescription: "a body until the end, cut without TLS's farewell", first: "\r\nhalf", rest: ""),
  ]

  @Test(arguments: halves, ["HTTP/1.1", "HTTP/1.0"]) func halfAnAnswerDoesNotPassAsWhole(_ half: Half, _ version: String) async throws {
    try await House.with(script: { moment, peer in
      if case .end = moment { peer.send("HTTP/1.1 200 OK\r\n" + half.first) }
    }) { house, upstream in
      let client = try await house.connect(as: house.certificate("alice"))
      try await client.send("GET /version \(version)\r\nHost: localhost\r\n\r\n")
      let head = try await client.read(until: "\r\n\r\n")
      _ = try await client.read(until: "half")
      let peer = try #require(upstream.peer(1))
      if half.rest.isEmpty { peer.cut() } else { peer.send(half.rest) { peer.cut() } }
      let rest = try await client.readToEnd()
      let end = try await client.end()
      let answer = Answer(head: head)
      #expect(answer.status == 200)
      if answer.values("Transfer-Encoding") == ["chunked"] {
        #expect(!rest.contains("0\r\n\r\n"), "the last chunk never comes: \(rest)")
      } else if answer.values("Content-Length").isEmpty {
        #expect(end != nil, "the end of the connection must not pass for the end of the body")
      }
      let record = try await house.record("the broken answer") { $0.auditID == answer.auditID && $0.stage == "ResponseComplete" }
      #expect(record.responseStatus?.code == 200)
      #expect(record.error.hasPrefix("upstream"))
      #expect(try house.records(of: answer).map(\.stage) == ["ResponseStarted", "ResponseComplete"])
    }
  }

  @Test func aBodyThatEndsWithTheConnectionIsWholeIfTLSSaysSo() async throws {
    try await House.with(script: { moment, peer in
      if case .end = moment { peer.send("HTTP/1.1 200 OK\r\n\r\nall of it") { peer.close() } }
    }) { house, _ in
      let answer = try await house.get("/version", as: house.certificate("alice"))
      #expect(answer.body == "all of it" && answer.values("Transfer-Encoding") == ["chunked"])
      #expect(try house.closingRecord(of: answer).error == "")
    }
  }

  // MARK: Passing on

  /// CVE-2018-1002102, CVE-2022-3172, CVE-2020-8559: a redirect is the client's to follow. The gateway goes nowhere with
  /// anybody's credentials.
  @Test(arguments: [301, 302, 303, 307, 308], ["GET", "POST"]) func aRedirectIsPassedOnAndNotFollowed(_ status: Int, _ method: String)
    async throws
  {
    let target = "https://elsewhere.example/take?it=1"
    try await House.with(script: ScriptedUpstream.answering("HTTP/1.1 \(status) Go\r\nLocation: \(target)\r\nContent-Length: 2\r\n\r\ngo"))
    { house, upstream in
      let answer = try await house.ask(
        "\(method) /api/v1/namespaces/dev/pods HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", as: house.certificate("alice"))
      #expect(answer.status == status)
      #expect(answer.values("Location") == [target])
      #expect(answer.body == "go")
      #expect(upstream.requests.count == 1)
      #expect(try house.closingRecord(of: answer).responseStatus?.code == status)
    }
  }

  @Test func whatIsForTheConnectionToTheGatewayIsNotPassedOn() async throws {
    let lines = [
      "Connection: keep-alive, X-Hop", "Keep-Alive: timeout=5", "Proxy-Connection: keep-alive", "X-Hop: 1", "Upgrade: h2c",
      "Trailer: X-Sum",
      "Audit-Id: forged", "audit-id: forged too", "X-Kept: 1", "Set-Cookie: a=b", "Set-Cookie: c=d", "Warning: 299 - \"old\"",
    ]
    try await House.with(
      script: ScriptedUpstream.answering(
        "HTTP/1.1 200 Fine\r\n\(lines.map { $0 + "\r\n" }.joined())Content-Length: 2\r\n\r\nok")
    ) { house, _ in
      let answer = try await house.get("/version", as: house.certificate("alice"))
      #expect(
        answer.fields.map { "\($0.name): \($0.value)" } == [
          "X-Kept: 1", "Set-Cookie: a=b", "Set-Cookie: c=d", "Warning: 299 - \"old\"", "Audit-Id: \(answer.auditID ?? "")",
          "Content-Length: 2",
        ])
      #expect(try house.closingRecord(of: answer).auditID == answer.auditID)
    }
  }

  @Test func theTrailersOfAnAnswerArriveUnlessTheySayWhoSomebodyIs() async throws {
    try await House.with(
      script: ScriptedUpstream.answering(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Checksum: 17\r\n\r\n")
    ) { house, _ in
      let answer = try await house.get("/version", as: house.certificate("alice"))
      #expect(answer.body == "ok")
      #expect(answer.trailers == [Answer.Field(name: "X-Checksum", value: "17")])
    }
  }

  @Test func informationalAnswersArriveBeforeTheFinalOne() async throws {
    try await House.with(
      script: ScriptedUpstream.answering(
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ScriptedUpstream.ok())
    ) { house, _ in
      let answer = try await house.get("/version", as: house.certificate("alice"))
      #expect(answer.informational == [103] && answer.status == 200 && answer.body == "fine")
    }
  }

  // MARK: Whose answer is it?

  /// What comes behind a complete answer was asked for by nobody: the connection that it came on is not used again.
  @Test func bytesBehindAnAnswerAreNobodysAnswer() async throws {
    try await House.with(script: ScriptedUpstream.answering(ScriptedUpstream.ok() + ScriptedUpstream.ok("SECRET"))) { house, upstream in
      let client = try await house.connect(as: house.certificate("alice"))
      for _ in 0..<3 {
        try await client.send(Self.request)
        #expect(try await house.answer(from: client).body == "fine")
      }
      #expect(upstream.requests.map(\.connection) == [1, 2, 3])
    }
  }

  /// An answer that comes before all of its request was sent leaves bytes on the way that could be taken for the next
  /// request: neither connection is used again.
  @Test func anEarlyAnswerIsTheLastOfItsConnections() async throws {
    try await House.with(script: { moment, peer in
      switch moment {
      case .head(let request) where request.line.hasPrefix("POST"):
        peer.send("HTTP/1.1 413 Too Much\r\nContent-Length: 8\r\n\r\ntoo much")
      case .end(let request) where request.line.hasPrefix("GET"): peer.send(ScriptedUpstream.ok())
      case .head, .end: break
      }
    }) { house, upstream in
      let alice = try house.certificate("alice")
      let client = try await house.connect(as: alice)
      let inside = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\nX-Remote-User: admin\r\n\r\n"
      try await client.send(
        "POST /api/v1/namespaces/dev/pods HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(inside.utf8.count + 10)\r\n\r\n")
      let answer = try await house.answer(from: client)
      #expect(answer.status == 413 && answer.body == "too much")
      #expect(answer.closes)
      try? await client.send(inside)
      #expect(try await client.readToEnd() == "")
      #expect(try await house.get("/version", as: alice).status == 200)
      #expect(upstream.requests.map(\.line) == ["GET /version HTTP/1.1"])
      #expect(upstream.requests.allSatisfy { $0.connection != 1 })
      #expect(try house.closingRecord(of: answer).responseStatus?.code == 413)
    }
  }
}
