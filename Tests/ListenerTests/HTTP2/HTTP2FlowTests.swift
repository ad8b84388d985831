import NIOCore
import SallyportCore
import SallyportListener
import SallyportWire
import TestSupport
import Testing

/// Back-pressure in both directions, and clients that are slow.
@Suite(.timeLimit(.minutes(5))) struct HTTP2FlowTests {
  private static let part = [UInt8](repeating: 0x78, count: 16_384)

  /// Sends a body as the windows allow it, the stream's and the connection's.
  ///
  /// - Parameter shut: how much the windows must allow before a second without more counts as their being shut
  /// - Returns: how much was sent when the windows were shut for good
  private func upload(_ count: Int, on stream: UInt32, _ client: RawHTTP2Client, untilShutAt shut: Int = .max) async throws -> Int {
    var sent = 0
    while sent < count {
      let alreadySent = sent
      let length = min(Self.part.count, count - sent)
      do {
        _ = try await client.wait(sent >= shut ? .seconds(1) : .minutes(1)) { frames, hasEnded in
          hasEnded
            || Self.window(0, initial: 65_535, frames) >= alreadySent + length
              && Self.window(stream, initial: 65_535, frames) >= alreadySent + length
        }
      } catch is RawHTTP2Client.Timeout {
        return sent
      }
      try await client.send(.data(stream, Array(Self.part.prefix(length)), ends: sent + length == count))
      sent += length
    }
    return sent
  }

  /// All that a window ever allowed.
  private static func window(_ stream: UInt32, initial: Int, _ frames: [HTTP2TestFrame]) -> Int {
    frames.reduce(initial) { $1.type == 8 && $1.stream == stream ? $0 + Int($1.number) : $0 }
  }

  @Test func aLargeBodyPassesThroughSmallWindows() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture)
    try await client.send(.request(1, "/count", method: "POST", ends: false))
    #expect(try await self.upload(30_000_000, on: 1, client) == 30_000_000)
    #expect(try await client.answer(1).text == "30000000")
    await fixture.listener.close()
  }

  @Test func aRequestThatIsNotTakenShutsItsOwnWindowAlone() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture)
    try await client.send(.request(1, "/hold", method: "POST", ends: false))
    #expect(try await self.upload(1_000_000, on: 1, client, untilShutAt: 128 * 1024) == 128 * 1024, "one window, and no byte more")
    // The connection's window is open: the others of the connection go on.
    try await client.send(.request(3, "/echo", method: "POST", ends: false), .data(3, Self.part, ends: true))
    #expect(try await client.answer(3).body.count == Self.part.count)
    await fixture.listener.close()
  }

  @Test func aWindowOpensAgainAsTheBodyIsTaken() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture)
    try await client.send(.request(1, "/slow", method: "POST", ends: false))
    #expect(try await self.upload(1_000_000, on: 1, client) == 1_000_000)
    #expect(try await client.answer(1).text == "1000000")
    await fixture.listener.close()
  }

  @Test func moreThanTheWindowAllowsIsAnError() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture)
    try await client.send(.request(1, "/hold", method: "POST", ends: false))
    client.sendAndForget(Array(repeating: .data(1, Self.part), count: 80))
    let frames = try await client.wait { frames, hasEnded in hasEnded || frames.contains { $0.errorCode == 3 } }
    #expect(frames.contains { $0.errorCode == 3 }, "FLOW_CONTROL_ERROR")
    #expect(await fixture.receiver.first { $0 == .gone(.closed) } != nil)
    await fixture.listener.close()
  }

  @Test func aClientThatOpensNoWindowStopsTheSender() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture, .init(settings: [(4, 0)], grantsWindows: false))
    try await client.send(.request(1, "/stream"))
    #expect(await fixture.receiver.first { $0 == .flow(paused: true) } != nil)
    #expect(fixture.receiver.streamed <= 256 * 1024)
    let frames = try await client.wait { _, _ in true }
    #expect(!frames.contains { $0.type == 0 && !$0.payload.isEmpty })
    // Then it opens some, and gets exactly that.
    try await client.send(.windowUpdate(1, 1000))
    let some = try await client.wait { frames, _ in frames.filter { $0.type == 0 }.reduce(0) { $0 + $1.payload.count } >= 1000 }
    #expect(some.filter { $0.type == 0 }.reduce(0) { $0 + $1.payload.count } == 1000)
    try await client.send(.windowUpdate(1, 8_000_000), .windowUpdate(0, 8_000_000))
    #expect(try await client.answer(1).body.count == 4 * 1024 * 1024)
    await fixture.listener.close()
  }

  @Test func aClientThatNeverOpensItsWindowLosesItsStreams() async throws {
    let fixture = try await ListenerFixture.start(change: { $0.timeouts.writeStall = .milliseconds(500) })
    let client = try await RawHTTP2Client.connect(fixture, .init(settings: [(4, 0)], grantsWindows: false))
    // One answer is larger than what may wait, one is smaller and whole.
    try await client.send(.request(1, "/stream"), .request(3, "/facts"), .request(5, "/none"))
    #expect(try await client.answer(1).reset == 8, "CANCEL")
    let small = try await client.answer(3)
    #expect(small.status == 200)
    #expect(small.reset == 8)
    #expect(try await client.answer(5).isComplete, "what needs no window needs none")
    #expect(await fixture.receiver.first { $0 == .gone(.timedOut) } != nil)
    try await client.send(.request(7, "/none"))
    #expect(try await client.answer(7).status == 204, "the connection lives")
    await fixture.listener.close()
  }

  @Test func aBodyInDropsIsCutInTheEnd() async throws {
    let fixture = try await ListenerFixture.start(change: { $0.timeouts.body = .milliseconds(400) })
    let client = try await RawHTTP2Client.connect(fixture)
    try await client.send(.request(1, "/echo", method: "POST", ends: false), .data(1, [0x78]))
    #expect(try await client.answer(1).reset == 8)
    #expect(await fixture.receiver.first { $0 == .gone(.timedOut) } != nil)
    try await client.send(.request(3, "/echo"))
    #expect(try await client.answer(3).status == 200)
    await fixture.listener.close()
  }

  @Test func aRequestThatIsNotTakenIsNotTooSlow() async throws {
    let fixture = try await ListenerFixture.start(change: { $0.timeouts.body = .milliseconds(100) })
    let client = try await RawHTTP2Client.connect(fixture)
    try await client.send(.request(1, "/slow", method: "POST", ends: false), .data(1, [0x78], ends: true))
    #expect(try await client.answer(1).text == "1")
    await fixture.listener.close()
  }
}
