import NIOCore
import SallyportWire
import Testing

@testable import SallyportListener

/// What is decided about one stream, without frames.
@Suite struct HTTP2StreamStateMachineTests {
  private static let timeouts = ListenerTimeouts(body: .seconds(60), writeStall: .seconds(600))
  private static func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }

  private func machine(
    method: SallyportWire.Method = .post, framing: BodyFraming = .chunked, endsStream: Bool = false, expectsContinue: Bool = false
  ) throws -> HTTP2StreamStateMachine {
    var machine = HTTP2StreamStateMachine(timeouts: Self.timeouts, now: Self.at(0))
    #expect(machine.awaitsHead)
    let head = RequestHead(
      method: method, target: try RequestTarget(reading: ByteBuffer(string: "/"), for: method), framing: framing,
      expectsContinue: expectsContinue)
    machine.headReceived(head, endsStream: endsStream, now: Self.at(0))
    #expect(!machine.awaitsHead)
    return machine
  }

  // MARK: The request

  @Test func aBodyIsDeliveredUntilItsEnd() throws {
    var machine = try self.machine(framing: .length(5))
    #expect(machine.bodyReceived(count: 3, endsStream: false, now: Self.at(1)) == .deliver)
    #expect(!machine.isRequestComplete)
    #expect(machine.bodyReceived(count: 2, endsStream: true, now: Self.at(1)) == .deliver)
    #expect(machine.isRequestComplete)
    #expect(machine.bodyReceived(count: 1, endsStream: false, now: Self.at(1)) == .ignore)
  }

  @Test func aBodyThatIsNotAsStatedBreaksTheRequestOff() throws {
    var longer = try self.machine(framing: .length(2))
    guard case .breakOff = longer.bodyReceived(count: 3, endsStream: false, now: Self.at(1)) else {
      Issue.record("too much was delivered")
      return
    }
    #expect(longer.bodyReceived(count: 1, endsStream: true, now: Self.at(1)) == .ignore)
    #expect(longer.sendHead(ResponseHead(status: 400)) == .write(contentLength: 0), "it may be answered")
    #expect(longer.streamClosed() == false, "it has heard already")

    var shorter = try self.machine(framing: .length(2))
    guard case .breakOff = shorter.bodyReceived(count: 1, endsStream: true, now: Self.at(1)) else {
      Issue.record("too little was enough")
      return
    }
    var trailed = try self.machine(framing: .length(2))
    guard case .breakOff = trailed.trailersReceived(now: Self.at(1)) else {
      Issue.record("too little was enough with trailers")
      return
    }
  }

  @Test func whatCannotBeReadBehindAnAnswersHeadCutsTheAnswer() throws {
    var machine = try self.machine(framing: .length(2))
    #expect(machine.sendHead(ResponseHead(status: 200, framing: .chunked)) == .write(contentLength: nil))
    guard case .cut = machine.bodyReceived(count: 3, endsStream: false, now: Self.at(1)) else {
      Issue.record("the answer goes on")
      return
    }
    #expect(machine.sendBody(count: 1) == .ignore)
    #expect(machine.abort() == false)
    #expect(machine.deadline == nil)
  }

  @Test func nobodyHearsOfWhatIsNotWanted() throws {
    var machine = try self.machine(framing: .length(2))
    machine.abandonRequestBody()
    #expect(machine.bodyReceived(count: 100, endsStream: false, now: Self.at(1)) == .ignore)
    #expect(machine.trailersRefused(MalformedMessage("x"), now: Self.at(1)) == .ignore)
    #expect(machine.bodyReceived(count: 100, endsStream: true, now: Self.at(1)) == .ignore)
    #expect(machine.isRequestComplete, "its end is noted all the same: nothing is to be called off")
    #expect(machine.streamClosed() == true)
  }

  // MARK: The answer

  @Test(arguments: [
    (SallyportWire.Method.get, 200, BodyFraming.length(7), UInt64?.none, UInt64?(7)), (.get, 200, .chunked, nil, nil),
    (.get, 200, .untilClose, nil, nil), (.get, 200, .none, nil, 0), (.head, 200, .none, 7, 7), (.head, 200, .length(7), nil, 7),
    (.head, 200, .chunked, nil, nil), (.get, 304, .none, 7, 7), (.get, 204, .none, nil, nil), (.get, 204, .length(0), nil, nil),
  ])
  func anAnswersHeadStatesItsLength(
    _ method: SallyportWire.Method, _ status: Int, _ framing: BodyFraming, _ stated: UInt64?, _ expected: UInt64?
  ) throws {
    var machine = try self.machine(method: method, endsStream: true)
    #expect(
      machine.sendHead(ResponseHead(status: status, framing: framing, statedLength: stated)) == .write(contentLength: expected))
    #expect(machine.sendHead(ResponseHead(status: status)) == .ignore, "there is one head")
    let hasBody = method == .get && status == 200 && framing != .none
    #expect(machine.sendBody(count: 7) == (hasBody ? .write : method == .get && status == 200 ? .cut : .ignore))
  }

  @Test func anAnswerThatIsNotAsItsHeadSaidIsCut() throws {
    for sent in [6, 8] {
      var machine = try self.machine(endsStream: true)
      _ = machine.sendHead(ResponseHead(status: 200, framing: .length(7)))
      let body = machine.sendBody(count: sent)
      #expect(body == (sent == 8 ? .cut : .write))
      #expect(machine.sendEnd() == (sent == 8 ? .ignore : .cut))
      #expect(machine.sendEnd() == .ignore)
    }
  }

  @Test func theRestOfARequestIsCalledOffBehindItsAnswer() throws {
    var early = try self.machine()
    _ = early.sendHead(ResponseHead(status: 413))
    #expect(early.sendEnd() == .write)
    #expect(!early.mustCallOff, "the end is held back until the flush")
    early.flush(now: Self.at(1))
    #expect(early.mustCallOff)
    #expect(early.bodyReceived(count: 1, endsStream: true, now: Self.at(2)) == .ignore)
    #expect(!early.mustCallOff, "it came in the meantime")

    var whole = try self.machine(endsStream: true)
    _ = whole.sendHead(ResponseHead(status: 200))
    _ = whole.sendEnd()
    whole.flush(now: Self.at(1))
    #expect(!whole.mustCallOff)
  }

  @Test func informationalAnswersGoToWhoWaitsForThem() throws {
    var waiting = try self.machine(expectsContinue: true)
    #expect(waiting.sendInformational(status: 101) == false)
    #expect(waiting.sendInformational(status: 103) == true)
    #expect(waiting.sendInformational(status: 100) == true)
    #expect(waiting.sendInformational(status: 100) == false)
    var begun = try self.machine(expectsContinue: true)
    _ = begun.bodyReceived(count: 1, endsStream: false, now: Self.at(1))
    #expect(begun.sendInformational(status: 100) == false)
    _ = begun.sendHead(ResponseHead(status: 200))
    #expect(begun.sendInformational(status: 103) == false)
  }

  @Test func aStreamIsGivenUpOnce() throws {
    var machine = try self.machine(endsStream: true)
    #expect(machine.abort() == true)
    #expect(machine.abort() == false)
    #expect(machine.streamClosed() == false)
    #expect(machine.sendHead(ResponseHead(status: 200)) == .ignore)
    var held = try self.machine(endsStream: true)
    _ = held.sendHead(ResponseHead(status: 200))
    _ = held.sendEnd()
    #expect(held.abort() == true, "an end that was held back can be given up")
    var left = try self.machine(endsStream: true)
    _ = left.sendHead(ResponseHead(status: 200))
    _ = left.sendEnd()
    left.flush(now: Self.at(1))
    #expect(left.abort() == false)
  }

  @Test func whoHasAnsweredHearsNothingMore() throws {
    var machine = try self.machine(endsStream: true)
    _ = machine.sendHead(ResponseHead(status: 200))
    #expect(machine.writabilityChanged(false, now: Self.at(1)) == true)
    #expect(machine.writabilityChanged(false, now: Self.at(1)) == false)
    _ = machine.sendEnd()
    #expect(machine.writabilityChanged(true, now: Self.at(1)) == false)
    #expect(machine.streamClosed() == false)
  }

  // MARK: Time

  @Test func aBodyMustGoOn() throws {
    var machine = try self.machine()
    #expect(machine.deadline == Self.at(60))
    _ = machine.bodyReceived(count: 1, endsStream: false, now: Self.at(50))
    #expect(machine.timerFired(now: Self.at(60)) == .none)
    #expect(machine.deadline == Self.at(110))
    machine.setRequestFlow(paused: true, now: Self.at(55))
    #expect(machine.deadline == nil, "a body that is not taken cannot come")
    machine.setRequestFlow(paused: false, now: Self.at(1000))
    #expect(machine.deadline == Self.at(1060))
    #expect(machine.timerFired(now: Self.at(1060)) == .cut(isHeard: true))
    #expect(machine.timerFired(now: Self.at(5000)) == .none)
  }

  @Test func anAnswerMayTakeAsLongAsItLikes() throws {
    var machine = try self.machine(endsStream: true)
    #expect(machine.deadline == nil)
    _ = machine.sendHead(ResponseHead(status: 200, framing: .chunked))
    #expect(machine.deadline == nil)
  }

  @Test func anAnswerMustBeTaken() throws {
    var machine = try self.machine(endsStream: true)
    _ = machine.sendHead(ResponseHead(status: 200, framing: .chunked))
    _ = machine.writabilityChanged(false, now: Self.at(10))
    #expect(machine.deadline == Self.at(610))
    _ = machine.writabilityChanged(true, now: Self.at(600))
    #expect(machine.deadline == nil)
    _ = machine.writabilityChanged(false, now: Self.at(700))
    #expect(machine.timerFired(now: Self.at(1300)) == .cut(isHeard: true))
  }

  @Test func alsoItsEndMustBeTaken() throws {
    var machine = try self.machine(endsStream: true)
    _ = machine.sendHead(ResponseHead(status: 200))
    _ = machine.sendEnd()
    #expect(machine.deadline == nil, "who holds the end back is not the client")
    machine.flush(now: Self.at(10))
    #expect(machine.deadline == Self.at(610))
    #expect(machine.timerFired(now: Self.at(610)) == .cut(isHeard: false))
  }

  @Test func aRefusalMustComeToAnEnd() {
    var machine = HTTP2StreamStateMachine(timeouts: Self.timeouts, now: Self.at(0))
    machine.headRefused(now: Self.at(5))
    #expect(machine.deadline == Self.at(65))
    #expect(machine.sendHead(ResponseHead(status: 400)) == .write(contentLength: 0))
    #expect(machine.streamClosed() == false)
  }
}
