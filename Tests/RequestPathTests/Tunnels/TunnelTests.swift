import Crypto
import Foundation
import NIOCore
import SallyportPKI
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct TunnelTests {
  // MARK: Before the 101

  @Test func nothingOfTheClientIsSentBeforeTheServerHasSwitched() async throws {
    let world = try await TunnelWorld.start()
    let client = try await world.connect()
    try await client.send(TunnelWorld.webSocketRequest() + "GET /api/v1/secrets HTTP/1.1\r\nHost: a\r\n\r\n")
    let server = try await world.upstream.accept()
    let head = try await server.readHead()
    #expect(head.contains("\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"))
    #expect(head.contains("\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"))
    #expect(head.contains("\r\nX-Remote-User: alice\r\n"))
    // Were they to be sent with the head, or behind it, they would be there by the time the next bytes have gone round.
    try await client.send("early")
    try await Task.sleep(for: .milliseconds(200))
    #expect(server.now.count == head.utf8.count)

    try await server.send(TunnelWorld.webSocketAnswer)
    #expect(try await client.readHead().hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
    #expect(try await server.read(until: "early") == "GET /api/v1/secrets HTTP/1.1\r\nHost: a\r\n\r\nearly")
    await world.stop()
  }

  @Test func aClientThatIsEarlyIsNotReadOn() async throws {
    let world = try await TunnelWorld.start()
    let client = try await world.connect()
    try await client.send(TunnelWorld.spdyRequest())
    let server = try await world.upstream.accept()
    let head = try await server.readHead()
    #expect(head.hasPrefix("POST ") && head.contains("\r\nUpgrade: SPDY/3.1\r\n"))
    // More than the sockets and the two TLS libraries hold: if it were all taken, somebody would have to buffer it.
    let bytes = ByteBuffer(repeating: 7, count: 64 * 1024 * 1024)
    let sent = client.sendLater(bytes)
    try await eventually("that the client can send no more") { !client.channel.isWritable }
    try await Task.sleep(for: .milliseconds(500))
    #expect(client.channel.isWritable == false)
    #expect(server.now.count == head.utf8.count)
    server.update { $0.discards = true }
    try await server.send(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: spdy/3.1\r\n\r\n")
    try await sent.get()
    try await server.reaches("all early bytes", seconds: 120) { $0.count >= bytes.readableBytes + head.utf8.count }
    await world.stop()
  }

  @Test(arguments: [
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\nsecret",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\nsecret",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nsecret",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket, SPDY/3.1\r\n\r\nsecret",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n\r\nsecret",
  ])
  func aServerThatSwitchesToSomethingElseIsAnsweredFor(answer: String) async throws {
    let world = try await TunnelWorld.start()
    let client = try await world.connect()
    try await client.send(TunnelWorld.webSocketRequest())
    let server = try await world.upstream.accept()
    _ = try await server.readHead()
    try await server.send(answer)
    let head = try await client.readHead()
    #expect(head.hasPrefix("HTTP/1.1 502 "))
    try await server.reaches("the end of its connection") { $0.inputHasEnded || $0.isClosed }
    #expect(!client.now.text.contains("secret"))
    #expect(try await world.record(stage: "ResponseComplete").code == 502)
    await world.stop()
  }

  // MARK: Anything but 101

  @Test(arguments: [
    "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\nContent-Length: 5\r\n\r\n{\"a\"}",
    "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\nContent-Length: 5\r\n\r\n{\"a\"}",
    "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\nContent-Length: 5\r\n\r\n{\"a\"}",
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\nContent-Length: 5\r\n\r\n{\"a\"}",
  ])
  func aRefusedUpgradeIsRelayedAsItIsAndItsConnectionServesNoOther(answer: String) async throws {
    let world = try await TunnelWorld.start()
    let client = try await world.connect()
    try await client.send(TunnelWorld.webSocketRequest())
    let server = try await world.upstream.accept()
    _ = try await server.readHead()
    try await server.send(answer)
    let head = try await client.readHead()
    #expect(head.hasPrefix(String(answer.prefix(12))))
    #expect(head.contains("Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n"))
    #expect(try await client.read(until: "}") == "{\"a\"}")
    try await server.reaches("the end of its connection") { $0.inputHasEnded || $0.isClosed }

    // The client's connection is plain HTTP again, by another connection of the upstream's.
    try await client.send("GET /api/v1/pods HTTP/1.1\r\nHost: localhost\r\n\r\n")
    let next = try await world.upstream.accept()
    #expect(try await next.readHead().hasPrefix("GET /api/v1/pods HTTP/1.1\r\n"))
    #expect(world.upstream.connectionCount == 2)
    await world.stop()
  }

  @Test func bytesBehindARefusedUpgradeReachNobody() async throws {
    let world = try await TunnelWorld.start()
    let client = try await world.connect()
    try await client.send(TunnelWorld.webSocketRequest() + "GET /api/v1/secrets HTTP/1.1\r\nHost: localhost\r\n\r\n")
    let server = try await world.upstream.accept()
    let head = try await server.readHead()
    try await server.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
    #expect(try await client.readHead().contains("\r\nConnection: close\r\n"))
    try await client.reaches("the end of its connection") { $0.inputHasEnded || $0.isClosed }
    try await server.reaches("the end of its connection") { $0.inputHasEnded || $0.isClosed }
    #expect(server.now.count == head.utf8.count)
    #expect(world.upstream.connectionCount == 1)
    await client.close()
    await world.stop()
  }

  @Test func anUpgradeNeverTravelsOnAUsedConnection() async throws {
    let world = try await TunnelWorld.start()
    let client = try await world.connect()
    try await client.send("GET /api/v1/pods HTTP/1.1\r\nHost: localhost\r\n\r\n")
    let first = try await world.upstream.accept()
    _ = try await first.readHead()
    try await first.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    _ = try await client.read(until: "ok")
    try await client.send(TunnelWorld.webSocketRequest())
    let second = try await world.upstream.accept()
    #expect(try await second.readHead().contains("Upgrade: websocket"))
    await world.stop()
  }

  // MARK: What is refused at the door

  @Test(arguments: ["Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n0\r\n"])
  func anUpgradeWithABodyIsRefused(fields: String) async throws {
    let world = try await TunnelWorld.start()
    let client = try await world.connect()
    try await client.send(TunnelWorld.spdyRequest(fields: fields))
    #expect(try await client.readHead().hasPrefix("HTTP/1.1 400 "))
    #expect(world.upstream.connectionCount == 0)
    await world.stop()
  }

  @Test func aForeignPageGetsNoTunnel() async throws {
    let world = try await TunnelWorld.start()
    let client = try await world.connect()
    try await client.send(TunnelWorld.webSocketRequest(fields: "Origin: https://evil.example\r\n"))
    #expect(try await client.readHead().hasPrefix("HTTP/1.1 403 "))
    #expect(world.upstream.connectionCount == 0)
    #expect(try await world.record(stage: "ResponseComplete").annotation("upgrade") == "websocket")
    await world.stop()
  }

  /// The route takes certificates alone, so that the token counts as a credential that is refused; were it not seen, the
  /// certificate would be enough. What is left of the field is tested with the station that strips it.
  @Test func aTokenAmongTheProtocolsIsACredential() async throws {
    let world = try await TunnelWorld.start()
    let client = try await world.connect()
    try await client.send(
      TunnelWorld.webSocketRequest(
        fields: "Sec-WebSocket-Protocol: v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.c2VjcmV0, v4.channel.k8s.io\r\n"))
    #expect(try await client.readHead().hasPrefix("HTTP/1.1 401 "))
    #expect(world.upstream.connectionCount == 0)
    await world.stop()
  }

  @Test(arguments: [
    "Connection: Upgrade\r\nUpgrade: h2c\r\n", "Connection: Upgrade\r\nUpgrade: websocket, SPDY/3.1\r\n", "Upgrade: websocket\r\n",
    "Connection: Upgrade, close\r\nUpgrade: websocket\r\n",
  ])
  func whatIsNoUpgradeIsAnOrdinaryRequest(fields: String) async throws {
    let world = try await TunnelWorld.start()
    let client = try await world.connect()
    try await client.send("GET /api/v1/pods HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n")
    let server = try await world.upstream.accept()
    #expect(try await server.readHead().contains("Upgrade") == false)
    // A server that switches all the same has not been asked to.
    try await server.send(TunnelWorld.webSocketAnswer)
    #expect(try await client.readHead().hasPrefix("HTTP/1.1 502 "))
    await world.stop()
  }
}
