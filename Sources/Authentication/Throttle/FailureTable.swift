import NIOCore

/// How many failures a key may have.
struct FailureLimit: Sendable {
  /// The failures within ``per`` that lock.
  var failures: Int
  var per: TimeAmount
  var lockout: TimeAmount
}

/// Counts failures by a key and locks the keys that have too many. A value without I/O: the time is told.
///
/// The memory is bounded, and an attacker who can invent keys must not be able to push out the count of the key that is
/// under attack. So a new key takes the place of the entry that has the least to say among a few that are looked at: one
/// that is over, else an unlocked one with the fewest failures, and a locked one only where all of them are locked.
struct FailureTable<Key: Hashable & Sendable>: Sendable {
  private struct Entry: Sendable {
    let key: Key
    /// The failures within the limit's time, oldest first; never more than so many as lock.
    var failures: [NIODeadline] = []
    var lockedUntil: NIODeadline?
  }

  /// How many entries are compared when one must go.
  private static var sample: Int { 16 }

  private let capacity: Int
  private var entries: [Entry] = []
  private var indices: [Key: Int] = [:]
  private var hand = 0

  init(capacity: Int) {
    self.capacity = max(1, capacity)
  }

  var count: Int { self.entries.count }

  /// When the key's lock ends, if it is locked.
  func lockEnd(of key: Key, at now: NIODeadline) -> NIODeadline? {
    guard let index = self.indices[key], let end = self.entries[index].lockedUntil, now < end else { return nil }
    return end
  }

  /// How many more failures the key may have before it is locked.
  func remaining(for key: Key, at now: NIODeadline, _ limit: FailureLimit) -> Int {
    guard let index = self.indices[key] else { return limit.failures }
    return limit.failures - self.entries[index].failures.count { now < $0 + limit.per }
  }

  mutating func recordFailure(of key: Key, at now: NIODeadline, _ limit: FailureLimit) {
    let index = self.index(for: key, at: now, limit)
    var entry = self.entries[index]
    entry.failures.removeAll { now >= $0 + limit.per }
    entry.failures.append(now)
    if entry.failures.count >= limit.failures {
      entry.failures = []
      entry.lockedUntil = now + limit.lockout
    }
    self.entries[index] = entry
  }

  /// Forgets the key's failures, not a lock.
  mutating func forgetFailures(of key: Key) {
    guard let index = self.indices[key] else { return }
    self.entries[index].failures = []
  }

  private mutating func index(for key: Key, at now: NIODeadline, _ limit: FailureLimit) -> Int {
    if let index = self.indices[key] { return index }
    let index: Int
    if self.entries.count < self.capacity {
      index = self.entries.count
      self.entries.append(Entry(key: key))
    } else {
      index = self.indexToReuse(at: now, limit)
      self.indices[self.entries[index].key] = nil
      self.entries[index] = Entry(key: key)
    }
    self.indices[key] = index
    return index
  }

  private mutating func indexToReuse(at now: NIODeadline, _ limit: FailureLimit) -> Int {
    let candidates = (0..<min(Self.sample, self.entries.count)).map { (self.hand + $0) % self.entries.count }
    self.hand = (self.hand + candidates.count) % self.entries.count
    return candidates.min { self.weight(of: $0, at: now, limit) < self.weight(of: $1, at: now, limit) } ?? 0
  }

  /// What would be lost with an entry: nothing, some failures, a lock.
  private func weight(of index: Int, at now: NIODeadline, _ limit: FailureLimit) -> Int {
    let entry = self.entries[index]
    if let end = entry.lockedUntil, now < end { return Int.max }
    return entry.failures.count { now < $0 + limit.per }
  }
}
