import Crypto
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
public import SallyportRedis
public import SallyportSessions

/// Where sessions are kept that several gateways share; without it they are in the process's memory, and end with it.
public struct SharedSessions: Sendable {
  /// The same for all gateways that share them.
  public var keys: SessionKeys
  public var redis: RedisConfiguration
  /// Tells another server, another login or other keys from these; without a secret in it.
  public var fingerprint: [UInt8]

  public init(keys: SessionKeys, redis: RedisConfiguration, fingerprint: [UInt8]) {
    self.keys = keys
    self.redis = redis
    self.fingerprint = fingerprint
  }
}

/// The sessions of a process, which outlive its configuration generations: those in memory, and those on the server that the
/// configuration names now.
final class SessionStores: Sendable {
  private struct Shared: Sendable {
    let fingerprint: [UInt8]
    let keeper: SessionKeeper<OpenSession>
  }

  let memory = MemorySessionStore()
  let memoryKeys = SessionKeys.random()
  private let inMemory: SessionKeeper<OpenSession>
  private let shared = NIOLockedValueBox<Shared?>(nil)

  init() { self.inMemory = SessionKeeper(keys: self.memoryKeys, store: self.memory, open: OpenSession.init) }

  /// The keeper of the sessions; the one that there is, unless the configuration names another place.
  func keeper(of settings: SharedSessions?) -> SessionKeeper<OpenSession> {
    guard let settings else { return self.inMemory }
    return self.shared.withLockedValue { shared in
      if let shared, shared.fingerprint == settings.fingerprint { return shared.keeper }
      let client = RedisClient(settings.redis, on: MultiThreadedEventLoopGroup.singleton.next())
      let keeper = SessionKeeper(keys: settings.keys, store: RedisSessionStore(client), open: OpenSession.init)
      shared = Shared(fingerprint: settings.fingerprint, keeper: keeper)
      return keeper
    }
  }
}
