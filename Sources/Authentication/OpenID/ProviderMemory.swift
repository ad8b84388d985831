import NIOConcurrencyHelpers
import NIOCore
import SallyportSessions

/// What is kept of sign-ins by OpenID providers from one configuration generation to the next: what counts once, and how many are
/// under way.
final class ProviderMemory: Sendable {
  /// How many codes are exchanged at a time.
  private static let mostExchanges = 64

  /// By words that nobody else has: the states of sign-ins, the `jti` of logout tokens.
  private let spent = NIOLockedValueBox(ExpiringCache<String, Bool>(capacity: 16_384))
  private let exchanges = NIOLockedValueBox(0)
  /// The sessions about which a provider was asked in vain a moment ago.
  private let pausing = NIOLockedValueBox(ExpiringCache<SessionKey, Bool>(capacity: 16_384))
  /// How long it is not asked again, however many requests want to know.
  private static let pause = TimeAmount.seconds(5)

  /// Whether something counts now, because it never did before.
  func spend(_ word: String, for time: TimeAmount, at now: NIODeadline) -> Bool {
    self.spent.withLockedValue { spent in
      guard spent.value(for: word, at: now) == nil else { return false }
      spent.insert(true, for: word, until: now + time, at: now)
      return true
    }
  }

  /// It did not come to anything, and may count again.
  func unspend(_ word: String, at now: NIODeadline) { self.spent.withLockedValue { $0.update(word, at: now) { _ in nil } } }

  func pause(_ session: SessionKey, at now: NIODeadline) {
    self.pausing.withLockedValue { $0.insert(true, for: session, until: now + Self.pause, at: now) }
  }

  func isPausing(_ session: SessionKey, at now: NIODeadline) -> Bool {
    self.pausing.withLockedValue { $0.value(for: session, at: now) == true }
  }

  /// - Returns: `false` where too many are under way; otherwise ``endExchange()`` is called in every case
  func beginExchange() -> Bool {
    self.exchanges.withLockedValue { count in
      guard count < Self.mostExchanges else { return false }
      count += 1
      return true
    }
  }

  func endExchange() { self.exchanges.withLockedValue { $0 -= 1 } }
}
