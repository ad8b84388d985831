import NIOCore
import SallyportWire

/// Everything that the HTTP/1.1 front decides: what to read, which request gets which bytes, how an answer is framed, when
/// the connection ends.
///
/// One request is under way at a time. Bytes of the next one stay unread until the answer is out, and an answer that
/// comes before the end of its request ends the connection, so that nothing of one request can be taken for another.
struct HTTP1FrontStateMachine {
  /// What is thrown away, at most, of a request that was answered early, in bytes.
  static let mostDiscarded = 256 * 1024

  private enum State {
    /// Between two requests, or inside a head.
    case idle
    case exchange(Exchange)
    /// The last answer was written; the output closes once the client has taken it.
    case closing
    /// The output is closed; what still comes is thrown away, so that the client is not reset before it reads the answer.
    case lingering
    case closed
  }

  private struct Exchange {
    var request: RequestSide
    var response: ResponseSide = .awaitingHead
    let version: HTTPVersion
    let isHead: Bool
    /// Whether the client still waits for `100 Continue`, and may or may not send its body once it is answered otherwise.
    var awaitsContinue: Bool
    /// Whether the connection ends behind the answer, which the answer says once its head is written.
    var closes: Bool
    var isPaused = false
    /// Whether the client asked for another protocol. What it sends behind such a request may not be a request at all.
    let asksUpgrade: Bool
    /// Whether the receiver has still to hear that the request is complete: a request without a body is, with its head.
    var owesEnd = false

    var hasEnded: Bool {
      if case .ended = self.response { true } else { false }
    }
  }

  private enum RequestSide {
    case receiving
    /// Nobody wants the rest of the body; should its end be among the next bytes, the connection can be used again.
    case abandoned
    case complete
    /// It cannot be read, from its head on or later.
    case broken
  }

  private enum ResponseSide {
    case awaitingHead
    /// - Parameter remaining: bytes to come before the stated length is reached
    case body(BodyFraming, remaining: UInt64?)
    /// Written, not yet flushed.
    case ended
  }

  private var state = State.idle
  private var reader: HTTP1RequestReader
  private let timeouts: ListenerTimeouts
  private var isWritable = true
  private var isDraining = false
  private var discarded = 0
  /// Whether the connection is waiting for its very first request.
  private var isFirst = true
  /// When what is being waited for began to be waited for.
  private var waitingSince: NIODeadline
  private var unwritableSince: NIODeadline?

  init(limits: MessageLimits, timeouts: ListenerTimeouts, now: NIODeadline) {
    self.reader = HTTP1RequestReader(limits: limits)
    self.timeouts = timeouts
    self.waitingSince = now
  }

  // MARK: What comes from the client

  /// Takes bytes that arrived; ``next(now:)`` says what to do about them.
  mutating func received(_ bytes: ByteBuffer, now: NIODeadline) {
    switch self.state {
    case .idle:
      if self.reader.isBetweenMessages { self.waitingSince = self.isFirst ? self.waitingSince : now }
      self.reader.receive(bytes)
    case .exchange(let exchange):
      switch exchange.request {
      case .receiving:
        self.waitingSince = now
        self.reader.receive(bytes)
      case .abandoned:
        self.discarded += bytes.readableBytes
        self.reader.receive(bytes)
      case .complete where !exchange.closes: self.reader.receive(bytes)
      case .complete, .broken: self.discarded += bytes.readableBytes
      }
    case .closing, .lingering: self.discarded += bytes.readableBytes
    case .closed: break
    }
  }

  enum Step {
    /// A request begins.
    case receive(RequestHead)
    /// A request that cannot be read begins, to be answered and be the last.
    case refuse(MalformedMessage)
    case body(ByteBuffer)
    case end(trailers: HeaderFields)
    /// The rest of the request cannot be read, and it may be answered so.
    case brokeOff(MalformedMessage)
    /// The same, but too late to say: its answer is cut.
    case cut(MalformedMessage)
    /// Enough was thrown away.
    case close
    case wait
  }

