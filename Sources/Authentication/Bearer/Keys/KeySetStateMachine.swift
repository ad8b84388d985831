import NIOCore
import SallyportJOSE

/// Decides when an issuer's keys are fetched: at the start, every few minutes, and when a token names a key that is not
/// known, but not at the pace of whoever sends such tokens. The last good keys are kept while the issuer is away.
///
/// A value without I/O: the time is told, and what is to be done is returned.
struct KeySetStateMachine {
  struct Settings: Sendable {
    /// How old keys may get before they are fetched anew, in the background.
    var refresh: TimeAmount = .minutes(10)
    /// The least time between two fetches that tokens with unknown keys cause.
    var unknownKeyInterval: TimeAmount = .seconds(10)
    /// The first wait behind a failed fetch; it doubles up to ``longestRetry``, so that a provider that is back is in use within
    /// five seconds.
    var retry: TimeAmount = .seconds(1)
    var longestRetry: TimeAmount = .seconds(4)
  }

  private enum State {
    case idle
    case fetching(since: NIODeadline)
  }

  private let settings: Settings
  private var state = State.idle
  private(set) var keys: KeySet?
  /// When the present keys came.
  private(set) var fetched: NIODeadline?
  private var lastUnknownKeyFetch: NIODeadline?
  private var failures = 0
  private var nextAttempt: NIODeadline?

  init(settings: Settings = Settings()) { self.settings = settings }

  enum Action: Equatable {
    case none
    case fetch
  }

  /// Time passes; called at the start and from time to time.
  mutating func tick(at now: NIODeadline) -> Action {
    guard case .idle = self.state, self.isDue(at: now) else { return .none }
    self.state = .fetching(since: now)
    return .fetch
  }

  private func isDue(at now: NIODeadline) -> Bool {
    if let nextAttempt { return now >= nextAttempt }
    guard let fetched else { return true }
    return now >= fetched + self.settings.refresh
  }

  enum UnknownKeyAction: Equatable {
    /// Fetch, and judge the token again with what comes.
    case fetch
    /// A fetch is under way: wait for it.
    case wait
    /// The keys were just fetched for another unknown key, or fetching has just failed: the token is refused.
    case refuse
  }

  /// A token names a key that is not there, or there are no keys yet.
  mutating func unknownKey(at now: NIODeadline) -> UnknownKeyAction {
    if case .fetching = self.state { return .wait }
    if let nextAttempt, now < nextAttempt { return .refuse }
    if let last = self.lastUnknownKeyFetch, now < last + self.settings.unknownKeyInterval { return .refuse }
    self.lastUnknownKeyFetch = now
    self.state = .fetching(since: now)
    return .fetch
  }

  mutating func fetched(_ keys: KeySet, at now: NIODeadline) {
    self.state = .idle
    self.keys = keys
    self.fetched = now
    self.failures = 0
    self.nextAttempt = nil
  }

  mutating func failed(at now: NIODeadline) {
    self.state = .idle
    self.failures += 1
    let doubled = self.settings.retry.nanoseconds << Int64(min(self.failures - 1, 16))
    self.nextAttempt = now + .nanoseconds(min(doubled, self.settings.longestRetry.nanoseconds))
  }
}
