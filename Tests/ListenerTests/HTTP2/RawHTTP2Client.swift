import NIOCore
import NIOHPACK
import NIOPosix
import NIOSSL
import NIOTLS
import SallyportPKI
import TestSupport

/// A client of HTTP/2 that sends exactly the frames it is told to, and remembers those that come back.
///
/// It answers SETTINGS and PING and grants windows for what it gets, unless it is told to be less polite.
final class RawHTTP2Client: Sendable {
  struct Manners: Sendable {
    var sendsPreface = true
    var settings: [(UInt16, UInt32)] = []
    /// Whether SETTINGS and PING are acknowledged.
    var acknowledges = true
    /// Whether windows are opened again for what was received.
    var grantsWindows = true
  }

  struct Timeout: Error, CustomStringConvertible {
    let received: [HTTP2TestFrame]
    var description: String { "nothing of what was waited for came; last: \(self.received.suffix(10))" }
  }

  /// The answer on a stream, as far as it came.
  struct Answer: Sendable {
    var informational: [Int] = []
    var status = 0
    var fields: [String] = []
    var body: [UInt8] = []
    var trailers: [String] = []
    var isComplete = false
    var reset: UInt32?

    var text: String { String(decoding: self.body, as: UTF8.self) }
  }

  let channel: any Channel
  private let collector: NIOLoopBound<FrameCollector>

  private init(channel: any Channel, collector: NIOLoopBound<FrameCollector>) {
    self.channel = channel
    self.collector = collector
  }

  static func connect(
    _ fixture: ListenerFixture, as certificate: TestCertificate? = nil, receiveBuffer: Int? = nil, _ manners: Manners = Manners()
  ) async throws -> RawHTTP2Client {
    var tls = TLSConfiguration.makeClientConfiguration()
    tls.trustRoots = try fixture.pki.serverAuthority.trustRoots()
    tls.applicationProtocols = ["h2"]
    if let certificate {
      tls.certificateChain = try certificate.chain()
      tls.privateKey = try certificate.privateKey()
    }
    let context = try NIOSSLContext(configuration: tls)
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let ready = loop.makePromise(of: NIOLoopBound<FrameCollector>.self)
    var bootstrap = ClientBootstrap(group: loop).channelInitializer { channel in
      channel.eventLoop.makeCompletedFuture {
        try channel.pipeline.syncOperations.addHandlers(
          NIOSSLClientHandler(context: context, serverHostname: "localhost"), FrameCollector(manners: manners, ready: ready))
      }
    }
    if let receiveBuffer { bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: .init(receiveBuffer)) }
    let channel: any Channel
    do {
      channel = try await bootstrap.connect(host: "127.0.0.1", port: fixture.port).get()
    } catch {
      ready.fail(error)
      throw error
    }
    return RawHTTP2Client(channel: channel, collector: try await ready.futureResult.get())
  }

  // MARK: Sending

  func send(_ frames: HTTP2TestFrame...) async throws { try await self.send(frames) }

  func send(_ frames: [HTTP2TestFrame]) async throws { try await self.send(bytes: frames.flatMap(\.bytes)) }

  func send(bytes: [UInt8]) async throws { try await self.channel.writeAndFlush(ByteBuffer(bytes: bytes)).get() }

  /// Sends without waiting: a server that closes fails the write.
  func sendAndForget(_ frames: [HTTP2TestFrame]) {
    self.channel.writeAndFlush(ByteBuffer(bytes: frames.flatMap(\.bytes)), promise: nil)
  }

  func setReading(_ isReading: Bool) async throws { try await self.channel.setOption(.autoRead, value: isReading).get() }

  func close() async { try? await self.channel.close().get() }

  // MARK: Receiving

  /// All frames so far, once the condition holds for them.
  @discardableResult
  func wait(
    _ timeout: TimeAmount = .minutes(1), until condition: @escaping @Sendable (_ frames: [HTTP2TestFrame], _ hasEnded: Bool) -> Bool
  ) async throws -> [HTTP2TestFrame] {
    try await self.channel.eventLoop.flatSubmit { [collector] in collector.value.wait(timeout, condition) }.get()
  }

  /// The first frame of some kind, from the beginning of the connection.
  func first(_ timeout: TimeAmount = .minutes(1), where condition: @escaping @Sendable (HTTP2TestFrame) -> Bool) async throws
    -> HTTP2TestFrame
  {
    let frames = try await self.wait(timeout) { frames, _ in frames.contains(where: condition) }
    guard let frame = frames.first(where: condition) else { throw Timeout(received: frames) }
    return frame
  }

  /// All frames of the connection, when it has ended.
  func framesToEnd(_ timeout: TimeAmount = .minutes(1)) async throws -> [HTTP2TestFrame] { try await self.wait(timeout) { $1 } }

  /// The answer on a stream, when it is complete, reset, or cut off by the end of the connection.
  func answer(_ stream: UInt32, _ timeout: TimeAmount = .minutes(1)) async throws -> Answer {
    _ = try await self.wait(timeout) { frames, hasEnded in
      hasEnded || frames.contains { $0.stream == stream && ($0.endsStream || $0.type == 3) }
    }
    return try await self.channel.eventLoop.submit { [collector] in collector.value.answers[stream] ?? Answer() }.get()
  }
}

