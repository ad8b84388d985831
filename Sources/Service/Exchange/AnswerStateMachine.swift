import NIOCore
import SallyportCore
import SallyportWire

/// Holds an answer back until its audit record is written.
///
/// An answer that arrives whole is released behind one `ResponseComplete` record. One that does not is a stream: its
/// head leaves behind `ResponseStarted`, its parts as they come, and its last bytes behind `ResponseComplete`. What
/// arrives in one read is kept together until the read is over, because only then is it known whether the end came with
/// it: the last bytes of a body must not be out before the record that closes it.
struct AnswerStateMachine {
  /// What waits to be released.
  struct Held {
    /// The head; `nil` once it has left.
    var head: ResponseHead?
    var parts = BodyParts()
    var ending: Ending?
  }

  enum Ending {
    case end(trailers: HeaderFields)
    /// The answer breaks off: its head has left, so that the client can only be shown that something is missing.
    case breakOff
  }

  private enum State {
    case awaitingHead
    /// The head is here, and whether the end comes with it is not known yet.
    case holding
    /// `ResponseStarted` is being written; what arrives meanwhile queues up.
    case auditingStart
    /// The head has left; parts of the present read are kept until it is over.
    case streaming
    /// `ResponseComplete` is being written; nothing more arrives.
    case auditingEnd
    /// The upstream changed to another protocol, and `ResponseStarted` is being written.
    case auditingSwitch
    /// The 101 has left; a tunnel has the connections.
    case tunnelling
    case done
  }

  private var state = State.awaitingHead
  /// What is held in `holding`, `auditingStart`, `streaming` and `auditingEnd`. It stands beside the state and not in its
  /// cases, because each step would copy it from one case to the next.
  private var held = Held()

  /// Whether the head has left for the client.
  var hasSentHead: Bool {
    switch self.state {
    case .awaitingHead, .holding, .auditingStart, .auditingSwitch: false
    case .auditingEnd: self.held.head == nil
    case .streaming, .tunnelling, .done: true
    }
  }

  /// Whether nothing has been answered yet, by anybody. A request whose rest could not be read is answered while it may still
  /// be waiting for a password's verification or for a record, and must go nowhere from there.
  var isAwaitingHead: Bool {
    if case .awaitingHead = self.state { true } else { false }
  }

  var isDone: Bool {
    if case .done = self.state { true } else { false }
  }

  // MARK: - What the upstream, or the gateway itself, answers

  enum HeadAction: Equatable {
    case none
    /// A second head, or one behind the end.
    case protocolError
  }

  mutating func headReceived(_ head: ResponseHead) -> HeadAction {
    switch self.state {
    case .awaitingHead:
      self.state = .holding
      self.held.head = head
      return .none
    case .holding, .auditingStart, .streaming, .auditingSwitch, .tunnelling: return .protocolError
    case .auditingEnd, .done: return .none
    }
  }

  /// The upstream changed to the protocol that was asked for.
  ///
  /// - Returns: whether the `ResponseStarted` record is to be written; if not, nobody waits for a tunnel any more
  mutating func switchReceived() -> Bool {
    guard case .awaitingHead = self.state else { return false }
    self.state = .auditingSwitch
    return true
  }

  /// The tunnel has ended, and its closing record is owed.
  mutating func tunnelEnded() {
    self.drop()
  }

  mutating func bodyReceived(_ bytes: ByteBuffer) {
    switch self.state {
    case .holding, .auditingStart, .streaming: self.held.parts.append(bytes)
    case .awaitingHead, .auditingEnd, .auditingSwitch, .tunnelling, .done: break
    }
  }

  enum EndAction: Equatable {
    case none
    /// Write the `ResponseComplete` record.
    case auditEnd
  }

  mutating func endReceived(trailers: HeaderFields) -> EndAction {
    self.ended(.end(trailers: trailers))
  }

  enum FailureAction: Equatable {
    case none
    /// Nothing has left yet: answer with the problem.
    case answer
    /// Write the `ResponseComplete` record, then break off.
    case auditEnd
  }

