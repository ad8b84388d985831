import NIOCore
import SallyportAudit
import SallyportCore
import SallyportUpstream
import SallyportWire

/// One request and its answer: joins the client's stream, the stations and the upstream's stream.
///
/// The exchange decides nothing. ``RequestPath`` walks the request through the stations, ``AnswerStateMachine`` says
/// what of the answer may leave, and ``AuditTrail`` keeps what the record will say. The object lives on its client
/// connection's event loop and ends with the answer; a client that is gone stops everything.
final class Exchange {
  let loop: LoopContext
  let connection: ConnectionFacts
  let stream: any ClientStream
  private(set) var trail: AuditTrail

  private var answer = AnswerStateMachine()
  private let wantsPage: Bool

  private var upstream: (any UpstreamStream)?
  /// What the client sent of its body while the stations were still deciding.
  private var earlyBody = BodyParts()
  private var earlyEnd: HeaderFields?
  private var isForwarding = false

  init(trail: AuditTrail, wantsPage: Bool, stream: any ClientStream, connection: ConnectionFacts, loop: LoopContext) {
    self.trail = trail
    self.wantsPage = wantsPage
    self.stream = stream
    self.connection = connection
    self.loop = loop
    loop.exchangeBegan()
  }

  /// Keeps a fact for the record.
  func note(_ change: (inout AuditTrail) -> Void) { change(&self.trail) }

  var isOver: Bool { self.answer.isDone }

  // MARK: - Forwarding

  /// Sends the request to its upstream, behind a `RequestReceived` record where the request changes something or stays.
  func forward(_ request: CredentialedRequest, to upstream: Upstream) {
    guard !self.isOver else { return }
    guard self.trail.leavesTraceBeforeForwarding else {
      return self.startForwarding(request, to: upstream)
    }
    self.stream.setRequestFlow(paused: true)
    self.loop.audit.write(self.trail.requestReceived(), to: .requests) { [self] succeeded in
      guard !self.isOver else { return }
      self.stream.setRequestFlow(paused: false)
      guard succeeded else { return self.withhold() }
      self.startForwarding(request, to: upstream)
    }
  }

  private func startForwarding(_ request: CredentialedRequest, to upstream: Upstream) {
    self.isForwarding = true
    let stream = upstream.send(request, auditID: self.trail.auditID.description, delegate: self, eventLoop: self.stream.eventLoop)
    self.upstream = stream
    if request.head.expectsContinue { self.stream.sendInformational(ResponseHead(status: 100)) }
    let body = self.earlyBody
    self.earlyBody = BodyParts()
    body.forEach(stream.sendBody)
    if let trailers = self.earlyEnd {
      self.earlyEnd = nil
      stream.sendEnd(trailers: trailers)
    }
  }

  // MARK: - Answers of the gateway itself

  /// Answers with a problem. The client reads its message; the record and the operator read its detail.
  func answer(_ problem: Problem, challenges: [String] = []) {
    guard !self.isOver else { return }
    self.trail.problem = problem
    let message = ErrorResponder.answer(
      to: problem, method: self.trail.method, wantsPage: self.wantsPage, object: self.trail.info, challenges: challenges,
      auditID: self.trail.auditID.description)
    self.answer(message.head, body: message.body)
  }

  /// Answers with a complete message.
  func answer(_ head: ResponseHead, body: ByteBuffer) {
    self.stream.abandonRequestBody()
    _ = self.answer.headReceived(head)
    if body.readableBytes > 0, self.trail.method != .head { self.answer.bodyReceived(body) }
    self.trail.status = head.status
    self.finish(self.answer.endReceived(trailers: HeaderFields()))
  }

  private func finish(_ action: AnswerStateMachine.EndAction) {
    switch action {
    case .none: break
    case .auditEnd: self.writeClosingRecord()
    }
  }

  private func writeClosingRecord() {
    self.loop.audit.write(self.trail.responseComplete(now: self.loop.wallTime()), to: self.trail.series) { [self] succeeded in
      self.auditWritten(succeeded)
    }
  }

  private func auditWritten(_ succeeded: Bool) {
    switch self.answer.auditWritten(succeeded) {
    case .none: break
    case .release(let held): self.release(held)
    case .releaseHeadAndAuditEnd(let head):
      self.stream.sendHead(head)
      self.stream.flush()
      self.writeClosingRecord()
    case .withhold: self.withhold()
    case .abort:
      self.upstream?.cancel()
      self.stream.abort()
    }
    if self.isOver { self.ended() }
  }

