import NIOCore
import SallyportAudit
import SallyportCore
import SallyportTunnel
import SallyportUpstream
import SallyportWire

/// One request and its answer: joins the client's stream, the stations and the upstream's stream.
///
/// The exchange decides nothing. ``RequestPath`` walks the request through the stations, and ``AnswerStateMachine`` says
/// what of the answer may leave; the exchange does what they say and keeps the audit record. The object lives on its
/// client connection's event loop and ends with the answer; a client that is gone stops everything.
final class Exchange {
  let loop: LoopContext
  let connection: ConnectionFacts
  let stream: any ClientStream
  /// What the audit log will say. Filled in as the request goes its way.
  let record: AuditRecord
  /// What metrics will say beside it.
  var measure = RequestMeasure()
  /// The number of the generation that the request began with.
  private let generation: Int

  /// The record's ID as both logs write it.
  private lazy var auditID = self.record.auditID.description
  var answer = AnswerStateMachine()
  /// The request's head; `nil` for one that could not be read. What it says of an answer of ours is read when there is one.
  private let head: RequestHead?

  /// The request as it was let through, to be judged again if it stays.
  private var request: CredentialedRequest?
  private var upstream: (any UpstreamStream)?
  /// The upstream's 101 and its end of the tunnel, while the record that lets the 101 leave is being written.
  var switching: (head: ResponseHead, end: any TunnelEnd)?
  var tunnel: Tunnel?
  /// Where the exchange stands in the registry of what may be cut.
  private var registration: StreamRegistry.ID?
  /// What the client sent of its body while the stations were still deciding.
  private var earlyBody = BodyParts()
  private var earlyEnd: HeaderFields?
  /// The body and who waits for it, where an own path reads it.
  private var ownBody: (body: RequestBody, then: (Exchange, ByteBuffer?) -> Void)?
  private var isForwarding = false
  /// What the audit policy says of the request, once it was asked: a reload does not change it on the way.
  private var judged: AuditPolicy.Outcome?
  /// The client may be slow already before there is an upstream to tell: bytes of its last answer still wait.
  private var isClientPaused = false

  /// - Parameter head: the request's head; `nil` for a request that could not be read
  init(_ head: RequestHead?, record: AuditRecord, stream: any ClientStream, connection: ConnectionFacts, loop: LoopContext) {
    self.record = record
    self.head = head
    self.stream = stream
    self.connection = connection
    self.loop = loop
    self.generation = loop.generation.number
    loop.exchangeBegan()
  }

  var isOver: Bool { self.answer.isDone }
  /// Whether the request may still go on its way.
  var awaitsAnswer: Bool { self.answer.isAwaitingHead }

  // MARK: - Forwarding

  /// Sends the request to its upstream, behind a `RequestReceived` record where the request changes something or stays.
  func forward(_ request: CredentialedRequest, to upstream: Upstream) {
    guard self.awaitsAnswer else { return }
    guard request.leavesTraceBeforeForwarding else { return self.startForwarding(request, to: upstream) }
    self.stream.setRequestFlow(paused: true)
    let goOn = { [self] (succeeded: Bool) in
      guard self.awaitsAnswer else { return }
      self.stream.setRequestFlow(paused: false)
      // What had waited came with that call, and may have been nothing that can be read: then the answer is given.
      guard self.awaitsAnswer else { return }
      guard succeeded else { return self.withhold() }
      self.startForwarding(request, to: upstream)
    }
    self.write(.requestReceived, then: .call(goOn))
  }

  private func startForwarding(_ request: CredentialedRequest, to upstream: Upstream) {
    self.isForwarding = true
    self.keepBodies(of: request)
    self.measure.forwarded = .now()
    self.request = request
    if request.isLongRunning { self.register(isTunnel: request.permitted.authenticated.stripped.upgrade != nil) }
    let stream = upstream.send(request, auditID: self.auditID, delegate: self, eventLoop: self.stream.eventLoop)
    self.upstream = stream
    if self.isClientPaused { stream.setResponseFlow(paused: true) }
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
    self.record.problem = problem
    self.record.bodies?.dropResponse()
    self.record.response = AuditRecord.Response(
      code: problem.status, reason: ErrorResponder.reason(problem.status), message: problem.message)
    let message = self.message(for: problem, challenges: challenges)
    self.answer(message.head, body: message.body)
  }