  /// The next thing to do about the bytes that are there; ask until it says `.wait`.
  mutating func next(now: NIODeadline) -> Step {
    switch self.state {
    case .idle: return self.isWritable ? self.beginRequest(now: now) : .wait
    case .exchange(var exchange):
      switch exchange.request {
      case .receiving:
        return exchange.isPaused || exchange.hasEnded ? .wait : self.continueRequest(&exchange, now: now)
      case .abandoned:
        exchange.request = self.restOfUnwantedRequest()
        self.state = .exchange(exchange)
        return .wait
      case .complete where exchange.owesEnd && !exchange.hasEnded:
        exchange.owesEnd = false
        self.state = .exchange(exchange)
        return .end(trailers: HeaderFields())
      case .complete, .broken: return .wait
      }
    case .lingering where self.discarded >= Self.mostDiscarded:
      self.state = .closed
      return .close
    case .closing, .lingering, .closed: return .wait
    }
  }

  private mutating func beginRequest(now: NIODeadline) -> Step {
    do throws(MalformedMessage) {
      guard case .head(let head)? = try self.reader.next() else { return .wait }
      self.waitingSince = now
      var exchange = Exchange(
        request: .receiving, version: head.version, isHead: head.method == .head, awaitsContinue: head.expectsContinue,
        // A client of HTTP/1.0 would have to be told that it may go on; none of ours is.
        closes: !head.keepsConnection || head.version == .http10, asksUpgrade: head.fields.contains(.upgrade))
      if head.framing == .none {
        // It may be answered from inside the call that hands it over, and is no early answer then.
        exchange.request = self.restOfUnwantedRequest()
        exchange.owesEnd = true
        exchange.awaitsContinue = false
      }
      self.state = .exchange(exchange)
      return .receive(head)
    } catch {
      self.waitingSince = now
      self.state = .exchange(
        Exchange(request: .broken, version: .http11, isHead: false, awaitsContinue: false, closes: true, asksUpgrade: false))
      return .refuse(error)
    }
  }

  private mutating func continueRequest(_ exchange: inout Exchange, now: NIODeadline) -> Step {
    let step: Step
    do throws(MalformedMessage) {
      switch try self.reader.next() {
      case .body(let bytes):
        exchange.awaitsContinue = false
        step = .body(bytes)
      case .end(let trailers):
        exchange.request = .complete
        exchange.awaitsContinue = false
        step = .end(trailers: trailers)
      case .head, nil: return .wait
      }
    } catch {
      guard case .awaitingHead = exchange.response else {
        self.state = .closed
        return .cut(error)
      }
      exchange.request = .broken
      exchange.closes = true
      self.waitingSince = now
      step = .brokeOff(error)
    }
    self.state = .exchange(exchange)
    return step
  }

  private mutating func restOfUnwantedRequest() -> RequestSide {
    do throws(MalformedMessage) {
      while let event = try self.reader.next() {
        if case .end = event { return .complete }
      }
      return .abandoned
    } catch {
      return .broken
    }
  }

  /// Whether bytes are wanted from the socket.
  var wantsRead: Bool {
    switch self.state {
    case .idle: self.isWritable || self.reader.isBetweenMessages
    case .exchange(let exchange):
      switch exchange.request {
      case .receiving: !exchange.isPaused && !exchange.hasEnded
      // One read may come, which tells of a client that goes away; what it brings of the next request waits.
      case .complete: self.reader.isBetweenMessages && self.discarded < Self.mostDiscarded
      case .abandoned, .broken: self.discarded < Self.mostDiscarded
      }
    case .closing, .lingering: self.discarded < Self.mostDiscarded
    case .closed: false
    }
  }

  /// The connection is gone.
  ///
  /// - Returns: whether somebody is waiting to hear of it
  mutating func connectionEnded() -> Bool {
    defer { self.state = .closed }
    return self.hasListener
  }

  /// The client's side of the connection takes no more bytes, or does again.
  ///
  /// - Returns: whether the request under way has to be told
  mutating func writabilityChanged(_ isWritable: Bool, now: NIODeadline) -> Bool {
    guard isWritable != self.isWritable else { return false }
    self.isWritable = isWritable
    self.unwritableSince = isWritable ? nil : now
    return self.hasListener
  }

  /// Whether a request is under way that hears of what happens to its client.
  private var hasListener: Bool {
    guard case .exchange(let exchange) = self.state else { return false }
    if case .broken = exchange.request { return false }
    return !exchange.hasEnded
  }

  // MARK: What comes from the receiver

  /// Stops and restarts the delivery of the request's body.
  mutating func setRequestFlow(paused: Bool, now: NIODeadline) {
    guard case .exchange(var exchange) = self.state else { return }
    exchange.isPaused = paused
    self.waitingSince = now
    self.state = .exchange(exchange)
  }

