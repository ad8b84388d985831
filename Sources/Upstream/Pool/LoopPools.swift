import Logging
import NIOCore
import SallyportCore

/// The pools of one upstream on one event loop: one for each client certificate that requests may come with.
final class LoopPools {
  private var pools: [PoolKey: ConnectionPool] = [:]
  /// What the last request asked for: most ask for the same, and a key is four strings to be hashed.
  private var last: (identity: UpstreamCredential.ConnectionIdentity, pool: ConnectionPool)?
  private let plan: UpstreamPlan

  init(_ plan: UpstreamPlan, eventLoop: any EventLoop, number: Int, logger: Logger) {
    self.plan = plan
    for (key, endpoints) in plan.endpoints {
      self.pools[key] = ConnectionPool(
        // The event loops begin at different servers, so that the first requests do not all meet at one.
        key: key, endpoints: endpoints, firstServer: number, limits: plan.limits, connectTimeout: plan.connectTimeout,
        eventLoop: eventLoop, logger: logger)
    }
  }

  /// The pool for a connection identity; `nil` for a client certificate that the upstream is not configured with.
  func pool(for identity: UpstreamCredential.ConnectionIdentity) -> ConnectionPool? {
    if let last, last.identity == identity { return last.pool }
    guard let pool = self.pools[self.plan.key(for: identity)] else { return nil }
    self.last = (identity, pool)
    return pool
  }

  func close() {
    for pool in self.pools.values { pool.close() }
  }

  func retire() {
    for pool in self.pools.values { pool.retire() }
  }

  /// What the pools of this event loop have done and hold.
  var statistics: UpstreamStatistics {
    self.pools.values.reduce(into: UpstreamStatistics()) { sum, pool in
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
  }

  func key(for identity: UpstreamCredential.ConnectionIdentity) -> PoolKey {
    PoolKey(
      upstream: self.upstream, serverName: self.serverName, trustRoots: self.trustRoots,
      certificateFingerprint: identity.certificateFingerprint)
  }
}
