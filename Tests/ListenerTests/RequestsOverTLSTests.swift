import NIOCore
import SallyportCore
import SallyportListener
import SallyportWire
import TestSupport
import Testing

/// Whole requests over real connections.
@Suite(.timeLimit(.minutes(5))) struct RequestsOverTLSTests {
  private static func answer(_ status: String, _ body: String) -> String {
    "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  @Test func aConnectionCarriesOneRequestAfterTheOther() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await fixture.connect()
    for body in ["one", "two", "three"] {
      try await client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
      let expected = Self.answer("200 OK", body)
      #expect(try await client.read(count: expected.utf8.count) == expected)
    }
    #expect(fixture.listener.connectionCount == 1)
    await fixture.listener.close()
    #expect(fixture.listener.connectionCount == 0)
  }

  @Test func requestsInOneWriteAreAnsweredInTheirOrder() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await fixture.connect()
    let requests = ["one", "two"].map { "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n\($0)" }
    try await client.send(requests.joined() + "GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    let received = try await client.readToEnd()
    #expect(
      received == Self.answer("200 OK", "one") + Self.answer("200 OK", "two")
        + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    #expect(try await client.end() == nil, "the connection ends in order")
    await fixture.listener.close()
  }

  @Test func anEarlyAnswerIsReadByAClientThatGoesOnSending() async throws {
    let fixture = try await ListenerFixture.start(change: { $0.timeouts.linger = .milliseconds(500) })
    let client = try await fixture.connect()
    try await client.send("POST /early HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n")
    for _ in 0..<8 { client.sendAndForget(String(repeating: "x", count: 1024 * 1024)) }
    let head = try await client.read(until: "\r\n\r\n")
    #expect(head == "HTTP/1.1 413 Content Too Large\r\nContent-Length: 8\r\nConnection: close\r\n\r\n")
    #expect(try await client.read(count: 8) == "too much")
    _ = try await client.end()
    #expect(await fixture.receiver.first { _ in true } == .request("POST /early"))
    await fixture.listener.close()
  }

  @Test func aClientThatWaitsToBeToldIsTold() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await fixture.connect()
    try await client.send("PUT /continue HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    #expect(try await client.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
    try await client.send("hello")
    let expected = Self.answer("200 OK", "hello")
    #expect(try await client.read(count: expected.utf8.count) == expected)
    await fixture.listener.close()
  }

  @Test(arguments: [true, false]) func aRequestHearsThatItsClientIsGone(inOrder: Bool) async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await fixture.connect()
    try await client.send("GET /hang HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(await fixture.receiver.first { _ in true } == .request("GET /hang"))
    if inOrder {
      await client.close()
    } else {
      try await client.cut()
    }
    #expect(await fixture.receiver.first { _ in true } == .gone(.closed))
    await fixture.listener.close()
  }

  @Test func aClientThatIsGoneIsNoticedBehindBytesThatWait() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await fixture.connect()
    let hang = "GET /hang HTTP/1.1\r\nHost: localhost\r\n\r\n"
    try await client.send(hang + hang)
    #expect(await fixture.receiver.first { _ in true } == .request("GET /hang"))
    try await client.send(hang)
    await client.close()
    #expect(await fixture.receiver.first { _ in true } == .gone(.closed))
    await fixture.listener.close()
  }

  @Test func aSlowReaderStopsTheSender() async throws {
    let fixture = try await ListenerFixture.start(tls: false)
    let client = try await RawTLSClient.connect(port: fixture.port, tls: nil, receiveBuffer: 4096)
    try await client.setReading(false)
    try await client.send("GET /stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    #expect(await fixture.receiver.first { $0 == .flow(paused: true) } != nil)
    // The kernel's buffers hold some; the rest waits at its sender.
    #expect(fixture.receiver.streamed < 4 * 1024 * 1024)
    try await client.setReading(true)
    #expect(try await client.readToEnd(timeout: .seconds(30)).hasSuffix("\r\n0\r\n\r\n"))
    #expect(fixture.receiver.streamed == 4 * 1024 * 1024)
    await fixture.listener.close()
  }

  @Test func aClientThatTakesNothingIsCut() async throws {
    let fixture = try await ListenerFixture.start(tls: false, change: { $0.timeouts.writeStall = .milliseconds(300) })
    let client = try await RawTLSClient.connect(port: fixture.port, tls: nil, receiveBuffer: 4096)
    try await client.setReading(false)
    try await client.send("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(await fixture.receiver.first { $0 == .gone(.timedOut) } != nil)
    await fixture.listener.close()
  }

  @Test func aHeadInDropsIsCutInTheEnd() async throws {
    let fixture = try await ListenerFixture.start(change: { $0.timeouts.head = .seconds(3) })
    let client = try await fixture.connect()
    try await client.send("GET /echo HTTP/1.1\r\nHost: loc")
    #expect(try await client.readToEnd() == "")
    #expect(await fixture.receiver.nextFailure() == "requestHeadTimedOut")
    await fixture.listener.close()
  }

  @Test func aConnectionThatRestsTooLongIsClosedWithoutAWord() async throws {
    let fixture = try await ListenerFixture.start(change: { $0.timeouts.idle = .milliseconds(300) })
    let client = try await fixture.connect()
    try await client.send("GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(try await client.readToEnd() == Self.answer("200 OK", ""))
    await fixture.listener.close()
  }

  @Test func drainingLetsTheRequestUnderWayEndAndTakesNoOther() async throws {
    let fixture = try await ListenerFixture.start()
    let idle = try await fixture.connect()
    try await idle.send("GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n")
    _ = try await idle.read(until: "\r\n\r\n")
    let busy = try await fixture.connect()
    try await busy.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhe")
    #expect(await fixture.receiver.first { $0 == .request("POST /echo") } != nil)
    await fixture.listener.stopAccepting()
    #expect(try await idle.readToEnd() == "")
    try await busy.send("llo")
    #expect(try await busy.readToEnd() == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
    await #expect(throws: (any Error).self) { try await fixture.connect() }
    await fixture.listener.close()
  }

  @Test func closingCutsRequestsThatWouldNotEnd() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await fixture.connect()
    try await client.send("GET /hang HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(await fixture.receiver.first { _ in true } == .request("GET /hang"))
    await fixture.listener.close()
    #expect(await fixture.receiver.first { _ in true } == .gone(.closed))
    #expect(try await client.readToEnd() == "")
  }
}
