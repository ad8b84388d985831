import NIOCore

/// A bounded map whose entries end by themselves. A value without I/O: the time is told.
///
/// When it is full, the hand of a clock goes round the entries: one that has ended or was not asked for since the hand's
/// last visit makes room. Entries in use therefore survive a flood of new ones, unless all who use them remember the answer
/// (``ConnectionMemory``). A hit never walks, and an insertion walks little more than one round at worst and a step or two as a
/// rule.
struct ExpiringCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private struct Slot: Sendable {
    var key: Key
    var value: Value
    var ends: NIODeadline
    var wasAskedFor: Bool
  }

  private let capacity: Int
  private var slots: [Slot] = []
  private var indices: [Key: Int] = [:]
  private var hand = 0
  /// How often a value was found.
  private(set) var hits: UInt64 = 0

  init(capacity: Int) {
    self.capacity = max(1, capacity)
  }

  /// How many entries are held, those included that have ended and whose place nobody needed.
  var count: Int { self.slots.count }

  /// The value of a key, unless it has ended: an entry that ends at a time is gone at that time.
  mutating func value(for key: Key, at now: NIODeadline) -> Value? { self.entry(for: key, at: now)?.value }

  /// The same with the time at which the entry ends.
  mutating func entry(for key: Key, at now: NIODeadline) -> (value: Value, ends: NIODeadline)? {
    guard let index = self.indices[key], now < self.slots[index].ends else { return nil }
    self.slots[index].wasAskedFor = true
    self.hits += 1
    return (self.slots[index].value, self.slots[index].ends)
  }

  mutating func insert(_ value: Value, for key: Key, until ends: NIODeadline, at now: NIODeadline) {
    let slot = Slot(key: key, value: value, ends: ends, wasAskedFor: false)
    if let index = self.indices[key] {
      self.slots[index] = slot
    } else if self.slots.count < self.capacity {
      self.indices[key] = self.slots.count
      self.slots.append(slot)
    } else {
      let index = self.indexToReuse(at: now)
      self.indices[self.slots[index].key] = nil
      self.indices[key] = index
      self.slots[index] = slot
    }
  }

  /// Changes the value of a key that has not ended, or ends it where `change` gives none. Its time stays as it is.
  mutating func update(_ key: Key, at now: NIODeadline, _ change: (Value) -> Value?) {
    guard let index = self.indices[key], now < self.slots[index].ends else { return }
    if let value = change(self.slots[index].value) {
      self.slots[index].value = value
    } else {
      self.slots[index].ends = now
    }
  }

  private mutating func indexToReuse(at now: NIODeadline) -> Int {
    // The hand clears the marks that it passes, so that it stops within its second round at the latest.
    while true {
      let index = self.hand
      self.hand = (self.hand + 1) % self.slots.count
      if now >= self.slots[index].ends || !self.slots[index].wasAskedFor { return index }
      self.slots[index].wasAskedFor = false
    }
  }
}
