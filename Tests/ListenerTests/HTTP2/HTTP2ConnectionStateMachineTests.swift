import NIOCore
import NIOHTTP2
import Testing

@testable import SallyportListener

/// What is decided about a connection as a whole, without frames.
@Suite struct HTTP2ConnectionStateMachineTests {
  private static let timeouts = ListenerTimeouts(head: .seconds(15), idle: .seconds(180), linger: .seconds(2))
  private static func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }
  private var machine = HTTP2ConnectionStateMachine(timeouts: Self.timeouts, now: Self.at(0))

  @Test mutating func itRestsAsLongAsItMayAndIsThenToldToEnd() {
    #expect(self.machine.deadline == Self.at(15), "the first request comes soon")
    self.machine.streamOpened(1)
    #expect(self.machine.deadline == nil)
    self.machine.streamOpened(3)
    #expect(self.machine.streamClosed(now: Self.at(20)) == .none)
    #expect(self.machine.deadline == nil)
    #expect(self.machine.streamClosed(now: Self.at(30)) == .none)
    #expect(self.machine.deadline == Self.at(210))
    #expect(self.machine.timerFired(now: Self.at(209)) == .none)
    #expect(self.machine.timerFired(now: Self.at(210)) == .announceEnd(lastStream: 3))
    #expect(self.machine.deadline == Self.at(212))
    #expect(self.machine.timerFired(now: Self.at(212)) == .close)
    #expect(self.machine.deadline == nil)
    #expect(self.machine.ended() == false)
  }

  @Test mutating func drainingWaitsForTheClientAndForTheLastStream() {
    self.machine.streamOpened(1)
    #expect(self.machine.drain(now: Self.at(1)) == .announceEnd(lastStream: 1))
    #expect(self.machine.drain(now: Self.at(1)) == .none, "once is enough")
    #expect(self.machine.announcementHeard() == .none)
    #expect(self.machine.deadline == nil)
    #expect(self.machine.streamClosed(now: Self.at(5)) == .close)
    #expect(self.machine.announcementHeard() == .none)

    var other = HTTP2ConnectionStateMachine(timeouts: Self.timeouts, now: Self.at(0))
    other.streamOpened(1)
    _ = other.drain(now: Self.at(1))
    #expect(other.streamClosed(now: Self.at(1)) == .none, "the client may have sent something and not heard yet")
    #expect(other.announcementHeard() == .close)
  }

  @Test mutating func anAnnouncementThatNobodyAskedForIsNoEnd() {
    #expect(self.machine.announcementHeard() == .none)
    #expect(self.machine.deadline != nil)
  }

  @Test mutating func aHeadMustComeToItsEndWhateverElseGoesOn() {
    self.machine.streamOpened(1)
    self.machine.received(isInsideHead: true, now: Self.at(10))
    self.machine.received(isInsideHead: true, now: Self.at(20))
    #expect(self.machine.deadline == Self.at(25), "a byte now and then is no excuse")
    self.machine.received(isInsideHead: false, now: Self.at(24))
    #expect(self.machine.deadline == nil)
    self.machine.received(isInsideHead: true, now: Self.at(30))
    #expect(self.machine.timerFired(now: Self.at(45)) == .cutHalfAHead)
  }

  @Test mutating func theFirstHeadHasTheTimeOfTheConnectionsBeginning() {
    self.machine.received(isInsideHead: true, now: Self.at(3))
    #expect(self.machine.deadline == Self.at(15))
    #expect(self.machine.timerFired(now: Self.at(15)) == .cutHalfAHead, "a GOAWAY has no place in half a preface")
  }

  @Test mutating func whoBeginsAHeadRestsNoMore() {
    self.machine.streamOpened(1)
    _ = self.machine.streamClosed(now: Self.at(5))
    self.machine.received(isInsideHead: true, now: Self.at(60))
    #expect(self.machine.deadline == Self.at(75))
    #expect(self.machine.timerFired(now: Self.at(65)) == .none)
    #expect(self.machine.timerFired(now: Self.at(75)) == .cutHalfAHead)
  }

  @Test mutating func aHeadMustComeToItsEndWhileTheConnectionIsToldToEnd() {
    self.machine.streamOpened(1)
    _ = self.machine.drain(now: Self.at(0))
    _ = self.machine.announcementHeard()
    self.machine.received(isInsideHead: true, now: Self.at(1))
    #expect(self.machine.timerFired(now: Self.at(16)) == .cutHalfAHead)
  }

  @Test mutating func tooManyUnreadableRequestsDrain() {
    self.machine.streamOpened(1)
    for _ in 1..<HTTP2ConnectionStateMachine.mostRefused { #expect(self.machine.requestRefused(now: Self.at(1)) == .none) }
    #expect(self.machine.requestRefused(now: Self.at(1)) == .announceEnd(lastStream: 1))
    #expect(self.machine.requestRefused(now: Self.at(1)) == .none)
  }

  @Test mutating func itEndsOnce() {
    #expect(self.machine.ended() == true)
    #expect(self.machine.ended() == false)
    #expect(self.machine.drain(now: Self.at(1)) == .none)
    #expect(self.machine.deadline == nil)
  }
}
