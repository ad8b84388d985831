import NIOCore
import SallyportCore
import SallyportListener
import SallyportPKI
import SallyportWire
import TestSupport
import Testing

/// How a connection begins, rests and ends.
@Suite(.timeLimit(.minutes(5))) struct HTTP2ConnectionTests {
  // MARK: Draining

  @Test func drainingLetsTheRequestsUnderWayEndAndTakesNoOther() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture)
    try await client.send(.request(1, "/echo", method: "POST", ends: false), .data(1, Array("he".utf8)))
    #expect(await fixture.receiver.first { _ in true } == .request("POST /echo"))
    await fixture.listener.stopAccepting()
    _ = try await client.first(where: \.isGoAway)
    try await client.send(.request(3, "/echo"))
    try await client.send(.data(1, Array("llo".utf8), ends: true))
    #expect(try await client.answer(1).text == "hello")
    let frames = try await client.framesToEnd()
    #expect(frames.filter(\.isGoAway).map(\.number) == [1])
    #expect(frames.filter(\.isGoAway).allSatisfy { $0.errorCode == 0 })
    #expect(!frames.contains { $0.stream == 3 && $0.type == 1 }, "no answer to what came too late")
    await fixture.listener.close()
  }

  @Test func closingWaitsUntilTheClientHasHeardOfIt() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture, .init(acknowledges: false))
    try await client.send(.request(1, "/echo"))
    #expect(try await client.answer(1).status == 200)
    await fixture.listener.stopAccepting()
    let ping = try await client.first { $0.type == 6 }
    // What was on its way is not served, and the client knows that it was not.
    try await client.send(.request(3, "/echo"))
    #expect(client.channel.isActive)
    try await client.send(.ping(ping.payload, ack: true))
    let frames = try await client.framesToEnd()
    #expect(frames.filter(\.isGoAway).map(\.number) == [1])
    #expect(frames.filter { $0.stream == 3 }.map(\.errorCode) == [7], "REFUSED_STREAM")
    await fixture.listener.close()
  }

  /// A POST that crosses our GOAWAY on its way is not taken, body and all, and holds nobody up that is under way.
  @Test(arguments: [
    [HTTP2TestFrame.data(3, [1, 2, 3])], [.data(3, [1]), .data(3, [2], ends: true)], [.reset(3)], [.windowUpdate(3, 1000)],
    [.data(3, [1]), .request(5, "/echo", method: "POST", ends: false), .data(5, [1]), .reset(5), .data(3, [2])],
  ]) func whatCameTooLateHoldsNobodyUp(_ late: [HTTP2TestFrame]) async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture, .init(acknowledges: false))
    try await client.send(.settingsAck, .request(1, "/echo", method: "POST", ends: false), .data(1, Array("he".utf8)))
    #expect(await fixture.receiver.first { _ in true } == .request("POST /echo"))
    await fixture.listener.stopAccepting()
    let ping = try await client.first { $0.type == 6 }
    // All in one write, so that the library reads it as one.
    try await client.send(
      [.request(3, "/echo", method: "POST", ends: false)] + late + [
        .ping(ping.payload, ack: true), .data(1, Array("llo".utf8), ends: true),
      ])
    #expect(try await client.answer(1).text == "hello")
    let frames = try await client.framesToEnd()
    #expect(frames.filter(\.isGoAway).map(\.errorCode) == [0])
    #expect(!frames.contains { $0.stream > 1 && $0.type == 1 })
    await fixture.listener.close()
  }

  /// A connection that is cut with bytes unread takes along what the client has still to read.
  @Test func whatCameTooLateForTheLastRequestDoesNotCutTheConnection() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture, .init(acknowledges: false))
    try await client.send(.settingsAck, .request(1, "/echo"))
    #expect(try await client.answer(1).status == 200)
    await fixture.listener.stopAccepting()
    let ping = try await client.first { $0.type == 6 }
    try await client.send(.request(3, "/echo", method: "POST", ends: false), .data(3, [1]), .data(3, [2], ends: true), .ping())
    // The answer to that PING shows that the connection is read on.
    _ = try await client.first { $0.type == 6 && $0.flags == 1 }
    #expect(client.channel.isActive)
    try await client.send(.ping(ping.payload, ack: true))
    let frames = try await client.framesToEnd()
    #expect(frames.filter(\.isGoAway).map(\.errorCode) == [0])
    #expect(frames.filter { $0.stream == 3 }.map(\.errorCode) == [7], "REFUSED_STREAM")
    await fixture.listener.close()
  }

  @Test(arguments: [
    HTTP2TestFrame.ping([1]), .data(0, [1]), .continuation(1), .windowUpdate(0, 0),
    HTTP2TestFrame(type: 1, flags: 5, stream: 3, payload: [0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
  ]) func anErrorOfTheConnectionEndsItAlsoWhenItWasToEnd(_ frame: HTTP2TestFrame) async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture)
    try await client.send(.request(1, "/hang"))
    #expect(await fixture.receiver.first { _ in true } == .request("GET /hang"))
    await fixture.listener.stopAccepting()
    _ = try await client.first(where: \.isGoAway)
    try await client.send(frame)
    let frames = try await client.framesToEnd()
    #expect(frames.contains { $0.isGoAway && $0.errorCode == 1 }, "PROTOCOL_ERROR")
    #expect(await fixture.receiver.nextFailure() == "http2Malformed")
    await fixture.listener.close()
  }

  @Test func aClientThatDoesNotListenIsNotWaitedFor() async throws {
    let fixture = try await ListenerFixture.start(change: { $0.timeouts.linger = .milliseconds(300) })
    let client = try await RawHTTP2Client.connect(fixture, .init(acknowledges: false))
    try await client.send(.request(1, "/echo"))
    #expect(try await client.answer(1).status == 200)
    await fixture.listener.stopAccepting()
    #expect(try await client.framesToEnd().filter(\.isGoAway).count == 1)
    await fixture.listener.close()
  }

  @Test func whoWasLetInByTrustThatIsGoneHasToGo() async throws {
    let fixture = try await ListenerFixture.start()
    let alice = try await RawHTTP2Client.connect(fixture, as: fixture.pki.client("alice"))
    let nobody = try await RawHTTP2Client.connect(fixture)
    for client in [alice, nobody] {
      try await client.send(.request(1, "/echo"))
      #expect(try await client.answer(1).status == 200)
    }
    let other = try CertificateAuthority(.authority("Another Client CA"))
    let files = try ListenerFixture.files(fixture.pki, in: fixture.directory, clientCA: other)
    try fixture.listener.replaceTLS(files)
    #expect(try await alice.framesToEnd().contains { $0.isGoAway })
    try await nobody.send(.request(3, "/echo"))
    #expect(try await nobody.answer(3).status == 200)
    await fixture.listener.close()
  }

  @Test func closingCutsRequestsThatWouldNotEnd() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture)
    try await client.send(.request(1, "/hang"), .request(3, "/hang"))
    for _ in 0..<2 { #expect(await fixture.receiver.first { _ in true } == .request("GET /hang")) }
    await fixture.listener.close()
    for _ in 0..<2 { #expect(await fixture.receiver.first { _ in true } == .gone(.closed)) }
    _ = try await client.framesToEnd()
  }

  // MARK: Rest

  @Test func aConnectionThatRestsTooLongIsToldAndClosed() async throws {
    let fixture = try await ListenerFixture.start(change: { $0.timeouts.idle = .milliseconds(300) })
    let client = try await RawHTTP2Client.connect(fixture)
    try await client.send(.request(1, "/echo"))
    #expect(try await client.answer(1).status == 200)
    let frames = try await client.framesToEnd()
    #expect(frames.filter(\.isGoAway).map(\.number) == [1])
    await fixture.listener.close()
  }

  @Test func pingsAreNoRequests() async throws {
    let fixture = try await ListenerFixture.start(change: { $0.timeouts.idle = .seconds(5) })
    let client = try await RawHTTP2Client.connect(fixture)
    try await client.send(.request(1, "/echo"))
    #expect(try await client.answer(1).status == 200)
    try await client.send(.ping([1, 2, 3, 4, 5, 6, 7, 8]))
    #expect(try await client.first { $0.type == 6 && $0.flags == 1 }.payload == [1, 2, 3, 4, 5, 6, 7, 8])
    let keepAlive = Task {
      while !Task.isCancelled {
        client.sendAndForget([.ping()])
        try await Task.sleep(for: .milliseconds(100))
      }
    }
    #expect(try await client.framesToEnd().contains { $0.isGoAway })
    keepAlive.cancel()
    await fixture.listener.close()
  }

  @Test func aRunningRequestIsNoRest() async throws {
    let fixture = try await ListenerFixture.start(change: {
      $0.timeouts.idle = .milliseconds(50)
      $0.timeouts.head = .seconds(10)
    })
    let client = try await RawHTTP2Client.connect(fixture)
    try await client.send(.request(1, "/slow", method: "POST", ends: false), .data(1, [0x78], ends: true))
    #expect(try await client.answer(1).text == "1")
    await fixture.listener.close()
  }

  // MARK: Beginnings that are none

  @Test func aClientThatAsksForNothingIsClosedWithoutAWord() async throws {
    let fixture = try await ListenerFixture.start(change: { $0.timeouts.head = .seconds(3) })
    let client = try await RawHTTP2Client.connect(fixture)
    _ = try await client.framesToEnd()
    // A failure would stand before this.
    let other = try await RawHTTP2Client.connect(fixture)
    try await other.send(.request(1, "/echo"))
    #expect(await fixture.receiver.first { _ in true } == .request("GET /echo"))
    await fixture.listener.close()
  }

  @Test func aPrefaceInDropsIsCutInTheEnd() async throws {
    let fixture = try await ListenerFixture.start(change: { $0.timeouts.head = .seconds(3) })
    let client = try await RawHTTP2Client.connect(fixture, .init(sendsPreface: false))
    try await client.send(bytes: Array("PRI * HT".utf8))
    _ = try await client.framesToEnd()
    #expect(await fixture.receiver.nextFailure() == "requestHeadTimedOut")
    await fixture.listener.close()
  }

  @Test(arguments: [
    Array(HTTP2TestFrame.headers(3, [(":method", "GET")], endsHeaders: false).bytes.dropLast()),
    HTTP2TestFrame.headers(3, [(":method", "GET")], endsHeaders: false).bytes,
    HTTP2TestFrame.headers(3, [(":method", "GET")], endsHeaders: false).bytes + HTTP2TestFrame.continuation(3, [0]).bytes,
    HTTP2TestFrame(type: 5, stream: 1, payload: [0, 0, 0, 2]).bytes,
  ]) func aFieldSectionInDropsIsCutInTheEnd(_ begun: [UInt8]) async throws {
    let fixture = try await ListenerFixture.start(change: { $0.timeouts.head = .seconds(3) })
    let client = try await RawHTTP2Client.connect(fixture)
    try await client.send(.request(1, "/hang"))
    #expect(await fixture.receiver.first { _ in true } == .request("GET /hang"))
    // Nothing but the section's own frames may follow, not even an acknowledgement.
    _ = try await client.first { $0.type == 4 && $0.flags == 0 }
    try await client.send(bytes: begun)
    _ = try await client.framesToEnd()
    let first = await fixture.receiver.first { _ in true }
    #expect(first == .failed(code: "requestHeadTimedOut", detail: ""))
    #expect(await fixture.receiver.first { _ in true } == .gone(.closed), "the other request hears of it")
    await fixture.listener.close()
  }

  @Test func whatIsNoPrefaceIsRefused() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture, .init(sendsPreface: false))
    try await client.send(bytes: Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
    _ = try await client.framesToEnd()
    #expect(await fixture.receiver.nextFailure() == "http2Malformed")
    await fixture.listener.close()
  }

  // MARK: Errors of the connection

  @Test(arguments: [
    ("DATA on no stream", HTTP2TestFrame.data(0, [1])), ("HEADERS on no stream", .headers(0, [])),
    ("DATA on a stream that never was", .data(7, [1])), ("SETTINGS on a stream", HTTP2TestFrame(type: 4, stream: 1)),
    ("SETTINGS of an odd length", HTTP2TestFrame(type: 4, payload: [1, 2, 3])), ("a PING of seven bytes", .ping([1, 2, 3, 4, 5, 6, 7])),
    ("CONTINUATION of nothing", .continuation(1)), ("an even stream", .request(2)),
    ("PUSH_PROMISE", HTTP2TestFrame(type: 5, flags: 4, stream: 1, payload: [0, 0, 0, 2])),
    ("a window of nothing", .windowUpdate(0, 0)), ("a window beyond counting", .windowUpdate(0, 0x7FFF_FFFF)),
    ("a field section that is none", HTTP2TestFrame(type: 1, flags: 5, stream: 3, payload: [0xFF, 0xFF, 0xFF, 0xFF, 0xFF])),
    ("a frame beyond the size", HTTP2TestFrame(type: 0, stream: 1, payload: Array(repeating: 0, count: 20_000))),
  ])
  func anErrorOfTheConnectionEndsItAndEveryRequestHearsOfIt(_ what: String, _ frame: HTTP2TestFrame) async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture)
    try await client.send(.request(1, "/hang", method: "POST", ends: false))
    #expect(await fixture.receiver.first { _ in true } == .request("POST /hang"))
    try await client.send(frame)
    let frames = try await client.framesToEnd()
    #expect(frames.contains { $0.isGoAway && $0.errorCode != 0 })
    var heard: [TestReceiver.Event] = []
    for await event in fixture.receiver.events {
      heard.append(event)
      if heard.count == 2 { break }
    }
    #expect(heard.contains(.gone(.closed)))
    #expect(heard.contains { if case .failed("http2Malformed", _) = $0 { true } else { false } })
    await fixture.listener.close()
  }
}
