import Foundation
import NIOCore
import SallyportCore
import SallyportUpstream
import SallyportWire
import Testing

@Suite(.timeLimit(.minutes(5))) struct RequestHeadTests {
  private let bench: Bench

  init() throws { self.bench = try Bench() }

  @Test func theHeadIsTheClientsWithTheServersHostTheCredentialAndTheAuditID() async throws {
    let server = try await self.bench.server(always(okay))
    let request = try credentialed(
      .get, "/api/v1/namespaces/dev/pods?limit=5&labelSelector=a%3Db",
      fields: [("Host", "gateway.example.org"), ("Accept", "application/json"), ("X-Other", "one"), ("X-Other", "two")],
      credential: "X-Remote-User: alice\r\nX-Remote-Group: dev\r\n")
    let answer = await self.bench.answer(try self.bench.upstream(server), request)
    #expect(answer.text == "ok")
    let lines = server.log.value.requests[0].head.components(separatedBy: "\r\n")
    #expect(lines.first == "GET /api/v1/namespaces/dev/pods?limit=5&labelSelector=a%3Db HTTP/1.1")
    #expect(
      lines.dropFirst().filter { !$0.isEmpty }.sorted() == [
        "Accept: application/json", "Audit-ID: audit-1", "Host: 127.0.0.1:\(server.port)", "X-Other: one", "X-Other: two",
        "X-Remote-Group: dev", "X-Remote-User: alice",
      ])
  }

  @Test func whatTheCredentialSaysComesBehindWhatTheClientSays() async throws {
    let server = try await self.bench.server(always(okay))
    _ = await self.bench.answer(try self.bench.upstream(server), try credentialed(fields: [("X-Client", "1")]))
    let head = server.log.value.requests[0].head
    let client = try #require(head.range(of: "X-Client"))
    let credential = try #require(head.range(of: "X-Remote-User"))
    #expect(client.lowerBound < credential.lowerBound)
  }

  @Test func theTargetGoesUpByteForByte() async throws {
    let server = try await self.bench.server(always(okay))
    let target = "/apis/x.example.org/v1/things/a%20b%C3%A4%7E~;v=1?q=%2F..%2F&&=%23"
    _ = await self.bench.answer(try self.bench.upstream(server), try credentialed(.get, target))
    #expect(server.log.value.requests[0].head.hasPrefix("GET \(target) HTTP/1.1\r\n"))
  }

  @Test func expectIsNotPassedOn() async throws {
    let server = try await self.bench.server(always(okay))
    let request = try credentialed(.post, fields: [("Expect", "100-continue")], framing: .length(4))
    let answer = await self.bench.answer(try self.bench.upstream(server), request, body: [ByteBuffer(string: "body")])
    #expect(answer.status == 200)
    let received = server.log.value.requests[0]
    #expect(!received.head.lowercased().contains("expect"))
    #expect(String(buffer: received.body) == "body")
  }

  @Test func anAuditIDThatWouldBreakItsLineIsNotSent() async throws {
    let server = try await self.bench.server(always(okay))
    let upstream = try self.bench.upstream(server)
    for bad in ["", "a b", "a\r\nX-Remote-Group: system:masters"] {
      let exchange = TestExchange(upstream, try credentialed(), auditID: bad, on: self.bench.eventLoop)
      #expect(await exchange.end().problem == .upstreamRequestUnfit)
    }
    #expect(server.log.value.connections == 0)
  }

  @Test func aChunkedBodyStaysChunkedAndKeepsItsTrailers() async throws {
    let server = try await self.bench.server(always(okay))
    let upstream = try self.bench.upstream(server)
    let exchange = self.bench.start(upstream, try credentialed(.post, framing: .chunked), ends: false)
    exchange.sendBody(ByteBuffer(string: "one "))
    exchange.sendBody(ByteBuffer(string: "two"))
    var trailers = HeaderFields()
    try trailers.append("X-Sum", "7")
    exchange.sendEnd(trailers: trailers)
    #expect(await exchange.end().text == "ok")
    let received = server.log.value.requests[0]
    #expect(received.head.contains("Transfer-Encoding: chunked\r\n"))
    #expect(!received.head.contains("Content-Length"))
    #expect(String(buffer: received.body) == "one two")
    #expect(received.trailers == ["X-Sum: 7"])
  }

  @Test func aBodyThatIsNotAsLongAsAnnouncedIsNotPassedOn() async throws {
    let server = try await self.bench.server(always(okay))
    let upstream = try self.bench.upstream(server)
    let smuggled = ByteBuffer(string: "bodyGET /api/v1/secrets HTTP/1.1\r\n\r\n")
    let tooLong = await self.bench.answer(upstream, try credentialed(.post, framing: .length(4)), body: [smuggled])
    #expect(tooLong.problem == .upstreamRequestUnfit)
    let tooShort = await self.bench.answer(upstream, try credentialed(.post, framing: .length(40)), body: [smuggled])
    #expect(tooShort.problem == .upstreamRequestUnfit)
    #expect(server.log.value.requests.isEmpty)
  }
}
