import Foundation
import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import SallyportCore
import SallyportPKI
import TestSupport
import Testing

@testable import SallyportRedis

/// The client against a real Redis server: let in and not, hung, gone and back.
@Suite struct RedisClientTests {
  private let eventLoop = MultiThreadedEventLoopGroup.singleton.next()

  private func configuration(_ server: RedisServer, password: String = RedisServer.password) -> RedisConfiguration {
    var configuration = RedisConfiguration(
      host: "127.0.0.1", port: server.port, username: RedisServer.user, password: Secret(password.utf8))
    configuration.timeout = .milliseconds(500)
    configuration.pause = .milliseconds(100)
    return configuration
  }

  private func context(trusting file: String?) throws -> NIOSSLContext {
    var tls = TLSConfiguration.makeClientConfiguration()
    if let file { tls.trustRoots = .file(file) }
    return try NIOSSLContext(configuration: tls)
  }

  private func fault(_ client: RedisClient, _ command: RedisCommand) async throws -> RedisFault {
    let result = await Task { try await client.send(command, on: self.eventLoop).get() }.result
    guard case .failure(let error) = result, let fault = error as? RedisFault else {
      throw ToolFailure("\(command) was answered: \(result)")
    }
    return fault
  }

  @Test func whatIsKeptIsThere() async throws {
    let server = try await RedisServer(pki: TestPKI())
    let client = RedisClient(self.configuration(server), on: self.eventLoop)
    let value = Array("a\r\n\0".utf8) + [255]
    #expect(try await client.send(RedisCommand("SET", [Array("sallyport:a".utf8), value]), on: self.eventLoop).get() == .text("OK"))
    #expect(try await client.send(RedisCommand("GET", "sallyport:a"), on: self.eventLoop).get() == .bytes(value))
    #expect(try await client.send(RedisCommand("GET", "sallyport:b"), on: self.eventLoop).get() == .bytes(nil))
    // A key that the access control list does not allow.
    #expect(try await self.fault(client, RedisCommand("GET", "other:a")).reason.contains("NOPERM"))
    // It goes on behind an error.
    #expect(try await client.send(RedisCommand("EXISTS", "sallyport:a"), on: self.eventLoop).get() == .integer(1))
    client.close()
    #expect(try await self.fault(client, RedisCommand("PING")).reason == "the client is closed")
  }

