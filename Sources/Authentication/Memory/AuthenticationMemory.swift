import Crypto
import NIOConcurrencyHelpers
import SallyportCore
import SallyportSessions

/// What authentication keeps from one configuration generation to the next: the judgements of the last minute, the
/// counts of failures, and the threads that passwords are verified on. One for each process.
///
/// Judgements are kept under keys that hold what the password stores depend on, a file's content included, so that a generation
/// with other stores finds none of the last one's. Nothing in here can be turned back into a password.
public final class AuthenticationMemory: Sendable, CustomReflectable {
  struct Flight: Hashable, Sendable {
    let credential: CredentialKey
    /// Failures are counted by network, so that one network does not wait for another's answer.
    let network: ClientNetwork
  }

  let pool: VerificationPool
  let verified: ShardedCache<Belief>
  let refused: ShardedCache<Problem>
  let flights = SingleFlight<Flight, AuthenticationOutcome>()
  let throttle = NIOLockedValueBox(FailureThrottle())
  let tokens: TokenMemory
  let sessionStores = SessionStores()
  let sessionLooks = SingleFlight<SessionKey, SessionAuthenticator.Look>()
  let sessionRenewals = SingleFlight<SessionKey, AuthenticationOutcome>()
  let providers = ProviderMemory()
  let accounts = NIOLockedValueBox(AccountThrottle())
  /// Random for each process.
  let processKey = SymmetricKey(size: .bits256)

  /// - Parameters:
  ///   - threads: how many passwords are verified at a time; half the machine's cores unless given. One verification
  ///     takes a core, and with yescrypt up to 256 MiB
  ///   - waiting: how many verifications may wait for a thread; the next is refused with 503
  ///   - credentials: how many good credentials are remembered, and a quarter as many bad ones
  public init(threads: Int? = nil, waiting: Int = 64, credentials: Int = 16384) {
    self.pool = VerificationPool(threads: threads, waiting: waiting)
    self.verified = ShardedCache(capacity: credentials)
    self.refused = ShardedCache(capacity: credentials / 4)
    self.tokens = TokenMemory(capacity: credentials)
  }

  /// What there is to count; for metrics.
  public struct Statistics: Sendable {
    /// Good and bad credentials that were judged by what was remembered.
    public let acceptedHits: UInt64
    public let refusedHits: UInt64
    /// Passwords that were hashed, those that run included.
    public let verifications: UInt64
    /// Passwords that are being hashed or wait for it.
    public let running: Int
  }

  public var statistics: Statistics {
    let counts = self.pool.counts
    return Statistics(
      acceptedHits: self.verified.hits, refusedHits: self.refused.hits, verifications: counts.begun, running: counts.running)
  }

  public var customMirror: Mirror { Mirror(self, children: []) }
}
