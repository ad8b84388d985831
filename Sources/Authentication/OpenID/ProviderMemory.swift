import NIOConcurrencyHelpers
import NIOCore

/// What is kept of sign-ins by OpenID providers from one configuration generation to the next: what counts once, and how many are
/// under way.
final class ProviderMemory: Sendable {
  /// How many codes are exchanged at a time.
  private static let mostExchanges = 64

  /// By words that nobody else has: the states of sign-ins, the `jti` of logout tokens.
  private let spent = NIOLockedValueBox(ExpiringCache<String, Bool>(capacity: 16_384))
  private let exchanges = NIOLockedValueBox(0)

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