  /// Answers with a document of the gateway's own.
  func answer(_ document: OwnDocument) {
    guard !self.isOver else { return }
    let head = document.head(for: self.head?.method ?? .get, auditID: self.auditID)
    self.record.response = AuditRecord.Response(code: head.status)
    self.answer(head, body: document.body)
  }

  /// Answers at a page of the gateway's own.
  func answer(_ page: OwnPage) {
    guard !self.isOver else { return }
    self.record.problem = page.problem
    self.record.response = AuditRecord.Response(
      code: page.status, reason: page.problem.map { ErrorResponder.reason($0.status) }, message: page.problem?.message)
    self.answer(page.head(for: self.head?.method ?? .get, auditID: self.auditID), body: page.body)
  }

  /// Reads the whole body for an own path.
  ///
  /// - Parameter then: gets the body; `nil` as soon as it is longer than `limit` bytes
  func readBody(atMost limit: Int, then: @escaping (Exchange, ByteBuffer?) -> Void) {
    if case .length(let length)? = self.head?.framing, length > UInt64(limit) { return then(self, nil) }
    self.ownBody = (RequestBody(limit: limit), then)
    if self.head?.expectsContinue == true { self.stream.sendInformational(ResponseHead(status: 100)) }
  }

  private func ownBodyReceived(_ bytes: ByteBuffer) {
    guard self.ownBody?.body.received(bytes) == .tooLong, let then = self.ownBody?.then else { return }
    self.ownBody = nil
    then(self, nil)
  }

  private func message(for problem: Problem, challenges: [String] = []) -> ErrorResponder.Message {
    ErrorResponder.answer(
      to: problem, method: self.head?.method ?? .get, form: self.head.map(ErrorResponder.form) ?? .status, object: self.record.info,
      challenges: challenges,
      auditID: self.auditID)
  }

  private func answer(_ head: ResponseHead, body: ByteBuffer) {
    self.stream.abandonRequestBody()
    _ = self.answer.headReceived(head)
    if self.head?.method != .head {
      self.answer.bodyReceived(body)
      self.record.bytesOut = UInt64(body.readableBytes)
    }
    self.finish(self.answer.endReceived(trailers: HeaderFields()))
  }

  private func finish(_ action: AnswerStateMachine.EndAction) {
    switch action {
    case .none: break
    case .auditEnd: self.writeClosingRecord()
    }
  }

  func writeClosingRecord() {
    self.write(.responseComplete, then: .answer(of: self))
  }

  /// What the audit policy says of the request; `nil` without a policy, and while nobody was let in.
  private var auditOutcome: AuditPolicy.Outcome? {
    if let judged { return judged }
    guard let policy = self.loop.generation.auditPolicy, self.record.decision != nil else { return nil }
    let outcome = self.record.outcome(of: policy)
    self.judged = outcome
    self.record.level = outcome.level
    return outcome
  }

  /// From here on the bodies are copied for the record, where the policy asks for them.
  private func keepBodies(of request: CredentialedRequest) {
    guard let outcome = self.auditOutcome, outcome.level > .metadata, !request.isLongRunning,
      // Who was not authenticated has only a small share of the disk.
      case .identity = self.record.subject
    else { return }
    self.record.bodies = RecordedBodies(outcome, request.head.fields, for: self.record.info)
    self.earlyBody.forEach { self.record.bodies?.request.append($0) }
    if self.earlyEnd != nil { self.record.bodies?.request.end() }
  }

