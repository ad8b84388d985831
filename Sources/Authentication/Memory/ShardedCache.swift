import NIOConcurrencyHelpers
import NIOCore

/// An ``ExpiringCache`` of credentials that all event loops share, in shards with a lock each.
///
/// A lock is held for one look-up, so that two event loops seldom meet at one; sharing by shards rather than a cache for
/// each event loop means that a password is verified once and not once for each loop.
final class ShardedCache<Value: Sendable>: Sendable {
  private let shards: [NIOLockedValueBox<ExpiringCache<CredentialKey, Value>>]

  /// - Parameter capacity: the most entries of all shards together
  init(capacity: Int, shards: Int = 16) {
    let share = (capacity + shards - 1) / shards
    self.shards = (0..<shards).map { _ in NIOLockedValueBox(ExpiringCache(capacity: share)) }
  }

  /// How often a value was found.
  var hits: UInt64 { self.shards.reduce(0) { $0 + $1.withLockedValue { $0.hits } } }

  func value(for key: CredentialKey, at now: NIODeadline) -> Value? {
    self.shard(of: key).withLockedValue { $0.value(for: key, at: now) }
  }

  /// The same with the time at which the entry ends.
  func entry(for key: CredentialKey, at now: NIODeadline) -> (value: Value, ends: NIODeadline)? {
    self.shard(of: key).withLockedValue { $0.entry(for: key, at: now) }
  }

  func insert(_ value: Value, for key: CredentialKey, until ends: NIODeadline, at now: NIODeadline) {
    self.shard(of: key).withLockedValue { $0.insert(value, for: key, until: ends, at: now) }
  }

  /// Changes the value of a key that has not ended, or ends it where `change` gives none.
  func update(_ key: CredentialKey, at now: NIODeadline, _ change: (Value) -> Value?) {
    self.shard(of: key).withLockedValue { $0.update(key, at: now, change) }
  }

  private func shard(of key: CredentialKey) -> NIOLockedValueBox<ExpiringCache<CredentialKey, Value>> {
    self.shards[key.shard(of: self.shards.count)]
  }
}
