import Foundation
import NIOCore
import SallyportCore
import SallyportListener
import TestSupport
import Testing

/// Frames that are nearly right, in any order: the server may refuse what it likes, and must go on serving others.
@Suite(.timeLimit(.minutes(10))) struct HTTP2FuzzTests {
  private static let rounds = ProcessInfo.processInfo.environment["SALLYPORT_NIGHTLY"] == "1" ? 20_000 : 400

  private static let paths = [
    "/echo", "/early", "/hang", "/none", "/abort", "/trailers", "/continue", "/hold", "/facts", "", "*", "//", "/%",
  ]
  private static let fields = [
    ("content-length", "5"), ("content-length", "0"), ("content-length", "-1"), ("te", "trailers"), ("connection", "close"),
    ("host", "localhost"),
    ("host", "other"), ("cookie", "a=b"), ("x-remote-user", "root"), (":path", "/x"), (":status", "200"), ("a", "\r\n"), ("A", "b"),
    ("expect", "100-continue"), ("transfer-encoding", "chunked"), ("", ""), ("a", "\0"),
  ]

  private static func frame(_ chance: inout Chance) -> HTTP2TestFrame {
    let stream = UInt32.random(in: 0...12, using: &chance)
    let bytes = (0..<Int.random(in: 0...40, using: &chance)).map { _ in UInt8.random(in: 0...255, using: &chance) }
    var frame: HTTP2TestFrame =
      switch Int.random(in: 0..<16, using: &chance) {
      case 0..<5:
        .request(
          stream | 1, Self.paths.randomElement(using: &chance) ?? "/",
          method: ["GET", "POST", "HEAD"].randomElement(using: &chance) ?? "GET",
          ends: Bool.random(using: &chance),
          (0..<Int.random(in: 0...2, using: &chance)).compactMap { _ in Self.fields.randomElement(using: &chance) })
      case 5..<8: .data(stream | 1, bytes, ends: Bool.random(using: &chance))
      case 8: .reset(stream | 1, UInt32.random(in: 0...20, using: &chance))
      case 9:
        .settings([
          (UInt16.random(in: 0...9, using: &chance), [0, 1, 16_384, 65_535, 0x7FFF_FFFF, 0xFFFF_FFFF].randomElement(using: &chance) ?? 0)
        ])
      case 10: .windowUpdate(stream, [0, 1, 1000, 0x7FFF_FFFF].randomElement(using: &chance) ?? 0)
      case 11: .ping()
      case 12: .headers(stream | 1, [("a", "b")], ends: Bool.random(using: &chance), endsHeaders: Bool.random(using: &chance))
      case 13: .continuation(stream | 1, bytes, endsHeaders: Bool.random(using: &chance))
      case 14: HTTP2TestFrame(type: 1, flags: 0x2D, stream: stream | 1, payload: bytes)
      default:
        HTTP2TestFrame(
          type: UInt8.random(in: 0...12, using: &chance), flags: UInt8.random(in: 0...255, using: &chance), stream: stream, payload: bytes)
      }
    // Most are left as they are, or nothing would get far.
    switch Int.random(in: 0..<30, using: &chance) {
    case 0: frame.stream = UInt32.random(in: 0...UInt32.max, using: &chance)
    case 1: frame.flags = UInt8.random(in: 0...255, using: &chance)
    case 2: frame.payload = Array(frame.payload.dropLast())
    case 3 where !frame.payload.isEmpty: frame.payload[frame.payload.count / 2] ^= 1 << UInt8.random(in: 0..<8, using: &chance)
    default: break
    }
    return frame
  }

  @Test func nothingThatAClientSendsStopsTheOthers() async throws {
    let fixture = try await ListenerFixture.start(change: {
      $0.timeouts.head = .minutes(1)
      $0.timeouts.linger = .milliseconds(200)
      $0.connections.perAddress = 10_000
    })
    let neighbour = try await RawHTTP2Client.connect(fixture)
    var chance = Chance(seed: 2026)
    var stream: UInt32 = 1
    for round in 0..<Self.rounds {
      let client = try await RawHTTP2Client.connect(
        fixture, .init(acknowledges: Bool.random(using: &chance), grantsWindows: Bool.random(using: &chance)))
      let frames = (0..<Int.random(in: 1...25, using: &chance)).map { _ in Self.frame(&chance) }
      var bytes = frames.flatMap(\.bytes)
      if Int.random(in: 0..<5, using: &chance) == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &chance)) }
      // A server that has had enough may close in the middle.
      try? await client.send(bytes: bytes)
      if round % 8 == 0 {
        try await neighbour.send(.request(stream, "/echo", method: "POST", ends: false), .data(stream, Array("\(round)".utf8), ends: true))
        #expect(try await neighbour.answer(stream).text == "\(round)")
        stream += 2
      }
      await client.close()
    }
    await neighbour.close()
    // Nobody is left over: every connection, and with it every request, has come to its end.
    let end = ContinuousClock.now + .seconds(60)
    while fixture.listener.connectionCount > 0, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(20)) }
    #expect(fixture.listener.connectionCount == 0)
    await fixture.listener.close()
  }
}
