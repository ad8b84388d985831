import Foundation
import NIOCore
import TestSupport
import Testing

/// Requests whose head is good and whose body cannot be read. The upstream may have heard of such a request by then, and
/// never gets to believe that it is whole.
@Suite(.serialized, .timeLimit(.minutes(5))) struct RefusedBodiesTests {
  struct Bad: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let chunks: String

    init(_ name: String, _ chunks: String) {
      self.testDescription = name
      self.chunks = chunks
    }
  }

  static let bad: [Bad] = [
    Bad("a size that is no number", "xyz\r\nhello\r\n0\r\n\r\n"),
    Bad("no size", "\r\nhello\r\n0\r\n\r\n"),
    Bad("a size with a sign", "+5\r\nhello\r\n0\r\n\r\n"),
    Bad("a negative size", "-5\r\nhello\r\n0\r\n\r\n"),
    Bad("a size as C writes it", "0x5\r\nhello\r\n0\r\n\r\n"),
    Bad("a size behind a blank", " 5\r\nhello\r\n0\r\n\r\n"),
    Bad("a size before a blank", "5 \r\nhello\r\n0\r\n\r\n"),
    Bad("a size that overflows", "10000000000000005\r\nhello\r\n0\r\n\r\n"),
    Bad("an extension (CVE-2025-55315)", "5;a=b\r\nhello\r\n0\r\n\r\n"),
    Bad("a bare semicolon (CVE-2025-58056)", "5;\nhello\r\n0\r\n\r\n"),
    Bad("a size that ends with LF", "5\nhello\r\n0\r\n\r\n"),
    Bad("data that ends with LF", "5\r\nhello\n0\r\n\r\n"),
    Bad("data longer than its size", "5\r\nhello!\r\n0\r\n\r\n"),
    Bad("a trailer that says who asks", "5\r\nhello\r\n0\r\nX-Remote-User: admin\r\n\r\n"),
    Bad("a trailer that says who asks, in another spelling", "5\r\nhello\r\n0\r\nx_remote_user: admin\r\n\r\n"),
    Bad("a trailer that impersonates", "5\r\nhello\r\n0\r\nImpersonate-User: admin\r\n\r\n"),
    Bad("a trailer with a credential", "5\r\nhello\r\n0\r\nAuthorization: Basic YTpi\r\n\r\n"),
    Bad("a trailer that frames", "5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n"),
    Bad("a trailer that frames anew", "5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    Bad("a trailer that routes", "5\r\nhello\r\n0\r\nHost: evil.example\r\n\r\n"),
    Bad("a folded trailer", "5\r\nhello\r\n0\r\nX-One: 1\r\n 2\r\n\r\n"),
    Bad("a trailer with a blank before its colon", "5\r\nhello\r\n0\r\nX-One : 1\r\n\r\n"),
  ]

  @Test(arguments: bad) func aBodyThatCannotBeReadIsAnsweredOnceAndNeverWholeUpstream(_ bad: Bad) async throws {
    try await House.with(script: ScriptedUpstream.answering(ScriptedUpstream.ok())) { house, upstream in
      let smuggled = "GET /api/v1/namespaces/dev/secrets HTTP/1.1\r\nHost: localhost\r\n\r\n"
      let head = "POST /api/v1/namespaces/dev/pods HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
      let text = try await house.askToEnd(head + bad.chunks + smuggled, as: house.certificate("ed", "edit"))
      let answer = Answer(head: text.components(separatedBy: "\r\n\r\n")[0])
      #expect(answer.status == 400, "\(text)")
      #expect(answer.closes)
      #expect(text.components(separatedBy: "HTTP/1.1 ").count == 2, "one answer: \(text)")
      let record = try house.closingRecord(of: answer)
      #expect(record.responseStatus?.code == 400)
      #expect(record.user.username == "ed")
      #expect(record.error.hasPrefix("malformedRequest: "))
      // Whatever connections the broken request left behind, the next one is alone on its own.
      let next = try await house.get("/version", as: house.certificate("ed", "edit"))
      #expect(next.status == 200)
      #expect(upstream.requests.map(\.line) == ["GET /version HTTP/1.1"])
      // And what the upstream may have heard of it was ended there, too, and does not wait for the rest of its body.
      try await eventually("the end of the broken request upstream") { upstream.openConnections <= 1 }
      #expect(upstream.requests.first?.number == 1)
      #expect(!upstream.received.contains("secrets"))
      for line in ["admin", "evil.example", "YTpi"] { #expect(!upstream.received.contains(line)) }
    }
  }

  /// A client that goes away in the middle of its body leaves no request that looks whole.
  @Test func aBodyThatBreaksOffIsNotPassedOnAsWhole() async throws {
    try await House.with(script: { _, _ in }) { house, upstream in
      let client = try await house.connect(as: house.certificate("ed", "edit"))
      try await client.send(
        "POST /api/v1/namespaces/dev/pods HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
      try await eventually("the beginning of the body upstream") { upstream.received.contains("hello") }
      await client.close()
      try await eventually("the end of the request's connection") { upstream.openConnections == 0 }
      #expect(upstream.requests.isEmpty)
      let record = try await house.record("the client that went") { $0.stage == "ResponseComplete" }
      #expect(record.responseStatus?.code == 499)
      #expect(record.fact("bytes-in") == "5")
    }
  }

  /// Trailers that mean nothing to anybody on the way are passed on; those that some station knows are not, though they
  /// harm nobody.
  @Test func aHarmlessTrailerArrives() async throws {
    try await House.with(script: ScriptedUpstream.answering(ScriptedUpstream.ok())) { house, upstream in
      let answer = try await house.ask(
        "POST /api/v1/namespaces/dev/pods HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
          + "5\r\nhello\r\n0\r\nX-Checksum: 17\r\nOrigin: https://evil.example\r\nUser-Agent: other\r\n\r\n",
        as: house.certificate("ed", "edit"))
      #expect(answer.status == 200)
      #expect(try house.theRequestUpstream().body == "5\r\nhello\r\n0\r\nX-Checksum: 17\r\n\r\n")
    }
  }
}
