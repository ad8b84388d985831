public import NIOCore
import NIOSSL
public import SallyportCore

/// The last handler of a connection that has changed to another protocol: one ``TunnelEnd`` over a channel.
///
/// What TLS permits of half-close: the direction in which a peer sends ends with its `close_notify`, and the other goes on
/// (TLS 1.3, RFC 8446 section 6.1). A TCP connection that ends without one is cut off, and so is the tunnel. Our own end is
/// a `close_notify` and a FIN. A peer that speaks TLS 1.2 by the letter (RFC 5246 section 7.2.1) drops what it still had to
/// send when it hears a `close_notify`; Go's and BoringSSL's do not.
///
/// Two edges of the libraries decide how this closes. An output that is closed while the input has already ended makes
/// NIO and NIOSSL close the whole channel, and with it throw away what was not written yet: so everything is written before
/// anything is closed, see also ``UnhurriedClose``. And a channel whose peer has sent its FIN is read to the end at once, paused or not: what the kernel
/// had received is then held by us, which is bounded by the kernel's receive buffer.
public final class TunnelHandler: ChannelDuplexHandler, TunnelEnd {
  public typealias InboundIn = ByteBuffer
  public typealias OutboundIn = ByteBuffer
  public typealias OutboundOut = ByteBuffer

  /// How long a cut may be put off for what was sent before it.
  private static let cutLimit = TimeAmount.seconds(1)

  private enum Output {
    case open
    /// The end was sent, and what came before it was not taken yet.
    case ending
    case ended
  }

  public let eventLoop: any EventLoop
  private var context: ChannelHandlerContext?
  private var delegate: (any TunnelEndDelegate)?
  private var isOpen = false
  private var isCut = false
  /// What arrived before the end was opened.
  private var held: [ByteBuffer] = []
  private var inputHasEnded = false
  private var output = Output.open
  private var isClosed = false
  private var error: (any Error)?
  private let socket = UnhurriedClose()
  private var isPaused = false
  /// A read was asked for and held back. Whoever was the last handler before may have held one back too.
  private var holdsRead = true

  /// - Parameter unread: what arrived behind the head and was read with it
  public init(unread: ByteBuffer, on eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
    if unread.readableBytes > 0 { self.held.append(unread) }
  }

  // MARK: The tunnel's calls

  public func open(_ delegate: any TunnelEndDelegate) {
    self.eventLoop.assertInEventLoop()
    guard !self.isCut else { return }
    self.isOpen = true
    self.delegate = delegate
    let held = self.held
    self.held = []
    for bytes in held { self.delegate?.tunnelReceived(bytes) }
    if !held.isEmpty { self.delegate?.tunnelReadComplete() }
    if self.inputHasEnded { self.delegate?.tunnelInputEnded() }
    if self.isClosed { return self.tellClosed() }
    if self.context?.channel.isWritable == false { self.delegate?.tunnelWritabilityChanged(false) }
    self.resumeReading()
  }

  public func send(_ bytes: ByteBuffer) {
    guard case .open = self.output, !self.isCut else { return }
    self.context?.write(self.wrapOutboundOut(bytes), promise: nil)
  }

  public func flush() {
    self.context?.flush()
  }

  public func sendEnd() {
    guard case .open = self.output, !self.isCut else { return }
    self.output = .ending
    self.whenTaken { taken in
      guard taken else { return }
      self.output = .ended
      if self.inputHasEnded { self.context?.close(promise: nil) } else { self.context?.close(mode: .output, promise: nil) }
    }
  }

  public func setReading(paused: Bool) {
    self.isPaused = paused
    self.resumeReading()
  }

  public func cut() {
    guard !self.isCut else { return }
    self.isCut = true
    self.delegate = nil
    self.held = []
    guard let context else { return }
    let timer = context.eventLoop.assumeIsolated().scheduleTask(in: Self.cutLimit) { self.socket.hurry() }
    self.whenTaken { _ in
      timer.cancel()
      self.socket.hurry()
    }
  }

  /// Calls `body` when everything sent so far was handed to the kernel, or will never be.
  private func whenTaken(_ body: @escaping (Bool) -> Void) {
    guard let context else { return body(false) }
    let promise = context.eventLoop.makePromise(of: Void.self)
    promise.futureResult.assumeIsolated().whenComplete { result in
      if case .success = result { body(true) } else { body(false) }
    }
    context.writeAndFlush(self.wrapOutboundOut(ByteBuffer()), promise: promise)
  }

  // MARK: The channel

  public func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    do {
      try context.pipeline.syncOperations.addHandler(self.socket, position: .first)
      try context.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
    } catch {
      // Neither fails on an open channel; on a closed one nothing of this matters.
      self.error = error
      context.close(promise: nil)
    }
  }

  public func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
  }

  public func read(context: ChannelHandlerContext) {
    if self.wantsRead { context.read() } else { self.holdsRead = true }
  }

  public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !self.isCut else { return }
    let bytes = self.unwrapInboundIn(data)
    if self.isOpen { self.delegate?.tunnelReceived(bytes) } else { self.held.append(bytes) }
  }

  public func channelReadComplete(context: ChannelHandlerContext) {
    self.delegate?.tunnelReadComplete()
    context.fireChannelReadComplete()
  }

  public func channelWritabilityChanged(context: ChannelHandlerContext) {
    self.delegate?.tunnelWritabilityChanged(context.channel.isWritable)
    context.fireChannelWritabilityChanged()
  }

  public func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event as? ChannelEvent {
    case .inputClosed where self.error == nil: self.inputEnded()
    // The connection ended without TLS's farewell: bytes may be missing.
    case .inputClosed: self.socket.hurry()
    case .outputClosed, nil: context.fireUserInboundEventTriggered(event)
    }
  }

  public func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if self.error == nil { self.error = error }
    // The library tells of a cut-off stream first and of its end then, so that the bytes before it are all passed on.
    if (error as? NIOSSLError) != .uncleanShutdown { self.socket.hurry() }
  }

  public func channelInactive(context: ChannelHandlerContext) {
    self.isClosed = true
    // Behind an output that is closed, the end of the input closes the channel and is not told by itself.
    if case .ended = self.output, self.error == nil { self.inputEnded() }
    self.tellClosed()
    context.fireChannelInactive()
  }

  // MARK: Ends

  private func inputEnded() {
    guard !self.inputHasEnded else { return }
    self.inputHasEnded = true
    self.delegate?.tunnelInputEnded()
    if case .ended = self.output, !self.isClosed { self.context?.close(promise: nil) }
  }

  private func tellClosed() {
    let delegate = self.delegate
    self.delegate = nil
    guard self.error == nil, self.inputHasEnded, case .ended = self.output else {
      delegate?.tunnelClosed(TunnelFailure(self.error.map { "\($0)" } ?? "the connection was closed before everything was said"))
      return
    }
    delegate?.tunnelClosed(nil)
  }

  // MARK: Reading

  private var wantsRead: Bool { self.isOpen && !self.isPaused && !self.inputHasEnded }

  private func resumeReading() {
    guard self.holdsRead, self.wantsRead else { return }
    self.holdsRead = false
    self.context?.read()
  }
}
