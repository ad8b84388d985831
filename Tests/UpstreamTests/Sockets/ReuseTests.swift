import Logging
import NIOCore
import NIOPosix
import SallyportCore
import SallyportWire
import TestSupport
import Testing

@testable import SallyportUpstream

@Suite(.timeLimit(.minutes(5))) struct ReuseTests {
  private let bench: Bench

  init() throws { self.bench = try Bench() }

  @Test func oneConnectionCarriesManyRequests() async throws {
    let server = try await self.bench.server(always(okay))
    let upstream = try self.bench.upstream(server)
    for _ in 0..<20 {
      #expect(await self.bench.answer(upstream, try credentialed()).text == "ok")
    }
    #expect(server.log.value.connections == 1)
    #expect(server.log.value.requests.map(\.number) == Array(1...20))
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
  ])
  func aConnectionIsKeptBehindEveryCompleteAnswer(answer: String) async throws {
    let server = try await self.bench.server(always(answer))
    let upstream = try self.bench.upstream(server)
    for _ in 0..<3 { #expect(await self.bench.answer(upstream, try credentialed()).problem == nil) }
    #expect(server.log.value.connections == 1)
  }

  @Test func anAnswerToHeadHasNoBodyWhateverItsLength() async throws {
    let server = try await self.bench.server(always("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"))
    let upstream = try self.bench.upstream(server)
    for _ in 0..<2 {
      let answer = await self.bench.answer(upstream, try credentialed(.head))
      #expect(answer.ended)
      #expect(answer.body.readableBytes == 0)
    }
    #expect(server.log.value.connections == 1)
  }

  @Test func anAnswerThatClosesIsTheConnectionsLast() async throws {
    let server = try await self.bench.server(always("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"))
    let upstream = try self.bench.upstream(server)
    for _ in 0..<2 { #expect(await self.bench.answer(upstream, try credentialed()).text == "ok") }
    #expect(server.log.value.connections == 2)
  }

  @Test func requestsAtOnceGetConnectionsOfTheirOwn() async throws {
    let server = try await self.bench.server(always(okay))
    let upstream = try self.bench.upstream(server)
    let exchanges = try (0..<5).map { _ in self.bench.start(upstream, try credentialed()) }
    for exchange in exchanges { #expect(await exchange.end().text == "ok") }
    #expect((2...5).contains(server.log.value.connections))
    let before = server.log.value.connections
    #expect(await self.bench.answer(upstream, try credentialed()).text == "ok")
    #expect(server.log.value.connections == before)
  }

  @Test func bytesThatNobodyAskedForEndAnIdleConnection() async throws {
    let server = try await self.bench.server { moment, peer in
      guard case .end = moment else { return }
      peer.send(okay)
      // Not with the answer, but while the connection lies idle.
      _ = peer.channel.eventLoop.scheduleTask(in: .milliseconds(20)) { peer.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil") }
    }
    let upstream = try self.bench.upstream(server)
    #expect(await self.bench.answer(upstream, try credentialed()).text == "ok")
    await server.log.reaches { $0.closedConnections == [1] }
    #expect(await self.bench.answer(upstream, try credentialed()).text == "ok")
    #expect(server.log.value.connections == 2)
  }

  @Test func bytesBehindAnAnswerAreNobodysAndEndTheConnection() async throws {
    let server = try await self.bench.server(always(okay + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"))
    let upstream = try self.bench.upstream(server)
    for _ in 0..<2 { #expect(await self.bench.answer(upstream, try credentialed()).text == "ok") }
    #expect(server.log.value.connections == 2)
  }

  @Test func twoIdentitiesNeverShareAConnection() async throws {
    let alice = try self.bench.clientCertificate("alice")
    let bob = try self.bench.clientCertificate("bob")
    let server = try await self.bench.server(clientRoots: try self.bench.pki.clientAuthority.trustRoots(), always(okay))
    var configuration = self.bench.configuration([server])
    configuration.clientCertificates = [alice, bob]
    let upstream = try self.bench.upstream(configuration)
    for _ in 0..<3 {
      for identity in [alice.identity, bob.identity] {
        let name = identity == alice.identity ? "alice" : "bob"
        let request = try credentialed(credential: "X-Remote-User: \(name)\r\n", identity: identity)
        #expect(await self.bench.answer(upstream, request).text == "ok")
      }
    }
    let requests = server.log.value.requests
    #expect(requests.count == 6)
    #expect(server.log.value.connections == 2)
    for request in requests {
      let expected = request.head.contains("X-Remote-User: alice") ? alice.identity : bob.identity
      #expect(request.certificate == expected.certificateFingerprint)
    }
  }

  @Test func aCredentialWhoseCertificateIsUnknownIsNotSentByAnother() async throws {
    let server = try await self.bench.server(always(okay))
    let upstream = try self.bench.upstream(server)
    let request = try credentialed(identity: .init(certificateFingerprint: String(repeating: "0", count: 64)))
    #expect(await self.bench.answer(upstream, request).problem == .upstreamRequestUnfit)
    #expect(server.log.value.connections == 0)
  }

  @Test func eachEventLoopHasConnectionsOfItsOwn() async throws {
    let server = try await self.bench.server(always(okay))
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    let upstream = try Upstream(
      configuration: self.bench.configuration([server]), group: group, logger: .init(label: "test"))
    for eventLoop in group.makeIterator() {
      for _ in 0..<2 { #expect(await TestExchange(upstream, try credentialed(), on: eventLoop).end().text == "ok") }
    }
    #expect(server.log.value.connections == 2)
    upstream.close()
    await server.log.reaches { $0.closedConnections == [1, 2] }
    try await group.shutdownGracefully()
  }

  @Test func anEventLoopOfAnotherGroupIsRefused() async throws {
    let server = try await self.bench.server(always(okay))
    let upstream = try self.bench.upstream(server)
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let exchange = TestExchange(upstream, try credentialed(), on: group.next())
    #expect(await exchange.end().problem == .upstreamRequestUnfit)
    try await group.shutdownGracefully()
  }

  @Test func closingEndsIdleConnectionsAndRefusesNewRequests() async throws {
    let server = try await self.bench.server { moment, peer in
      guard case .end(let request) = moment else { return }
      peer.send(request.head.contains("/slow") ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n" : okay)
    }
    let upstream = try self.bench.upstream(server)
    let slow = self.bench.start(upstream, try credentialed(.get, "/slow"))
    await slow.record.reaches { $0.text == "ok" }
    #expect(await self.bench.answer(upstream, try credentialed()).text == "ok")
    upstream.close()
    await server.log.reaches { $0.closedConnections == [2] }
    #expect(await self.bench.answer(upstream, try credentialed()).problem == .upstreamBusy)
    #expect(!slow.record.value.isOver)
    slow.cancel()
    await server.log.reaches { $0.closedConnections == [1, 2] }
  }
}
