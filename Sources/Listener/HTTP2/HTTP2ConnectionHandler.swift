import NIOCore
import NIOHTTP2
import SallyportCore
import SallyportWire

/// The end of an HTTP/2 connection's own pipeline: carries out what ``HTTP2ConnectionStateMachine`` decides, and keeps
/// the one timer of the connection and all its streams.
///
/// It sees the frames that belong to no stream, and the errors that end the connection. Every stream of a connection that
/// ends hears of it by its own channel.
final class HTTP2ConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = HTTP2Frame
  typealias OutboundOut = HTTP2Frame

  /// What comes back in the answer to our PING when the client has heard that the connection ends.
  private static let announcement = HTTP2PingData(withInteger: 0x5341_4C4C_5950_4F52)

  let receiver: any RequestReceiver
  let facts: ConnectionFacts
  let memory = ConnectionMemory()
  let limits: MessageLimits
  let timeouts: ListenerTimeouts
  private var machine: HTTP2ConnectionStateMachine
  private var streams: [ObjectIdentifier: HTTP2StreamHandler] = [:]
  private var context: ChannelHandlerContext?
  private var timer: Scheduled<Void>?
  private var timerDeadline = NIODeadline.distantFuture
  /// The error that we told the client in a GOAWAY.
  private var fatalError: UInt32?
  /// Whether the library met an error of the connection that it may not tell.
  private var couldNotSendGoAway = false
  /// Whether the library stopped in the middle of what was read, at a frame that does not matter.
  private var isInterrupted = false

  init(receiver: any RequestReceiver, facts: ConnectionFacts, limits: MessageLimits, timeouts: ListenerTimeouts, now: NIODeadline) {
    self.receiver = receiver
    self.facts = facts
    self.limits = limits
    self.timeouts = timeouts
    self.machine = HTTP2ConnectionStateMachine(timeouts: timeouts, now: now)
  }

  // MARK: The channel

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    self.armTimer()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    _ = self.machine.ended()
    self.timer?.cancel()
    self.timer = nil
    self.context = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if case .ping(Self.announcement, ack: true) = self.unwrapInboundIn(data).payload { self.perform(self.machine.announcementHeard()) }
  }

  func channelInactive(context: ChannelHandlerContext) {
    _ = self.machine.ended()
    self.timer?.cancel()
    self.timer = nil
    context.fireChannelInactive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event as? ConnectionEvent {
    case .drain, .windDown: self.perform(self.machine.drain(now: context.eventLoop.now))
    case .cut: self.cut()
    case nil: context.fireUserInboundEventTriggered(event)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // The library reports the errors of streams here, too, and ends those streams by itself. Only for an error of the
    // connection has it sent a GOAWAY before.
    guard let code = self.fatalError else { return self.errorBehindAnnouncement(error) }
    let isFlood = HTTP2ErrorCode(networkCode: Int(code)) == .enhanceYourCalm
    // The error's own text may quote fields.
    self.fail(
      (isFlood ? ListenerProblem.http2Flood : ListenerProblem.http2Malformed).with(detail: String(describing: type(of: error))))
  }

  /// Behind the GOAWAY by which we said which stream is the last, the library may not send one that names a later stream,
  /// as it does for an error of the connection; it reports that first, and then the error.
  private func errorBehindAnnouncement(_ error: any Error) {
    guard self.couldNotSendGoAway else {
      self.couldNotSendGoAway = error is NIOHTTP2Errors.RaisedGoawayLastStreamID
      return
    }
    self.couldNotSendGoAway = false
    switch error {
    // The body of a request that crossed our GOAWAY on its way, with requests under way or without. The client knows that
    // it was not taken, and repeats it elsewhere; what is under way must not wait behind it, or be cut off by it.
    case let late as NIOHTTP2Errors.NoSuchStream where self.machine.cameTooLate(late.streamID): self.isInterrupted = true
    case is NIOHTTP2Errors.IOOnClosedConnection: self.isInterrupted = true
    default:
      self.fail(ListenerProblem.http2Malformed.with(detail: String(describing: type(of: error))), telling: .protocolError)
    }
  }

  // MARK: What the transport sees

  /// Whether the library has to be asked to go on with what it has read.
  func takeInterruption() -> Bool {
    defer { self.isInterrupted = false }
    return self.isInterrupted
  }

  /// The library or we have sent a GOAWAY.
  func sentGoAway(_ code: UInt32) {
    if code != 0 { self.fatalError = self.fatalError ?? code }
  }

  /// Bytes came, behind which the client is within a head, or within its preface.
  func received(isInsideHead: Bool) {
    guard let context = self.context else { return }
    self.machine.received(isInsideHead: isInsideHead, now: context.eventLoop.now)
    if isInsideHead { self.armTimer() }
  }

  /// The client sent more frames than it has reason to.
  func exceededFrameBudget() {
    self.fail(ListenerProblem.http2Flood.with(detail: "frames without content"), telling: .enhanceYourCalm)
  }

  /// The transport broke.
  func transportFailed() { self.cut() }

  // MARK: Streams

  func streamOpened(_ stream: HTTP2StreamHandler, id: HTTP2StreamID) {
    self.streams[ObjectIdentifier(stream)] = stream
    self.machine.streamOpened(id)
  }

  func streamClosed(_ stream: HTTP2StreamHandler) {
    guard self.streams.removeValue(forKey: ObjectIdentifier(stream)) != nil, let context = self.context else { return }
    self.perform(self.machine.streamClosed(now: context.eventLoop.now))
  }

  func requestRefused() {
    guard let context = self.context else { return }
    self.perform(self.machine.requestRefused(now: context.eventLoop.now))
  }

  /// A stream's patience ends at this time.
  func expect(by deadline: NIODeadline) {
    // A deadline that moved away is noticed when the old one fires: most requests touch no timer.
    guard deadline < self.timerDeadline, let context = self.context else { return }
    self.timer?.cancel()
    self.timerDeadline = deadline
    self.timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.timerFired() }
  }

  // MARK: The end

  private func perform(_ action: HTTP2ConnectionStateMachine.Action) {
    guard let context = self.context else { return }
    switch action {
    case .none: break
    case .announceEnd(let lastStream):
      self.send(.goAway(lastStreamID: lastStream, errorCode: .noError, opaqueData: nil))
      self.send(.ping(Self.announcement, ack: false))
      context.flush()
    case .close: self.closeSoon()
    case .cutHalfAHead:
      self.receiver.connectionFailed(ListenerProblem.requestHeadTimedOut, from: self.facts.clientAddress, listener: self.facts.listener)
      self.cut()
    }
    self.armTimer()
  }

  private func send(_ payload: HTTP2Frame.FramePayload) {
    self.context?.write(self.wrapOutboundOut(HTTP2Frame(streamID: .rootStream, payload: payload)), promise: nil)
  }

  /// Closes behind what is on its way: a stream says that it is closed before its last frame has left the library.
  private func closeSoon() {
    self.context?.eventLoop.assumeIsolated().execute { self.context?.close(promise: nil) }
  }

  /// The connection ends with what was said last, or with this.
  private func fail(_ problem: Problem, telling code: HTTP2ErrorCode? = nil) {
    // Ended before it is said: the GOAWAY closes the streams, and the last of them would end the connection in peace.
    guard self.machine.ended() else { return }
    if let code { self.send(.goAway(lastStreamID: 0, errorCode: code, opaqueData: nil)) }
    self.receiver.connectionFailed(problem, from: self.facts.clientAddress, listener: self.facts.listener)
    self.context?.flush()
    self.context?.close(promise: nil)
  }

  /// The connection ends at once, without the farewell by which TLS says that all was said.
  private func cut() {
    _ = self.machine.ended()
    self.context?.closeTransport()
  }

  // MARK: Time

  private func armTimer() {
    if let deadline = self.machine.deadline { self.expect(by: deadline) }
  }

  private func timerFired() {
    self.timer = nil
    self.timerDeadline = .distantFuture
    guard let context = self.context else { return }
    let now = context.eventLoop.now
    // A stream that is cut leaves the table.
    for stream in Array(self.streams.values) { stream.timerFired(now: now) }
    self.perform(self.machine.timerFired(now: now))
    for stream in self.streams.values {
      if let deadline = stream.deadline { self.expect(by: deadline) }
    }
  }
}
