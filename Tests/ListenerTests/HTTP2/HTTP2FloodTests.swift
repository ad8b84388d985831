import Foundation
import NIOCore
import SallyportCore
import SallyportListener
import SallyportWire
import TestSupport
import Testing

/// Clients that cost more than they ask for: their connection ends, and nobody else notices.
@Suite(.timeLimit(.minutes(5))) struct HTTP2FloodTests {
  /// In the nightly form a flood is as long as the issue of such attacks wants it.
  private static let isNightly = ProcessInfo.processInfo.environment["SALLYPORT_NIGHTLY"] == "1"

  struct Flood: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// What opens the flood, if anything must.
    var opening: [HTTP2TestFrame] = []
    /// Frames of one round, by its number.
    let round: @Sendable (Int) -> [HTTP2TestFrame]
    var problem = "http2Flood"
  }

  static let floods: [Flood] = [
    Flood(testDescription: "requests that are reset at once") { [.request(UInt32(2 * $0 + 1), "/hang"), .reset(UInt32(2 * $0 + 1))] },
    Flood(testDescription: "CONTINUATION without an end", opening: [.headers(1, [(":method", "GET")], endsHeaders: false)]) { _ in
      [.continuation(1, [])]
    },
    Flood(
      testDescription: "CONTINUATION with fields without an end", opening: [.headers(1, [(":method", "GET")], endsHeaders: false)]
    ) { _ in [.continuation(1, HTTP2TestFrame.section([("a", "b")]))] },
    Flood(testDescription: "PING") { _ in [.ping()] },
    Flood(testDescription: "acknowledgements of PING") { _ in [.ping(ack: true)] },
    Flood(testDescription: "SETTINGS") { _ in [.settings()] },
    Flood(testDescription: "SETTINGS that change the table") { [.settings([(1, UInt32($0 % 2 * 4096))])] },
    Flood(testDescription: "PRIORITY") { _ in [HTTP2TestFrame(type: 2, stream: 1, payload: [0, 0, 0, 3, 16])] },
    Flood(testDescription: "WINDOW_UPDATE of the connection") { _ in [.windowUpdate(0, 1)] },
    Flood(testDescription: "WINDOW_UPDATE of a stream", opening: [.request(1, "/hang")]) { _ in [.windowUpdate(1, 1)] },
    Flood(testDescription: "empty DATA", opening: [.request(1, "/echo", method: "POST", ends: false)]) { _ in [.data(1)] },
    Flood(testDescription: "DATA of nothing but padding", opening: [.request(1, "/echo", method: "POST", ends: false)]) { _ in
      [HTTP2TestFrame(type: 0, flags: 8, stream: 1, payload: [3, 0, 0, 0])]
    },
    Flood(testDescription: "frames of no known type") { _ in [HTTP2TestFrame(type: 0xB7, flags: 0xFF, stream: 5, payload: [1])] },
    Flood(testDescription: "GOAWAY") { _ in [HTTP2TestFrame(type: 7, payload: Array(repeating: 0, count: 8))] },
    Flood(testDescription: "requests that never end", round: { [.request(UInt32(2 * $0 + 1), "/hang")] }, problem: "http2Malformed"),
  ]

  @Test(arguments: floods) func endsItsConnectionAndNothingElse(_ flood: Flood) async throws {
    let fixture = try await ListenerFixture.start()
    let neighbour = try await RawHTTP2Client.connect(fixture)
    try await neighbour.send(.request(1, "/echo", method: "POST", ends: false), .data(1, Array("under ".utf8)))
    let client = try await RawHTTP2Client.connect(fixture, .init(acknowledges: false))
    client.sendAndForget(flood.opening)
    let rounds = Self.isNightly ? 100_000 : 5000
    var sent = 0
    while sent < rounds, client.channel.isActive {
      let batch = (sent..<min(sent + 100, rounds)).flatMap(flood.round)
      // Nothing is pushed into a connection that takes no more: a flood is limited by its own line, too.
      do { try await client.send(batch) } catch { break }
      sent += 100
    }
    let frames = try await client.framesToEnd()
    #expect(sent < rounds || frames.contains { $0.isGoAway })
    #expect(await fixture.receiver.nextFailure() == flood.problem)
    try await neighbour.send(.data(1, Array("way".utf8), ends: true))
    #expect(try await neighbour.answer(1).text == "under way")
    await fixture.listener.close()
  }

  @Test func aClientThatTakesAnAnswerMaySayIt() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture)
    // Two WINDOW_UPDATE for each DATA frame of 4 MiB, over and over; Go's client sends about as many.
    for stream in (0..<8).map({ UInt32(2 * $0 + 1) }) {
      try await client.send(.request(stream, "/stream"))
      #expect(try await client.answer(stream).body.count == 4 * 1024 * 1024)
    }
    await fixture.listener.close()
  }

  @Test func answersThatNobodyReadsDoNotPileUp() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await RawHTTP2Client.connect(fixture, receiveBuffer: 4096)
    try await client.setReading(false)
    // Acknowledgements of what a client sends without reading: the library's own queue is bounded.
    var sent = 0
    while sent < 5000, client.channel.isActive {
      do { try await client.send(Array(repeating: .ping(), count: 100)) } catch { break }
      sent += 100
    }
    #expect(await fixture.receiver.nextFailure() == "http2Flood")
    await client.close()
    await fixture.listener.close()
  }
}
