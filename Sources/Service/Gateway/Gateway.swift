public import Logging
public import NIOCore
import SallyportAudit
import SallyportAuthentication
public import SallyportConfiguration
import SallyportCore
import SallyportListener
import SallyportStrictYAML
import SallyportWire

/// A running gateway: the listeners, what they hand requests to, and the audit log.
public final class Gateway: Sendable {
  let listeners: [Listener]
  private let contexts: LoopContexts
  private let log: AuditLog
  private let logger: Logger
  private let revocationWatch: Task<Void, Never>

  /// Where the listeners listen, in the order of the configuration, with the ports that they got.
  public let addresses: [SocketAddress]

  private init(listeners: [Listener], contexts: LoopContexts, log: AuditLog, logger: Logger) {
    self.revocationWatch = Task { await RevocationWatch(contexts: contexts, logger: logger).run() }
    self.listeners = listeners
    self.contexts = contexts
    self.log = log
    self.logger = logger
    self.addresses = listeners.map(\.localAddress)
  }

  /// Reads everything that the configuration names, opens the audit log and begins to listen.
  ///
  /// - Parameters:
  ///   - group: the event loops that requests are served on
  /// - Throws: ``StartFault`` with all that is wrong; nothing is left running then.
  public static func start(
    _ configuration: GatewayConfiguration, group: any EventLoopGroup, logger: Logger
  ) async throws(StartFault) -> Gateway {
    try await self.start(configuration, group: group, logger: logger) { files throws(Problem) in try AuditLog(files) }
  }

  /// Starts with an audit log that a test has put something before.
  static func start(
    _ configuration: GatewayConfiguration, group: any EventLoopGroup, logger: Logger,
    openLog: (AuditLogConfiguration) throws(Problem) -> AuditLog
  ) async throws(StartFault) -> Gateway {
    for fault in configuration.checkFiles() where fault.severity == .warning { logger.warning("\(fault)") }
    let generation = try self.read(configuration, group: group, logger: logger)
    let log = try self.openLog(configuration.audit, openLog)
    let contexts = LoopContexts(group: group, log: log, generation: generation)
    let receiver = GatewayReceiver(contexts: contexts)
    var listeners: [Listener] = []
    do {
      for listener in configuration.listeners {
        listeners.append(try await Listener.start(listener.settings(), receiver: receiver, group: group, logger: logger))
      }
    } catch {
      for listener in listeners { await listener.close() }
      log.close()
      throw StartFault(error)
    }
    log.record(.started(configuration: generation.hash))
    let gateway = Gateway(listeners: listeners, contexts: contexts, log: log, logger: logger)
    for (listener, address) in zip(configuration.listeners, gateway.addresses) {
      logger.notice("listening", metadata: ["listener": "\(listener.name)", "address": "\(address.hostAndPort)"])
    }
    return gateway
  }

  /// Reads everything that the configuration names, and neither listens nor writes.
  ///
  /// - Throws: ``StartFault`` with all that is wrong.
  static func read(_ configuration: GatewayConfiguration, group: any EventLoopGroup, logger: Logger) throws(StartFault) -> Generation {
    var faults = FaultCollector()
    for fault in configuration.checkFiles() where fault.severity == .fault { faults.add(fault.description) }
    // A file that is not there was just reported; reading it would only say so again, with less of its place.
    guard faults.isEmpty else { throw faults.fault }
    let generation = faults.collect { () throws(StartFault) in
      try Generation(configuration, memory: AuthenticationMemory(), group: group, logger: logger)
    }
    for listener in configuration.listeners {
      _ = faults.collect { () throws(Problem) in try Listener.check(listener.settings()) }
    }
    guard let generation, faults.isEmpty else { throw faults.fault }
    return generation
  }

  private static func openLog(
    _ audit: GatewayConfiguration.Audit, _ open: (AuditLogConfiguration) throws(Problem) -> AuditLog
  ) throws(StartFault) -> AuditLog {
    do throws(Problem) {
      return try open(audit.logConfiguration)
    } catch {
      throw StartFault(error)
    }
  }

  /// Stops accepting, lets the requests that are being answered end, and closes everything.
  ///
  /// - Parameter grace: how long requests get; what is left then, watches most of all, is cut
  public func shutDown(grace: TimeAmount) async {
    for listener in self.listeners { await listener.stopAccepting() }
    self.revocationWatch.cancel()
    let left = await self.contexts.waitUntilIdle(atMost: grace)
    if left > 0 { self.logger.notice("requests are cut at shutdown", metadata: ["requests": "\(left)"]) }
    await self.contexts.cutStreams(.shutdown)
    for listener in self.listeners { await listener.close() }
    // What was cut still has its records to write.
    _ = await self.contexts.waitUntilIdle(atMost: .seconds(2))
    await self.contexts.flushRecords()
    self.log.record(.stopped(reason: "shutDown"))
    self.log.close()
  }
}

extension GatewayConfiguration.Listener {
  fileprivate func settings() throws(Problem) -> ListenerConfiguration {
    var peers: [SallyportListener.AddressRange] = []
    for range in self.clientAddress.trustedPeers { peers.append(try SallyportListener.AddressRange(range.description)) }
    return ListenerConfiguration(
      name: self.name, host: self.address.host, port: self.address.port,
      tls: ServerTLSConfiguration(
        certificateFile: self.tls.certificateFile.path, privateKeyFile: self.tls.privateKeyFile.path,
        clientCAFile: self.tls.clientCAFile?.path, minimumVersion: self.tls.minimumVersion == .tls13 ? .tls13 : .tls12,
        offersHTTP2: self.http2),
      trustedPeers: peers,
      messages: MessageLimits(headBytes: self.limits.headBytes, fieldCount: self.limits.fieldCount),
      connections: ConnectionLimits(
        total: self.limits.connections, perAddress: self.limits.connectionsPerAddress,
        streamsPerConnection: self.limits.streamsPerConnection),
      timeouts: ListenerTimeouts(
        handshake: TimeAmount(self.limits.handshakeTimeout), head: TimeAmount(self.limits.headTimeout),
        idle: TimeAmount(self.limits.idleTimeout), body: TimeAmount(self.limits.bodyTimeout)))
  }
}

extension SocketAddress {
  /// As in the configuration: `127.0.0.1:8443`, `[::1]:8443`.
  fileprivate var hostAndPort: String {
    let host = self.ipAddress ?? "?"
    return "\(host.contains(":") ? "[\(host)]" : host):\(self.port ?? 0)"
  }
}