  /// Nobody wants the rest of the request.
  mutating func abandonRequestBody() {
    guard case .exchange(var exchange) = self.state, case .receiving = exchange.request else { return }
    exchange.request = self.restOfUnwantedRequest()
    self.state = .exchange(exchange)
  }

  /// Whether an informational answer may be sent: HTTP/1.0 knows none (RFC 9110 section 15.2).
  mutating func sendInformational(status: Int) -> Bool {
    guard case .exchange(var exchange) = self.state, case .awaitingHead = exchange.response, exchange.version == .http11 else {
      return false
    }
    if case .broken = exchange.request { return false }
    if status == 100 {
      // Nobody waits: the body has begun, or was never announced.
      guard exchange.awaitsContinue else { return false }
      exchange.awaitsContinue = false
      self.state = .exchange(exchange)
    }
    return true
  }

  enum HeadAction: Equatable {
    case write(framing: BodyFraming, statedLength: UInt64?, closes: Bool)
    /// No request is under way, or it has its head, or this is no final one.
    case ignore
  }

  /// Decides how an answer is framed for this client (RFC 9112 section 6.3).
  mutating func sendHead(_ head: ResponseHead) -> HeadAction {
    guard !head.isInformational, case .exchange(var exchange) = self.state, case .awaitingHead = exchange.response else { return .ignore }
    var framing: BodyFraming
    var statedLength: UInt64?
    if exchange.isHead || head.status == 204 || head.status == 304 {
      framing = .none
      statedLength = head.statedLength
      if case .length(let length) = head.framing { statedLength = statedLength ?? length }
    } else {
      switch head.framing {
      case .none: framing = .length(0)
      case .length: framing = head.framing
      case .chunked, .untilClose: framing = exchange.version == .http11 ? .chunked : .untilClose
      }
    }
    switch exchange.request {
    case .abandoned, .broken: exchange.closes = true
    // Without `100 Continue` the client may leave its body out, and then nobody knows where the next request begins.
    case .receiving: exchange.closes = exchange.closes || exchange.awaitsContinue
    case .complete: break
    }
    exchange.closes = exchange.closes || self.isDraining || framing == .untilClose || self.hasTunnelBytes(behind: exchange)
    exchange.response = .body(framing, remaining: Self.expected(framing))
    self.state = .exchange(exchange)
    return .write(framing: framing, statedLength: statedLength, closes: exchange.closes)
  }

  private static func expected(_ framing: BodyFraming) -> UInt64? {
    switch framing {
    case .length(let length): length
    case .none, .chunked, .untilClose: nil
    }
  }

  enum BodyAction: Equatable {
    case write(BodyFraming)
    case ignore
    /// The body is longer or shorter than its head said: the client must not take it for whole.
    case cut
  }

  mutating func sendBody(count: Int) -> BodyAction {
    guard case .exchange(var exchange) = self.state, case .body(let framing, let remaining) = exchange.response else { return .ignore }
    // An answer without a body stays one, whatever the receiver has.
    if framing == .none { return .ignore }
    if let remaining {
      guard UInt64(count) <= remaining else {
        self.state = .closed
        return .cut
      }
      exchange.response = .body(framing, remaining: remaining - UInt64(count))
      self.state = .exchange(exchange)
    }
    return .write(framing)
  }

  mutating func sendEnd() -> BodyAction {
    guard case .exchange(var exchange) = self.state, case .body(let framing, let remaining) = exchange.response else { return .ignore }
    guard (remaining ?? 0) == 0 else {
      self.state = .closed
      return .cut
    }
    exchange.response = .ended
    self.state = .exchange(exchange)
    return .write(framing)
  }

  enum FlushAction: Equatable {
    /// The answer goes on.
    case goOn
    /// The answer is out, and the next request may come.
    case finish
    /// The answer is out, and with it the output ends.
    case finishAndClose
  }

  /// What was written leaves. An answer is over with the flush behind its end, not before: the next request's answer must
  /// not push it out while somebody still holds it back.
  mutating func flush(now: NIODeadline) -> FlushAction {
    guard case .exchange(var exchange) = self.state, case .ended = exchange.response else { return .goOn }
    self.isFirst = false
    self.waitingSince = now
    // What has come of an unwanted rest may be all of it.
    if case .receiving = exchange.request { exchange.request = self.restOfUnwantedRequest() }
    if case .complete = exchange.request, !exchange.closes, !self.isDraining, !self.hasTunnelBytes(behind: exchange) {
      self.state = .idle
      self.discarded = 0
      return .finish
    }
    self.state = .closing
    return .finishAndClose
  }

