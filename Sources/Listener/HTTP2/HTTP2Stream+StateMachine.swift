import NIOCore
import SallyportWire

/// Everything that is decided about one stream of HTTP/2: what of the request is passed on, what of the answer may be
/// written, how and when the stream ends.
///
/// A stream carries one request. What goes wrong with it ends the stream and nothing else.
struct HTTP2StreamStateMachine {
  private enum RequestSide {
    case awaitingHead
    case receiving(HTTP2BodyLength)
    /// Nobody wants the rest of the body.
    case abandoned
    case complete
    /// It cannot be read, from its head on or later.
    case broken
  }

  private enum ResponseSide {
    case awaitingHead
    /// - Parameter remaining: bytes to come before the stated length is reached
    case body(isBodiless: Bool, remaining: UInt64?)
    /// Written, not yet flushed.
    case ended
    /// Flushed, perhaps waiting for the client's windows.
    case leaving
    /// The stream is over.
    case closed
  }

  private var request = RequestSide.awaitingHead
  private var response = ResponseSide.awaitingHead
  private let timeouts: ListenerTimeouts
  private var isHead = false
  private var awaitsContinue = false
  private var isPaused = false
  private var waitingSince: NIODeadline
  private var unwritableSince: NIODeadline?

  init(timeouts: ListenerTimeouts, now: NIODeadline) {
    self.timeouts = timeouts
    self.waitingSince = now
  }

  // MARK: What comes from the client

  /// Whether the next field section is the request's head; any other is its trailers.
  var awaitsHead: Bool {
    if case .awaitingHead = self.request { true } else { false }
  }

  /// The request's head was read.
  mutating func headReceived(_ head: RequestHead, endsStream: Bool, now: NIODeadline) {
    self.isHead = head.method == .head
    self.awaitsContinue = head.expectsContinue
    self.request = endsStream ? .complete : .receiving(HTTP2BodyLength(head.framing))
    self.waitingSince = now
  }

  /// The request's head cannot be read.
  mutating func headRefused(now: NIODeadline) {
    self.request = .broken
    self.waitingSince = now
  }

  enum PartAction: Equatable {
    case deliver
    /// Nobody wants it.
    case ignore
    /// The rest of the request cannot be read, and it may be answered so.
    case breakOff(MalformedMessage)
    /// The same, but too late to say: its answer is cut.
    case cut(MalformedMessage)
  }

  /// A part of the body came.
  mutating func bodyReceived(count: Int, endsStream: Bool, now: NIODeadline) -> PartAction {
    guard case .receiving(var length) = self.request, self.hasListener else {
      if endsStream { self.restReceived() }
      return .ignore
    }
    self.waitingSince = now
    self.awaitsContinue = false
    do throws(MalformedMessage) {
      try length.receive(count)
      if endsStream { try length.end() }
      self.request = endsStream ? .complete : .receiving(length)
      return .deliver
    } catch {
      return self.cannotBeRead(error, now: now)
    }
  }

  /// The trailers came, and with them the end of the request.
  mutating func trailersReceived(now: NIODeadline) -> PartAction {
    guard case .receiving(let length) = self.request, self.hasListener else {
      self.restReceived()
      return .ignore
    }
    do throws(MalformedMessage) {
      try length.end()
      self.request = .complete
      return .deliver
    } catch {
      return self.cannotBeRead(error, now: now)
    }
  }

  /// What came behind the head is not a request's.
  mutating func trailersRefused(_ malformed: MalformedMessage, now: NIODeadline) -> PartAction {
    guard case .receiving = self.request, self.hasListener else { return .ignore }
    return self.cannotBeRead(malformed, now: now)
  }

  private mutating func cannotBeRead(_ malformed: MalformedMessage, now: NIODeadline) -> PartAction {
    self.request = .broken
    self.waitingSince = now
    guard case .awaitingHead = self.response else {
      self.response = .closed
      return .cut(malformed)
    }
    return .breakOff(malformed)
  }

  /// The rest that nobody wanted is complete, so that the answer ends the stream by itself.
  private mutating func restReceived() {
    if case .broken = self.request { return }
    self.request = .complete
  }

  /// The stream is over.
  ///
  /// - Returns: whether somebody is waiting to hear of it
  mutating func streamClosed() -> Bool {
    defer { self.response = .closed }
    return self.hasListener
  }

  /// The stream takes no more bytes, or does again: by its window, the connection's, or the socket.
  ///
  /// - Returns: whether the request under way has to be told
  mutating func writabilityChanged(_ isWritable: Bool, now: NIODeadline) -> Bool {
    guard isWritable == (self.unwritableSince != nil) else { return false }
    self.unwritableSince = isWritable ? nil : now
    return self.hasListener
  }

  /// Whether a request is under way that hears of what happens to its client.
  private var hasListener: Bool {
    switch (self.request, self.response) {
    case (.awaitingHead, _), (.broken, _), (_, .ended), (_, .leaving), (_, .closed): false
    case (.receiving, _), (.abandoned, _), (.complete, _): true
    }
  }

