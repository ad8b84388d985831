public import NIOCore
public import NIOPosix
public import NIOSSL
import NIOTLS

/// A client that sends exactly the bytes it is told to and shows exactly those that come back.
///
/// ```swift
/// let client = try await RawTLSClient.connect(port: port, tls: .init(roots: try pki.serverAuthority.trustRoots()))
/// try await client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
/// let answer = try await client.read(until: "\r\n\r\n")
/// let rest = try await client.readToEnd()                    // until the server closes
/// ```
/// Every wait ends with a ``Timeout`` after a minute unless told otherwise: a bound on failure, and nothing that is measured.
public final class RawTLSClient: Sendable {
  /// How the client speaks TLS.
  public struct TLS: Sendable {
    public var roots: NIOSSLTrustRoots
    /// Presented when the server asks for one.
    public var certificate: TestCertificate?
    /// What is asked for by SNI, and what the server's certificate has to be for; `nil` leaves both out.
    public var serverName: String?
    /// Whether the server's certificate has to be for ``serverName``.
    public var verifiesName = true
    public var minimumVersion: TLSVersion
    public var maximumVersion: TLSVersion
    public var applicationProtocols: [String]

    public init(
      roots: NIOSSLTrustRoots, certificate: TestCertificate? = nil, serverName: String? = "localhost",
      minimumVersion: TLSVersion = .tlsv12, maximumVersion: TLSVersion = .tlsv13, applicationProtocols: [String] = ["http/1.1"]
    ) {
      self.roots = roots
      self.certificate = certificate
      self.serverName = serverName
      self.minimumVersion = minimumVersion
      self.maximumVersion = maximumVersion
      self.applicationProtocols = applicationProtocols
    }
  }

  /// Nothing of what was waited for came.
  public struct Timeout: Error, CustomStringConvertible {
    public let received: String
    public var description: String { "the server did not answer in time; so far it sent: \(self.received.debugDescription)" }
  }

  /// The connection ended before what was waited for came.
  public struct Ended: Error, CustomStringConvertible {
    public let received: String
    /// Why, if it did not end in order.
    public let error: (any Error)?
    public var description: String {
      "the connection ended (\(self.error.map { "\($0)" } ?? "in order")) after: \(self.received.debugDescription)"
    }
  }

  public let channel: any Channel
  private let collector: NIOLoopBound<Collector>

  private init(channel: any Channel, collector: NIOLoopBound<Collector>) {
    self.channel = channel
    self.collector = collector
  }

