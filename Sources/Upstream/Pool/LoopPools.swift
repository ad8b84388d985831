import Logging
import NIOCore
import SallyportCore

/// The pools of one upstream on one event loop: one for each client certificate that the upstream is configured with, and one
/// for each that was made for an identity and is in use.
final class LoopPools {
  private var pools: [PoolKey: ConnectionPool] = [:]
  /// Those of certificates that were made for identities. When there are too many, the one whose last new request is longest
  /// ago goes: its idle connections end now, those in use behind their request.
  private var minted: RecentlyUsed<PoolKey, MintedPool>
  /// What the last request asked for: most ask for the same, and a key is four strings to be hashed.
  private var last: (identity: UpstreamCredential.ConnectionIdentity, pool: ConnectionPool)?
  private let plan: UpstreamPlan
  private let eventLoop: any EventLoop
  private let number: Int
  private let logger: Logger
  private var isClosed = false
  /// What happened in pools that are gone.
  private var pastEvents = PoolEvents()

  private struct MintedPool {
    let pool: ConnectionPool
    /// When the certificate ends.
    let ends: NIODeadline
  }

  init(_ plan: UpstreamPlan, eventLoop: any EventLoop, number: Int, logger: Logger) {
    self.plan = plan
    self.eventLoop = eventLoop
    self.number = number
    self.logger = logger
    self.minted = RecentlyUsed(capacity: plan.maximumIdentities)
    for (key, endpoints) in plan.endpoints { self.pools[key] = self.makePool(key, endpoints) }
  }

  private func makePool(_ key: PoolKey, _ endpoints: [Endpoint]) -> ConnectionPool {
    ConnectionPool(
      // The event loops begin at different servers, so that the first requests do not all meet at one.
      key: key, endpoints: endpoints, firstServer: self.number, limits: self.plan.limits, connectTimeout: self.plan.connectTimeout,
      eventLoop: self.eventLoop, logger: self.logger)
  }

  /// The pool of the connections that a credential names.
  ///
  /// - Returns: `nil` for a client certificate that the upstream is not configured with and that does not come with the
  ///   credential, and for one that cannot be presented
  func pool(for credential: UpstreamCredential) -> ConnectionPool? {
    let identity = credential.connection
    if let last, last.identity == identity { return last.pool }
    let key = self.plan.key(for: identity)
    guard let pool = self.pools[key] ?? credential.certificate.flatMap({ self.pool(key, presenting: $0) }) else { return nil }
    self.last = (identity, pool)
    return pool
  }

  private func pool(_ key: PoolKey, presenting certificate: PresentedCertificate) -> ConnectionPool? {
    if let known = self.minted.value(for: key) { return known.pool }
    guard !self.isClosed, let endpoints = self.plan.minted.endpoints(for: key, presenting: certificate) else { return nil }
    let now = self.eventLoop.now
    while let old = self.minted.removeOldest(where: { $0.ends <= now }) { self.forget(old.pool) }
    let pool = self.makePool(key, endpoints)
    for old in self.minted.insert(MintedPool(pool: pool, ends: certificate.ends), for: key) { self.forget(old.pool) }
    return pool
  }

  private func forget(_ pool: ConnectionPool) {
    if self.last?.pool === pool { self.last = nil }
    self.pastEvents += pool.events
    pool.retire()
  }

  private var all: [ConnectionPool] { Array(self.pools.values) + self.minted.values.map(\.pool) }

  func close() {
    self.isClosed = true
    for pool in self.all { pool.close() }
  }

  func retire() {
    for pool in self.all { pool.retire() }
  }

  /// How many pools of certificates there are that were made for identities.
  var mintedPoolCount: Int { self.minted.count }

  /// What the pools of this event loop have done and hold.
  var statistics: UpstreamStatistics {
    self.all.reduce(into: UpstreamStatistics(events: self.pastEvents)) { sum, pool in
      let occupancy = pool.occupancy
      sum.connections += occupancy.connections
      sum.idle += occupancy.idle
      sum.waiting += occupancy.waiting
      sum.events += pool.events
    }
  }
}

/// What the pools of all event loops are made from, read once from the configuration.
struct UpstreamPlan: Sendable {
  let endpoints: [PoolKey: [Endpoint]]
  let limits: PoolStateMachine.Limits
  let connectTimeout: TimeAmount
  /// The endpoints of certificates that were made for identities.
  let minted: MintedEndpoints
  /// How many such certificates have pools on one event loop.
  let maximumIdentities: Int
  private let upstream: String
  private let serverName: String
  private let trustRoots: String

  init(_ configuration: UpstreamConfiguration) throws(Problem) {
    guard !configuration.servers.isEmpty else {
      throw .upstreamConfiguration.with(detail: "\(configuration.name): no servers; at least one URL would be right")
    }
    if let plain = configuration.servers.first(where: { !$0.tls }), !configuration.clientCertificates.isEmpty {
      throw .upstreamConfiguration.with(
        detail: "\(configuration.name): \(plain) is not TLS, so no client certificate can be presented to it; https:// would be right")
    }
    let tls = try ClientTLS(configuration)
    self.upstream = configuration.name
    self.serverName = configuration.serverName ?? ""
    self.trustRoots = tls.rootsFingerprint
    var endpoints: [PoolKey: [Endpoint]] = [:]
    for (identity, context) in tls.contexts {
      let key = PoolKey(
        upstream: configuration.name, serverName: configuration.serverName ?? "", trustRoots: tls.rootsFingerprint,
        certificateFingerprint: identity.certificateFingerprint)
      var list: [Endpoint] = []
      for server in configuration.servers { list.append(try Endpoint(server, of: configuration, tls: context)) }
      endpoints[key] = list
    }
    self.endpoints = endpoints
    self.limits = PoolStateMachine.Limits(
      connections: max(1, configuration.maximumConnectionsPerEventLoop), waiters: max(0, configuration.maximumWaitingPerEventLoop),
      idleTimeout: configuration.idleTimeout, waitLimit: configuration.waitLimit)
    self.connectTimeout = configuration.connectTimeout
    self.minted = MintedEndpoints(configuration, trusting: tls.trustRoots)
    self.maximumIdentities = max(1, configuration.maximumIdentitiesPerEventLoop)
  }

  func key(for identity: UpstreamCredential.ConnectionIdentity) -> PoolKey {
    PoolKey(
      upstream: self.upstream, serverName: self.serverName, trustRoots: self.trustRoots,
      certificateFingerprint: identity.certificateFingerprint)
  }
}
