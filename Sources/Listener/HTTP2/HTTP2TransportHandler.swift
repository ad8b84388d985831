import NIOCore
import SallyportCore

/// Stands between TLS and the HTTP/2 library: counts frames before the library works for them, and gathers what is
/// flushed in one turn of the event loop into one write.
final class HTTP2TransportHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = IOData
  typealias OutboundOut = IOData

  private let connection: HTTP2ConnectionHandler
  private var received = HTTP2FrameScanner(expectsPreface: true)
  private var sent = HTTP2FrameScanner(expectsPreface: false)
  private var budget: HTTP2FrameBudget
  private var isRefusing = false
  private var isReading = false
  private var wantsFlush = false
  private var flushIsScheduled = false
  private var context: ChannelHandlerContext?

  init(of connection: HTTP2ConnectionHandler, now: NIODeadline) {
    self.connection = connection
    self.budget = HTTP2FrameBudget(now: now)
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  // MARK: From the client

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !self.isRefusing else { return }
    self.isReading = true
    let bytes = self.unwrapInboundIn(data)
    let now = context.eventLoop.now
    var isWithinBudget = true
    bytes.withUnsafeReadableBytes { bytes in
      self.received.scan(bytes) { frame, _ in
        guard !Self.isUseful(frame), isWithinBudget else { return }
        isWithinBudget = self.budget.spend(now: now)
      }
    }
    guard isWithinBudget else {
      self.isRefusing = true
      return self.connection.exceededFrameBudget()
    }
    context.fireChannelRead(data)
    // Each time it is asked, the library goes on by one frame at least.
    while self.connection.takeInterruption() { context.fireChannelRead(self.wrapInboundOut(ByteBuffer())) }
    self.connection.received(isInsideHead: self.received.awaitsPreface || self.received.isInsideFieldSection)
  }

  /// Whether a frame brings something of a request.
  private static func isUseful(_ frame: HTTP2FrameScanner.Frame) -> Bool {
    switch frame.type {
    case HTTP2FrameScanner.Frame.data: frame.length > 0 || frame.endsStream
    // The library bounds how many of these a request may have, and how many requests there may be at once.
    case HTTP2FrameScanner.Frame.headers, HTTP2FrameScanner.Frame.continuation: true
    default: false
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    context.fireChannelReadComplete()
    self.isReading = false
    self.flushNow()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // Every error of a client's transport ends in `channelInactive`, which says all that a request has to hear.
    self.connection.transportFailed()
  }

  // MARK: To the client

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    if case .byteBuffer(let bytes) = self.unwrapOutboundIn(data) {
      bytes.withUnsafeReadableBytes { bytes in
        self.sent.scan(bytes) { frame, payload in
          if frame.type == HTTP2FrameScanner.Frame.data { self.budget.earn(bytes: frame.length) }
          if frame.type == HTTP2FrameScanner.Frame.goAway, payload.count >= 8 {
            self.connection.sentGoAway(payload.loadUnaligned(fromByteOffset: 4, as: UInt32.self).bigEndian)
          }
        }
      }
    }
    context.write(data, promise: promise)
  }

  func flush(context: ChannelHandlerContext) {
    self.wantsFlush = true
    // What is read may bring more to write; what is flushed between reads waits for the end of the turn.
    guard !self.isReading, !self.flushIsScheduled else { return }
    self.flushIsScheduled = true
    context.eventLoop.assumeIsolated().execute {
      self.flushIsScheduled = false
      self.flushNow()
    }
  }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    self.flushNow()
    context.close(mode: mode, promise: promise)
  }

  private func flushNow() {
    guard self.wantsFlush else { return }
    self.wantsFlush = false
    self.context?.flush()
  }
}