  func write(_ stage: AuditRecord.Stage, then waiter: AuditBatch.Waiter) {
    self.record.stage = stage
    if let outcome = self.auditOutcome, self.record.isOmitted(outcome) { return self.loop.audit.pass(then: waiter) }
    self.loop.audit.write(self.record, then: waiter)
  }

  func auditWritten(_ succeeded: Bool) {
    switch self.answer.auditWritten(succeeded) {
    case .none: break
    case .release(let held):
      if held.ending == nil { self.register(isTunnel: false) }
      self.release(held)
    case .releaseHeadAndAuditEnd(let head):
      self.stream.sendHead(head)
      self.stream.flush()
      self.writeClosingRecord()
    case .switchProtocols: self.beginTunnel()
    case .withhold: self.withhold()
    case .abort:
      self.upstream?.cancel()
      self.stream.abort()
    }
    if self.isOver { self.ended() }
  }

  /// No audit, no answer: what the upstream answered is dropped, and the client told that it cannot be served now.
  private func withhold() {
    self.dropUpstream()
    _ = self.answer.clientGone()
    let message = self.message(for: .auditUnavailable)
    self.record.response = AuditRecord.Response(code: message.head.status)
    self.stream.abandonRequestBody()
    self.stream.sendHead(message.head)
    if self.head?.method != .head { self.stream.sendBody(message.body) }
    self.stream.sendEnd(trailers: HeaderFields())
    self.stream.flush()
    self.ended()
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

  func ended() {
    guard !self.hasEnded else { return }
    self.hasEnded = true
    if let registration { self.loop.streams.remove(registration) }
    self.upstream = nil
    self.request = nil
    self.loop.exchangeEnded(self.record, self.measure, isStream: self.registration != nil)
  }
}

// MARK: - Streams

extension Exchange: CuttableStream {
  /// From here on the exchange may be cut: when what it was admitted by ends, at its age's limit, or when somebody says so.
  private func register(isTunnel: Bool) {
    guard self.registration == nil else { return }
    let facts = StreamFacts(
      subject: self.record.subject, connection: self.connection, route: self.record.route ?? "", isTunnel: isTunnel,
      upstream: self.record.upstream ?? "", request: self.request?.permitted.authenticated.withoutCredentials)
    self.registration = self.loop.streams.add(self, facts, limits: self.loop.generation.streamLimits(of: self.connection.listener))
    // A reload that came while the request was on its way did not find it in the registry.
    if self.generation != self.loop.generation.number, let reason = self.loop.generation.objection(to: facts) {
      self.loop.eventLoop.assumeIsolated().execute { self.cut(reason) }
    }
  }

  func cut(_ reason: StreamEnd.Reason) {
    guard !self.isOver else { return }
    self.record.streamEnd = StreamEnd(reason, nanoseconds: self.age)
    if let tunnel { return tunnel.cut() }
    // A tunnel that is about to begin ends as soon as it has.
    guard self.switching == nil else { return }
    self.dropUpstream()
    self.upstreamFailed(.streamCut(reason))
  }

  /// Since the head was read, in nanoseconds.
  var age: Int64 {
    max(0, WallTime.now().nanosecondsSinceEpoch - self.record.received.nanosecondsSinceEpoch)
  }

  private func dropUpstream() {
    self.upstream?.cancel()
    self.upstream = nil
    self.switching?.end.cut()
    self.switching = nil
  }
}

// MARK: - The client's side

extension Exchange: ClientStreamDelegate {
  func clientSentBody(_ bytes: ByteBuffer) {
    self.record.bytesIn += UInt64(bytes.readableBytes)
    guard self.isForwarding else {
      if self.ownBody != nil { return self.ownBodyReceived(bytes) }
      // Nothing waits for the rest of a request that was answered.
      if self.awaitsAnswer { self.earlyBody.append(bytes) }
      return
    }
    self.record.bodies?.request.append(bytes)
    self.upstream?.sendBody(bytes)
  }

