import NIOCore
import SallyportCore
import SallyportWire
import Testing

@testable import SallyportUpstream

@Suite struct ConnectionStateMachineTests {
  private func exchanging(_ framing: BodyFraming = .none) -> ConnectionStateMachine {
    var machine = ConnectionStateMachine()
    #expect(machine.requestStarted(framing: framing) == .write)
    return machine
  }

  private func head(_ status: Int = 200, framing: BodyFraming = .none, keeps: Bool = true) -> ResponseEvent {
    .head(ResponseHead(status: status, framing: framing, keepsConnection: keeps))
  }

  private let end = ResponseEvent.end(trailers: HeaderFields())

  @Test func aConnectionWhoseRequestAndAnswerAreCompleteIsUsedAgain() {
    var machine = self.exchanging()
    #expect(machine.bytesArrived() == .read)
    #expect(machine.received(self.head()) == .passHead)
    #expect(machine.received(self.end) == .finish(reuse: true))
    #expect(machine.requestStarted(framing: .none) == .write)
  }

  @Test func anAnswerThatClosesTheConnectionIsItsLast() {
    var machine = self.exchanging()
    #expect(machine.received(self.head(keeps: false)) == .passHead)
    #expect(machine.received(self.end) == .finish(reuse: false))
    #expect(machine.requestStarted(framing: .none) == .unfit)
  }

  @Test func anAnswerFramedByTheConnectionsEndIsItsLast() {
    var machine = self.exchanging()
    #expect(machine.received(self.head(framing: .untilClose, keeps: true)) == .passHead)
    #expect(machine.received(self.end) == .finish(reuse: false))
  }

  @Test(arguments: [BodyFraming.length(10), .chunked])
  func anAnswerBeforeTheRequestsEndMakesTheConnectionUnusable(framing: BodyFraming) {
    var machine = self.exchanging(framing)
    #expect(machine.bodyPart(4) == .write)
    #expect(machine.received(self.head(413)) == .passHead)
    #expect(machine.received(self.end) == .finish(reuse: false))
  }

  @Test func aRequestThatEndsBehindTheAnswersHeadKeepsTheConnection() {
    var machine = self.exchanging(.length(10))
    #expect(machine.received(self.head(framing: .chunked)) == .passHead)
    #expect(machine.bodyPart(10) == .write)
    #expect(machine.requestEnded() == .write)
    #expect(machine.received(self.end) == .finish(reuse: true))
  }

  @Test func allBytesWithoutAnEndAreNotTheRequestsEnd() {
    var machine = self.exchanging(.length(10))
    #expect(machine.bodyPart(10) == .write)
    #expect(machine.received(self.head()) == .passHead)
    #expect(machine.received(self.end) == .finish(reuse: false))
  }

  @Test func moreBytesThanAnnouncedAreUnfit() {
    var machine = self.exchanging(.length(10))
    #expect(machine.bodyPart(9) == .write)
    #expect(machine.bodyPart(2) == .unfit)
    var bodiless = self.exchanging(.none)
    #expect(bodiless.bodyPart(1) == .unfit)
  }

  @Test func fewerBytesThanAnnouncedAreUnfit() {
    var machine = self.exchanging(.length(10))
    #expect(machine.bodyPart(9) == .write)
    #expect(machine.requestEnded() == .unfit)
  }

  @Test func bytesBehindTheEndAreUnfit() {
    var machine = self.exchanging(.chunked)
    #expect(machine.requestEnded() == .write)
    #expect(machine.bodyPart(1) == .unfit)
  }

  @Test func aSecondRequestWhileOneIsUnderWayIsUnfit() {
    var machine = self.exchanging()
    #expect(machine.requestStarted(framing: .none) == .unfit)
  }

  @Test func bytesThatNobodyAskedForAreNotRead() {
    var machine = ConnectionStateMachine()
    #expect(machine.bytesArrived() == .endConnection)
    #expect(machine.received(self.head()) == .malformed("an answer that no request asked for"))
  }