  /// Connects, and with `tls` waits for the end of the handshake.
  ///
  /// With TLS 1.3 the client's handshake ends before the server has judged its certificate: a refusal shows in the first
  /// read.
  ///
  /// - Parameters:
  ///   - tls: `nil` for a client without TLS
  ///   - preface: what is sent before the handshake, as a proxy in front would
  ///   - receiveBuffer: the size of the socket's buffer in bytes; a small one makes a slow reader felt early
  public static func connect(
    host: String = "127.0.0.1", port: Int, tls: TLS?, preface: ByteBuffer? = nil, receiveBuffer: Int? = nil,
    group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
  ) async throws -> RawTLSClient {
    let context = try tls.map { try NIOSSLContext(configuration: self.configuration(of: $0)) }
    let loop = group.next()
    let ready = loop.makePromise(of: NIOLoopBound<Collector>.self)
    var bootstrap = ClientBootstrap(group: loop).channelInitializer { channel in
      channel.eventLoop.makeCompletedFuture {
        if let preface { try channel.pipeline.syncOperations.addHandler(Preface(preface)) }
        if let context {
          try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: context, serverHostname: tls?.serverName))
        }
        try channel.pipeline.syncOperations.addHandler(Collector(ready: ready, awaitsHandshake: context != nil))
      }
    }
    if let receiveBuffer {
      bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: .init(receiveBuffer))
        .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 4096))
        .channelOption(.maxMessagesPerRead, value: 1)
    }
    let channel: any Channel
    do {
      channel = try await bootstrap.connect(host: host, port: port).get()
    } catch {
      ready.fail(error)
      throw error
    }
    return RawTLSClient(channel: channel, collector: try await ready.futureResult.get())
  }

  /// Connects to a Unix domain socket, without TLS.
  public static func connect(
    socket path: String, group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
  ) async throws -> RawTLSClient {
    let loop = group.next()
    let ready = loop.makePromise(of: NIOLoopBound<Collector>.self)
    let bootstrap = ClientBootstrap(group: loop).channelInitializer { channel in
      channel.eventLoop.makeCompletedFuture {
        try channel.pipeline.syncOperations.addHandler(Collector(ready: ready, awaitsHandshake: false))
      }
    }
    let channel: any Channel
    do {
      channel = try await bootstrap.connect(unixDomainSocketPath: path).get()
    } catch {
      ready.fail(error)
      throw error
    }
    return RawTLSClient(channel: channel, collector: try await ready.futureResult.get())
  }

  private static func configuration(of tls: TLS) throws -> TLSConfiguration {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.trustRoots = tls.roots
    configuration.minimumTLSVersion = tls.minimumVersion
    configuration.maximumTLSVersion = tls.maximumVersion
    configuration.applicationProtocols = tls.applicationProtocols
    if tls.serverName == nil || !tls.verifiesName { configuration.certificateVerification = .noHostnameVerification }
    if let certificate = tls.certificate {
      configuration.certificateChain = try certificate.chain()
      configuration.privateKey = try certificate.privateKey()
    }
    return configuration
  }

  /// Sends text as it is; `\r\n` has to be written out.
  public func send(_ text: String) async throws { try await self.send(ByteBuffer(string: text)) }

  public func send(_ bytes: ByteBuffer) async throws { try await self.channel.writeAndFlush(bytes).get() }

  /// Sends without waiting for the bytes to leave, for more than the server will take.
  public func sendAndForget(_ text: String) { self.channel.writeAndFlush(ByteBuffer(string: text), promise: nil) }

  /// Everything up to and with `marker`; what comes behind it is kept for the next read.
  public func read(until marker: String, timeout: TimeAmount = .minutes(1)) async throws -> String {
    try await self.read(timeout) { received, _ in
      received.readableBytesView.firstEnd(of: Array(marker.utf8)).map { $0 - received.readerIndex }
    }
  }

  /// The next bytes, exactly so many.
  public func read(count: Int, timeout: TimeAmount = .minutes(1)) async throws -> String {
    try await self.read(timeout) { received, _ in received.readableBytes >= count ? count : nil }
  }

  /// Everything until the server ends the connection, in order or not.
  public func readToEnd(timeout: TimeAmount = .minutes(1)) async throws -> String {
    try await self.read(timeout) { received, hasEnded in hasEnded ? received.readableBytes : nil }
  }

  /// Waits for the end of the connection and says how it ended: `nil` in order (by TLS, with `close_notify`).
  public func end(timeout: TimeAmount = .minutes(1)) async throws -> (any Error)? {
    _ = try await self.readToEnd(timeout: timeout)
    return try await self.channel.eventLoop.submit { [collector] in collector.value.error }.get()
  }

  /// Stops and restarts reading from the socket.
  public func setReading(_ isReading: Bool) async throws {
    try await self.channel.setOption(.autoRead, value: isReading).get()
  }

  /// Closes the socket without the farewell of TLS.
  public func cut() async throws {
    try await self.channel.eventLoop.submit { [channel] in
      if let tls = try? channel.pipeline.syncOperations.context(handlerType: NIOSSLClientHandler.self) {
        tls.close(promise: nil)
      } else {
        channel.close(promise: nil)
      }
    }.get()
  }

  /// Closes the connection in order.
  public func close() async { try? await self.channel.close().get() }

  private func read(
    _ timeout: TimeAmount, _ enough: @escaping @Sendable (_ received: ByteBuffer, _ hasEnded: Bool) -> Int?
  ) async throws -> String {
    try await self.channel.eventLoop.flatSubmit { [collector] in
      collector.value.wait(timeout, enough)
    }.get()
  }
}

