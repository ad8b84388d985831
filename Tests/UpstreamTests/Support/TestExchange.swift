import NIOCore
import SallyportCore
import SallyportWire

@testable import SallyportUpstream

/// A request on its way, as a test sees it from any thread: it plays the part of `Service`.
final class TestExchange: Sendable {
  /// Everything that the upstream told, in order and summed up.
  struct Record: Sendable {
    var informational: [Int] = []
    var status: Int?
    var fields: [String] = []
    var body = ByteBuffer()
    var parts = 0
    var trailers: [String] = []
    var ended = false
    var problem: Problem?
    var flow: [Bool] = []
    var readCompletes = 0

    var isOver: Bool { self.ended || self.problem != nil }
    var text: String { String(buffer: self.body) }
  }

  private final class Delegate: UpstreamStreamDelegate {
    let record: Observed<Record>
    init(_ record: Observed<Record>) { self.record = record }

    private func update(_ change: (inout Record) -> Void) {
      self.record.update { record in
        // Nothing may be heard behind the end.
        precondition(!record.isOver, "the delegate heard something after the end")
        change(&record)
      }
    }

    func upstreamSentInformational(_ head: ResponseHead) { self.update { $0.informational.append(head.status) } }
    func upstreamSentHead(_ head: ResponseHead) {
      self.update {
        $0.status = head.status
        $0.fields = head.fields.map { "\($0.name): \($0.value)" }
      }
    }
    func upstreamSentBody(_ bytes: ByteBuffer) {
      self.update {
        $0.body.writeImmutableBuffer(bytes)
        $0.parts += 1
      }
    }
    func upstreamSentEnd(trailers: HeaderFields) {
      self.update {
        $0.trailers = trailers.map { "\($0.name): \($0.value)" }
        $0.ended = true
      }
    }
    func upstreamReadComplete() { self.update { $0.readCompletes += 1 } }
    func upstreamFlowChanged(paused: Bool) { self.update { $0.flow.append(paused) } }
    func upstreamFailed(_ problem: Problem) { self.update { $0.problem = problem } }
  }

  let record = Observed(Record())
  private let eventLoop: any EventLoop
  private let stream: NIOLoopBoundBox<(any UpstreamStream)?>

  /// Sends a request and the parts of its body that are there at once; with `ends`, its end too.
  init(
    _ upstream: Upstream, _ request: CredentialedRequest, body: [ByteBuffer] = [], ends: Bool = true, auditID: String = "audit-1",
    on eventLoop: any EventLoop
  ) {
    self.eventLoop = eventLoop
    self.stream = .makeEmptyBox(valueType: (any UpstreamStream).self, eventLoop: eventLoop)
    let record = self.record
    let stream = self.stream
    eventLoop.execute {
      let sent = upstream.send(request, auditID: auditID, delegate: Delegate(record), eventLoop: eventLoop)
      stream.value = sent
      for part in body { sent.sendBody(part) }
      if ends { sent.sendEnd(trailers: HeaderFields()) }
    }
  }

  func sendBody(_ bytes: ByteBuffer) { self.perform { $0.sendBody(bytes) } }
  func sendEnd(trailers: HeaderFields = HeaderFields()) { self.perform { $0.sendEnd(trailers: trailers) } }
  func cancel() { self.perform { $0.cancel() } }
  func setResponseFlow(paused: Bool) { self.perform { $0.setResponseFlow(paused: paused) } }

  /// Waits until the answer ended or failed.
  @discardableResult
  func end() async -> Record { await self.record.reaches(\.isOver) }

  private func perform(_ action: @escaping @Sendable (any UpstreamStream) -> Void) {
    let stream = self.stream
    self.eventLoop.execute {
      if let stream = stream.value { action(stream) }
    }
  }
}
