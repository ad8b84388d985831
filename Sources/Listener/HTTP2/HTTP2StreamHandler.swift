import NIOCore
import NIOHPACK
import NIOHTTP2
import SallyportCore
import SallyportWire

/// One stream of an HTTP/2 connection, on its own child channel: carries out what ``HTTP2StreamStateMachine`` decides.
///
/// A stream carries one request, so the handler is the request's ``ClientStream`` itself. Back-pressure is kept by the
/// child channel: it is not writable while the client's windows are closed, and what is not read from it does not reopen
/// ours.
final class HTTP2StreamHandler: ChannelInboundHandler, ClientStream {
  typealias InboundIn = HTTP2Frame.FramePayload
  typealias OutboundOut = HTTP2Frame.FramePayload

  let eventLoop: any EventLoop
  var memory: ConnectionMemory { self.connection.memory }
  private let connection: HTTP2ConnectionHandler
  private var machine: HTTP2StreamStateMachine
  private var context: ChannelHandlerContext?
  private var delegate: (any ClientStreamDelegate)?
  /// The answer's head until it is known whether the stream ends with it.
  private var heldHead: HPACKHeaders?
  /// The last part of the answer's body, likewise.
  private var heldBody: ByteBuffer?

  init(of connection: HTTP2ConnectionHandler, on eventLoop: any EventLoop) {
    self.connection = connection
    self.eventLoop = eventLoop
    self.machine = HTTP2StreamStateMachine(timeouts: connection.timeouts, now: eventLoop.now)
  }