  @Test func informationalHeadsArePassedOnButHundred() {
    var machine = self.exchanging()
    #expect(machine.received(.informational(ResponseHead(status: 100))) == .swallow)
    #expect(machine.received(.informational(ResponseHead(status: 103))) == .passInformational)
    #expect(machine.received(.informational(ResponseHead(status: 103))) == .passInformational)
    #expect(machine.received(self.head()) == .passHead)
  }

  @Test func switchingProtocolsUnaskedIsMalformed() {
    var informational = self.exchanging()
    #expect(
      informational.received(.informational(ResponseHead(status: 101))) == .malformed("101 Switching Protocols without an upgrade"))
    var final = self.exchanging()
    #expect(final.received(self.head(101)) == .malformed("101 Switching Protocols without an upgrade"))
  }

  @Test func aSecondHeadIsMalformed() {
    var machine = self.exchanging()
    #expect(machine.received(self.head()) == .passHead)
    #expect(machine.received(self.head()) == .malformed("the parts of the answer come out of order"))
  }

  @Test func aBodyBeforeTheHeadIsMalformed() {
    var machine = self.exchanging()
    #expect(machine.received(.body(ByteBuffer(string: "x"))) == .malformed("the parts of the answer come out of order"))
  }

  @Test func theEndOfAConnectionSaysHowFarTheAnswerCame() {
    var unused = ConnectionStateMachine()
    #expect(unused.ended() == .unused)
    var silent = self.exchanging()
    #expect(silent.ended() == .beforeAnswer)
    var begun = self.exchanging()
    #expect(begun.bytesArrived() == .read)
    #expect(begun.ended() == .duringAnswer)
    var streaming = self.exchanging()
    _ = streaming.received(self.head(framing: .chunked))
    #expect(streaming.ended() == .duringAnswer)
    #expect(streaming.ended() == .unused)
  }

  // MARK: A change of protocol

  private func switching(_ fields: [(String, String)]) throws -> ResponseEvent {
    var headers = HeaderFields()
    for (name, value) in fields { try headers.append(name, value) }
    return .head(ResponseHead(status: 101, fields: headers))
  }

  @Test func theProtocolThatWasAskedForIsSwitchedTo() throws {
    var machine = ConnectionStateMachine()
    #expect(machine.requestStarted(framing: .length(0), upgrade: .spdy) == .write)
    #expect(machine.bytesArrived() == .read)
    #expect(machine.received(try self.switching([("connection", "keep-alive, Upgrade"), ("upgrade", "spdy/3.1")])) == .switchProtocols)
    #expect(machine.requestStarted(framing: .none) == .unfit)
  }

  @Test(arguments: [
    [("Connection", "Upgrade"), ("Upgrade", "websocket")], [("Connection", "Upgrade")], [("Upgrade", "SPDY/3.1")],
    [("Connection", "Upgrade"), ("Upgrade", "SPDY/3.1, websocket")],
    [("Connection", "Upgrade"), ("Upgrade", "SPDY/3.1"), ("Upgrade", "SPDY/3.1")],
  ])
  func nothingElseIsSwitchedTo(fields: [(String, String)]) throws {
    var machine = ConnectionStateMachine()
    _ = machine.requestStarted(framing: .none, upgrade: .spdy)
    guard case .malformed = machine.received(try self.switching(fields)) else { return #expect(Bool(false), "it must be malformed") }
  }

  @Test func aConnectionThatWasAskedToSwitchCarriesNoOtherRequest() {
    var machine = ConnectionStateMachine()
    _ = machine.requestStarted(framing: .none, upgrade: .webSocket)
    #expect(machine.received(self.head(403)) == .passHead)
    #expect(machine.received(self.end) == .finish(reuse: false))
  }

  @Test func anUpgradeHasNoBody() {
    var machine = ConnectionStateMachine()
    #expect(machine.requestStarted(framing: .length(1), upgrade: .spdy) == .unfit)
  }
}