  /// The upstream's answer failed.
  mutating func failed() -> FailureAction {
    switch self.state {
    case .awaitingHead, .holding:
      self.state = .awaitingHead
      self.held = Held()
      return .answer
    case .auditingStart, .streaming:
      return self.ended(.breakOff) == .auditEnd ? .auditEnd : .none
    case .auditingEnd, .auditingSwitch, .tunnelling, .done: return .none
    }
  }

  private mutating func ended(_ ending: Ending) -> EndAction {
    switch self.state {
    case .holding, .streaming:
      self.held.ending = ending
      self.state = .auditingEnd
      return .auditEnd
    case .auditingStart:
      self.held.ending = ending
      return .none
    case .awaitingHead, .auditingEnd, .auditingSwitch, .tunnelling, .done: return .none
    }
  }

  enum ReadCompleteAction {
    case none
    /// Write the `ResponseStarted` record.
    case auditStart
    /// Let these parts leave.
    case send(BodyParts)
  }

  /// All that arrived together has been seen.
  mutating func readCompleted() -> ReadCompleteAction {
    switch self.state {
    case .holding:
      self.state = .auditingStart
      return .auditStart
    case .streaming:
      guard !self.held.parts.isEmpty else { return .none }
      return .send(self.takeHeld().parts)
    case .awaitingHead, .auditingStart, .auditingEnd, .auditingSwitch, .tunnelling, .done: return .none
    }
  }

  // MARK: - What the audit log says

  enum AuditAction {
    case none
    case release(Held)
    /// The answer ended while its start was being recorded: let the head leave, then write `ResponseComplete`.
    case releaseHeadAndAuditEnd(ResponseHead)
    /// Let the 101 leave, and the tunnel begin.
    case switchProtocols
    /// The record could not be written and nothing has left: the answer is withheld, and the client told so.
    case withhold
    /// The record could not be written and the head has left: break off.
    case abort
  }

  mutating func auditWritten(_ succeeded: Bool) -> AuditAction {
    switch self.state {
    case .auditingStart:
      guard succeeded else {
        self.drop()
        return .withhold
      }
      if self.held.ending != nil, let head = self.held.head {
        self.state = .auditingEnd
        self.held.head = nil
        return .releaseHeadAndAuditEnd(head)
      }
      self.state = .streaming
      return .release(self.takeHeld())
    case .auditingEnd:
      self.state = .done
      let held = self.takeHeld()
      if succeeded { return .release(held) }
      return held.head == nil ? .abort : .withhold
    case .auditingSwitch:
      self.state = succeeded ? .tunnelling : .done
      return succeeded ? .switchProtocols : .withhold
    case .awaitingHead, .holding, .streaming, .tunnelling, .done: return .none
    }
  }

  private mutating func takeHeld() -> Held {
    var taken = Held()
    swap(&taken, &self.held)
    return taken
  }

  private mutating func drop() {
    self.state = .done
    self.held = Held()
  }

  // MARK: - What the client does

  /// The client is gone: nothing is released any more. Returns whether a closing record is still owed.
  mutating func clientGone() -> Bool {
    switch self.state {
    case .awaitingHead, .holding, .auditingStart, .streaming, .auditingSwitch, .tunnelling:
      self.drop()
      return true
    case .auditingEnd, .done:
      // The closing record is being written or stands: it says what was answered.
      self.drop()
      return false
    }
  }
}

/// Body parts in order; most answers have one, and then no array is made.
struct BodyParts {
  private var first: ByteBuffer?
  private var others: [ByteBuffer] = []

  var isEmpty: Bool { self.first == nil }

  mutating func append(_ part: ByteBuffer) {
    if self.first == nil { self.first = part } else { self.others.append(part) }
  }

  func forEach(_ body: (ByteBuffer) -> Void) {
    guard let first else { return }
    body(first)
    self.others.forEach(body)
  }

  var byteCount: Int {
    self.others.reduce(self.first?.readableBytes ?? 0) { $0 + $1.readableBytes }
  }
}
