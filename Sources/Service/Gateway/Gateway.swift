public import Logging
import NIOConcurrencyHelpers
public import NIOCore
import SallyportAudit
import SallyportAuthentication
public import SallyportConfiguration
import SallyportCore
import SallyportListener
public import SallyportMetrics
import SallyportStrictYAML

/// A running gateway: the listeners, what they hand requests to, the audit log, and what the operator sees of it.
public final class Gateway: Sendable {
  struct State: Sendable {
    var configuration: GatewayConfiguration
    var generation: Generation
    /// In the order of the configuration.
    var listeners: [Listener]
    var admin: Listener?
    var control: UnixListener?
    /// Listeners that a reload removed, while connections of theirs are open.
    var retired: [Listener] = []
    var isReloading = false
    /// Whether new API descriptions are being taken into use.
    var isAdopting = false
    var isDraining = false
    /// Whether whoever asked for the end asked again.
    var isHurried = false

    var all: [Listener] { self.listeners + self.retired }
  }

  let state: NIOLockedValueBox<State>
  let contexts: LoopContexts
  let log: AuditLog
  let logger: Logger
  let group: any EventLoopGroup
  /// The part of what outlives generations that is not in ``state``.
  let continuation: Continuation
  let receiver: GatewayReceiver
  let reloads: ReloadStatus
  let revocationWatch: Task<Void, Never>
  let credentialWatch: Task<Void, Never>
  let sessionWatch: Task<Void, Never>

  /// The checks behind `/readyz`. Add to them what else must hold for the gateway to serve.
  public let readiness = Readiness()
  /// What `/metrics` shows; see there for how to add to it.
  public let metrics: MetricRegistry

  /// Where the listeners listen, in the order of the configuration, with the ports that they got.
  public var addresses: [SocketAddress] { self.listeners.map(\.localAddress) }
  /// Where the admin listener listens; `nil` where there is none.
  public var adminAddress: SocketAddress? { self.state.withLockedValue { $0.admin?.localAddress } }
  var listeners: [Listener] { self.state.withLockedValue { $0.listeners } }
  /// The configuration that is in force.
  public var configuration: GatewayConfiguration { self.state.withLockedValue { $0.configuration } }

  private init(
    _ state: State, contexts: LoopContexts, receiver: GatewayReceiver, continuation: Continuation, log: AuditLog,
    group: any EventLoopGroup, metrics: MetricRegistry, logger: Logger
  ) {
    self.state = NIOLockedValueBox(state)
    self.contexts = contexts
    self.receiver = receiver
    self.continuation = continuation
    self.log = log
    self.group = group
    self.metrics = metrics
    self.reloads = ReloadStatus(metrics)
    self.revocationWatch = Task { await RevocationWatch(contexts: contexts, logger: logger).run() }
    self.credentialWatch = Task { await CredentialWatch(contexts: contexts, logger: logger).run() }
    let endings = continuation.sessionEndings
    self.sessionWatch = Task { await SessionWatch(contexts: contexts, endings: endings, logger: logger).run() }
    self.logger = logger
  }

  /// Reads everything that the configuration names, opens the audit log and begins to listen.
  ///
  /// - Parameters:
  ///   - group: the event loops that requests are served on
  ///   - metrics: where the gateway's counts are to be found
  /// - Throws: ``StartFault`` with all that is wrong; nothing is left running then.
  public static func start(
    _ configuration: GatewayConfiguration, group: any EventLoopGroup, logger: Logger, metrics: MetricRegistry = MetricRegistry()
  ) async throws(StartFault) -> Gateway {
    try await self.start(configuration, group: group, logger: logger, metrics: metrics) { files throws(Problem) in try AuditLog(files) }
  }

  /// Starts with an audit log that a test has put something before.
  static func start(
    _ configuration: GatewayConfiguration, group: any EventLoopGroup, logger: Logger, metrics: MetricRegistry = MetricRegistry(),
    catalogues: CatalogueSource.Limits = .init(), openLog: (AuditLogConfiguration) throws(Problem) -> AuditLog
  ) async throws(StartFault) -> Gateway {
    for fault in configuration.checkFiles() where fault.severity == .warning { logger.warning("\(fault)") }
    let continuation = Continuation(catalogues: catalogues)
    let parts = try self.read(configuration, continuing: continuation, group: group, logger: logger)
    // An upstream that is down keeps nobody from starting: policies that need its description deny until it is there.
    let prepared = try await continuation.catalogues.prepare(parts.generation, on: group.next(), logger: logger)
    let generation = parts.generation.knowing(prepared.catalogues)
    self.report(generation.unknownNames, logger)
    let log = try self.openLog(configuration.audit, openLog)
    generation.authenticator.begin()
    let contexts = LoopContexts(group: group, log: log, generation: generation)
    let receiver = GatewayReceiver(contexts: contexts)
    var listeners: [Listener] = []
    do throws(StartFault) {
      for listener in parts.listeners {
        do throws(Problem) {
          listeners.append(try await Listener.start(listener, receiver: receiver, group: group, logger: logger))
        } catch {
          throw StartFault(error)
        }
      }
      let gateway = Gateway(
        State(configuration: configuration, generation: generation, listeners: listeners), contexts: contexts, receiver: receiver,
        continuation: continuation, log: log, group: group, metrics: metrics, logger: logger)
      gateway.addChecks()
      gateway.addMetrics()
      gateway.addCatalogueState()
      do throws(StartFault) {
        try await gateway.startOperatorsDoors(parts.admin)
      } catch {
        gateway.revocationWatch.cancel()
        gateway.credentialWatch.cancel()
        gateway.sessionWatch.cancel()
        throw error
      }
      log.record(.started(configuration: generation.hash))
      gateway.announce(listeners)
      continuation.catalogues.follow(prepared)
      continuation.catalogues.onChange { [weak gateway] in await gateway?.adoptCatalogues() }
      return gateway
    } catch {
      for listener in listeners { await listener.close() }
      log.close()
      throw error
    }
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

  /// Opens what is for the operator: the admin listener and the control socket, where the configuration has them.
  private func startOperatorsDoors(_ prepared: PreparedListener?) async throws(StartFault) {
    var admin: Listener?
    do throws(Problem) {
      if let prepared { admin = try await self.adminListener(prepared) }
    } catch {
      throw StartFault(error)
    }
    do throws(StartFault) {
      if let control = self.configuration.control {
        let listener = try await self.openControl(control)
        self.state.withLockedValue { $0.control = listener }
      }
    } catch {
      await admin?.close()
      throw error
    }
    self.state.withLockedValue { [admin] in $0.admin = admin }
  }

  /// Starts an admin listener beside the one that there may be.
  func adminListener(_ prepared: PreparedListener) async throws(Problem) -> Listener {
    let admin = try await Listener.start(
      prepared, receiver: AdminReceiver(readiness: self.readiness, metrics: self.metrics), group: self.group, logger: self.logger)
    self.logger.notice("the admin listener listens", metadata: ["address": "\(admin.localAddress.hostAndPort)"])
    return admin
  }

  func announce(_ listeners: [Listener]) {
    for listener in listeners {
      self.logger.notice("listening", metadata: ["listener": "\(listener.name)", "address": "\(listener.localAddress.hostAndPort)"])
    }
  }
}
