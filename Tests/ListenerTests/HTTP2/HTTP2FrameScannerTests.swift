import NIOCore
import Testing

@testable import SallyportListener

/// Frames seen by their headers alone, however they are cut, and what a client may spend on those that bring nothing.
@Suite struct HTTP2FrameScannerTests {
  private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  private static let frames: [HTTP2TestFrame] = [
    .settings([(1, 2), (3, 4)]), .settingsAck, .headers(1, [("a", "b")], ends: false, endsHeaders: false), .continuation(1, [1, 2, 3]),
    .continuation(1, [], endsHeaders: true), .data(1, Array(repeating: 9, count: 300)), .data(1, [], ends: true), .windowUpdate(0, 1),
    HTTP2TestFrame(type: 0xFF, flags: 0xFF, stream: 0x7FFF_FFFF, payload: [7]),
  ]

  private static func seen(_ frames: [HTTP2TestFrame]) -> [HTTP2FrameScanner.Frame] {
    frames.map { HTTP2FrameScanner.Frame(length: $0.payload.count, type: $0.type, flags: $0.flags) }
  }

  @Test(arguments: [1, 2, 3, 5, 8, 9, 10, 13, 64, 100_000]) func framesAreFoundHoweverTheyAreCut(_ size: Int) {
    let bytes = Self.preface + Self.frames.flatMap(\.bytes)
    var scanner = HTTP2FrameScanner(expectsPreface: true)
    var found: [HTTP2FrameScanner.Frame] = []
    for start in stride(from: 0, to: bytes.count, by: size) {
      Array(bytes[start..<min(start + size, bytes.count)]).withUnsafeBytes { scanner.scan($0) { frame, _ in found.append(frame) } }
    }
    #expect(found == Self.seen(Self.frames))
    #expect(!scanner.awaitsPreface)
    #expect(!scanner.isInsideFieldSection)
  }

  @Test func itKnowsWhereAClientStands() {
    var scanner = HTTP2FrameScanner(expectsPreface: true)
    func scan(_ bytes: [UInt8]) { bytes.withUnsafeBytes { scanner.scan($0) { _, _ in } } }
    #expect(scanner.awaitsPreface)
    scan(Array(Self.preface.dropLast()))
    #expect(scanner.awaitsPreface)
    scan([Self.preface[23]])
    #expect(!scanner.awaitsPreface)
    let head = HTTP2TestFrame.headers(1, [("a", "b")], endsHeaders: false).bytes
    scan(Array(head.prefix(8)))
    #expect(!scanner.isInsideFieldSection, "nobody knows yet what this will be")
    scan([head[8]])
    #expect(scanner.isInsideFieldSection)
    scan(Array(head.dropFirst(9)))
    #expect(scanner.isInsideFieldSection, "CONTINUATION must follow")
    let rest = HTTP2TestFrame.continuation(1, [1, 2], endsHeaders: true).bytes
    scan(Array(rest.dropLast()))
    #expect(scanner.isInsideFieldSection)
    scan([2])
    #expect(!scanner.isInsideFieldSection)
    scan(HTTP2TestFrame.data(1, [1, 2, 3]).bytes)
    #expect(!scanner.isInsideFieldSection)
  }

  @Test func itShowsWhatIsThereOfAPayload() {
    var scanner = HTTP2FrameScanner(expectsPreface: false)
    var payloads: [[UInt8]] = []
    (HTTP2TestFrame.ping([1, 2, 3, 4, 5, 6, 7, 8]).bytes + HTTP2TestFrame.data(1, [9, 9, 9]).bytes.dropLast()).withUnsafeBytes {
      scanner.scan($0) { _, payload in payloads.append(Array(payload)) }
    }
    #expect(payloads == [[1, 2, 3, 4, 5, 6, 7, 8], [9, 9]])
  }

  // MARK: The budget

  private static func at(_ milliseconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .milliseconds(milliseconds) }

  @Test func theBudgetIsABurstAndThenARate() {
    var budget = HTTP2FrameBudget(now: Self.at(0))
    for _ in 0..<1000 { #expect(budget.spend(now: Self.at(0)) == true) }
    #expect(budget.spend(now: Self.at(0)) == false)
    #expect(budget.spend(now: Self.at(19)) == false)
    #expect(budget.spend(now: Self.at(21)) == true, "fifty a second")
    #expect(budget.spend(now: Self.at(21)) == false)
    for _ in 0..<50 { #expect(budget.spend(now: Self.at(1100)) == true) }
  }

  @Test func theBudgetDoesNotGrowBeyondABurst() {
    var budget = HTTP2FrameBudget(now: Self.at(0))
    budget.earn(bytes: 1_000_000_000)
    for _ in 0..<1000 { #expect(budget.spend(now: Self.at(0)) == true) }
    #expect(budget.spend(now: Self.at(0)) == false)
    for _ in 0..<1000 { #expect(budget.spend(now: Self.at(3_600_000)) == true) }
    #expect(budget.spend(now: Self.at(3_600_000)) == false)
  }

  @Test func whoIsSentSomethingMaySayThatHeTookIt() {
    var budget = HTTP2FrameBudget(now: Self.at(0))
    for _ in 0..<1000 { _ = budget.spend(now: Self.at(0)) }
    budget.earn(bytes: 4096)
    for _ in 0..<4 { #expect(budget.spend(now: Self.at(0)) == true) }
    #expect(budget.spend(now: Self.at(0)) == false)
  }
}