/// Takes frames apart, answers those that ask for it, and wakes whoever waits.
private final class FrameCollector: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer
  typealias Condition = @Sendable ([HTTP2TestFrame], Bool) -> Bool

  private(set) var answers: [UInt32: RawHTTP2Client.Answer] = [:]
  private let manners: RawHTTP2Client.Manners
  private var ready: EventLoopPromise<NIOLoopBound<FrameCollector>>?
  private var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
  private var unread = ByteBuffer()
  private var frames: [HTTP2TestFrame] = []
  private var hasEnded = false
  private var waiter: (condition: Condition, promise: EventLoopPromise<[HTTP2TestFrame]>, timer: Scheduled<Void>)?
  private var eventLoop: (any EventLoop)?

  init(manners: RawHTTP2Client.Manners, ready: EventLoopPromise<NIOLoopBound<FrameCollector>>) {
    self.manners = manners
    self.ready = ready
  }

  func wait(_ timeout: TimeAmount, _ condition: @escaping Condition) -> EventLoopFuture<[HTTP2TestFrame]> {
    guard let eventLoop = self.eventLoop else { preconditionFailure("connect() returns a client with a channel") }
    precondition(self.waiter == nil, "one wait at a time")
    let promise = eventLoop.makePromise(of: [HTTP2TestFrame].self)
    let timer = eventLoop.assumeIsolated().scheduleTask(in: timeout) {
      guard let waiter = self.waiter else { return }
      self.waiter = nil
      waiter.promise.fail(RawHTTP2Client.Timeout(received: self.frames))
    }
    self.waiter = (condition, promise, timer)
    self.check()
    return promise.futureResult
  }

  private func check() {
    guard let waiter = self.waiter else { return }
    if waiter.condition(self.frames, self.hasEnded) {
      waiter.promise.succeed(self.frames)
    } else if self.hasEnded {
      waiter.promise.fail(RawHTTP2Client.Timeout(received: self.frames))
    } else {
      return
    }
    waiter.timer.cancel()
    self.waiter = nil
  }

  func handlerAdded(context: ChannelHandlerContext) { self.eventLoop = context.eventLoop }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent {
      if self.manners.sendsPreface {
        var hello = ByteBuffer(string: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        hello.writeBytes(HTTP2TestFrame.settings(self.manners.settings).bytes)
        context.writeAndFlush(self.wrapOutboundOut(hello), promise: nil)
      }
      self.ready?.succeed(NIOLoopBound(self, eventLoop: context.eventLoop))
      self.ready = nil
    }
    context.fireUserInboundEventTriggered(event)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = self.unwrapInboundIn(data)
    self.unread.writeBuffer(&bytes)
    while let frame = self.nextFrame() {
      self.frames.append(frame)
      self.note(frame, context)
    }
    self.check()
  }

  private func nextFrame() -> HTTP2TestFrame? {
    let start = self.unread.readerIndex
    guard let high = self.unread.getInteger(at: start, as: UInt16.self), let low = self.unread.getInteger(at: start + 2, as: UInt8.self)
    else { return nil }
    let length = Int(high) << 8 | Int(low)
    guard self.unread.readableBytes >= 9 + length else { return nil }
    self.unread.moveReaderIndex(forwardBy: 3)
    guard let type = self.unread.readInteger(as: UInt8.self), let flags = self.unread.readInteger(as: UInt8.self),
      let stream = self.unread.readInteger(as: UInt32.self), let payload = self.unread.readBytes(length: length)
    else { return nil }
    self.unread.discardReadBytes()
    return HTTP2TestFrame(type: type, flags: flags, stream: stream & 0x7FFF_FFFF, payload: payload)
  }

  private func note(_ frame: HTTP2TestFrame, _ context: ChannelHandlerContext) {
    var replies: [HTTP2TestFrame] = []
    switch frame.type {
    case 0:
      self.answers[frame.stream, default: .init()].body += frame.payload
      if self.manners.grantsWindows, !frame.payload.isEmpty {
        replies.append(.windowUpdate(0, UInt32(frame.payload.count)))
        if !frame.endsStream { replies.append(.windowUpdate(frame.stream, UInt32(frame.payload.count))) }
      }
    case 1: self.noteFields(frame)
    case 3: self.answers[frame.stream, default: .init()].reset = frame.errorCode
    case 4 where frame.flags == 0 && self.manners.acknowledges: replies.append(.settingsAck)
    case 6 where frame.flags == 0 && self.manners.acknowledges: replies.append(.ping(frame.payload, ack: true))
    default: break
    }
    if frame.endsStream { self.answers[frame.stream, default: .init()].isComplete = true }
    if !replies.isEmpty {
      context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: replies.flatMap(\.bytes))), promise: nil)
    }
  }

  private func noteFields(_ frame: HTTP2TestFrame) {
    var section = ByteBuffer(bytes: frame.payload)
    guard let fields = try? self.decoder.decodeHeaders(from: &section) else { return }
    var answer = self.answers[frame.stream] ?? .init()
    if let status = fields.first(name: ":status").flatMap({ Int($0) }) {
      if status < 200 {
        answer.informational.append(status)
      } else {
        answer.status = status
        answer.fields = fields.filter { $0.name != ":status" }.map { "\($0.name): \($0.value)" }
      }
    } else {
      answer.trailers = fields.map { "\($0.name): \($0.value)" }
    }
    self.answers[frame.stream] = answer
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    self.ready?.fail(error)
    self.ready = nil
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.hasEnded = true
    self.ready?.fail(ChannelError.eof)
    self.ready = nil
    self.check()
    context.fireChannelInactive()
  }
}
