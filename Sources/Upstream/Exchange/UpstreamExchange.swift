import NIOCore
import SallyportCore
import SallyportWire

/// One request and its answer, from the call of ``Upstream/send(_:auditID:delegate:eventLoop:)`` to the answer's end.
///
/// It waits for a connection, sends what the client has sent so far in one write at the end of the event loop's tick, and
/// knows when a request may be sent again. All of it happens on one event loop.
final class UpstreamExchange: UpstreamStream {
  private enum State {
    case waiting(PoolStateMachine.Ticket)
    case attached(UpstreamConnection, Lease)
    case finished
  }

  private let request: OutgoingRequest
  private let pool: ConnectionPool
  private let responseHeadTimeout: TimeAmount?
  /// Let go of when there is nothing more to tell: it most often holds this exchange.
  private var delegate: (any UpstreamStreamDelegate)?
  private var state = State.finished

  /// What the client sent and the connection has not got yet.
  private var pendingBody: [ByteBuffer] = []
  private var pendingEnd: HeaderFields?
  private var headIsSent = false
  private var sendIsScheduled = false
  private var requestIsComplete: Bool
  private var requestIsPaused = false
  private var responseIsPaused = false

  private var wasRepeated = false
  /// How often a connection died between being given and being used.
  private var lostUnused = 0
  private var headTimeout: Scheduled<Void>?

  /// How often a request that was not sent at all is given another connection after one that died.
  private static let maximumLostUnused = 3

  init(_ request: OutgoingRequest, pool: ConnectionPool, responseHeadTimeout: TimeAmount?, delegate: any UpstreamStreamDelegate) {
    self.request = request
    self.pool = pool
    self.responseHeadTimeout = responseHeadTimeout
    self.delegate = delegate
    self.requestIsComplete = request.framing == .none
  }

  /// Finds a connection. The delegate hears nothing before this has returned.
  func begin() {
    self.acquire(fresh: false)
  }

  /// An upgrade always gets a connection of its own: nothing that another request left behind may be on it.
  private func acquire(fresh: Bool) {
    switch self.pool.acquire(for: self, fresh: fresh || self.request.upgrade != nil) {
    case .connection(let connection):
      self.attach(to: connection)
    case .waiting(let ticket):
      self.state = .waiting(ticket)
    case .problem(let problem):
      self.pool.eventLoop.assumeIsolated().execute { self.fail(problem) }
    }
  }

  // MARK: The client's side

  func sendBody(_ bytes: ByteBuffer) {
    guard self.isOpen, bytes.readableBytes > 0 else { return }
    self.pendingBody.append(bytes)
    if case .waiting = self.state { self.setRequestFlow(paused: true) }
    self.scheduleSend()
  }

  func sendEnd(trailers: HeaderFields) {
    guard self.isOpen, !self.requestIsComplete else { return }
    self.requestIsComplete = true
    self.pendingEnd = trailers
    self.scheduleSend()
  }

  func setResponseFlow(paused: Bool) {
    self.responseIsPaused = paused
    if case .attached(let connection, let lease) = self.state { connection.setReading(paused: paused, lease) }
  }

  func cancel() {
    let state = self.state
    self.finish()
    switch state {
    case .waiting(let ticket): self.pool.cancel(ticket)
    case .attached(let connection, let lease): connection.abort(lease)
    case .finished: break
    }
  }

  // MARK: The pool's side

  /// The pool gives a connection.
  func attach(to connection: UpstreamConnection) {
    let lease = connection.attach(self)
    let waited = if case .waiting = self.state { true } else { false }
    self.state = .attached(connection, lease)
    if self.responseIsPaused { connection.setReading(paused: true, lease) }
    if self.request.framing == .none || waited {
      self.send()
    } else {
      self.scheduleSend()
    }
    if self.requestIsPaused, connection.isWritable(lease) { self.setRequestFlow(paused: false) }
  }

  /// The exchange ends without an answer, or in the middle of one.
  func fail(_ problem: Problem) {
    guard let delegate = self.finish() else { return }
    delegate.upstreamFailed(problem)
  }

