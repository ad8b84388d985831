import NIOCore
import Testing

@testable import SallyportUpstream

@Suite struct ServerSelectionTests {
  private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

  @Test func serversTakeTurns() {
    var selection = ServerSelection(count: 3)
    let choices = (0..<6).map { _ in selection.choose(now: self.start) }
    #expect(choices == [.up(0), .up(1), .up(2), .up(0), .up(1), .up(2)])
  }

  @Test func theFirstServerMayBeAnyOfThem() {
    var selection = ServerSelection(count: 3, first: 5)
    #expect(selection.choose(now: self.start) == .up(2))
  }

  @Test func aServerThatFailedIsLeftOutUntilItsTimeIsOver() {
    var selection = ServerSelection(count: 2)
    selection.failed(0, now: self.start, jitter: 0)
    let choices = (0..<3).map { _ in selection.choose(now: self.start) }
    #expect(choices == [.up(1), .up(1), .up(1)])
    #expect(!selection.isUp(0, now: self.start + .milliseconds(999)))
    #expect(selection.isUp(0, now: self.start + .seconds(1)))
  }

  @Test func eachFurtherFailureDoublesTheTimeUpToThirtySeconds() {
    var selection = ServerSelection(count: 1)
    var now = self.start
    for seconds in [1, 2, 4, 8, 16, 30, 30, 30] as [Int64] {
      selection.failed(0, now: now, jitter: 0)
      #expect(!selection.isUp(0, now: now + .seconds(seconds) - .nanoseconds(1)))
      #expect(selection.isUp(0, now: now + .seconds(seconds)))
      now = now + .seconds(seconds)
    }
  }

  @Test func jitterAddsUpToAQuarter() {
    var selection = ServerSelection(count: 1)
    selection.failed(0, now: self.start, jitter: 1)
    #expect(!selection.isUp(0, now: self.start + .milliseconds(1249)))
    #expect(selection.isUp(0, now: self.start + .milliseconds(1250)))
  }

  @Test func failuresWithinOneTimeOutCountAsOne() {
    var selection = ServerSelection(count: 1)
    for _ in 0..<20 { selection.failed(0, now: self.start, jitter: 0) }
    #expect(selection.isUp(0, now: self.start + .seconds(1)))
  }

  @Test func successForgetsAllFailures() {
    var selection = ServerSelection(count: 1)
    selection.failed(0, now: self.start, jitter: 0)
    selection.failed(0, now: self.start + .seconds(1), jitter: 0)
    selection.succeeded(0)
    #expect(selection.isUp(0, now: self.start + .seconds(1)))
    selection.failed(0, now: self.start + .seconds(2), jitter: 0)
    #expect(selection.isUp(0, now: self.start + .seconds(3)))
  }

  @Test func whenAllAreDownTheOneThatIsBackFirstIsTried() {
    var selection = ServerSelection(count: 3)
    selection.failed(0, now: self.start + .milliseconds(20), jitter: 0)
    selection.failed(1, now: self.start + .milliseconds(10), jitter: 0)
    selection.failed(2, now: self.start + .milliseconds(30), jitter: 0)
    let now = self.start + .milliseconds(40)
    #expect(selection.allAreDown(now: now))
    #expect(selection.choose(now: now) == .lastResort(1))
    #expect(!selection.allAreDown(now: self.start + .milliseconds(1010)))
  }
}
