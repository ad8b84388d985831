import NIOCore
import SallyportCore
import SallyportWire
import Testing

@testable import SallyportService

@Suite struct AnswerStateMachineTests {
  private let head = ResponseHead(status: 200)
  private let part = ByteBuffer(string: "part")

  /// What a release lets leave, in words.
  private func words(_ action: AnswerStateMachine.AuditAction) -> String {
    switch action {
    case .none: "none"
    case .withhold: "withhold"
    case .abort: "abort"
    case .switchProtocols: "switch protocols"
    case .releaseHeadAndAuditEnd(let head): "head \(head.status), audit end"
    case .release(let held):
      [
        held.head.map { "head \($0.status)" }, held.parts.isEmpty ? nil : "\(held.parts.byteCount) bytes",
        held.ending.map { if case .end = $0 { "end" } else { "break off" } },
      ].compactMap { $0 }.joined(separator: ", ")
    }
  }

  private func expectWords(_ action: AnswerStateMachine.AuditAction, _ expected: String) {
    #expect(self.words(action) == expected)
  }

  @Test func anAnswerThatArrivesWholeLeavesBehindOneRecord() {
    var machine = AnswerStateMachine()
    let headReceived1 = machine.headReceived(self.head)
    #expect(headReceived1 == .none)
    machine.bodyReceived(self.part)
    let endReceived2 = machine.endReceived(trailers: HeaderFields())
    #expect(endReceived2 == .auditEnd)
    guard case .none = machine.readCompleted() else { return #expect(Bool(false), "nothing may leave before the record") }
    #expect(!machine.hasSentHead)
    expectWords(machine.auditWritten(true), "head 200, 4 bytes, end")
    #expect(machine.isDone)
  }

  @Test func aStreamsHeadLeavesBehindItsStartAndItsLastBytesBehindItsEnd() {
    var machine = AnswerStateMachine()
    _ = machine.headReceived(self.head)
    guard case .auditStart = machine.readCompleted() else { return #expect(Bool(false)) }
    machine.bodyReceived(self.part)
    expectWords(machine.auditWritten(true), "head 200, 4 bytes")
    #expect(machine.hasSentHead)

    machine.bodyReceived(self.part)
    guard case .send(let parts) = machine.readCompleted() else { return #expect(Bool(false)) }
    #expect(parts.byteCount == 4)

    machine.bodyReceived(self.part)
    let endReceived3 = machine.endReceived(trailers: HeaderFields())
    #expect(endReceived3 == .auditEnd)
    expectWords(machine.auditWritten(true), "4 bytes, end")
  }

  @Test func aStreamThatEndsWhileItsStartIsRecordedGetsBothRecords() {
    var machine = AnswerStateMachine()
    _ = machine.headReceived(self.head)
    _ = machine.readCompleted()
    machine.bodyReceived(self.part)
    let endReceived4 = machine.endReceived(trailers: HeaderFields())
    #expect(endReceived4 == .none)
    expectWords(machine.auditWritten(true), "head 200, audit end")
    expectWords(machine.auditWritten(true), "4 bytes, end")
    #expect(machine.isDone)
  }

  @Test func whatCannotBeRecordedIsWithheld() {
    var whole = AnswerStateMachine()
    _ = whole.headReceived(self.head)
    _ = whole.endReceived(trailers: HeaderFields())
    expectWords(whole.auditWritten(false), "withhold")

    var start = AnswerStateMachine()
    _ = start.headReceived(self.head)
    _ = start.readCompleted()
    expectWords(start.auditWritten(false), "withhold")
  }

  @Test func aStreamWhoseEndCannotBeRecordedBreaksOff() {
    var machine = AnswerStateMachine()
    _ = machine.headReceived(self.head)
    _ = machine.readCompleted()
    _ = machine.auditWritten(true)
    machine.bodyReceived(self.part)
    _ = machine.endReceived(trailers: HeaderFields())
    expectWords(machine.auditWritten(false), "abort")
  }

  @Test func aFailureBeforeTheHeadLeftIsAnswered() {
    var machine = AnswerStateMachine()
    let failed5 = machine.failed()
    #expect(failed5 == .answer)
    _ = machine.headReceived(ResponseHead(status: 502))
    let endReceived6 = machine.endReceived(trailers: HeaderFields())
    #expect(endReceived6 == .auditEnd)
    expectWords(machine.auditWritten(true), "head 502, end")
  }

  @Test func aFailureWithTheHeadHeldDropsTheHeadAndIsAnswered() {
    var machine = AnswerStateMachine()
    _ = machine.headReceived(self.head)
    machine.bodyReceived(self.part)
    let failed7 = machine.failed()
    #expect(failed7 == .answer)
    _ = machine.headReceived(ResponseHead(status: 502))
    _ = machine.endReceived(trailers: HeaderFields())
    expectWords(machine.auditWritten(true), "head 502, end")
  }

  @Test func aFailureInAStreamIsRecordedAndThenShows() {
    var machine = AnswerStateMachine()
    _ = machine.headReceived(self.head)
    _ = machine.readCompleted()
    _ = machine.auditWritten(true)
    let failed8 = machine.failed()
    #expect(failed8 == .auditEnd)
    expectWords(machine.auditWritten(true), "break off")
  }

  @Test func aClientThatGoesOwesARecordUnlessOneIsBeingWritten() {
    var waiting = AnswerStateMachine()
    let owed = waiting.clientGone()
    #expect(owed)
    let owedAgain = waiting.clientGone()
    #expect(!owedAgain)

    var ending = AnswerStateMachine()
    _ = ending.headReceived(self.head)
    _ = ending.endReceived(trailers: HeaderFields())
    let owedToo = ending.clientGone()
    #expect(!owedToo)
    expectWords(ending.auditWritten(true), "none")
  }

  @Test func aSecondHeadIsAProtocolError() {
    var machine = AnswerStateMachine()
    _ = machine.headReceived(self.head)
    let headReceived9 = machine.headReceived(self.head)
    #expect(headReceived9 == .protocolError)
  }

  @Test func nothingIsReleasedTwice() {
    var machine = AnswerStateMachine()
    _ = machine.headReceived(self.head)
    _ = machine.endReceived(trailers: HeaderFields())
    _ = machine.auditWritten(true)
    let endReceived10 = machine.endReceived(trailers: HeaderFields())
    #expect(endReceived10 == .none)
    expectWords(machine.auditWritten(true), "none")
    let failed11 = machine.failed()
    #expect(failed11 == .none)
  }

  // MARK: A change of protocol

  @Test func a101LeavesBehindItsRecordAndIsOverWithTheTunnel() {
    var machine = AnswerStateMachine()
    let switched = machine.switchReceived()
    #expect(switched)
    #expect(!machine.hasSentHead)
    expectWords(machine.auditWritten(true), "switch protocols")
    #expect(machine.hasSentHead)
    #expect(!machine.isDone)
    machine.tunnelEnded()
    #expect(machine.isDone)
  }

  @Test func a101ThatCannotBeRecordedIsWithheld() {
    var machine = AnswerStateMachine()
    _ = machine.switchReceived()
    expectWords(machine.auditWritten(false), "withhold")
    #expect(machine.isDone)
  }

  @Test func aClientThatLeavesBeforeIts101OwesARecordAndGetsNoTunnel() {
    var machine = AnswerStateMachine()
    _ = machine.switchReceived()
    let owes = machine.clientGone()
    #expect(owes)
    expectWords(machine.auditWritten(true), "none")
    let late = machine.switchReceived()
    #expect(!late)
  }

  @Test func a101BehindAHeadIsNoSwitch() {
    var machine = AnswerStateMachine()
    _ = machine.headReceived(self.head)
    let switched = machine.switchReceived()
    #expect(!switched)
  }
}

@Suite struct HostNameTests {
  @Test(arguments: [
    ("gateway.example.org", "gateway.example.org"), ("Gateway.Example.ORG:8443", "gateway.example.org"),
    ("gateway.example.org.", "gateway.example.org"),
    ("gateway.example.org.:443", "gateway.example.org"), ("127.0.0.1:8443", "127.0.0.1"), ("[::1]:8443", "::1"), ("[::1]", "::1"),
  ])
  func hostsAreComparedWithoutCasePortOrTrailingDot(field: String, host: String) {
    #expect(HostName(hostField: field)?.text == host)
  }

  @Test(arguments: ["", ":8443", ".", "["])
  func aHostFieldWithoutAHostNamesNone(field: String) {
    #expect(HostName(hostField: field) == nil)
  }

  @Test func aRequestThatWasAnsweredGoesNowhere() {
    var machine = AnswerStateMachine()
    #expect(machine.isAwaitingHead)
    _ = machine.headReceived(ResponseHead(status: 400))
    #expect(!machine.isAwaitingHead)
    // While its record is being written it is not done, and yet answered.
    #expect(machine.endReceived(trailers: HeaderFields()) == .auditEnd)
    #expect(!machine.isAwaitingHead && !machine.isDone)
  }
}