  // MARK: The connection's side

  func answered(informational head: ResponseHead) {
    self.delegate?.upstreamSentInformational(head)
  }

  func answered(_ head: ResponseHead) {
    self.headTimeout?.cancel()
    self.headTimeout = nil
    self.delegate?.upstreamSentHead(head)
  }

  func answered(_ bytes: ByteBuffer) {
    self.delegate?.upstreamSentBody(bytes)
  }

  /// The server changed to the protocol that was asked for.
  func switched(_ head: ResponseHead, to end: any TunnelEnd) {
    guard let delegate = self.finish() else { return end.cut() }
    delegate.upstreamSwitchedProtocols(head, end)
  }

  func answerEnded(_ trailers: HeaderFields) {
    self.finish()?.upstreamSentEnd(trailers: trailers)
  }

  func readComplete() {
    self.delegate?.upstreamReadComplete()
  }

  func writabilityChanged(_ isWritable: Bool) {
    guard !self.requestIsComplete || self.requestIsPaused else { return }
    self.setRequestFlow(paused: !isWritable)
  }

  /// The connection ended under the request.
  ///
  /// What was not sent at all goes by another connection. What was sent is sent again only if it is a read without a body,
  /// on a connection that was used before, and not a byte of an answer came: such a connection was most likely closed by
  /// the server for its idleness while the request was on its way. Anything else may have been carried out.
  func connectionLost(_ ending: ConnectionStateMachine.Ending, wasReused: Bool, _ problem: Problem) {
    guard self.isOpen else { return }
    self.headTimeout?.cancel()
    self.headTimeout = nil
    if !self.headIsSent, self.lostUnused < Self.maximumLostUnused {
      self.lostUnused += 1
      self.acquire(fresh: false)
    } else if ending == .beforeAnswer, wasReused, !self.wasRepeated, self.request.mayBeRepeated {
      self.wasRepeated = true
      self.pool.countRetry()
      self.headIsSent = false
      self.acquire(fresh: true)
    } else {
      self.fail(problem)
    }
  }

  // MARK: Sending

  private var isOpen: Bool { self.delegate != nil }

  /// Sends at the end of the tick, so that a head and a small body that came together also leave together.
  private func scheduleSend() {
    guard !self.sendIsScheduled else { return }
    self.sendIsScheduled = true
    self.pool.eventLoop.assumeIsolated().execute {
      self.sendIsScheduled = false
      self.send()
    }
  }

  private func send() {
    guard case .attached(let connection, let lease) = self.state else { return }
    if !self.headIsSent {
      self.headIsSent = true
      connection.startRequest(self.request, lease)
    }
    let body = self.pendingBody
    self.pendingBody.removeAll()
    for part in body { connection.writeBody(part, lease) }
    if let trailers = self.pendingEnd {
      self.pendingEnd = nil
      connection.writeEnd(trailers, lease)
    }
    if self.requestIsComplete { self.startHeadTimeout() }
    connection.flush(lease)
  }

  private func setRequestFlow(paused: Bool) {
    guard paused != self.requestIsPaused else { return }
    self.requestIsPaused = paused
    self.delegate?.upstreamFlowChanged(paused: paused)
  }

  private func startHeadTimeout() {
    guard self.isOpen, let timeout = self.responseHeadTimeout, self.headTimeout == nil else { return }
    self.headTimeout = self.pool.eventLoop.assumeIsolated().scheduleTask(in: timeout) {
      guard case .attached(let connection, let lease) = self.state else { return }
      let server = connection.endpoint.server
      connection.abort(lease)
      self.fail(.upstreamTimeout.with(detail: "\(server): no answer within \(timeout.nanoseconds / 1_000_000) ms of the request's end"))
    }
  }

  /// Ends the exchange; whoever gets the delegate tells it why.
  @discardableResult
  private func finish() -> (any UpstreamStreamDelegate)? {
    defer {
      self.delegate = nil
      self.state = .finished
    }
    self.headTimeout?.cancel()
    self.headTimeout = nil
    self.pendingBody.removeAll()
    self.pendingEnd = nil
    return self.delegate
  }
}
