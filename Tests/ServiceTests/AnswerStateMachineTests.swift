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
    case .releaseHeadAndAuditEnd(let head): "head \(head.status), audit end"
    case .release(let held):
      [
        held.head.map { "head \($0.status)" }, held.parts.isEmpty ? nil : "\(held.parts.byteCount) bytes",
        held.ending.map { if case .end = $0 { "end" } else { "break off" } },
      ].compactMap { $0 }.joined(separator: ", ")
    }
  }

  @Test func anAnswerThatArrivesWholeLeavesBehindOneRecord() {
    var machine = AnswerStateMachine()
    #expect(machine.headReceived(self.head) == .none)
    machine.bodyReceived(self.part)
    #expect(machine.endReceived(trailers: HeaderFields()) == .auditEnd)
    guard case .none = machine.readCompleted() else { return #expect(Bool(false), "nothing may leave before the record") }
    #expect(!machine.hasSentHead)
    #expect(self.words(machine.auditWritten(true)) == "head 200, 4 bytes, end")
    #expect(machine.isDone)
  }

  @Test func aStreamsHeadLeavesBehindItsStartAndItsLastBytesBehindItsEnd() {
    var machine = AnswerStateMachine()
    _ = machine.headReceived(self.head)
    guard case .auditStart = machine.readCompleted() else { return #expect(Bool(false)) }
    machine.bodyReceived(self.part)
    #expect(self.words(machine.auditWritten(true)) == "head 200, 4 bytes")
    #expect(machine.hasSentHead)

    machine.bodyReceived(self.part)
    guard case .send(let parts) = machine.readCompleted() else { return #expect(Bool(false)) }
    #expect(parts.byteCount == 4)

    machine.bodyReceived(self.part)
    #expect(machine.endReceived(trailers: HeaderFields()) == .auditEnd)
    #expect(self.words(machine.auditWritten(true)) == "4 bytes, end")
  }

  @Test func aStreamThatEndsWhileItsStartIsRecordedGetsBothRecords() {
    var machine = AnswerStateMachine()
    _ = machine.headReceived(self.head)
    _ = machine.readCompleted()
    machine.bodyReceived(self.part)
    #expect(machine.endReceived(trailers: HeaderFields()) == .none)
    #expect(self.words(machine.auditWritten(true)) == "head 200, audit end")
    #expect(self.words(machine.auditWritten(true)) == "4 bytes, end")
    #expect(machine.isDone)
  }

  @Test func whatCannotBeRecordedIsWithheld() {
    var whole = AnswerStateMachine()
    _ = whole.headReceived(self.head)
    _ = whole.endReceived(trailers: HeaderFields())
    #expect(self.words(whole.auditWritten(false)) == "withhold")

    var start = AnswerStateMachine()
    _ = start.headReceived(self.head)
    _ = start.readCompleted()
    #expect(self.words(start.auditWritten(false)) == "withhold")
  }

  @Test func aStreamWhoseEndCannotBeRecordedBreaksOff() {
    var machine = AnswerStateMachine()
    _ = machine.headReceived(self.head)
    _ = machine.readCompleted()
    _ = machine.auditWritten(true)
    machine.bodyReceived(self.part)
    _ = machine.endReceived(trailers: HeaderFields())
    #expect(self.words(machine.auditWritten(false)) == "abort")
  }

  @Test func aFailureBeforeTheHeadLeftIsAnswered() {
    var machine = AnswerStateMachine()
    #expect(machine.failed() == .answer)
    _ = machine.headReceived(ResponseHead(status: 502))
    #expect(machine.endReceived(trailers: HeaderFields()) == .auditEnd)
    #expect(self.words(machine.auditWritten(true)) == "head 502, end")
  }

  @Test func aFailureWithTheHeadHeldDropsTheHeadAndIsAnswered() {
    var machine = AnswerStateMachine()
    _ = machine.headReceived(self.head)
    machine.bodyReceived(self.part)
    #expect(machine.failed() == .answer)
    _ = machine.headReceived(ResponseHead(status: 502))
    _ = machine.endReceived(trailers: HeaderFields())
    #expect(self.words(machine.auditWritten(true)) == "head 502, end")
  }

  @Test func aFailureInAStreamIsRecordedAndThenShows() {
    var machine = AnswerStateMachine()
    _ = machine.headReceived(self.head)
    _ = machine.readCompleted()
    _ = machine.auditWritten(true)
    #expect(machine.failed() == .auditEnd)
    #expect(self.words(machine.auditWritten(true)) == "break off")
  }

  @Test func aClientThatGoesOwesARecordUnlessOneIsBeingWritten() {
    var waiting = AnswerStateMachine()
    #expect(waiting.clientGone())
    #expect(!waiting.clientGone())

    var ending = AnswerStateMachine()
    _ = ending.headReceived(self.head)
    _ = ending.endReceived(trailers: HeaderFields())
    #expect(!ending.clientGone())
    #expect(self.words(ending.auditWritten(true)) == "none")
  }

  @Test func aSecondHeadIsAProtocolError() {
    var machine = AnswerStateMachine()
    _ = machine.headReceived(self.head)
    #expect(machine.headReceived(self.head) == .protocolError)
  }

  @Test func nothingIsReleasedTwice() {
    var machine = AnswerStateMachine()
    _ = machine.headReceived(self.head)
    _ = machine.endReceived(trailers: HeaderFields())
    _ = machine.auditWritten(true)
    #expect(machine.endReceived(trailers: HeaderFields()) == .none)
    #expect(self.words(machine.auditWritten(true)) == "none")
    #expect(machine.failed() == .none)
  }
}

@Suite struct HostNameTests {
  @Test(arguments: [
    ("gateway.example.org", "gateway.example.org"), ("Gateway.Example.ORG:8443", "gateway.example.org"), ("gateway.example.org.", "gateway.example.org"),
    ("gateway.example.org.:443", "gateway.example.org"), ("127.0.0.1:8443", "127.0.0.1"), ("[::1]:8443", "::1"), ("[::1]", "::1"),
  ])
  func hostsAreComparedWithoutCasePortOrTrailingDot(field: String, host: String) {
    #expect(HostName(hostField: field)?.text == host)
  }

  @Test(arguments: ["", ":8443", ".", "["])
  func aHostFieldWithoutAHostNamesNone(field: String) {
    #expect(HostName(hostField: field) == nil)
  }
}
