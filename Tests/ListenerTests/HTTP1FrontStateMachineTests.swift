import NIOCore
import SallyportWire
import Testing

@testable import SallyportListener

/// The front's decisions alone: no channel, no clock but the one that the test turns.
@Suite struct HTTP1FrontStateMachineTests {
  private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
  private let timeouts = ListenerTimeouts(
    head: .seconds(5), idle: .seconds(60), body: .seconds(20), writeStall: .seconds(300), linger: .seconds(2))

  private func machine() -> HTTP1FrontStateMachine {
    HTTP1FrontStateMachine(limits: MessageLimits(), timeouts: self.timeouts, now: self.start)
  }

  private static let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
  private static let post = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"

  @Test func aRequestWithoutABodyIsAHeadAndAnEnd() {
    var machine = self.machine()
    #expect(machine.read(Self.get, at: self.start) == ["head GET /a", "end"])
  }

  @Test func aBodyComesInThePartsThatArrive() {
    var machine = self.machine()
    #expect(machine.read(Self.post + "he", at: self.start) == ["head POST /a", "body he"])
    #expect(machine.read("llo", at: self.start) == ["body llo", "end"])
  }

  @Test func theNextRequestWaitsForTheFlushBehindTheEnd() {
    var machine = self.machine()
    #expect(machine.read(Self.get + "GET /b HTTP/1.1\r\nHost: x\r\n\r\n", at: self.start) == ["head GET /a", "end"])
    #expect(machine.sendHead(ResponseHead(status: 200)) == .write(framing: .length(0), statedLength: nil, closes: false))
    #expect(machine.steps(at: self.start) == [])
    #expect(machine.sendEnd() == .write(.length(0)))
    #expect(machine.steps(at: self.start) == [])
    #expect(machine.flush(now: self.start) == .finish)
    #expect(machine.steps(at: self.start) == ["head GET /b", "end"])
  }