  /// Whether the client was too early with bytes that may be the other protocol's, and must not be read as a request.
  private func hasTunnelBytes(behind exchange: Exchange) -> Bool {
    exchange.asksUpgrade && !self.reader.isBetweenMessages
  }

  /// The connection changes to another protocol; nothing of HTTP is on it from here on.
  ///
  /// - Returns: what came behind the request; `nil` where there is no complete request that awaits its answer
  mutating func switchProtocols() -> ByteBuffer? {
    guard case .exchange(let exchange) = self.state, case .awaitingHead = exchange.response, case .complete = exchange.request,
      !exchange.closes
    else { return nil }
    self.state = .closed
    return self.reader.takeUnreadBytes()
  }

  /// The stream is given up.
  ///
  /// - Returns: how the client comes to see that something is missing; `nil` when nothing is
  mutating func abort() -> Truncation? {
    guard case .exchange(let exchange) = self.state else { return nil }
    self.state = .closed
    switch exchange.response {
    // What has an end that was held back may have had an earlier part without a length.
    case .body(.untilClose, _), .ended: return .reset
    case .awaitingHead, .body: return .close
    }
  }

  enum Truncation: Equatable {
    /// The framing shows that something is missing.
    case close
    /// Only a reset shows it: the end of the connection would be the end of the body.
    case reset
  }

  /// The output is closed and all of it was taken.
  mutating func outputClosed(now: NIODeadline) {
    guard case .closing = self.state else { return }
    self.waitingSince = now
    self.state = .lingering
  }

  /// The connection is to end soon: at once between two requests, else behind the answer.
  ///
  /// - Returns: whether it can end now
  mutating func drain(now: NIODeadline) -> Bool {
    self.isDraining = true
    guard case .idle = self.state, self.reader.isBetweenMessages else { return false }
    self.waitingSince = now
    self.state = .closing
    return true
  }

  /// The connection is to end soon, and a request that is on its way must not find it closed: for a moment one is still
  /// answered, which says that it is the last.
  mutating func windDown(now: NIODeadline) {
    self.isDraining = true
    if case .idle = self.state, self.reader.isBetweenMessages { self.waitingSince = now }
  }

  // MARK: Time

  /// When patience with the client ends; `nil` while it may take as long as it likes.
  var deadline: NIODeadline? {
    let own: NIODeadline? =
      switch self.state {
      case .idle: self.waitingSince + self.patienceWithoutRequest
      case .exchange(let exchange): self.deadline(of: exchange)
      case .closing: self.waitingSince + self.timeouts.writeStall
      case .lingering: self.waitingSince + self.timeouts.linger
      case .closed: nil
      }
    guard let unwritableSince = self.unwritableSince else { return own }
    let stall = unwritableSince + self.timeouts.writeStall
    return own.map { min($0, stall) } ?? stall
  }

  private var patienceWithoutRequest: TimeAmount {
    if !self.reader.isBetweenMessages { return self.timeouts.head }
    if self.isDraining { return self.timeouts.linger }
    return self.isFirst ? self.timeouts.head : self.timeouts.idle
  }

  private func deadline(of exchange: Exchange) -> NIODeadline? {
    switch (exchange.request, exchange.response) {
    case (.receiving, .awaitingHead), (.receiving, .body): exchange.isPaused ? nil : self.waitingSince + self.timeouts.body
    // Whoever has to refuse a request has nothing to wait for either.
    case (.broken, .awaitingHead), (.broken, .body): self.waitingSince + self.timeouts.body
    case (.complete, _), (.abandoned, _), (_, .ended): nil
    }
  }

  enum TimeoutAction: Equatable {
    case none
    /// Nothing is lost.
    case close
    /// No request came any more before the end that was announced: close the output.
    case finish
    /// A head was begun and not ended.
    case closeHalfAHead
    /// A request is under way that has to hear of it.
    case cut
  }

  /// Time has passed.
  mutating func timerFired(now: NIODeadline) -> TimeoutAction {
    guard let deadline = self.deadline, deadline <= now else { return .none }
    if self.isDraining, case .idle = self.state, self.reader.isBetweenMessages {
      self.state = .closing
      self.waitingSince = now
      return .finish
    }
    defer { self.state = .closed }
    switch self.state {
    case .idle: return self.reader.isBetweenMessages ? .close : .closeHalfAHead
    case .exchange: return .cut
    case .closing, .lingering: return .close
    case .closed: return .none
    }
  }
}