/// Sends bytes as soon as the connection is there, before what stands behind it says anything.
private final class Preface: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let bytes: ByteBuffer

  init(_ bytes: ByteBuffer) { self.bytes = bytes }

  func channelActive(context: ChannelHandlerContext) {
    context.write(self.wrapOutboundOut(self.bytes), promise: nil)
    context.fireChannelActive()
    context.flush()
  }
}

/// Holds what came and wakes whoever waits for it.
private final class Collector: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias Condition = @Sendable (ByteBuffer, Bool) -> Int?

  private(set) var error: (any Error)?
  private var ready: EventLoopPromise<NIOLoopBound<Collector>>?
  private let awaitsHandshake: Bool
  private var received = ByteBuffer()
  private var hasEnded = false
  private var waiter: (condition: Condition, promise: EventLoopPromise<String>, timer: Scheduled<Void>)?
  private var eventLoop: (any EventLoop)?

  init(ready: EventLoopPromise<NIOLoopBound<Collector>>, awaitsHandshake: Bool) {
    self.ready = ready
    self.awaitsHandshake = awaitsHandshake
  }

  func wait(_ timeout: TimeAmount, _ condition: @escaping Condition) -> EventLoopFuture<String> {
    guard let eventLoop = self.eventLoop else { preconditionFailure("connect() returns a client with a channel") }
    precondition(self.waiter == nil, "one read at a time")
    let promise = eventLoop.makePromise(of: String.self)
    let timer = eventLoop.assumeIsolated().scheduleTask(in: timeout) {
      guard let waiter = self.waiter else { return }
      self.waiter = nil
      waiter.promise.fail(RawTLSClient.Timeout(received: String(buffer: self.received)))
    }
    self.waiter = (condition, promise, timer)
    self.check()
    return promise.futureResult
  }

  private func check() {
    guard let waiter = self.waiter else { return }
    if let count = waiter.condition(self.received, self.hasEnded) {
      waiter.promise.succeed(self.received.readString(length: count) ?? "")
    } else if self.hasEnded {
      waiter.promise.fail(RawTLSClient.Ended(received: String(buffer: self.received), error: self.error))
    } else {
      return
    }
    waiter.timer.cancel()
    self.waiter = nil
  }

  private func succeed() {
    guard let eventLoop = self.eventLoop else { return }
    self.ready?.succeed(NIOLoopBound(self, eventLoop: eventLoop))
    self.ready = nil
  }

  func handlerAdded(context: ChannelHandlerContext) { self.eventLoop = context.eventLoop }

  func channelActive(context: ChannelHandlerContext) {
    if !self.awaitsHandshake { self.succeed() }
    context.fireChannelActive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent { self.succeed() }
    context.fireUserInboundEventTriggered(event)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = self.unwrapInboundIn(data)
    self.received.writeBuffer(&bytes)
    self.check()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    self.error = self.error ?? error
    self.ready?.fail(error)
    self.ready = nil
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.hasEnded = true
    self.ready?.fail(RawTLSClient.Ended(received: "", error: self.error))
    self.ready = nil
    self.check()
    context.fireChannelInactive()
  }
}

extension ByteBufferView {
  /// The index behind the first occurrence of `marker`.
  fileprivate func firstEnd(of marker: [UInt8]) -> Int? {
    guard let first = marker.first, self.count >= marker.count else { return nil }
    var start = self.startIndex
    while let found = self[start...].firstIndex(of: first), found + marker.count <= self.endIndex {
      if self[found..<found + marker.count].elementsEqual(marker) { return found + marker.count }
      start = found + 1
    }
    return nil
  }
}