  /// No audit, no answer: what the upstream answered is dropped, and the client told that it cannot be served now.
  private func withhold() {
    self.upstream?.cancel()
    self.upstream = nil
    _ = self.answer.clientGone()
    let message = ErrorResponder.answer(
      to: .auditUnavailable, method: self.trail.method, wantsPage: self.wantsPage, object: nil, challenges: [],
      auditID: self.trail.auditID.description)
    self.stream.abandonRequestBody()
    self.stream.sendHead(message.head)
    if self.trail.method != .head { self.stream.sendBody(message.body) }
    self.stream.sendEnd(trailers: HeaderFields())
    self.stream.flush()
  }

  private func release(_ held: AnswerStateMachine.Held) {
    if let head = held.head { self.stream.sendHead(head) }
    held.parts.forEach(self.stream.sendBody)
    switch held.ending {
    case .none: break
    case .end(let trailers): self.stream.sendEnd(trailers: trailers)
    case .breakOff: return self.stream.abort()
    }
    self.stream.flush()
  }

  private var hasEnded = false

  private func ended() {
    guard !self.hasEnded else { return }
    self.hasEnded = true
    self.upstream = nil
    self.loop.exchangeEnded()
  }
}

// MARK: - The client's side

extension Exchange: ClientStreamDelegate {
  func clientSentBody(_ bytes: ByteBuffer) {
    self.trail.bytesIn += UInt64(bytes.readableBytes)
    guard self.isForwarding else { return self.earlyBody.append(bytes) }
    self.upstream?.sendBody(bytes)
  }

  func clientSentEnd(trailers: HeaderFields) {
    guard self.isForwarding else { return self.earlyEnd = trailers }
    self.upstream?.sendEnd(trailers: trailers)
  }

  func clientFlowChanged(paused: Bool) { self.upstream?.setResponseFlow(paused: paused) }

  func clientGone(_ reason: ClientGone) {
    self.upstream?.cancel()
    self.upstream = nil
    guard !self.isOver else { return }
    if case .malformed(let malformed) = reason, !self.answer.hasSentHead, !self.answerIsBeingRecorded {
      return self.answer(Problem(malformed))
    }
    guard self.answer.clientGone() else { return self.ended() }
    self.trail.problem = .clientGone(reason)
    // Nobody waits for this record, and a failure to write it shows in the log's own state.
    self.loop.audit.write(self.trail.responseComplete(now: self.loop.wallTime()), to: self.trail.series) { _ in }
    self.ended()
  }

  private var answerIsBeingRecorded: Bool { self.trail.status != nil }
}

// MARK: - The upstream's side

extension Exchange: UpstreamStreamDelegate {
  func upstreamSentInformational(_ head: ResponseHead) {
    guard !self.isOver else { return }
    self.stream.sendInformational(ResponseHopByHop.strip(head))
    self.stream.flush()
  }

  func upstreamSentHead(_ head: ResponseHead) {
    switch self.answer.headReceived(ResponseHopByHop.strip(head)) {
    case .none: self.trail.status = head.status
    case .protocolError:
      self.upstream?.cancel()
      self.upstreamFailed(.upstreamAnsweredTwice)
    }
  }

  func upstreamSentBody(_ bytes: ByteBuffer) {
    self.trail.bytesOut += UInt64(bytes.readableBytes)
    self.answer.bodyReceived(bytes)
  }

  func upstreamSentEnd(trailers: HeaderFields) {
    self.upstream = nil
    self.finish(self.answer.endReceived(trailers: ResponseHopByHop.stripTrailers(trailers)))
  }

  func upstreamReadComplete() {
    switch self.answer.readCompleted() {
    case .none: break
    case .send(let parts):
      parts.forEach(self.stream.sendBody)
      self.stream.flush()
    case .auditStart:
      self.loop.audit.write(self.trail.responseStarted(now: self.loop.wallTime()), to: self.trail.series) { [self] succeeded in
        self.auditWritten(succeeded)
      }
    }
  }

  func upstreamFlowChanged(paused: Bool) {
    guard !self.isOver else { return }
    self.stream.setRequestFlow(paused: paused)
  }

  func upstreamFailed(_ problem: Problem) {
    self.upstream = nil
    switch self.answer.failed() {
    case .none: self.trail.problem = problem
    case .answer:
      self.trail.status = nil
      self.trail.bytesOut = 0
      self.answer(problem)
    case .auditEnd:
      self.trail.problem = problem
      self.writeClosingRecord()
    }
  }
}
