import Logging
import NIOCore
import NIOHTTP1
import NIOSSL

/// One client connection: collects a request, has it answered, and sends the answer no faster than the client takes it.
///
/// Stands behind NIOHTTP1's own codec, but not its pipelining handler: that one does not read while an answer is on its way,
/// so that a client's goodbye in the middle of a watch would be noticed late. Requests that come early wait here instead.
final class ConnectionHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  /// The API server's limit for a request body, in bytes.
  static let maximumBody = 3 * 1024 * 1024

  private enum State {
    case idle
    case collecting(HTTPRequestHead, ByteBuffer)
    case streaming(any BodyStream, keepAlive: Bool)
    /// Something must be fetched before it is known whose the request is.
    case waiting
    case closed
  }

  private let respond: @Sendable (HTTPRequestHead, ByteBuffer, PeerTrust) -> APIResponse
  private let prepare: @Sendable (HTTPRequestHead, any EventLoop) -> EventLoopFuture<Void>?
  private let verifier: PeerVerifier
  private let registry: ConnectionRegistry
  /// NIOHTTP1's handlers before this one, which go when the connection leaves HTTP.
  private let http: [any RemovableChannelHandler]
  private var peer: PeerTrust?
  private var state = State.idle
  /// What came while an answer was on its way.
  private var early = CircularBuffer<HTTPServerRequestPart>()
  private static let earlyLimit = 256

  init(
    verifier: PeerVerifier, registry: ConnectionRegistry, http: [any RemovableChannelHandler],
    prepare: @escaping @Sendable (HTTPRequestHead, any EventLoop) -> EventLoopFuture<Void>?,
    respond: @escaping @Sendable (HTTPRequestHead, ByteBuffer, PeerTrust) -> APIResponse
  ) {
    self.prepare = prepare
    self.verifier = verifier
    self.registry = registry
    self.http = http
    self.respond = respond
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let part = self.unwrapInboundIn(data)
    guard self.isAnswering else { return self.receive(part, context: context) }
    self.early.append(part)
    if self.early.count > Self.earlyLimit { context.close(promise: nil) }
  }

  private func receive(_ part: HTTPServerRequestPart, context: ChannelHandlerContext) {
    switch (part, self.state) {
    case (.head(let head), .idle):
      if head.headers[canonicalForm: "expect"].contains(where: { $0.lowercased() == "100-continue" }), head.version == .http1_1 {
        context.writeAndFlush(self.wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
      }
      self.state = .collecting(head, ByteBuffer())
    case (.body(var bytes), .collecting(let head, var body)):
      self.state = .idle
      body.writeBuffer(&bytes)
      guard body.readableBytes <= Self.maximumBody else {
        self.state = .closed
        return self.send(APIError.tooLarge(limit: Self.maximumBody).response, to: head, keepAlive: false, context: context)
      }
      self.state = .collecting(head, body)
    case (.end, .collecting(let head, let body)):
      guard let prepared = self.prepare(head, context.eventLoop) else {
        self.state = .idle
        return self.send(self.respond(head, body, self.provenPeer(context)), to: head, keepAlive: head.isKeepAlive, context: context)
      }
      self.state = .waiting
      let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
      prepared.whenComplete { _ in
        let (handler, context) = loopBound.value
        guard case .waiting = handler.state else { return }
        handler.state = .idle
        handler.send(handler.respond(head, body, handler.provenPeer(context)), to: head, keepAlive: head.isKeepAlive, context: context)
        handler.receiveEarly(context: context)
      }
    case (_, .closed), (_, .streaming), (_, .waiting), (_, .idle), (.head, .collecting):
      break
    }
  }

  private var isAnswering: Bool {
    switch self.state {
    case .streaming, .waiting: true
    case .idle, .collecting, .closed: false
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { self.pump(context: context) }
    context.fireChannelWritabilityChanged()
  }

  func channelInactive(context: ChannelHandlerContext) {
    if case .streaming(let stream, _) = self.state { stream.stop() }
    self.state = .closed
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  /// What the connection's certificate proves, looked up once: the handshake is over when the first request is there.
  private func provenPeer(_ context: ChannelHandlerContext) -> PeerTrust {
    if let peer = self.peer { return peer }
    let tls = try? context.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self)
    let peer = tls?.peerCertificate.map(self.verifier.trust(of:)) ?? .nobody
    self.peer = peer
    return peer
  }

  private func send(_ response: APIResponse, to request: HTTPRequestHead, keepAlive: Bool, context: ChannelHandlerContext) {
    var head = HTTPResponseHead(version: request.version, status: HTTPResponseStatus(statusCode: response.status))
    for (name, value) in response.headers { head.headers.add(name: name, value: value) }
    // NIOHTTP1 reads no further behind a request that asks for an upgrade.
    let keepAlive = keepAlive && !response.closesConnection && !request.headers.contains(name: "Upgrade")
    switch response.body {
    case .upgrade(let upgrade):
      self.state = .closed
      context.writeAndFlush(self.wrapOutboundOut(.head(head)), promise: nil)
      self.leaveHTTP(for: upgrade.handler(), context: context)
    case .bytes(let bytes):
      head.headers.replaceOrAdd(name: "Content-Length", value: String(bytes.count))
      if !keepAlive { head.headers.replaceOrAdd(name: "Connection", value: "close") }
      context.write(self.wrapOutboundOut(.head(head)), promise: nil)
      // A HEAD is answered with the length alone (RFC 9110 section 9.3.2).
      if request.method != .HEAD { context.write(self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil) }
      self.finish(keepAlive: keepAlive, context: context)
    case .stream(let stream):
      // HTTP/1.0 knows no chunks: there the end of the connection ends the body.
      let keepAlive = keepAlive && request.version.knowsChunks
      if !keepAlive { head.headers.replaceOrAdd(name: "Connection", value: "close") }
      context.writeAndFlush(self.wrapOutboundOut(.head(head)), promise: nil)
      self.state = .streaming(stream, keepAlive: keepAlive)
      let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
      let eventLoop = context.eventLoop
      stream.start(on: eventLoop) {
        eventLoop.execute {
          let (handler, context) = loopBound.value
          handler.pump(context: context)
        }
      }
      self.pump(context: context)
    }
  }

  /// Puts another protocol's handler in the place of HTTP's.
  private func leaveHTTP(for handler: StreamingHandler, context: ChannelHandlerContext) {
    let pipeline = context.pipeline.syncOperations
    do {
      try pipeline.addHandler(handler)
      let own = try pipeline.context(handler: handler)
      // The decoder goes last: what it hands on then belongs to the new protocol.
      let decoder = self.http.first { $0 is ByteToMessageHandler<HTTPRequestDecoder> }
      for old in [self] + self.http.filter({ $0 !== decoder }) + [decoder].compactMap({ $0 }) { _ = pipeline.removeHandler(old) }
      self.registry.countTunnel(context.channel)
      handler.begin(context: own)
    } catch {
      context.close(promise: nil)
    }
  }

  private func pump(context: ChannelHandlerContext) {
    guard case .streaming(let stream, let keepAlive) = self.state else { return }
    while context.channel.isWritable {
      switch stream.next() {
      case .bytes(let bytes):
        self.registry.count(streamedBytes: bytes.count)
        context.writeAndFlush(self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil)
      case .later:
        return
      case .end:
        stream.stop()
        self.state = .idle
        self.finish(keepAlive: keepAlive, context: context)
        return self.receiveEarly(context: context)
      }
    }
  }

  private func receiveEarly(context: ChannelHandlerContext) {
    while !self.early.isEmpty {
      if self.isAnswering { return }
      self.receive(self.early.removeFirst(), context: context)
    }
  }

  private func finish(keepAlive: Bool, context: ChannelHandlerContext) {
    if keepAlive {
      context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: nil)
    } else {
      self.state = .closed
      let loopBound = NIOLoopBound(context, eventLoop: context.eventLoop)
      context.writeAndFlush(self.wrapOutboundOut(.end(nil))).whenComplete { _ in loopBound.value.close(promise: nil) }
    }
  }
}

extension HTTPVersion {
  /// From HTTP/1.1 on there are chunks, and a `Host` in every request.
  var knowsChunks: Bool { self.major > 1 || self.major == 1 && self.minor >= 1 }
}
