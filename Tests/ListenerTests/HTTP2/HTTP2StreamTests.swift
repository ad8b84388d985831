import NIOCore
import SallyportCore
import SallyportListener
import SallyportWire
import TestSupport
import Testing

/// Requests over real connections, frame by frame.
@Suite(.timeLimit(.minutes(5))) struct HTTP2StreamTests {
  // MARK: Whole exchanges

  @Test func aHundredRequestsAtOnceAreAnsweredEachOnItsStream() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture)
    let streams = (0..<100).map { UInt32(2 * $0 + 1) }
    try await client.send(streams.map { .request($0, "/echo", method: "POST", ends: false) })
    try await client.send(streams.reversed().map { .data($0, Array("half ".utf8)) })
    try await client.send(streams.map { .data($0, Array("of \($0)".utf8), ends: true) })
    for stream in streams {
      let answer = try await client.answer(stream)
      #expect(answer.status == 200)
      #expect(answer.text == "half of \(stream)")
      #expect(answer.reset == nil)
    }
    #expect(fixture.listener.connectionCount == 1)
    await fixture.listener.close()
  }

  @Test func anAnswerWithoutABodyEndsWithItsHead() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture)
    try await client.send(.request(1, "/none"), .request(3, "/facts", method: "HEAD"))
    let none = try await client.answer(1)
    #expect(none.status == 204)
    #expect(none.fields == [])
    let head = try await client.answer(3)
    #expect(head.status == 200)
    #expect(head.fields == ["content-length: \("nobody TLSv1.3 localhost false HTTP/2".utf8.count)"])
    #expect(head.body == [])
    let frames = try await client.wait { _, _ in true }
    #expect(!frames.contains { $0.type == 0 }, "no DATA, not even an empty one")
    await fixture.listener.close()
  }

  @Test func anAnswerIsOneHeadersAndOneDataFrame() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture)
    try await client.send(.request(1, "/facts"))
    _ = try await client.answer(1)
    let frames = try await client.wait { _, _ in true }.filter { $0.stream == 1 }
    #expect(frames.map(\.type) == [1, 0])
    #expect(frames.last?.endsStream == true)
    await fixture.listener.close()
  }

  @Test func trailersGoBothWays() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture)
    try await client.send(
      .request(1, "/trailers", method: "POST", ends: false), .data(1, Array("body".utf8)), .headers(1, [("x-checksum", "abc")]))
    let answer = try await client.answer(1)
    #expect(answer.text == "body")
    #expect(answer.trailers == ["x-checksum: abc"])
    await fixture.listener.close()
  }

  @Test func aClientThatWaitsToBeToldIsTold() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture)
    try await client.send(.request(1, "/continue", method: "PUT", ends: false, [("expect", "100-continue")]))
    _ = try await client.first { $0.type == 1 && $0.stream == 1 }
    try await client.send(.data(1, Array("hello".utf8), ends: true))
    let answer = try await client.answer(1)
    #expect(answer.informational == [100])
    #expect(answer.text == "hello")
    // Nobody waits there.
    try await client.send(.request(3, "/continue", method: "PUT", ends: false), .data(3, [], ends: true))
    #expect(try await client.answer(3).informational == [])
    await fixture.listener.close()
  }

  @Test func aClientCertificateIsKnownToEveryRequest() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture, as: fixture.pki.client("alice"))
    try await client.send(.request(1, "/facts"), .request(3, "/facts"))
    #expect(try await client.answer(1).text == "alice TLSv1.3 localhost false HTTP/2")
    #expect(try await client.answer(3).text == "alice TLSv1.3 localhost false HTTP/2")
    await fixture.listener.close()
  }

  // MARK: The ends of streams

  @Test func anEarlyAnswerCallsTheRestOffAndLeavesTheConnectionItsWindow() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture)
    // More in all than the connection's window: what is thrown away must be given back, too.
    let part = [UInt8](repeating: 0x78, count: 16_000)
    for stream in (0..<60).map({ UInt32(2 * $0 + 1) }) {
      try await client.send(.request(stream, "/early", method: "POST", ends: false), .data(stream, part), .data(stream, part))
      let answer = try await client.answer(stream)
      #expect(answer.status == 413)
      #expect(answer.text == "too much")
      _ = try await client.first { $0.stream == stream && $0.type == 3 }
      #expect(try await client.answer(stream).reset == 0, "NO_ERROR, and behind the whole answer")
      // What was on its way when the stream was called off.
      try await client.send(.data(stream, part))
    }
    try await client.send(.request(201, "/echo", method: "POST", ends: false), .data(201, Array("fine".utf8), ends: true))
    #expect(try await client.answer(201).text == "fine")
    await fixture.listener.close()
  }

  @Test func anAnswerThatBreaksOffIsSeenToBe() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture)
    try await client.send(.request(1, "/abort"))
    let answer = try await client.answer(1)
    #expect(!answer.isComplete)
    #expect(answer.reset == 2, "INTERNAL_ERROR")
    try await client.send(.request(3, "/echo"))
    #expect(try await client.answer(3).status == 200)
    await fixture.listener.close()
  }

  @Test func aRequestHearsThatItsStreamWasReset() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture)
    try await client.send(.request(1, "/hang"))
    #expect(await fixture.receiver.first { _ in true } == .request("GET /hang"))
    try await client.send(.reset(1))
    #expect(await fixture.receiver.first { _ in true } == .gone(.closed))
    try await client.send(.request(3, "/echo"))
    #expect(try await client.answer(3).status == 200)
    await fixture.listener.close()
  }

  @Test func everyRequestHearsOnceThatTheConnectionIsGone() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture)
    try await client.send((0..<10).map { .request(UInt32(2 * $0 + 1), "/hang") })
    for _ in 0..<10 { #expect(await fixture.receiver.first { _ in true } == .request("GET /hang")) }
    await client.close()
    for _ in 0..<10 { #expect(await fixture.receiver.first { _ in true } == .gone(.closed)) }
    // An eleventh would stand before this.
    let other = try await RawHTTP2Client.connect(fixture)
    try await other.send(.request(1, "/echo"))
    #expect(await fixture.receiver.first { _ in true } == .request("GET /echo"))
    await fixture.listener.close()
  }

  // MARK: What cannot be read

  @Test func aMalformedRequestIsAnsweredAndEndsNothingButItsStream() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture)
    let malformed: [[(String, String)]] = [
      [(":method", "GET"), (":path", "/")],
      [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/"), ("host", "b")],
      [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/"), ("connection", "close")],
      [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/"), ("A", "b")],
      [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/"), ("a", "b\r\nc: d")],
      [(":method", "CONNECT"), (":authority", "a:443")],
      [],
    ]
    for (index, fields) in malformed.enumerated() {
      let stream = UInt32(2 * index + 1)
      try await client.send(.headers(stream, fields))
      #expect(try await client.answer(stream).status == 400, "\(fields)")
      #expect(await fixture.receiver.first { _ in true } == .refused(400))
    }
    // With a body outstanding, the rest of it is called off behind the answer.
    try await client.send(.headers(101, malformed[0], ends: false))
    #expect(try await client.answer(101).status == 400)
    #expect(try await client.first { $0.stream == 101 && $0.type == 3 }.errorCode == 0)
    try await client.send(.request(103, "/echo"))
    #expect(try await client.answer(103).status == 200)
    await fixture.listener.close()
  }

  @Test(arguments: [
    ("more than was stated", "4", [HTTP2TestFrame.data(1, Array("hello".utf8), ends: true)]),
    ("more in two parts", "4", [.data(1, Array("hel".utf8)), .data(1, Array("lo".utf8))]),
    ("less than was stated", "6", [.data(1, Array("hello".utf8), ends: true)]),
    ("less, with trailers", "6", [.data(1, Array("hello".utf8)), .headers(1, [("a", "b")])]),
    ("something where there is nothing", "0", [.data(1, Array("hello".utf8), ends: true)]),
    ("a pseudo-header for a trailer", "5", [.data(1, Array("hello".utf8)), .headers(1, [(":path", "/")])]),
    ("an identity for a trailer", "5", [.data(1, Array("hello".utf8)), .headers(1, [("x-remote-user", "root")])]),
  ])
  func aBodyThatIsNotAsStatedIsRefused(_ what: String, _ length: String, _ rest: [HTTP2TestFrame]) async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture)
    try await client.send([.request(1, "/echo", method: "POST", ends: false, [("content-length", length)])] + rest)
    #expect(try await client.answer(1).status == 400)
    let gone = await fixture.receiver.first { if case .gone = $0 { true } else { false } }
    guard case .gone(.malformed(let malformed))? = gone else {
      Issue.record("the request heard \(String(describing: gone))")
      return
    }
    #expect(malformed.status == 400)
    try await client.send(.request(3, "/echo"))
    #expect(try await client.answer(3).status == 200)
    await fixture.listener.close()
  }

  @Test func aClientThatSendsNothingReadableLosesItsConnection() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture)
    for index in 0..<50 {
      try await client.send(.headers(UInt32(2 * index + 1), [(":method", "GET")]))
      #expect(try await client.answer(UInt32(2 * index + 1)).status == 400)
    }
    let frames = try await client.framesToEnd()
    #expect(frames.filter(\.isGoAway).allSatisfy { $0.errorCode == 0 })
    #expect(frames.contains { $0.isGoAway })
    await fixture.listener.close()
  }

  @Test func aHeadBeyondTheLimitIsAnswered431() async throws {
    let fixture = try await ListenerFixture.start(change: { $0.messages.headBytes = 8 * 1024 })
    let client = try await RawHTTP2Client.connect(fixture)
    try await client.send(.request(1, "/echo", [("a", String(repeating: "x", count: 9000))]))
    #expect(try await client.answer(1).status == 431)
    try await client.send(.request(3, "/echo", Array(repeating: ("cookie", "a=b"), count: 250)))
    #expect(try await client.answer(3).status == 431, "each cookie counts")
    try await client.send(.request(5, "/echo", [("a", String(repeating: "x", count: 7000))]))
    #expect(try await client.answer(5).status == 200)
    await fixture.listener.close()
  }

  @Test func aHeadFarBeyondTheLimitEndsTheConnection() async throws {
    let fixture = try await ListenerFixture.start(change: { $0.messages.headBytes = 8 * 1024 })
    let client = try await RawHTTP2Client.connect(fixture)
    _ = try await client.first { $0.type == 4 && $0.flags == 1 }
    let section = HTTP2TestFrame.section([(":method", "GET"), ("a", String(repeating: "x", count: 30_000))])
    try await client.send(
      HTTP2TestFrame(type: 1, stream: 1, payload: Array(section.prefix(16_384))),
      .continuation(1, Array(section.dropFirst(16_384)), endsHeaders: true))
    let frames = try await client.framesToEnd()
    #expect(frames.contains { $0.isGoAway && $0.errorCode != 0 })
    #expect(await fixture.receiver.nextFailure() == "http2Malformed")
    await fixture.listener.close()
  }

  @Test func aLargeHeadInContinuationsIsRead() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture)
    _ = try await client.first { $0.type == 4 && $0.flags == 1 }
    let fields = [(":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", "/echo")]
    let section = HTTP2TestFrame.section(fields + (0..<6).map { ("a\($0)", String(repeating: "x", count: 10_000)) })
    var frames = [HTTP2TestFrame(type: 1, flags: HTTP2TestFrame.endStream, stream: 1, payload: Array(section.prefix(16_384)))]
    for start in stride(from: 16_384, to: section.count, by: 16_384) {
      frames.append(
        .continuation(1, Array(section[start..<min(start + 16_384, section.count)]), endsHeaders: start + 16_384 >= section.count))
    }
    try await client.send(frames)
    #expect(try await client.answer(1).status == 200)
    await fixture.listener.close()
  }
}
