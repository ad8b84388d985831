import NIOConcurrencyHelpers
import NIOCore
import SallyportCore
import SallyportWire
import Testing

@testable import SallyportUpstream

@Suite(.timeLimit(.minutes(5))) struct StreamingTests {
  private let bench: Bench

  init() throws { self.bench = try Bench() }

  @Test(arguments: [BodyFraming.length(10 << 20), .chunked])
  func tenMegabytesComeAndGoUnchanged(framing: BodyFraming) async throws {
    let body = patternedBody(10 << 20)
    let server = try await self.bench.server { moment, peer in
      guard case .end(let request) = moment else { return }
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: \(request.body.readableBytes)\r\n\r\n")
      peer.send(request.body)
    }
    let upstream = try self.bench.upstream(server)
    let record = await self.bench.answer(
      upstream, try credentialed(.put, framing: framing), body: body.parts(of: 60_000))
    #expect(record.status == 200)
    #expect(server.log.value.requests[0].body == body)
    #expect(record.body == body)
    #expect(await self.bench.answer(upstream, try credentialed()).status == 200)
    #expect(server.log.value.connections == 1)
  }

  @Test func eachPieceOfAWatchIsPassedOnAtOnce() async throws {
    let peers = Observed<[ScriptedServer.Peer]>([])
    let server = try await self.bench.server { moment, peer in
      guard case .end = moment else { return }
      peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
      peers.update { $0.append(peer) }
    }
    let exchange = self.bench.start(try self.bench.upstream(server), try credentialed(.get, "/api/v1/pods?watch=1"))
    await exchange.record.reaches { $0.status == 200 && $0.readCompletes > 0 }
    let peer = try #require(peers.value.first)
    var expected = ""
    for event in ["{1}", "{2}", "{3}"] {
      expected += event
      let text = expected
      // Counted before the piece is sent: on an idle machine it has arrived before the next line runs.
      let completes = exchange.record.value.readCompletes
      peer.send("3\r\n\(event)\r\n")
      await exchange.record.reaches { $0.text == text && $0.readCompletes > completes }
    }
    peer.send("0\r\n\r\n")
    #expect(await exchange.end().ended)
  }

  @Test func aPausedConsumerStallsTheServerAndResumesWithoutLoss() async throws {
    let total = 24 << 20
    let part = patternedBody(1 << 16)
    let sent = Observed(0)
    @Sendable func sendNext(_ peer: ScriptedServer.Peer, _ left: Int) {
      guard left > 0 else { return }
      peer.channel.writeAndFlush(part).whenSuccess {
        sent.update { $0 += part.readableBytes }
        sendNext(peer, left - part.readableBytes)
      }
    }
    let server = try await self.bench.server { moment, peer in
      guard case .end = moment else { return }
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
      sendNext(peer, total)
    }
    let exchange = self.bench.start(try self.bench.upstream(server), try credentialed())
    exchange.setResponseFlow(paused: true)
    let stalledAt = try await Self.settled { sent.value }
    #expect(stalledAt < total * 2 / 3)
    // The answer waits in the sockets but for what a read that was under way brought.
    #expect(exchange.record.value.body.readableBytes < 1 << 18)

    exchange.setResponseFlow(paused: false)
    await exchange.record.reaches { $0.body.readableBytes > 4 << 20 || $0.isOver }
    exchange.setResponseFlow(paused: true)
    let pausedAt = try await Self.settled { exchange.record.value.body.readableBytes }
    #expect(pausedAt < total)
    exchange.setResponseFlow(paused: false)
    let record = await exchange.end()
    #expect(record.body.readableBytes == total)
    #expect(record.body.parts(of: part.readableBytes).allSatisfy { $0 == part })
  }

  @Test func aServerThatDoesNotReadStopsTheClient() async throws {
    let peers = Observed<[ScriptedServer.Peer]>([])
    let server = try await self.bench.server { moment, peer in
      switch moment {
      case .head:
        peer.setReading(false)
        peers.update { $0.append(peer) }
      case .end: peer.send(okay)
      }
    }
    let body = patternedBody(16 << 20)
    let exchange = self.bench.start(
      try self.bench.upstream(server), try credentialed(.put, framing: .length(UInt64(body.readableBytes))), ends: false)
    await peers.reaches { !$0.isEmpty }
    var parts = body.parts(of: 1 << 16)[...]
    while exchange.record.value.flow.last != true, let part = parts.popFirst() {
      exchange.sendBody(part)
      try await self.bench.eventLoop.submit {}.get()
      try await self.bench.eventLoop.submit {}.get()
    }
    #expect(exchange.record.value.flow.last == true)
    #expect(parts.count > 64)

    peers.value.first?.setReading(true)
    await exchange.record.reaches { $0.flow.last == false }
    for part in parts { exchange.sendBody(part) }
    exchange.sendEnd()
    #expect(await exchange.end().text == "ok")
    #expect(server.log.value.requests[0].body == body)
  }

  @Test func cancellingEndsTheServersSideLongBeforeAnyTimeout() async throws {
    let server = try await self.bench.server { moment, peer in
      guard case .end(let request) = moment, request.head.contains("/watch") else { return }
      peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
    }
    let upstream = try self.bench.upstream(server)
    for (number, target) in ["/silent", "/watch"].enumerated() {
      let exchange = self.bench.start(upstream, try credentialed(.get, target))
      await server.log.reaches { $0.requests.count == number + 1 }
      if target == "/watch" { await exchange.record.reaches { $0.text == "ok" } }
      let start = ContinuousClock().now
      exchange.cancel()
      await server.log.reaches { $0.closedConnections.count == number + 1 }
      // Nothing else would end it before half a minute; a busy machine takes a second or two to get round to it.
      #expect(ContinuousClock().now - start < .seconds(20))
      #expect(!exchange.record.value.isOver)
    }
  }

  @Test func cancellingWhileWaitingLeavesTheConnectionToOthers() async throws {
    let peers = Observed<[ScriptedServer.Peer]>([])
    let server = try await self.bench.server { moment, peer in
      guard case .end = moment else { return }
      peers.update { $0.append(peer) }
    }
    var configuration = self.bench.configuration([server])
    configuration.maximumConnectionsPerEventLoop = 1
    let upstream = try self.bench.upstream(configuration)
    let first = self.bench.start(upstream, try credentialed(.get, "/first"))
    await peers.reaches { $0.count == 1 }
    let second = self.bench.start(upstream, try credentialed(.get, "/second"))
    let third = self.bench.start(upstream, try credentialed(.get, "/third"))
    second.cancel()
    peers.value[0].send(okay)
    #expect(await first.end().text == "ok")
    await peers.reaches { $0.count == 2 }
    peers.value[1].send(okay)
    #expect(await third.end().text == "ok")
    #expect(server.log.value.requests.map { $0.head.contains("/second") } == [false, false])
    #expect(!second.record.value.isOver)
  }

  @Test func aFullQueueIsRefused() async throws {
    let server = try await self.bench.server { _, _ in }
    var configuration = self.bench.configuration([server])
    configuration.maximumConnectionsPerEventLoop = 1
    configuration.maximumWaitingPerEventLoop = 1
    let upstream = try self.bench.upstream(configuration)
    let first = self.bench.start(upstream, try credentialed())
    await server.log.reaches { $0.requests.count == 1 }
    let second = self.bench.start(upstream, try credentialed())
    let third = self.bench.start(upstream, try credentialed())
    let problem = await third.end().problem
    #expect(problem == .upstreamBusy)
    #expect(problem?.status == 503)
    first.cancel()
    second.cancel()
  }

  /// The value once it has not changed for a while.
  private static func settled(_ value: () -> Int) async throws -> Int {
    var last = value()
    var calm = 0
    while calm < 5 {
      try await Task.sleep(for: .milliseconds(50))
      let now = value()
      calm = now == last && now >= 0 ? calm + 1 : 0
      last = now
    }
    return last
  }
}
