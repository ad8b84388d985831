public import Logging
import NIOConcurrencyHelpers
public import NIOCore
import NIOPosix
public import SallyportCore

public import struct Foundation.Date

/// The door: accepts connections, ends TLS, speaks HTTP/1.1 and HTTP/2, and hands each request to a ``RequestReceiver``.
///
/// Connections are spread over the event loops of the group, and each stays on its own. Session tickets live no longer
/// than the hour in which they were made, and no longer than the trust under which they were made.
public final class Listener: Sendable {
  /// How often tickets end although nothing else does.
  static let generationLifetime = TimeAmount.hours(1)

  private let server: any Channel
  /// What new connections are set up with.
  private let setup: NIOLockedValueBox<ConnectionSetup>
  private let registry: ConnectionRegistry
  let tls: ServerTLS?
  private let refreshes: RepeatedTask?
  private let logger: Logger

  /// Where it listens, with the port that it got.
  public let localAddress: SocketAddress

  private init(
    server: any Channel, localAddress: SocketAddress, setup: NIOLockedValueBox<ConnectionSetup>, refreshes: RepeatedTask?, logger: Logger
  ) {
    self.server = server
    self.localAddress = localAddress
    self.setup = setup
    self.registry = setup.withLockedValue { $0.registry }
    self.tls = setup.withLockedValue { $0.tls }
    self.refreshes = refreshes
    self.logger = logger
  }

  /// Reads the listener's files and begins to listen.
  ///
  /// - Parameters:
  ///   - receiver: gets the requests, on their connection's event loop
  ///   - group: the event loops that connections are spread over
  ///   - now: the time by which certificates are judged
  /// - Throws: ``Problem`` that names the file or address and what is wrong with it
  public static func start(
    _ configuration: ListenerConfiguration, receiver: any RequestReceiver, group: any EventLoopGroup, logger: Logger,
    now: @escaping @Sendable () -> Date = { Date() }
  ) async throws(Problem) -> Listener {
    try await self.start(try self.prepare(configuration), receiver: receiver, group: group, logger: logger, now: now)
  }

  /// Begins to listen with files that were read before.
  ///
  /// - Throws: ``Problem`` that names the address and what is wrong with it
  public static func start(
    _ prepared: PreparedListener, receiver: any RequestReceiver, group: any EventLoopGroup, logger: Logger,
    now: @escaping @Sendable () -> Date = { Date() }
  ) async throws(Problem) -> Listener {
    let configuration = prepared.configuration
    let tls = prepared.tls.map(ServerTLS.init)
    let setup = NIOLockedValueBox(
      ConnectionSetup(
        configuration, tls: tls, receiver: receiver, registry: ConnectionRegistry(limits: configuration.connections), now: now))
    let server = try await self.bind(configuration, setup: setup, group: group)
    guard let localAddress = server.localAddress else {
      throw ListenerProblem.addressUnusable.with(detail: "listener \(configuration.name): the socket has no address")
    }
    let refreshes = tls.map { tls in self.scheduleRefreshes(of: tls, on: server.eventLoop, logger: logger) }
    if let tls, tls.certificateExpires <= now() {
      logger.warning("the listener's certificate has expired", metadata: ["listener": "\(configuration.name)"])
    }
    return Listener(server: server, localAddress: localAddress, setup: setup, refreshes: refreshes, logger: logger)
  }

  /// Begins a generation with other files, for connections from now on; on a fault the present one goes on.
  ///
  /// Connections that carry an identity end behind their request if the authorities of client certificates are others.
  ///
  /// - Throws: ``Problem`` that names the file and what is wrong with it
  public func replaceTLS(_ configuration: ServerTLSConfiguration) throws(Problem) {
    guard let tls = self.tls else {
      throw ListenerProblem.certificateUnusable.with(detail: "listener \(self.name) has no TLS; that takes a new listener")
    }
    if try tls.replace(with: configuration) {
      self.registry.drain(notTrustedBy: tls.current.trust)
    }
    self.logger.info("a new TLS generation begins", metadata: ["listener": "\(self.name)"])
  }

  /// Goes on with other settings and files, for connections from now on.
  ///
  /// The address stays what it was when the listener was started. Connections that carry an identity end behind their
  /// request if the authorities of client certificates are others.
  public func adopt(_ prepared: PreparedListener) {
    self.setup.withLockedValue { setup in
      setup = ConnectionSetup(prepared.configuration, tls: setup.tls, receiver: setup.receiver, registry: setup.registry, now: setup.now)
    }
    self.registry.setLimits(prepared.configuration.connections)
    guard let tls = self.tls, let files = prepared.tls else { return }
    let before = tls.current
    if tls.adopt(files) { self.registry.drain(notTrustedBy: tls.current.trust) }
    if tls.current !== before { self.logger.info("a new TLS generation begins", metadata: ["listener": "\(self.name)"]) }
  }

  /// Begins a generation with the same files, so that no session of before is resumed.
  public func refreshTLS() throws(Problem) { try self.tls?.refresh() }

  /// The listener's name in the configuration.
  public var name: String { self.setup.withLockedValue { $0.name } }

  /// How many connections are open.
  public var connectionCount: Int { self.registry.count }

  /// When the listener's own certificate ends; `nil` without TLS.
  public var certificateExpires: Date? { self.tls?.certificateExpires }

  /// Takes no more connections; those that are open end behind the request that they carry.
  public func stopAccepting() async {
    self.refreshes?.cancel()
    try? await self.server.close()
    self.registry.windDown()
  }

  /// Takes no more connections and cuts those that are open. Returns when all are closed.
  public func close() async {
    self.refreshes?.cancel()
    try? await self.server.close()
    let channels = self.registry.close()
    for channel in channels { channel.tell(.cut) }
    for channel in channels { try? await channel.closeFuture.get() }
  }

  private static func bind(
    _ configuration: ListenerConfiguration, setup: NIOLockedValueBox<ConnectionSetup>, group: any EventLoopGroup
  ) async throws(Problem) -> any Channel {
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      // One read of an upstream's is up to 64 KiB: passed on, it must not by itself make the client count as slow.
      .childChannelOption(.writeBufferWaterMark, value: .init(low: 64 * 1024, high: 192 * 1024))
      .keepingAlive()
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try setup.withLockedValue { $0 }.setUp(channel) }
      }
    do {
      return try await bootstrap.bind(host: configuration.host, port: configuration.port).get()
    } catch {
      let place = "listener \(configuration.name): \(configuration.host):\(configuration.port)"
      if let error = error as? IOError, error.errnoCode == EADDRINUSE {
        throw ListenerProblem.addressInUse.with(detail: "\(place) is in use by another program")
      }
      if let error = error as? IOError, error.errnoCode == EACCES {
        throw ListenerProblem.addressUnusable.with(detail: "\(place): this user may not listen on a port below 1024")
      }
      throw ListenerProblem.addressUnusable.with(detail: "\(place): \(error)")
    }
  }

  private static func scheduleRefreshes(of tls: ServerTLS, on eventLoop: any EventLoop, logger: Logger) -> RepeatedTask {
    eventLoop.scheduleRepeatedTask(initialDelay: self.generationLifetime, delay: self.generationLifetime) { _ in
      do {
        try tls.refresh()
      } catch {
        logger.error("the TLS generation could not be renewed", metadata: ["error": "\(error)"])
      }
    }
  }
}