  /// Whether the receiver has still to hear that a request without a body is complete.
  var owesEnd: Bool { self.hasListener }

  // MARK: What comes from the receiver

  /// Stops and restarts the delivery of the request's body.
  mutating func setRequestFlow(paused: Bool, now: NIODeadline) {
    self.isPaused = paused
    self.waitingSince = now
  }

  /// Nobody wants the rest of the request.
  mutating func abandonRequestBody() {
    if case .receiving = self.request { self.request = .abandoned }
  }

  /// Whether an informational answer may be sent. There is no 101 in HTTP/2 (RFC 9113 section 8.6), and 100 is for who
  /// waits for it.
  mutating func sendInformational(status: Int) -> Bool {
    guard case .awaitingHead = self.response, self.hasListener, status != 101 else { return false }
    if status == 100 {
      guard self.awaitsContinue else { return false }
      self.awaitsContinue = false
    }
    return true
  }

  enum HeadAction: Equatable {
    /// - Parameter contentLength: the length to state
    case write(contentLength: UInt64?)
    case ignore
  }

  /// Decides what an answer's head says of its body.
  mutating func sendHead(_ head: ResponseHead) -> HeadAction {
    guard case .awaitingHead = self.response else { return .ignore }
    if self.isHead || head.status == 204 || head.status == 304 {
      self.response = .body(isBodiless: true, remaining: nil)
      var stated = head.statedLength
      if case .length(let length) = head.framing { stated = stated ?? length }
      // 204 may state no length (RFC 9110 section 8.6).
      return .write(contentLength: head.status == 204 ? nil : stated)
    }
    let length: UInt64? =
      switch head.framing {
      case .none: 0
      case .length(let length): length
      case .chunked, .untilClose: nil
      }
    self.response = .body(isBodiless: false, remaining: length)
    return .write(contentLength: length)
  }

  enum BodyAction: Equatable {
    case write
    case ignore
    /// The body is longer or shorter than its head said: the client must not take it for whole.
    case cut
  }

  mutating func sendBody(count: Int) -> BodyAction {
    guard case .body(let isBodiless, let remaining) = self.response, !isBodiless, count > 0 else { return .ignore }
    guard let remaining else { return .write }
    guard UInt64(count) <= remaining else {
      self.response = .closed
      return .cut
    }
    self.response = .body(isBodiless: false, remaining: remaining - UInt64(count))
    return .write
  }

  mutating func sendEnd() -> BodyAction {
    guard case .body(_, let remaining) = self.response else { return .ignore }
    guard (remaining ?? 0) == 0 else {
      self.response = .closed
      return .cut
    }
    self.response = .ended
    return .write
  }

  /// What was written leaves. An answer is over with the flush behind its end, not before: it may be held back until then.
  mutating func flush(now: NIODeadline) {
    guard case .ended = self.response else { return }
    self.response = .leaving
    self.waitingSince = now
  }

  /// Whether all of the request has come.
  var isRequestComplete: Bool {
    if case .complete = self.request { true } else { false }
  }

  /// Whether the answer was out before the request, so that the rest of the request is called off
  /// (RFC 9113 section 8.1).
  var mustCallOff: Bool {
    guard case .leaving = self.response else { return false }
    return !self.isRequestComplete
  }

  /// The stream is given up.
  ///
  /// - Returns: whether there is still something to give up
  mutating func abort() -> Bool {
    switch self.response {
    case .awaitingHead, .body, .ended:
      self.response = .closed
      return true
    case .leaving, .closed: return false
    }
  }

  // MARK: Time

  /// When patience with the client ends; `nil` while it may take as long as it likes.
  var deadline: NIODeadline? {
    let own: NIODeadline? =
      switch (self.request, self.response) {
      case (_, .closed): nil
      // A client whose windows stay closed holds an answer, and a stream, that it does not take.
      case (_, .leaving): self.waitingSince + self.timeouts.writeStall
      case (_, .ended): nil
      case (.receiving, _): self.isPaused ? nil : self.waitingSince + self.timeouts.body
      case (.broken, _): self.waitingSince + self.timeouts.body
      case (.awaitingHead, _), (.abandoned, _), (.complete, _): nil
      }
    guard let unwritableSince = self.unwritableSince, own != nil || self.hasListener else { return own }
    let stall = unwritableSince + self.timeouts.writeStall
    return own.map { min($0, stall) } ?? stall
  }

  enum TimeoutAction: Equatable {
    case none
    /// - Parameter isHeard: whether somebody is waiting to hear of it
    case cut(isHeard: Bool)
  }

  /// Time has passed.
  mutating func timerFired(now: NIODeadline) -> TimeoutAction {
    guard let deadline = self.deadline, deadline <= now else { return .none }
    defer { self.response = .closed }
    return .cut(isHeard: self.hasListener)
  }
}