  // MARK: The channel

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    let id = try? context.channel.syncOptions?.getOption(HTTP2StreamChannelOptions.streamID)
    self.connection.streamOpened(self, id: id ?? .rootStream)
  }

  func handlerRemoved(context: ChannelHandlerContext) { self.streamClosed() }

  func channelInactive(context: ChannelHandlerContext) {
    self.streamClosed()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // Every error of a stream ends in `channelInactive`, which says all that a request has to hear.
  }

  private func streamClosed() {
    guard self.context != nil else { return }
    self.context = nil
    self.connection.streamClosed(self)
    let isHeard = self.machine.streamClosed()
    self.heldHead = nil
    self.heldBody = nil
    let delegate = self.delegate
    self.delegate = nil
    if isHeard { delegate?.clientGone(.closed) }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    let isWritable = context.channel.isWritable
    if self.machine.writabilityChanged(isWritable, now: self.eventLoop.now) {
      self.delegate?.clientFlowChanged(paused: !isWritable)
    }
    self.armTimer()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch self.unwrapInboundIn(data) {
    case .headers(let section):
      if self.machine.awaitsHead {
        self.readHead(section.headers, endsStream: section.endStream)
      } else {
        self.readTrailers(section.headers)
      }
    case .data(let part):
      guard case .byteBuffer(let bytes) = part.data else { return }
      self.readBody(bytes, endsStream: part.endStream)
    default: break
    }
    self.armTimer()
  }

  // MARK: The request

  private func readHead(_ headers: HPACKHeaders, endsStream: Bool) {
    var section = HTTP2RequestSection(limits: self.connection.limits)
    do throws(MalformedMessage) {
      for (name, value, _) in headers { try section.add(name, value) }
      let head = try section.finish(endsStream: endsStream)
      self.machine.headReceived(head, endsStream: endsStream, now: self.eventLoop.now)
      let delegate = self.connection.receiver.receive(head, on: self, of: self.connection.facts)
      // It may have been answered, and the stream may be over, before there was a delegate.
      guard self.context != nil, self.machine.owesEnd else { return }
      self.delegate = delegate
      if self.context?.channel.isWritable == false { delegate.clientFlowChanged(paused: true) }
      if endsStream { delegate.clientSentEnd(trailers: HeaderFields()) }
    } catch {
      var malformed = error
      malformed.requestLine = section.requestLine
      self.machine.headRefused(now: self.eventLoop.now)
      self.connection.requestRefused()
      self.connection.receiver.refuse(malformed, on: self, of: self.connection.facts)
    }
  }

  private func readBody(_ bytes: ByteBuffer, endsStream: Bool) {
    switch self.machine.bodyReceived(count: bytes.readableBytes, endsStream: endsStream, now: self.eventLoop.now) {
    case .deliver:
      if bytes.readableBytes > 0 { self.delegate?.clientSentBody(bytes) }
      if endsStream { self.delegate?.clientSentEnd(trailers: HeaderFields()) }
    case .ignore: break
    case .breakOff(let malformed): self.breakOff(malformed)
    case .cut(let malformed): self.cut(malformed)
    }
  }

  private func readTrailers(_ headers: HPACKHeaders) {
    var section = HTTP2TrailerSection(limits: self.connection.limits)
    let action: HTTP2StreamStateMachine.PartAction
    do throws(MalformedMessage) {
      for (name, value, _) in headers { try section.add(name, value) }
      action = self.machine.trailersReceived(now: self.eventLoop.now)
    } catch {
      action = self.machine.trailersRefused(error, now: self.eventLoop.now)
    }
    switch action {
    case .deliver: self.delegate?.clientSentEnd(trailers: section.trailers)
    case .ignore: break
    case .breakOff(let malformed): self.breakOff(malformed)
    case .cut(let malformed): self.cut(malformed)
    }
  }

  private func breakOff(_ malformed: MalformedMessage) {
    self.connection.requestRefused()
    let delegate = self.delegate
    self.delegate = nil
    delegate?.clientGone(.malformed(malformed))
  }

  private func cut(_ malformed: MalformedMessage) {
    self.connection.requestRefused()
    let delegate = self.delegate
    self.delegate = nil
    self.reset(.protocolError)
    delegate?.clientGone(.malformed(malformed))
  }

  // MARK: The answer

  func sendInformational(_ head: ResponseHead) {
    guard self.machine.sendInformational(status: head.status) else { return }
    self.write(.headers(.init(headers: Self.section(of: head, contentLength: nil))))
    self.context?.flush()
  }

  func sendHead(_ head: ResponseHead) {
    switch self.machine.sendHead(head) {
    case .write(let contentLength): self.heldHead = Self.section(of: head, contentLength: contentLength)
    case .ignore: break
    }
  }

  func sendBody(_ bytes: ByteBuffer) {
    switch self.machine.sendBody(count: bytes.readableBytes) {
    case .write:
      self.writeHeld()
      self.heldBody = bytes
    case .ignore: break
    case .cut: self.breakOffAnswer()
    }
  }

  func sendEnd(trailers: HeaderFields) {
    switch self.machine.sendEnd() {
    case .write:
      self.delegate = nil
      self.writeEnd(trailers: trailers)
    case .ignore: break
    case .cut: self.breakOffAnswer()
    }
  }

  func flush() {
    guard let context = self.context else { return }
    self.writeHeld()
    self.machine.flush(now: self.eventLoop.now)
    context.flush()
    self.armTimer()
  }

  func abort() {
    guard self.machine.abort() else { return }
    self.delegate = nil
    self.reset(.internalError)
  }

  func setRequestFlow(paused: Bool) {
    guard let context = self.context else { return }
    self.machine.setRequestFlow(paused: paused, now: self.eventLoop.now)
    // The windows reopen as bytes are read from the channel, so that a client can send one window and no more.
    try? context.channel.syncOptions?.setOption(.autoRead, value: !paused)
    if !paused { context.read() }
    self.armTimer()
  }

  func abandonRequestBody() {
    self.machine.abandonRequestBody()
    // What still comes is thrown away until the stream ends.
    self.setRequestFlow(paused: false)
  }

  private static func section(of head: ResponseHead, contentLength: UInt64?) -> HPACKHeaders {
    var section = HPACKHeaders()
    section.reserveCapacity(head.fields.count + 3)
    section.add(name: ":status", value: String(head.status))
    head.fields.forEachHTTP2Field { name, value, known in
      section.add(name: name, value: value, indexing: Self.indexing(of: known))
    }
    if let auditID = head.auditID { section.add(name: "audit-id", value: auditID, indexing: .nonIndexable) }
    if let contentLength { section.add(name: "content-length", value: String(contentLength), indexing: .nonIndexable) }
    return section
  }

  /// Values that never come again would push the others out of the table, and secrets do not belong into it
  /// (RFC 7541 section 7.1.3).
  private static func indexing(of field: KnownField?) -> HPACKIndexing {
    switch field {
    case .setCookie: .neverIndexed
    case .auditID, .location: .nonIndexable
    default: .indexable
    }
  }

  /// Writes what was held for an end that did not come with it.
  private func writeHeld() {
    if let head = self.heldHead {
      self.heldHead = nil
      self.write(.headers(.init(headers: head)))
    }
    if let body = self.heldBody {
      self.heldBody = nil
      self.write(.data(.init(data: .byteBuffer(body))))
    }
  }

  /// Ends the stream with the last frame that there is anyway.
  private func writeEnd(trailers: HeaderFields) {
    var last: HTTP2Frame.FramePayload
    if !trailers.isEmpty {
      self.writeHeld()
      var section = HPACKHeaders()
      trailers.forEachHTTP2Field { name, value, known in section.add(name: name, value: value, indexing: Self.indexing(of: known)) }
      last = .headers(.init(headers: section, endStream: true))
    } else if let body = self.heldBody {
      self.heldBody = nil
      self.writeHeld()
      last = .data(.init(data: .byteBuffer(body), endStream: true))
    } else if let head = self.heldHead {
      self.heldHead = nil
      last = .headers(.init(headers: head, endStream: true))
    } else {
      last = .data(.init(data: .byteBuffer(ByteBuffer()), endStream: true))
    }
    guard let context = self.context, !self.machine.isRequestComplete else { return self.write(last) }
    // The request may be called off once the whole answer has left, and no sooner.
    let left = context.eventLoop.makePromise(of: Void.self)
    left.futureResult.assumeIsolated().whenSuccess {
      if self.machine.mustCallOff { self.reset(.noError) }
    }
    context.write(self.wrapOutboundOut(last), promise: left)
  }

  private func write(_ payload: HTTP2Frame.FramePayload) {
    self.context?.write(self.wrapOutboundOut(payload), promise: nil)
  }

  /// The receiver's answer does not hold what its head promised.
  private func breakOffAnswer() {
    let delegate = self.delegate
    self.delegate = nil
    self.reset(.internalError)
    delegate?.clientGone(.closed)
  }

  /// Ends the stream at once; what is left of the answer in our buffers is dropped.
  private func reset(_ code: HTTP2ErrorCode) {
    self.heldHead = nil
    self.heldBody = nil
    self.context?.writeAndFlush(self.wrapOutboundOut(.rstStream(code)), promise: nil)
  }

  // MARK: Time

  var deadline: NIODeadline? { self.machine.deadline }

  /// The connection's timer has fired.
  func timerFired(now: NIODeadline) {
    switch self.machine.timerFired(now: now) {
    case .none: break
    case .cut(let isHeard):
      let delegate = self.delegate
      self.delegate = nil
      self.reset(.cancel)
      if isHeard { delegate?.clientGone(.timedOut) }
    }
  }

  private func armTimer() {
    if let deadline = self.machine.deadline { self.connection.expect(by: deadline) }
  }
}