  @Test func everyReplyIsItsOwnCommands() async throws {
    let server = try await RedisServer(pki: TestPKI())
    let client = RedisClient(self.configuration(server), on: self.eventLoop)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<1000 {
        group.addTask {
          let loop = MultiThreadedEventLoopGroup.singleton.next()
          let reply = try await client.send(RedisCommand("ECHO", "\(number)"), on: loop).get()
          #expect(reply == .bytes(Array("\(number)".utf8)))
        }
      }
      try await group.waitForAll()
    }
    client.close()
  }

  @Test func overTLSTheServerProvesItself() async throws {
    let server = try await RedisServer(pki: TestPKI())
    let directory = TemporaryDirectory()
    let stranger = try directory.write(TestPKI().serverAuthority.certificatePEM, to: "other.pem")
    for (host, file, isGood) in [
      ("127.0.0.1", server.caFile, true), ("localhost", server.caFile, true), ("localhost", nil, false),
      ("localhost", stranger, false),
    ] {
      var configuration = self.configuration(server)
      configuration.host = host
      configuration.port = server.tlsPort
      configuration.tls = try self.context(trusting: file)
      let client = RedisClient(configuration, on: self.eventLoop)
      let reply = try? await client.send(RedisCommand("PING"), on: self.eventLoop).get()
      #expect((reply == .text("PONG")) == isGood, "\(host)")
      client.close()
    }
    // And a client that speaks plainly to the port with TLS, or the other way round, gets nothing.
    var plain = self.configuration(server)
    plain.port = server.tlsPort
    let client = RedisClient(plain, on: self.eventLoop)
    #expect(!(try await self.fault(client, RedisCommand("PING")).reason.isEmpty))
    client.close()
  }

  @Test func aWrongPasswordIsToldAndNotShown() async throws {
    let server = try await RedisServer(pki: TestPKI())
    let client = RedisClient(self.configuration(server, password: "wrong-password-7"), on: self.eventLoop)
    let fault = try await self.fault(client, RedisCommand("PING"))
    #expect(fault.reason == "the server lets nobody in: WRONGPASS")
    client.close()
  }

  /// Of an error a server's own words are told to nobody: they may be what was sent, or any text at all.
  @Test func ofAnErrorOnlyItsKindIsTold() async throws {
    let server = try await RedisServer(pki: TestPKI())
    let client = RedisClient(self.configuration(server), on: self.eventLoop)
    #expect(try await self.fault(client, RedisCommand("GET", "other:hunter2")).reason == "the server refuses GET: NOPERM")
    #expect(try await self.fault(client, RedisCommand("ECHO", "hunter2", "7")).reason == "the server refuses ECHO: ERR")
    client.close()
    for (text, kind) in [
      ("WRONGPASS invalid", "WRONGPASS"), ("ERR", "ERR"), ("READONLY_NOW x", "READONLY_NOW"), ("", nil), (" ERR", nil),
      ("hunter2 ERR", nil), ("ERR\u{1B}[31m", nil), (String(repeating: "A", count: 33), nil),
    ] {
      #expect(RedisFault.kind(of: text) == kind ?? "an error of no known kind", "\(text)")
    }
  }

  /// Where a server can be spoken to: as it is, and by TLS.
  private func both(_ server: RedisServer) throws -> [RedisConfiguration] {
    let plain = self.configuration(server)
    var secure = plain
    secure.host = "localhost"
    secure.port = server.tlsPort
    secure.tls = try self.context(trusting: server.caFile)
    return [plain, secure]
  }

  /// A server that hangs fails who waits, in bounded time; when it goes on, so does the client.
  @Test(arguments: [false, true]) func aServerThatHangsIsNotWaitedFor(byTLS: Bool) async throws {
    let server = try await RedisServer(pki: TestPKI())
    let client = RedisClient(try self.both(server)[byTLS ? 1 : 0], on: self.eventLoop)
    #expect(try await client.send(RedisCommand("PING"), on: self.eventLoop).get() == .text("PONG"))
    server.signal(SIGSTOP)
    let began = ContinuousClock.now
    for _ in 0..<3 { _ = try await self.fault(client, RedisCommand("PING")) }
    #expect(ContinuousClock.now - began < .seconds(30))
    server.signal(SIGCONT)
    try await self.expectAnswer(of: client)
    client.close()
  }

  /// Who waits for a reply waits no longer than its connection: it is the connection's end that tells, and not the time.
  @Test(arguments: [false, true]) func aConnectionsEndFailsWhatWaitsOnIt(byTLS: Bool) async throws {
    let pki = try TestPKI()
    for isClosedHere in [false, true] {
      let server = try await RedisServer(pki: pki)
      var configuration = try self.both(server)[byTLS ? 1 : 0]
      configuration.timeout = .minutes(10)
      let client = RedisClient(configuration, on: self.eventLoop)
      #expect(try await client.send(RedisCommand("PING"), on: self.eventLoop).get() == .text("PONG"))
      server.signal(SIGSTOP)
      let began = ContinuousClock.now
      let replies = (0..<3).map { _ in client.send(RedisCommand("PING"), on: self.eventLoop) }
      // Not gone on before the end: it would answer.
      if isClosedHere { client.close() } else { server.signal(SIGKILL) }
      for reply in replies {
        let result = await Task { try await reply.get() }.result
        #expect(throws: RedisFault.self) { try result.get() }
      }
      #expect(ContinuousClock.now - began < .seconds(60))
      client.close()
      try await server.stop()
    }
  }

  /// TLS takes leave of a server that hangs for seconds. Nobody waits for that to be let in again.
  @Test func aConnectionThatTakesItsLeaveKeepsNobodyFromAnother() async throws {
    let server = try await RedisServer(pki: TestPKI())
    let client = RedisClient(try self.both(server)[1], on: self.eventLoop)
    #expect(try await client.send(RedisCommand("PING"), on: self.eventLoop).get() == .text("PONG"))
    server.signal(SIGSTOP)
    _ = try await self.fault(client, RedisCommand("PING"))
    // The next has a connection of its own, whose server does not greet.
    #expect(try await self.fault(client, RedisCommand("PING")).reason == "the server did not greet in time")
    server.signal(SIGCONT)
    try await self.expectAnswer(of: client)
    client.close()
  }

  @Test func aServerThatIsBackIsUsedAgain() async throws {
    let pki = try TestPKI()
    let first = try await RedisServer(pki: pki)
    let client = RedisClient(self.configuration(first), on: self.eventLoop)
    #expect(try await client.send(RedisCommand("PING"), on: self.eventLoop).get() == .text("PONG"))
    try await first.stop()
    _ = try await self.fault(client, RedisCommand("PING"))
    // While it is away nobody waits for a connection that was refused a moment ago.
    #expect(try await self.fault(client, RedisCommand("PING")).reason.contains("127.0.0.1:\(first.port)"))
    let second = try await RedisServer(pki: pki, ports: (first.port, first.tlsPort))
    try await self.expectAnswer(of: client)
    client.close()
    try await second.stop()
  }

  private func expectAnswer(of client: RedisClient) async throws {
    let end = ContinuousClock.now + .seconds(30)
    while ContinuousClock.now < end {
      if let reply = try? await client.send(RedisCommand("PING"), on: self.eventLoop).get() { return #expect(reply == .text("PONG")) }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw ToolFailure("the client did not come back")
  }

  /// Servers that are none: each is a fault, and none is waited for without end.
  @Test(arguments: ["HTTP/1.1 400 Bad Request\r\n\r\n", "+PONG\r\n+PONG\r\n", "$99999999999\r\n", "\r\n", ""])
  func aServerOfAnotherKindIsAFault(_ answer: String) async throws {
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Answering(answer)) }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    var configuration = RedisConfiguration(host: "127.0.0.1", port: try #require(server.localAddress?.port))
    configuration.timeout = .milliseconds(300)
    let client = RedisClient(configuration, on: self.eventLoop)
    // The greeting of a server that says too much may pass; the first command then has no reply of its own.
    _ = try? await client.send(RedisCommand("PING"), on: self.eventLoop).get()
    _ = try await self.fault(client, RedisCommand("GET", "sallyport:a"))
    client.close()
    try await server.close()
  }
}

/// Says one thing, once, when something comes.
private final class Answering: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer
  private var answer: String?

  init(_ answer: String) { self.answer = answer }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard let answer = self.answer else { return }
    self.answer = nil
    context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
  }
}