  @Test func byteByByteItComesToTheSame() {
    let chunked = "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    var machine = self.machine()
    var steps: [String] = []
    for byte in Self.post + "hello" + Self.get + chunked + "GET nonsense\r\n\r\n" {
      steps += machine.read(String(byte), at: self.start)
      if steps.last == "end" {
        machine.answer(at: self.start)
        steps.append("answered")
      }
    }
    #expect(
      steps == [
        "head POST /a", "body h", "body e", "body l", "body l", "body o", "end", "answered", "head GET /a", "end", "answered",
        "head POST /b", "body a", "body b", "body c", "end", "answered", "refuse 400",
      ])
  }

  @Test func anInformationalHeadIsNoAnswer() {
    var machine = self.machine()
    _ = machine.read(Self.get, at: self.start)
    #expect(machine.sendHead(ResponseHead(status: 101)) == .ignore)
    #expect(machine.sendHead(ResponseHead(status: 200)) == .write(framing: .length(0), statedLength: nil, closes: false))
  }

  @Test func bytesOfTheNextRequestStopTheReading() {
    var machine = self.machine()
    #expect(machine.wantsRead)
    #expect(machine.read(Self.get, at: self.start) == ["head GET /a", "end"])
    #expect(machine.wantsRead, "a client that goes away is noticed by a read")
    machine.received(ByteBuffer(string: "G"), now: self.start)
    #expect(!machine.wantsRead)
    machine.answer(at: self.start)
    #expect(machine.wantsRead)
  }

  @Test func aPausedBodyIsNeitherReadNorDelivered() {
    var machine = self.machine()
    #expect(machine.read(Self.post, at: self.start) == ["head POST /a"])
    machine.setRequestFlow(paused: true, now: self.start)
    #expect(!machine.wantsRead)
    #expect(machine.read("hello", at: self.start) == [])
    machine.setRequestFlow(paused: false, now: self.start)
    #expect(machine.steps(at: self.start) == ["body hello", "end"])
  }

  private static let upgrade = "GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

  @Test func whatComesBehindAnUpgradeIsTheTunnels() {
    var machine = self.machine()
    #expect(machine.read(Self.upgrade + "GET / HTTP/1.1\r\n", at: self.start) == ["head GET /a", "end"])
    #expect(!machine.wantsRead)
    #expect(machine.switchProtocols().map { String(buffer: $0) } == "GET / HTTP/1.1\r\n")
    #expect(machine.steps(at: self.start) == [])
    #expect(machine.deadline == nil)
    #expect(machine.switchProtocols() == nil)
  }

  @Test func bytesBehindARefusedUpgradeAreNoRequest() {
    var early = self.machine()
    _ = early.read(Self.upgrade + Self.get, at: self.start)
    #expect(early.sendHead(ResponseHead(status: 403)) == .write(framing: .length(0), statedLength: nil, closes: true))
    _ = early.sendEnd()
    #expect(early.flush(now: self.start) == .finishAndClose)
    #expect(early.steps(at: self.start) == [])

    var late = self.machine()
    _ = late.read(Self.upgrade, at: self.start)
    #expect(late.sendHead(ResponseHead(status: 403)) == .write(framing: .length(0), statedLength: nil, closes: false))
    _ = late.sendEnd()
    late.received(ByteBuffer(string: Self.get), now: self.start)
    #expect(late.flush(now: self.start) == .finishAndClose)
    #expect(late.steps(at: self.start) == [])
  }

  @Test func aRefusedUpgradeLeavesAConnectionForRequests() {
    var machine = self.machine()
    _ = machine.read(Self.upgrade, at: self.start)
    machine.answer(at: self.start)
    #expect(machine.read(Self.get, at: self.start) == ["head GET /a", "end"])
  }

  @Test func onlyACompleteRequestWithoutAnAnswerSwitches() {
    var idle = self.machine()
    #expect(idle.switchProtocols() == nil)
    var receiving = self.machine()
    _ = receiving.read(Self.post, at: self.start)
    #expect(receiving.switchProtocols() == nil)
    var answered = self.machine()
    _ = answered.read(Self.upgrade, at: self.start)
    _ = answered.sendHead(ResponseHead(status: 200))
    #expect(answered.switchProtocols() == nil)
  }

  @Test func anAnswerBeforeTheEndOfItsRequestEndsTheConnection() {
    var machine = self.machine()
    #expect(machine.read(Self.post, at: self.start) == ["head POST /a"])
    _ = machine.sendHead(ResponseHead(status: 200))
    _ = machine.sendEnd()
    #expect(!machine.wantsRead, "an answer that is held back takes no more of its request")
    #expect(machine.flush(now: self.start) == .finishAndClose)
    #expect(machine.read("hello" + Self.get, at: self.start) == [], "nothing behind an early answer is a request")
  }

  @Test func anAbandonedBodySaysSoInTheAnswer() {
    var machine = self.machine()
    #expect(machine.read(Self.post + "he", at: self.start) == ["head POST /a", "body he"])
    machine.abandonRequestBody()
    #expect(machine.sendHead(ResponseHead(status: 413)) == .write(framing: .length(0), statedLength: nil, closes: true))
    // The rest comes in time, but the client has been told.
    #expect(machine.read("llo", at: self.start) == [])
    _ = machine.sendEnd()
    #expect(machine.flush(now: self.start) == .finishAndClose)
  }

  @Test func anAbandonedBodyThatHasAlreadyComeCostsNothing() {
    var machine = self.machine()
    machine.received(ByteBuffer(string: Self.post + "hello"), now: self.start)
    guard case .receive = machine.next(now: self.start) else { return #expect(Bool(false)) }
    machine.abandonRequestBody()
    #expect(machine.steps(at: self.start) == [])
    #expect(machine.sendHead(ResponseHead(status: 413)) == .write(framing: .length(0), statedLength: nil, closes: false))
    _ = machine.sendEnd()
    #expect(machine.flush(now: self.start) == .finish)
    #expect(machine.read(Self.get, at: self.start) == ["head GET /a", "end"])
  }

  // MARK: Expect: 100-continue

  private static let expecting = "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"

  @Test func aClientThatWaitsIsToldToGoOnOnce() {
    var machine = self.machine()
    #expect(machine.read(Self.expecting, at: self.start) == ["head PUT /a"])
    #expect(machine.sendInformational(status: 100) == true)
    #expect(machine.sendInformational(status: 100) == false)
    #expect(machine.read("hello", at: self.start) == ["body hello", "end"])
    #expect(machine.sendHead(ResponseHead(status: 200)) == .write(framing: .length(0), statedLength: nil, closes: false))
  }

  @Test func aClientThatWaitsAndIsAnsweredOtherwiseMaySendItsBodyOrNot() {
    var machine = self.machine()
    #expect(machine.read(Self.expecting, at: self.start) == ["head PUT /a"])
    #expect(machine.sendHead(ResponseHead(status: 401)) == .write(framing: .length(0), statedLength: nil, closes: true))
    #expect(machine.sendInformational(status: 100) == false, "no informational answer comes behind the final one")
  }

  @Test func aClientThatWaitsForNothingIsNotToldToGoOn() {
    var machine = self.machine()
    #expect(machine.read(Self.post, at: self.start) == ["head POST /a"])
    #expect(machine.sendInformational(status: 100) == false)
    #expect(machine.sendInformational(status: 103) == true)
  }

  @Test func aClientOfHTTP10GetsNoInformationalAnswer() {
    var machine = self.machine()
    #expect(machine.read("GET /a HTTP/1.0\r\nHost: x\r\n\r\n", at: self.start) == ["head GET /a", "end"])
    #expect(machine.sendInformational(status: 103) == false)
  }

  // MARK: Framing

  struct Framing: Sendable, CustomTestStringConvertible {
    let request: String
    let status: Int
    let framing: BodyFraming
    let stated: UInt64?
    let expected: HTTP1FrontStateMachine.HeadAction
    var testDescription: String { "\(self.request.prefix { $0 != "\r" }) -> \(self.status) \(self.framing)" }
  }

  private static let head = "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"
  private static let old = "GET / HTTP/1.0\r\nHost: x\r\n\r\n"
  private static let last = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
  private static let framings: [Framing] = [
    Framing(
      request: get, status: 200, framing: .length(7), stated: nil,
      expected: .write(framing: .length(7), statedLength: nil, closes: false)),
    Framing(
      request: get, status: 200, framing: .none, stated: nil, expected: .write(framing: .length(0), statedLength: nil, closes: false)),
    Framing(
      request: get, status: 200, framing: .chunked, stated: nil, expected: .write(framing: .chunked, statedLength: nil, closes: false)),
    Framing(
      request: get, status: 200, framing: .untilClose, stated: nil,
      expected: .write(framing: .chunked, statedLength: nil, closes: false)),
    Framing(
      request: get, status: 204, framing: .none, stated: nil, expected: .write(framing: .none, statedLength: nil, closes: false)),
    Framing(
      request: get, status: 304, framing: .none, stated: 9, expected: .write(framing: .none, statedLength: 9, closes: false)),
    Framing(
      request: head, status: 200, framing: .none, stated: 9, expected: .write(framing: .none, statedLength: 9, closes: false)),
    Framing(
      request: head, status: 200, framing: .length(9), stated: nil,
      expected: .write(framing: .none, statedLength: 9, closes: false)),
    Framing(
      request: head, status: 200, framing: .chunked, stated: nil,
      expected: .write(framing: .none, statedLength: nil, closes: false)),
    Framing(
      request: old, status: 200, framing: .length(7), stated: nil,
      expected: .write(framing: .length(7), statedLength: nil, closes: true)),
    Framing(
      request: old, status: 200, framing: .chunked, stated: nil,
      expected: .write(framing: .untilClose, statedLength: nil, closes: true)),
    Framing(
      request: last, status: 200, framing: .chunked, stated: nil,
      expected: .write(framing: .chunked, statedLength: nil, closes: true)),
  ]

  @Test(arguments: framings) func anAnswerIsFramedForItsClient(_ framing: Framing) {
    var machine = self.machine()
    _ = machine.read(framing.request, at: self.start)
    let head = ResponseHead(status: framing.status, framing: framing.framing, statedLength: framing.stated)
    #expect(machine.sendHead(head) == framing.expected)
    #expect(machine.sendHead(head) == .ignore, "there is one final head")
  }

  @Test func aBodyBehindAnAnswerWithoutOneIsLeftOut() {
    var machine = self.machine()
    _ = machine.read(Self.head, at: self.start)
    _ = machine.sendHead(ResponseHead(status: 200, framing: .length(9)))
    #expect(machine.sendBody(count: 9) == .ignore)
    #expect(machine.sendEnd() == .write(.none))
    #expect(machine.flush(now: self.start) == .finish)
  }

  @Test func aBodyLongerThanItsHeadSaidIsCut() {
    var machine = self.machine()
    _ = machine.read(Self.get, at: self.start)
    _ = machine.sendHead(ResponseHead(status: 200, framing: .length(3)))
    #expect(machine.sendBody(count: 2) == .write(.length(3)))
    #expect(machine.sendBody(count: 2) == .cut)
    #expect(machine.flush(now: self.start) == .goOn)
  }

  @Test func aBodyShorterThanItsHeadSaidIsCut() {
    var machine = self.machine()
    _ = machine.read(Self.get, at: self.start)
    _ = machine.sendHead(ResponseHead(status: 200, framing: .length(3)))
    _ = machine.sendBody(count: 2)
    #expect(machine.sendEnd() == .cut)
  }

  // MARK: Requests that cannot be read

  @Test func aHeadThatCannotBeReadIsAnsweredAndIsTheLast() {
    var machine = self.machine()
    #expect(machine.read("GET /a HTTP/1.1\r\nHost : x\r\n\r\n" + Self.get, at: self.start) == ["refuse 400"])
    #expect(machine.sendHead(ResponseHead(status: 400)) == .write(framing: .length(0), statedLength: nil, closes: true))
    _ = machine.sendEnd()
    #expect(machine.flush(now: self.start) == .finishAndClose)
    #expect(machine.read(Self.get, at: self.start) == [])
  }

  private static let chunked = "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

  @Test func aBodyThatCannotBeReadOnMayStillBeAnswered() {
    var machine = self.machine()
    #expect(machine.read(Self.chunked + "zz\r\n", at: self.start) == ["head POST /a", "broke off 400"])
    #expect(machine.sendHead(ResponseHead(status: 400)) == .write(framing: .length(0), statedLength: nil, closes: true))
    #expect(machine.connectionEnded() == false, "the receiver has heard that it broke off")
  }

  @Test func aBodyThatCannotBeReadOnCutsTheAnswerThatHasBegun() {
    var machine = self.machine()
    #expect(machine.read(Self.chunked, at: self.start) == ["head POST /a"])
    _ = machine.sendHead(ResponseHead(status: 200, framing: .chunked))
    #expect(machine.read("zz\r\n", at: self.start) == ["cut 400"])
    #expect(machine.sendBody(count: 1) == .ignore)
  }

  // MARK: Flow and endings

  @Test func aClientThatTakesNoAnswersGetsNoMoreOfItsRequestsRead() {
    var machine = self.machine()
    _ = machine.read(Self.get, at: self.start)
    #expect(machine.writabilityChanged(false, now: self.start) == true, "the request under way hears of it")
    #expect(machine.writabilityChanged(false, now: self.start) == false, "once")
    machine.answer(at: self.start)
    #expect(machine.read(Self.get, at: self.start) == [])
    #expect(!machine.wantsRead)
    #expect(machine.writabilityChanged(true, now: self.start) == false)
    #expect(machine.steps(at: self.start) == ["head GET /a", "end"])
  }

  @Test func theEndOfTheConnectionIsToldOnlyToARequestUnderWay() {
    var idle = self.machine()
    #expect(idle.connectionEnded() == false)
    var waiting = self.machine()
    _ = waiting.read(Self.get, at: self.start)
    #expect(waiting.connectionEnded() == true)
    var answered = self.machine()
    _ = answered.read(Self.get, at: self.start)
    _ = answered.sendHead(ResponseHead(status: 200))
    _ = answered.sendEnd()
    #expect(answered.connectionEnded() == false)
  }

  @Test func drainingEndsAnIdleConnectionAtOnceAndABusyOneBehindItsAnswer() {
    var idle = self.machine()
    #expect(idle.drain(now: self.start) == true)
    var waiting = self.machine()
    _ = waiting.read(Self.get, at: self.start)
    #expect(waiting.drain(now: self.start) == false)
    #expect(waiting.sendHead(ResponseHead(status: 200)) == .write(framing: .length(0), statedLength: nil, closes: true))
    _ = waiting.sendEnd()
    #expect(waiting.flush(now: self.start) == .finishAndClose)
    var answering = self.machine()
    _ = answering.read(Self.get, at: self.start)
    _ = answering.sendHead(ResponseHead(status: 200))
    #expect(answering.drain(now: self.start) == false)
    _ = answering.sendEnd()
    #expect(answering.flush(now: self.start) == .finishAndClose)
  }

  @Test func windingDownAnswersWhatIsOnItsWayAndSaysThatItIsTheLast() {
    var machine = self.machine()
    _ = machine.read(Self.get, at: self.start)
    machine.answer(at: self.start)
    machine.windDown(now: self.start + .seconds(60))
    #expect(machine.deadline == self.start + .seconds(60) + ListenerTimeouts().linger)
    _ = machine.read(Self.get, at: self.start + .seconds(61))
    #expect(machine.sendHead(ResponseHead(status: 200)) == .write(framing: .length(0), statedLength: nil, closes: true))
    _ = machine.sendEnd()
    #expect(machine.flush(now: self.start + .seconds(61)) == .finishAndClose)
  }

  @Test func windingDownClosesWhatNoRequestComesOn() throws {
    for isUsed in [false, true] {
      var machine = self.machine()
      if isUsed {
        _ = machine.read(Self.get, at: self.start)
        machine.answer(at: self.start)
      }
      machine.windDown(now: self.start + .seconds(1))
      let deadline = try #require(machine.deadline)
      #expect(machine.timerFired(now: deadline - .nanoseconds(1)) == .none)
      #expect(machine.timerFired(now: deadline) == .finish)
    }
  }

  @Test func whatComesBehindTheLastAnswerIsThrownAwayUpToALimit() {
    var machine = self.machine()
    _ = machine.read(Self.post, at: self.start)
    machine.answer(at: self.start)
    machine.outputClosed(now: self.start)
    #expect(machine.wantsRead)
    #expect(machine.read(String(repeating: "x", count: HTTP1FrontStateMachine.mostDiscarded - 1), at: self.start) == [])
    #expect(machine.read("x", at: self.start) == ["close"])
    #expect(!machine.wantsRead)
  }

  @Test func anAbortShowsThatSomethingIsMissing() {
    var unanswered = self.machine()
    _ = unanswered.read(Self.get, at: self.start)
    #expect(unanswered.abort() == .close)
    #expect(unanswered.abort() == nil)
    var chunked = self.machine()
    _ = chunked.read(Self.get, at: self.start)
    _ = chunked.sendHead(ResponseHead(status: 200, framing: .chunked))
    #expect(chunked.abort() == .close)
    var old = self.machine()
    _ = old.read(Self.old, at: self.start)
    _ = old.sendHead(ResponseHead(status: 200, framing: .untilClose))
    #expect(old.abort() == .reset, "the end of the connection would be taken for the end of the body")
    var heldBack = self.machine()
    _ = heldBack.read(Self.get, at: self.start)
    _ = heldBack.sendHead(ResponseHead(status: 200))
    _ = heldBack.sendEnd()
    #expect(heldBack.abort() == .reset)
  }

  // MARK: Time

  @Test func aFirstHeadHasItsTimeFromTheStart() {
    var machine = self.machine()
    #expect(machine.deadline == self.start + .seconds(5))
    #expect(machine.read("GET /a", at: self.start + .seconds(4)) == [])
    #expect(machine.deadline == self.start + .seconds(5), "a byte now and then wins no time")
    #expect(machine.timerFired(now: self.start + .seconds(4)) == .none)
    #expect(machine.timerFired(now: self.start + .seconds(5)) == .closeHalfAHead)
  }

  @Test func aConnectionThatNeverSaidAnythingEndsWithoutAWord() {
    var machine = self.machine()
    #expect(machine.timerFired(now: self.start + .seconds(5)) == .close)
  }

  @Test func aConnectionMayRestBetweenRequestsButNotInsideAHead() {
    var machine = self.machine()
    _ = machine.read(Self.get, at: self.start)
    machine.answer(at: self.start + .seconds(10))
    #expect(machine.deadline == self.start + .seconds(70))
    _ = machine.read("GET", at: self.start + .seconds(30))
    #expect(machine.deadline == self.start + .seconds(35))
    _ = machine.read(" /b", at: self.start + .seconds(34))
    #expect(machine.deadline == self.start + .seconds(35))
    #expect(machine.timerFired(now: self.start + .seconds(35)) == .closeHalfAHead)
  }

  @Test func aBodyHasToGoOnWhileItIsWanted() {
    var machine = self.machine()
    _ = machine.read(Self.post, at: self.start)
    #expect(machine.deadline == self.start + .seconds(20))
    _ = machine.read("h", at: self.start + .seconds(15))
    #expect(machine.deadline == self.start + .seconds(35))
    machine.setRequestFlow(paused: true, now: self.start + .seconds(16))
    #expect(machine.deadline == nil, "it is not the client that is slow")
    machine.setRequestFlow(paused: false, now: self.start + .seconds(100))
    #expect(machine.deadline == self.start + .seconds(120))
    #expect(machine.timerFired(now: self.start + .seconds(120)) == .cut)
  }

  @Test func anAnswerMayTakeForeverUnlessTheClientTakesNothing() {
    var machine = self.machine()
    _ = machine.read(Self.get, at: self.start)
    #expect(machine.deadline == nil)
    _ = machine.sendHead(ResponseHead(status: 200, framing: .chunked))
    #expect(machine.deadline == nil)
    _ = machine.writabilityChanged(false, now: self.start + .seconds(1000))
    #expect(machine.deadline == self.start + .seconds(1300))
    _ = machine.writabilityChanged(true, now: self.start + .seconds(1200))
    #expect(machine.deadline == nil)
    _ = machine.writabilityChanged(false, now: self.start + .seconds(1201))
    #expect(machine.timerFired(now: self.start + .seconds(1501)) == .cut)
  }

  @Test func lingeringEndsSoon() {
    var machine = self.machine()
    _ = machine.read(Self.post, at: self.start)
    machine.answer(at: self.start)
    #expect(machine.deadline == self.start + .seconds(300), "the answer has still to be taken")
    machine.outputClosed(now: self.start + .seconds(10))
    #expect(machine.deadline == self.start + .seconds(12))
    #expect(machine.timerFired(now: self.start + .seconds(12)) == .close)
    #expect(machine.deadline == nil)
  }
}

extension HTTP1FrontStateMachine {
  /// Takes text and says what it led to.
  fileprivate mutating func read(_ text: String, at now: NIODeadline) -> [String] {
    self.received(ByteBuffer(string: text), now: now)
    return self.steps(at: now)
  }

  fileprivate mutating func steps(at now: NIODeadline) -> [String] {
    var steps: [String] = []
    while true {
      switch self.next(now: now) {
      case .receive(let head): steps.append("head \(head.method) \(head.target.path)")
      case .refuse(let malformed): steps.append("refuse \(malformed.status)")
      case .body(let bytes): steps.append("body \(String(buffer: bytes))")
      case .end: steps.append("end")
      case .brokeOff(let malformed): steps.append("broke off \(malformed.status)")
      case .cut(let malformed): steps.append("cut \(malformed.status)")
      case .close: steps.append("close")
      case .wait: return steps
      }
    }
  }

  /// A whole answer without a body.
  fileprivate mutating func answer(at now: NIODeadline) {
    _ = self.sendHead(ResponseHead(status: 200))
    _ = self.sendEnd()
    _ = self.flush(now: now)
  }
}
