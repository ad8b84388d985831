import NIOCore
import SallyportCore
import SallyportWire
import Testing

@testable import SallyportUpstream

@Suite(.timeLimit(.minutes(5))) struct AnswerTests {
  private let bench: Bench

  init() throws { self.bench = try Bench() }

  @Test func headBodyAndTrailersArePassedOn() async throws {
    let server = try await self.bench.server(
      always("HTTP/1.1 201 Created\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nX-Sum: 9\r\n\r\n"))
    let answer = await self.bench.answer(try self.bench.upstream(server), try credentialed())
    #expect(answer.status == 201)
    #expect(answer.fields == ["X-A: 1"])
    #expect(answer.text == "body")
    #expect(answer.trailers == ["X-Sum: 9"])
  }

  @Test func anAnswerThatComesByteByByteIsTheSame() async throws {
    let text =
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n"
    let server = try await self.bench.server { moment, peer in
      guard case .end = moment else { return }
      for byte in text.utf8 { peer.send(ByteBuffer(bytes: [byte])) }
    }
    let upstream = try self.bench.upstream(server)
    for _ in 0..<2 {
      let answer = await self.bench.answer(upstream, try credentialed())
      #expect(answer.informational == [103])
      #expect(answer.text == "hello")
      #expect(answer.trailers == ["X: y"])
    }
    #expect(server.log.value.connections == 1)
  }

  @Test func informationalAnswersArePassedOnButForHundred() async throws {
    let server = try await self.bench.server(
      always("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + okay))
    let answer = await self.bench.answer(try self.bench.upstream(server), try credentialed())
    #expect(answer.informational == [103, 103])
    #expect(answer.text == "ok")
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked, x\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX: a\r\n folded\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "HTTP/2.0 200 OK\r\n\r\n",
    "SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "\u{0}\u{1}\u{2}\u{3}\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX y: 1\r\n\r\n",
  ])
  func anAnswerThatCanBeReadInTwoWaysIsRefusedAndItsConnectionEnds(answer: String) async throws {
    let server = try await self.bench.server(always(answer))
    let upstream = try self.bench.upstream(server)
    let record = await self.bench.answer(upstream, try credentialed())
    #expect(record.problem == .upstreamMalformed)
    #expect(record.problem?.status == 502)
    #expect(record.status == nil)
    await server.log.reaches { $0.closedConnections == [1] }
  }

  @Test func aBrokenChunkBreaksTheAnswerOff() async throws {
    let server = try await self.bench.server(
      always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n"))
    let record = await self.bench.answer(try self.bench.upstream(server), try credentialed())
    #expect(record.status == 200)
    #expect(record.text == "ok")
    #expect(record.problem == .upstreamMalformed)
    await server.log.reaches { $0.closedConnections == [1] }
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
  ])
  func anAnswerThatBreaksOffIsNotTakenForAWholeOne(answer: String) async throws {
    let server = try await self.bench.server { moment, peer in
      guard case .end = moment else { return }
      peer.send(answer)
      peer.close()
    }
    let record = await self.bench.answer(try self.bench.upstream(server), try credentialed())
    #expect(record.status == 200)
    #expect(record.text == "half")
    #expect(record.problem == .upstreamConnectionLost)
    #expect(!record.ended)
  }

  @Test func aBodyUntilTheConnectionsEndIsWholeWhenTLSSaysSo() async throws {
    let server = try await self.bench.server { moment, peer in
      guard case .end = moment else { return }
      peer.send("HTTP/1.1 200 OK\r\n\r\nall of it")
      peer.close()
    }
    let record = await self.bench.answer(try self.bench.upstream(server), try credentialed())
    #expect(record.text == "all of it")
    #expect(record.ended)
  }

  @Test func aBodyUntilTheConnectionsEndThatTLSDoesNotEndIsCutOff() async throws {
    let server = try await self.bench.server { moment, peer in
      guard case .end = moment else { return }
      peer.channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\n\r\nall of it")).whenComplete { _ in peer.cut() }
    }
    let record = await self.bench.answer(try self.bench.upstream(server), try credentialed())
    #expect(record.text == "all of it")
    #expect(record.problem == .upstreamConnectionLost)
  }

  @Test func withoutTLSTheConnectionsEndIsTheBodys() async throws {
    let server = try await ScriptedServer(certificate: nil) { moment, peer in
      guard case .end = moment else { return }
      peer.send("HTTP/1.0 200 OK\r\n\r\nplain")
      peer.close()
    }
    let upstream = try self.bench.upstream(self.bench.configuration([server], tls: false))
    let record = await self.bench.answer(upstream, try credentialed())
    #expect(record.text == "plain")
    #expect(record.ended)
  }

  @Test func anAnswerBeforeTheRequestsEndArrivesAndEndsTheConnection() async throws {
    let server = try await self.bench.server { moment, peer in
      switch moment {
      case .head(let request) where request.connection == 1:
        peer.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig")
      case .head: break
      case .end: peer.send(okay)
      }
    }
    let upstream = try self.bench.upstream(server)
    let exchange = self.bench.start(
      upstream, try credentialed(.post, framing: .length(1000)), body: [patternedBody(100)], ends: false)
    let record = await exchange.end()
    #expect(record.status == 413)
    #expect(record.text == "big")
    #expect(record.ended)
    // What the client still sends goes nowhere.
    exchange.sendBody(patternedBody(900))
    exchange.sendEnd()
    await server.log.reaches { $0.closedConnections == [1] }
    #expect(await self.bench.answer(upstream, try credentialed()).text == "ok")
    #expect(server.log.value.connections == 2)
  }

  @Test func headAndAnswerStreamBothWaysAtOnce() async throws {
    let server = try await self.bench.server { moment, peer in
      switch moment {
      case .head: peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n")
      case .end(let request): peer.send("4\r\n\(String(buffer: request.body))\r\n0\r\n\r\n")
      }
    }
    let upstream = try self.bench.upstream(server)
    let exchange = self.bench.start(upstream, try credentialed(.post, framing: .chunked), ends: false)
    await exchange.record.reaches { $0.text == "begun" }
    exchange.sendBody(ByteBuffer(string: "more"))
    exchange.sendEnd()
    #expect(await exchange.end().text == "begunmore")
    #expect(await self.bench.answer(upstream, try credentialed(.get)).status == 200)
    #expect(server.log.value.connections == 1)
  }
}
