import Crypto
import Foundation
import NIOCore
import SallyportPKI
import TestSupport
import Testing

/// One after another: some of them keep the machine busy.
@Suite(.serialized, .timeLimit(.minutes(5))) struct OpenTunnelTests {
  // MARK: Records

  @Test func aTunnelHasThreeRecordsAndTheLastSaysWhatPassed() async throws {
    let world = try await TunnelWorld.start()
    let (client, server) = try await world.tunnel()
    let received = try await world.record(stage: "RequestReceived")
    #expect(received.verb == "get")
    #expect(received.annotation("upgrade") == "websocket")
    let started = try await world.record(stage: "ResponseStarted")
    #expect(started.code == 101)
    #expect(started.annotation("ended") == nil)

    try await client.send("12345")
    _ = try await server.read(until: "12345")
    try await server.send("123")
    _ = try await client.read(until: "123")
    try await client.closeOutput()
    try await server.reaches("the client's end") { $0.inputHasEnded }
    await server.close()
    try await client.reaches("the end") { $0.isClosed }

    let complete = try await world.record(stage: "ResponseComplete")
    #expect(complete.code == 101)
    #expect(complete.annotation("upgrade") == "websocket")
    #expect(complete.annotation("bytes-in") == "5")
    #expect(complete.annotation("bytes-out") == "3")
    #expect(complete.annotation("ended") == "complete")
    #expect(complete.annotation("error") == nil)
    #expect(complete.annotation("duration")?.wholeMatch(of: /\d+\.\d{3}/) != nil)
    await world.stop()
  }

  @Test func overSPDYTheVerbIsTheAPIServers() async throws {
    let world = try await TunnelWorld.start()
    let client = try await world.connect()
    try await client.send(TunnelWorld.spdyRequest())
    let server = try await world.upstream.accept()
    _ = try await server.readHead()
    try await server.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\nhello")
    let head = try await client.readHead()
    #expect(head.contains("\r\nUpgrade: SPDY/3.1\r\n") && head.contains("\r\nConnection: Upgrade\r\n"))
    // What came in one piece with the 101 is the tunnel's.
    _ = try await client.read(until: "hello")
    let started = try await world.record(stage: "ResponseStarted")
    #expect(started.verb == "create")
    #expect(started.annotation("upgrade") == "SPDY/3.1")
    await world.stop()
  }

  // MARK: Half-close

  @Test func aClientThatIsDoneStillReceives() async throws {
    let world = try await TunnelWorld.start()
    let (client, server) = try await world.tunnel()
    try await client.send("last words")
    try await client.closeOutput()
    _ = try await server.read(until: "last words")
    try await server.reaches("the client's end") { $0.inputHasEnded }
    #expect(!server.now.isClosed)
    // More than all buffers on the way: none of it may be lost when the last direction ends.
    let answer = ByteBuffer(repeating: 0x61, count: 3_000_000)
    client.update { $0.discards = true }
    let before = client.now.count
    try await server.send(answer)
    await server.close()
    let end = try await client.reaches("the end") { $0.isClosed }
    #expect(end.count - before == answer.readableBytes)
    #expect(end.error == nil)
    #expect(try await world.record(stage: "ResponseComplete").annotation("ended") == "complete")
    await world.stop()
  }

  @Test func aServerThatIsDoneStillReceives() async throws {
    let world = try await TunnelWorld.start()
    let (client, server) = try await world.tunnel()
    try await server.send("bye")
    try await server.closeOutput()
    _ = try await client.read(until: "bye")
    try await client.reaches("the server's end") { $0.inputHasEnded }
    #expect(!client.now.isClosed)
    let rest = ByteBuffer(repeating: 0x62, count: 3_000_000)
    server.update { $0.discards = true }
    let before = server.now.count
    try await client.send(rest)
    await client.close()
    let end = try await server.reaches("the end") { $0.isClosed }
    #expect(end.count - before == rest.readableBytes)
    #expect(end.error == nil)
    #expect(try await world.record(stage: "ResponseComplete").annotation("ended") == "complete")
    await world.stop()
  }

  @Test func aServerThatEndsAtOnceIsHeardWhole() async throws {
    let world = try await TunnelWorld.start()
    let client = try await world.connect()
    try await client.send(TunnelWorld.webSocketRequest())
    let server = try await world.upstream.accept()
    _ = try await server.readHead()
    try await server.send(TunnelWorld.webSocketAnswer + "all")
    try await server.closeOutput()
    #expect(try await client.readHead().hasPrefix("HTTP/1.1 101 "))
    _ = try await client.read(until: "all")
    try await client.reaches("the server's end") { $0.inputHasEnded }
    await client.close()
    try await server.reaches("the end") { $0.isClosed }
    await world.stop()
  }

  // MARK: Broken ends

  @Test(arguments: [true, false])
  func aConnectionThatIsCutTakesTheOtherWithIt(cutsClient: Bool) async throws {
    let world = try await TunnelWorld.start()
    let (client, server) = try await world.tunnel()
    let (first, second) = cutsClient ? (client, server) : (server, client)
    second.update { $0.discards = true }
    let before = second.now.count
    try await first.send(ByteBuffer(repeating: 1, count: 300_000))
    try await first.cut()
    let end = try await second.reaches("the end") { $0.isClosed }
    // What came before the cut is passed on; that something is missing shows in TLS.
    #expect(end.count - before == 300_000)
    #expect(end.error?.contains("uncleanShutdown") == true)
    let record = try await world.record(stage: "ResponseComplete")
    #expect(record.annotation("ended") == (cutsClient ? "clientLost" : "upstreamLost"))
    #expect(record.annotation("error")?.hasPrefix("tunnelBroken: ") == true)
    await world.stop()
  }

  // MARK: Volume

  @Test func aSlowReaderStopsTheSender() async throws {
    let world = try await TunnelWorld.start()
    let (client, server) = try await world.tunnel()
    try await client.setReading(false)
    let bytes = ByteBuffer(repeating: 7, count: 64 * 1024 * 1024)
    let sent = server.sendLater(bytes)
    try await eventually("that the server can send no more") { !server.channel.isWritable }
    try await Task.sleep(for: .milliseconds(500))
    #expect(server.channel.isWritable == false)
    // The other direction does not mind.
    try await client.send("still here")
    _ = try await server.read(until: "still here")
    let before = client.now.count
    client.update { $0.discards = true }
    try await client.setReading(true)
    try await sent.get()
    try await client.reaches("all", seconds: 120) { $0.count - before >= bytes.readableBytes }
    await world.stop()
  }

  /// 64 MiB each way; the nightly run sets SALLYPORT_TUNNEL_MEGABYTES to 1024.
  @Test func whatPassesBothWaysAtOnceIsUnchanged() async throws {
    let megabytes = ProcessInfo.processInfo.environment["SALLYPORT_TUNNEL_MEGABYTES"].flatMap { Int($0) } ?? 64
    let world = try await TunnelWorld.start()
    let (client, server) = try await world.tunnel()
    for peer in [client, server] {
      peer.update { state in
        state.discards = true
        state.hash = SHA256()
        state.count = 0
      }
    }
    async let up = Self.pour(megabytes, seed: 1, into: client)
    async let down = Self.pour(megabytes, seed: 2, into: server)
    let (upHash, downHash) = try await (up, down)
    let total = megabytes * 1024 * 1024
    let atServer = try await server.reaches("all of the client's", seconds: 240) { $0.count >= total }
    let atClient = try await client.reaches("all of the server's", seconds: 240) { $0.count >= total }
    #expect(atServer.hash.finalize() == upHash)
    #expect(atClient.hash.finalize() == downHash)
    try await client.closeOutput()
    try await server.reaches("the client's end") { $0.inputHasEnded }
    await server.close()
    let record = try await world.record(stage: "ResponseComplete")
    #expect(record.annotation("bytes-in") == "\(total)")
    #expect(record.annotation("bytes-out") == "\(total)")
    await world.stop()
  }

  /// Sends so many MiB that no repetition, loss or exchange of a part leaves as they are.
  private static func pour(_ megabytes: Int, seed: UInt64, into peer: RawPeer) async throws -> SHA256.Digest {
    var hash = SHA256()
    var value = seed
    for _ in 0..<megabytes * 4 {
      var words = [UInt64](repeating: 0, count: 32 * 1024)
      for index in words.indices {
        value = value &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        words[index] = value
      }
      let part = words.withUnsafeBytes { ByteBuffer(bytes: $0) }
      part.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
      try await peer.send(part)
    }
    return hash.finalize()
  }

  @Test func twoHundredTunnelsAtOnce() async throws {
    let world = try await TunnelWorld.start()
    let alice = try world.pki.client("alice", groups: ["dev"])
    var tunnels: [(client: RawPeer, server: RawPeer)] = []
    for _ in 0..<200 { tunnels.append(try await world.tunnel(as: alice)) }
    #expect(world.upstream.connectionCount == 200)
    for (number, tunnel) in tunnels.enumerated() { try await tunnel.client.send("up \(number).") }
    for (number, tunnel) in tunnels.enumerated() {
      #expect(try await tunnel.server.read(until: ".") == "up \(number).")
      try await tunnel.server.send("down \(number).")
    }
    for (number, tunnel) in tunnels.enumerated() {
      #expect(try await tunnel.client.read(until: ".") == "down \(number).")
      try await tunnel.client.closeOutput()
    }
    for tunnel in tunnels {
      try await tunnel.server.reaches("the client's end") { $0.inputHasEnded }
      await tunnel.server.close()
    }
    let last = try await world.record(stage: "ResponseComplete", count: 200)
    #expect(last.annotation("ended") == "complete")
    await world.stop()
  }

  // MARK: Cuts

  @Test func aTunnelEndsWithTheCertificateThatOpenedIt() async throws {
    let world = try await TunnelWorld.start()
    let expires = Date(timeIntervalSinceNow: 8)
    let certificate = try world.pki.client("alice") { $0.notAfter = expires }
    let (client, server) = try await world.tunnel(as: certificate)
    try await client.send("hello")
    _ = try await server.read(until: "hello")
    try await client.reaches("the end") { $0.isClosed }
    try await server.reaches("the end") { $0.isClosed }
    // A certificate counts whole seconds.
    #expect(Date() > expires.addingTimeInterval(-1))
    #expect(try await world.record(stage: "ResponseComplete").annotation("ended") == "certificateExpired")
    await world.stop()
  }

  @Test func aTunnelLastsNoLongerThanAStreamMay() async throws {
    let world = try await TunnelWorld.start(limits: "maximumStreamAge: 5s")
    let (client, server) = try await world.tunnel()
    try await server.reaches("the end") { $0.isClosed }
    try await client.reaches("the end") { $0.isClosed }
    #expect(try await world.record(stage: "ResponseComplete").annotation("ended") == "maximumAge")
    await world.stop()
  }

  @Test func aWatchLastsNoLongerThanAStreamMay() async throws {
    let world = try await TunnelWorld.start(limits: "maximumStreamAge: 5s")
    let client = try await world.connect()
    try await client.send("GET /api/v1/pods?watch=true HTTP/1.1\r\nHost: localhost\r\n\r\n")
    let server = try await world.upstream.accept()
    _ = try await server.readHead()
    try await server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n")
    _ = try await client.read(until: "body")
    let end = try await client.reaches("the end") { $0.isClosed }
    #expect(end.error?.contains("uncleanShutdown") == true)
    try await server.reaches("the end") { $0.isClosed }
    let record = try await world.record(stage: "ResponseComplete")
    #expect(record.annotation("ended") == "maximumAge")
    #expect(record.annotation("error") == "streamCut: maximumAge")
    await world.stop()
  }

  @Test func aGatewayThatStopsCutsItsTunnelsWhenItsGraceIsOver() async throws {
    let world = try await TunnelWorld.start()
    let (client, server) = try await world.tunnel()
    let stopping = Task { await world.stop(grace: .seconds(5)) }
    try await client.send("still served")
    _ = try await server.read(until: "still served")
    try await client.reaches("the end") { $0.isClosed }
    try await server.reaches("the end") { $0.isClosed }
    await stopping.value
    #expect(try await world.record(stage: "ResponseComplete").annotation("ended") == "shutdown")
  }
}
