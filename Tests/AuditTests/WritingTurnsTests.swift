import SallyportCore
import Testing

@testable import SallyportAudit

@Suite struct WritingTurnsTests {
  private typealias Turns = WritingTurns<Int>

  /// What a turn said, as text.
  private static func name(_ arrival: Turns.Arrival) -> String {
    switch arrival {
    case .write: "write"
    case .wait: "wait"
    case .callThread: "callThread"
    case .refuse(let problem): problem.code
    }
  }

  private static func name(_ next: Turns.Next) -> String {
    switch next {
    case .write(let entries): "write \(entries)"
    case .handOver: "handOver"
    case .rest(let retryLater): retryLater ? "rest, retry later" : "rest"
    case .close: "close"
    }
  }

  private static func expect(_ arrival: Turns.Arrival, _ name: String, _ location: SourceLocation = #_sourceLocation) {
    #expect(Self.name(arrival) == name, sourceLocation: location)
  }

  private static func expect(_ next: Turns.Next, _ name: String, _ location: SourceLocation = #_sourceLocation) {
    #expect(Self.name(next) == name, sourceLocation: location)
  }

  @Test func whoComesAloneWritesWithoutAnEntryBeingMade() {
    var turns = Turns(waitingLimit: 100)
    Self.expect(
      turns.arrive(bytes: 10) {
        Issue.record("made"); return 0
      }, "write")
    Self.expect(turns.next(after: nil, roundsLeft: 4), "rest")
    Self.expect(turns.arrive(bytes: 10) { 0 }, "write")
  }

  @Test func whoComesMeanwhileIsServedInOrderAndAtOnce() {
    var turns = Turns(waitingLimit: 100)
    _ = turns.arrive(bytes: 10) { 0 }
    Self.expect(turns.arrive(bytes: 10) { 1 }, "wait")
    Self.expect(turns.arrive(bytes: 10) { 2 }, "wait")
    Self.expect(turns.next(after: nil, roundsLeft: 4), "write [1, 2]")
    Self.expect(turns.arrive(bytes: 10) { 3 }, "wait")
    Self.expect(turns.next(after: nil, roundsLeft: 3), "write [3]")
    Self.expect(turns.next(after: nil, roundsLeft: 2), "rest")
  }

  @Test func aWriterThatHasServedEnoughHandsOverAndNobodyElseBecomesOne() {
    var turns = Turns(waitingLimit: 100)
    _ = turns.arrive(bytes: 10) { 0 }
    _ = turns.arrive(bytes: 10) { 1 }
    Self.expect(turns.next(after: nil, roundsLeft: 0), "handOver")
    Self.expect(turns.arrive(bytes: 10) { 2 }, "wait")
    Self.expect(turns.next(after: nil, roundsLeft: .max), "write [1, 2]")
    Self.expect(turns.next(after: nil, roundsLeft: .max), "rest")
  }

  @Test func aWriterWithoutRoundsRestsWhenNobodyWaits() {
    var turns = Turns(waitingLimit: 100)
    _ = turns.arrive(bytes: 10) { 0 }
    Self.expect(turns.next(after: nil, roundsLeft: 0), "rest")
  }

  @Test func theThreadIsCalledOnceForAllThatWait() {
    var turns = Turns(waitingLimit: 100)
    Self.expect(turns.arriveForThread(bytes: 10) { 1 }, "callThread")
    Self.expect(turns.arriveForThread(bytes: 10) { 2 }, "wait")
    Self.expect(turns.next(after: nil, roundsLeft: .max), "write [1, 2]")
    Self.expect(turns.arriveForThread(bytes: 10) { 3 }, "wait")
    Self.expect(turns.next(after: nil, roundsLeft: .max), "write [3]")
    Self.expect(turns.next(after: nil, roundsLeft: .max), "rest")
    Self.expect(turns.arriveForThread(bytes: 10) { 4 }, "callThread")
  }

  @Test func noMoreWaitsThanTheMemoryIsMeantToHold() {
    var turns = Turns(waitingLimit: 20)
    Self.expect(turns.arrive(bytes: 1_000) { 0 }, "write")  // it does not wait
    Self.expect(turns.arrive(bytes: 20) { 1 }, "wait")
    Self.expect(
      turns.arrive(bytes: 1) {
        Issue.record("made"); return 2
      }, "auditOverloaded")
    Self.expect(turns.next(after: nil, roundsLeft: 4), "write [1]")
    Self.expect(turns.arrive(bytes: 20) { 3 }, "wait")
  }

  @Test func aFailureIsRememberedUntilAWriteSucceedsAndTriedAgainOnce() {
    var turns = Turns(waitingLimit: 100)
    _ = turns.arrive(bytes: 1) { 0 }
    Self.expect(turns.next(after: .auditUnwritable, roundsLeft: 4), "rest, retry later")
    #expect(turns.problem == .auditUnwritable)
    _ = turns.arrive(bytes: 1) { 0 }
    Self.expect(turns.next(after: .auditUnwritable, roundsLeft: 4), "rest")
    let mayTry = turns.beginRetry()
    #expect(mayTry)
    Self.expect(turns.arrive(bytes: 1) { 1 }, "wait")
    Self.expect(turns.next(after: .auditUnwritable, roundsLeft: .max), "write [1]")
    Self.expect(turns.next(after: .auditUnwritable, roundsLeft: .max), "rest, retry later")
    let mayTryAgain = turns.beginRetry()
    #expect(mayTryAgain)
    Self.expect(turns.next(after: nil, roundsLeft: .max), "rest")
    #expect(turns.problem == nil)
    let mayRetry = turns.beginRetry()
    #expect(!mayRetry)
  }

  @Test func aRetryLeavesTheTurnToWhoeverHasIt() {
    var turns = Turns(waitingLimit: 100)
    _ = turns.arrive(bytes: 1) { 0 }
    _ = turns.next(after: .auditUnwritable, roundsLeft: 4)
    _ = turns.arrive(bytes: 1) { 0 }
    let mayRetry = turns.beginRetry()
    #expect(!mayRetry)
    Self.expect(turns.next(after: .auditUnwritable, roundsLeft: 4), "rest, retry later")
  }

  @Test func closingRefusesWhatIsNewAndWritesWhatWaits() {
    var turns = Turns(waitingLimit: 100)
    _ = turns.arrive(bytes: 1) { 0 }
    _ = turns.arrive(bytes: 1) { 1 }
    let mayClose = turns.close()
    #expect(!mayClose)
    Self.expect(turns.arrive(bytes: 1) { 2 }, "auditClosed")
    Self.expect(turns.arriveForThread(bytes: 1) { 2 }, "auditClosed")
    Self.expect(turns.next(after: nil, roundsLeft: 4), "write [1]")
    Self.expect(turns.next(after: nil, roundsLeft: 4), "close")
  }

  @Test func whoClosesAnIdleLogClosesTheFileAndOnlyOnce() {
    var turns = Turns(waitingLimit: 100)
    let first = turns.close()
    let second = turns.close()
    #expect(first && !second)
    let mayRetry = turns.beginRetry()
    #expect(!mayRetry)
  }
}
