import NIOCore
import SallyportCore
import SallyportWire
import TestSupport
import Testing

@testable import SallyportUpstream

@Suite(.timeLimit(.minutes(5))) struct RetryTests {
  private let bench: Bench

  init() throws { self.bench = try Bench() }

  /// Answers the first request of the first connection; `other` decides about all others.
  private func serverThatLoses(_ other: @escaping ScriptedServer.Script) async throws -> ScriptedServer {
    try await self.bench.server { moment, peer in
      if case .end(let request) = moment, request.connection == 1, request.number == 1 { return peer.send(okay) }
      other(moment, peer)
    }
  }

  @Test func aReadOnAUsedConnectionThatDiesIsSentAgain() async throws {
    let server = try await self.serverThatLoses { moment, peer in
      guard case .end(let request) = moment else { return }
      if request.connection == 1 { peer.cut() } else { peer.send(okay) }
    }
    let upstream = try self.bench.upstream(server)
    #expect(await self.bench.answer(upstream, try credentialed()).text == "ok")
    #expect(await self.bench.answer(upstream, try credentialed(.get, "/version")).text == "ok")
    #expect(server.log.value.requests.map(\.connection) == [1, 1, 2])
    #expect(server.log.value.requests[1].head.hasPrefix("GET /version "))
    // The same bytes, but for nothing.
    #expect(server.log.value.requests[1].head == server.log.value.requests[2].head)
  }

  @Test(arguments: [Method.post, .put, .patch, .delete])
  func aChangeOnAUsedConnectionThatDiesIsNotSentAgain(method: Method) async throws {
    let server = try await self.serverThatLoses { moment, peer in
      if case .end = moment { peer.cut() }
    }
    let upstream = try self.bench.upstream(server)
    #expect(await self.bench.answer(upstream, try credentialed()).text == "ok")
    #expect(await self.bench.answer(upstream, try credentialed(method)).problem == .upstreamConnectionLost)
    #expect(server.log.value.requests.count == 2)
    #expect(server.log.value.connections == 1)
  }

  @Test func aReadWithABodyIsNotSentAgain() async throws {
    let server = try await self.serverThatLoses { moment, peer in
      if case .end = moment { peer.cut() }
    }
    let upstream = try self.bench.upstream(server)
    #expect(await self.bench.answer(upstream, try credentialed()).text == "ok")
    let answer = await self.bench.answer(upstream, try credentialed(.get, framing: .length(4)), body: [ByteBuffer(string: "body")])
    #expect(answer.problem == .upstreamConnectionLost)
    #expect(server.log.value.connections == 1)
  }

  @Test func aReadIsSentAgainOnlyOnce() async throws {
    let server = try await self.serverThatLoses { moment, peer in
      if case .end = moment { peer.cut() }
    }
    let upstream = try self.bench.upstream(server)
    #expect(await self.bench.answer(upstream, try credentialed()).text == "ok")
    #expect(await self.bench.answer(upstream, try credentialed()).problem == .upstreamConnectionLost)
    #expect(server.log.value.requests.map(\.connection) == [1, 1, 2])
  }

  @Test func aReadOnAFreshConnectionThatDiesIsNotSentAgain() async throws {
    let server = try await self.bench.server { moment, peer in
      if case .end = moment { peer.cut() }
    }
    let upstream = try self.bench.upstream(server)
    #expect(await self.bench.answer(upstream, try credentialed()).problem == .upstreamConnectionLost)
    #expect(server.log.value.requests.count == 1)
  }

  @Test(arguments: ["H", "HTTP/1.1 103 Early Hints\r\n\r\n"])
  func aReadWhoseAnswerHasBegunIsNotSentAgain(beginning: String) async throws {
    let server = try await self.serverThatLoses { moment, peer in
      guard case .end = moment else { return }
      peer.send(beginning)
      peer.close()
    }
    let upstream = try self.bench.upstream(server)
    #expect(await self.bench.answer(upstream, try credentialed()).text == "ok")
    #expect(await self.bench.answer(upstream, try credentialed()).problem == .upstreamConnectionLost)
    #expect(server.log.value.connections == 1)
  }

  @Test func aConnectionThatTheServerClosedWhileIdleIsNotUsed() async throws {
    let server = try await self.bench.server { moment, peer in
      guard case .end(let request) = moment else { return }
      peer.send(okay)
      if request.connection == 1 { peer.close() }
    }
    let upstream = try self.bench.upstream(server)
    #expect(await self.bench.answer(upstream, try credentialed(.post)).text == "ok")
    await server.log.reaches { $0.closedConnections == [1] }
    #expect(await self.bench.answer(upstream, try credentialed(.post)).text == "ok")
    #expect(server.log.value.connections == 2)
  }

  // MARK: Servers that are down

  @Test func aServerThatIsDownIsPassedOverEvenForAChange() async throws {
    let server = try await self.bench.server(always(okay))
    var configuration = self.bench.configuration([server])
    configuration.servers.insert(.init(host: "127.0.0.1", port: try await self.bench.deadPort()), at: 0)
    let upstream = try self.bench.upstream(configuration)
    let body = ByteBuffer(string: "body")
    for _ in 0..<4 {
      let exchange = self.bench.start(upstream, try credentialed(.post, framing: .length(4)), body: [body])
      #expect(await exchange.end().text == "ok")
    }
    #expect(server.log.value.requests.map { String(buffer: $0.body) } == Array(repeating: "body", count: 4))
  }

  @Test func whenAllServersAreDownTheRequestFailsAtOnceWithoutNamingThem() async throws {
    let port = try await self.bench.deadPort()
    // Whoever waited for a connection would wait a minute.
    let upstream = try self.bench.upstream(
      UpstreamConfiguration(
        name: "test", servers: [.init(host: "127.0.0.1", port: port), .init(host: "localhost", port: port)],
        rootsFile: self.bench.rootsFile, connectTimeout: .minutes(1)))
    let clock = ContinuousClock()
    let start = clock.now
    for _ in 0..<3 {
      let problem = try #require(await self.bench.answer(upstream, try credentialed()).problem)
      #expect(problem == .upstreamUnreachable)
      #expect(problem.status == 503)
      #expect(problem.detail.contains("\(port)"))
      #expect(!problem.message.contains("127.0.0.1"))
      #expect(!problem.message.contains("\(port)"))
    }
    #expect(clock.now - start < .seconds(45))
  }

  @Test func aServerThatComesBackServesTheNextRequest() async throws {
    let port = try await self.bench.deadPort()
    let upstream = try self.bench.upstream(
      UpstreamConfiguration(name: "test", servers: [.init(host: "127.0.0.1", port: port)], rootsFile: self.bench.rootsFile))
    #expect(await self.bench.answer(upstream, try credentialed()).problem == .upstreamUnreachable)
    let server = try await ScriptedServer(certificate: self.bench.pki.server, port: port, script: always(okay))
    #expect(await self.bench.answer(upstream, try credentialed()).text == "ok")
    try await server.close()
  }

  @Test func aHostNameThatNobodyKnowsIsSaidSo() async throws {
    let upstream = try self.bench.upstream(
      UpstreamConfiguration(name: "test", servers: [.init(host: "nobody.invalid", port: 443)], rootsFile: self.bench.rootsFile))
    let problem = try #require(await self.bench.answer(upstream, try credentialed()).problem)
    #expect(problem == .upstreamUnreachable)
    #expect(problem.detail.contains("nobody.invalid"))
  }
}