  func clientSentEnd(trailers: HeaderFields) {
    let trailers = StrippedRequest.strip(trailers: trailers)
    if let own = self.ownBody {
      self.ownBody = nil
      return own.then(self, own.body.whole)
    }
    guard self.isForwarding else { return self.earlyEnd = trailers }
    self.record.bodies?.request.end()
    self.upstream?.sendEnd(trailers: trailers)
  }

  func clientFlowChanged(paused: Bool) {
    self.isClientPaused = paused
    self.upstream?.setResponseFlow(paused: paused)
  }

  func clientGone(_ reason: ClientGone) {
    self.dropUpstream()
    self.ownBody = nil
    guard !self.isOver else { return }
    // The client itself is still there, and has to be told or to see that its request broke off.
    if case .malformed(let malformed) = reason { return self.breakOff(Problem(malformed)) }
    guard self.answer.clientGone() else { return self.ended() }
    // At the end of the process it is the gateway that cuts the connections.
    let problem = self.loop.isEnding ? Problem.shuttingDown : Problem.clientGone(reason)
    self.record.problem = problem
    if self.record.response == nil { self.record.response = AuditRecord.Response(code: problem.status) }
    // Nobody waits for this record, and a failure to write it shows in the log's own state.
    self.write(.responseComplete, then: .nobody)
    self.ended()
  }
}

// MARK: - The upstream's side

extension Exchange: UpstreamStreamDelegate {
  func upstreamSentInformational(_ head: ResponseHead) {
    guard !self.isOver else { return }
    self.stream.sendInformational(ResponseHopByHop.strip(head))
    self.stream.flush()
  }

  func upstreamSentHead(_ head: ResponseHead) {
    if head.status == 401, let request,
      let problem = self.loop.generation.refusals.problem(in: head, to: request, upstream: self.record.upstream ?? "")
    {
      self.upstream?.cancel()
      return self.upstreamFailed(problem)
    }
    switch self.answer.headReceived(ResponseHopByHop.strip(head, auditID: self.auditID)) {
    case .none:
      self.record.bodies?.beginResponse(head.fields)
      self.measure.answered = .now()
      self.record.response = AuditRecord.Response(code: head.status)
    case .protocolError:
      self.upstream?.cancel()
      self.upstreamFailed(.upstreamAnsweredTwice)
    }
  }

  func upstreamSentBody(_ bytes: ByteBuffer) {
    self.record.bytesOut += UInt64(bytes.readableBytes)
    self.record.bodies?.appendToResponse(bytes)
    self.answer.bodyReceived(bytes)
  }

  func upstreamSentEnd(trailers: HeaderFields) {
    self.upstream = nil
    self.record.bodies?.endResponse()
    // An answer that did not wait for all of its request is the last of its connection, and says so if it still can.
    self.stream.abandonRequestBody()
    self.finish(self.answer.endReceived(trailers: ResponseHopByHop.stripTrailers(trailers)))
  }

  /// The upstream's stream is over: there is nothing to cancel any more.
  func upstreamEnded() { self.upstream = nil }

  func upstreamReadComplete() {
    switch self.answer.readCompleted() {
    case .none: break
    case .send(let parts):
      parts.forEach(self.stream.sendBody)
      self.stream.flush()
    case .auditStart:
      self.write(.responseStarted, then: .answer(of: self))
    }
  }

  func upstreamFlowChanged(paused: Bool) {
    guard !self.isOver else { return }
    self.stream.setRequestFlow(paused: paused)
  }

  func upstreamFailed(_ problem: Problem) {
    self.upstream = nil
    self.breakOff(problem)
  }

  /// Answers with a problem, or breaks the answer off if its head may have left already.
  private func breakOff(_ problem: Problem) {
    switch self.answer.failed() {
    case .none: self.record.problem = problem
    case .answer: self.answer(problem)
    case .auditEnd:
      self.record.problem = problem
      self.writeClosingRecord()
    }
  }
}
