public import NIOCore
import NIOPosix
import NIOSSL

/// Asks a Redis server over one connection, on which commands follow each other without waiting. It is made when somebody asks,
/// and made again when it is lost; while the server is away everybody is told so at once, and it is tried again every second.
///
/// No command is sent twice: whether the server has carried out one that has no reply is not known.
public final class RedisClient: Sendable {
  private let configuration: RedisConfiguration
  private let eventLoop: any EventLoop
  /// Made on the event loop by the first who asks.
  private let link: NIOLoopBoundBox<Link?>

  public init(_ configuration: RedisConfiguration, on eventLoop: any EventLoop) {
    self.configuration = configuration
    self.eventLoop = eventLoop
    self.link = NIOLoopBoundBox.makeEmptyBox(valueType: Link.self, eventLoop: eventLoop)
  }

  /// Sends a command.
  ///
  /// - Returns: the reply, on `eventLoop`; fails with a ``RedisFault`` where there is none, and for a reply that is an error
  public func send(_ command: RedisCommand, on eventLoop: any EventLoop) -> EventLoopFuture<RESPValue> {
    let promise = eventLoop.makePromise(of: RESPValue.self)
    self.eventLoop.execute { self.currentLink().send(command, promise) }
    return promise.futureResult.flatMapThrowing { reply in
      if case .error(let text) = reply { throw RedisFault("the server refuses \(command.name): \(RedisFault.kind(of: text))") }
      return reply
    }
  }

  /// Ends the connection, and whoever waits is told so. Nothing can be sent any more.
  public func close() {
    self.eventLoop.execute { self.currentLink().close() }
  }

  private func currentLink() -> Link {
    if let link = self.link.value { return link }
    let link = Link(self.configuration, self.eventLoop)
    self.link.value = link
    return link
  }
}

/// The connection that there is; on its event loop alone.
private final class Link {
  private enum State {
    case none(notBefore: NIODeadline, because: RedisFault?)
    case connecting(waiting: [RedisExchange])
    case open(any Channel)
    case closed
  }

  /// How many commands may wait for a connection.
  private static let mostWaiting = 4096

  private let configuration: RedisConfiguration
  private let eventLoop: any EventLoop
  private var state = State.none(notBefore: .uptimeNanoseconds(0), because: nil)

  init(_ configuration: RedisConfiguration, _ eventLoop: any EventLoop) {
    self.configuration = configuration
    self.eventLoop = eventLoop
  }

  func send(_ command: RedisCommand, _ promise: EventLoopPromise<RESPValue>) {
    let exchange = RedisExchange(command: command, promise: promise)
    switch self.state {
    case .closed: promise.fail(RedisFault("the client is closed"))
    case .open(let channel): channel.pipeline.syncOperations.writeAndFlush(NIOAny(exchange), promise: nil)
    case .connecting(let waiting):
      guard waiting.count < Self.mostWaiting else { return promise.fail(RedisFault("too many commands wait for a connection")) }
      self.state = .connecting(waiting: waiting + [exchange])
    case .none(let notBefore, let fault):
      if let fault, NIODeadline.now() < notBefore { return promise.fail(fault) }
      self.state = .connecting(waiting: [exchange])
      self.connect()
    }
  }

  func close() {
    let state = self.state
    self.state = .closed
    switch state {
    case .open(let channel): channel.close(promise: nil)
    case .connecting(let waiting): for exchange in waiting { exchange.promise.fail(RedisFault("the client is closed")) }
    case .none, .closed: break
    }
  }

  private func connect() {
    let configuration = self.configuration
    let ready = self.eventLoop.makePromise(of: Void.self)
    let ended = self.eventLoop.makePromise(of: Void.self)
    let connected = ClientBootstrap(group: self.eventLoop)
      .connectTimeout(configuration.timeout)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          if let tls = configuration.tls {
            try channel.pipeline.syncOperations.addHandler(Self.makeTLSHandler(tls, for: configuration.host))
          }
          try channel.pipeline.syncOperations.addHandler(
            RedisConnectionHandler(greeting: configuration.greeting, timeout: configuration.timeout, ready: ready, ended: ended))
        }
      }
      .connect(host: configuration.host, port: configuration.port)
    connected.cascadeFailure(to: ready)
    // Where there was no connection there is no handler that says so.
    connected.whenFailure { _ in ended.succeed(()) }
    connected.and(ready.futureResult).assumeIsolated().whenComplete { result in
      switch result {
      case .success((let channel, _)): self.opened(channel, until: ended.futureResult)
      case .failure(let error):
        connected.whenSuccess { $0.close(promise: nil) }
        self.failed(error as? RedisFault ?? RedisFault("\(configuration.host):\(configuration.port) cannot be reached: \(error)"))
      }
    }
  }

  /// A server that is named by its address proves that address.
  private static func makeTLSHandler(_ context: NIOSSLContext, for host: String) throws -> NIOSSLClientHandler {
    let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
    return try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : host)
  }

  /// - Parameter end: when the connection is of no use any more. Its socket may be open for longer: TLS takes leave of a server
  ///   that hangs for seconds, and meanwhile a new connection may be made.
  private func opened(_ channel: any Channel, until end: EventLoopFuture<Void>) {
    guard case .connecting(let waiting) = self.state else { return channel.close(promise: nil) }
    self.state = .open(channel)
    end.assumeIsolated().whenComplete { _ in
      guard case .open(let current) = self.state, current === channel else { return }
      // It worked until now: the next who asks makes a new one without waiting.
      self.state = .none(notBefore: .uptimeNanoseconds(0), because: nil)
    }
    // It may have ended in the moment that it was ready.
    guard case .open = self.state else {
      for exchange in waiting { exchange.promise.fail(RedisFault("the connection has ended")) }
      return
    }
    for exchange in waiting { channel.pipeline.syncOperations.write(NIOAny(exchange), promise: nil) }
    channel.flush()
  }

  private func failed(_ fault: RedisFault) {
    guard case .connecting(let waiting) = self.state else { return }
    self.state = .none(notBefore: .now() + self.configuration.pause, because: fault)
    for exchange in waiting { exchange.promise.fail(fault) }
  }
}
