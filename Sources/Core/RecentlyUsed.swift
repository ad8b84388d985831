/// A bounded map that forgets what was asked for least recently. A value without I/O and without a clock.
///
/// Every call takes a constant time: the entries are a doubly linked list in the order of their use.
public struct RecentlyUsed<Key: Hashable, Value> {
  fileprivate struct Entry {
    var key: Key
    var value: Value
    /// Towards the most recently used one; -1 at the end of the list.
    var newer: Int
    var older: Int
  }

  public let capacity: Int
  private var entries: [Entry?] = []
  private var indices: [Key: Int] = [:]
  private var free: [Int] = []
  private var newest = -1
  private var oldest = -1

  public init(capacity: Int) { self.capacity = max(1, capacity) }

  public var count: Int { self.indices.count }
  /// In no order.
  public var values: [Value] { self.entries.compactMap { $0?.value } }

  /// The value of a key, which counts as its use.
  public mutating func value(for key: Key) -> Value? {
    guard let index = self.indices[key], let entry = self.entries[index] else { return nil }
    if index != self.newest {
      self.unlink(index)
      self.linkNewest(index)
    }
    return entry.value
  }

  /// Sets the value of a key, as its use.
  ///
  /// - Returns: what had to go for it, the value that the key had before among it
  @discardableResult
  public mutating func insert(_ value: Value, for key: Key) -> [Value] {
    var removed: [Value] = []
    if let old = self.remove(key) { removed.append(old) }
    while self.indices.count >= self.capacity, let old = self.removeOldest() { removed.append(old) }
    let index = self.free.popLast() ?? self.entries.count
    let entry = Entry(key: key, value: value, newer: -1, older: -1)
    if index == self.entries.count { self.entries.append(entry) } else { self.entries[index] = entry }
    self.indices[key] = index
    self.linkNewest(index)
    return removed
  }

  @discardableResult
  public mutating func remove(_ key: Key) -> Value? {
    guard let index = self.indices.removeValue(forKey: key), let entry = self.entries[index] else { return nil }
    self.unlink(index)
    self.entries[index] = nil
    self.free.append(index)
    return entry.value
  }

  /// Removes the least recently used entry, if it fits.
  ///
  /// - Returns: `nil` where it does not, and where there is none
  public mutating func removeOldest(where condition: (Value) -> Bool = { _ in true }) -> Value? {
    guard self.oldest >= 0, let entry = self.entries[self.oldest], condition(entry.value) else { return nil }
    return self.remove(entry.key)
  }

  private mutating func unlink(_ index: Int) {
    guard let entry = self.entries[index] else { return }
    if entry.newer >= 0 { self.entries[entry.newer]?.older = entry.older } else { self.newest = entry.older }
    if entry.older >= 0 { self.entries[entry.older]?.newer = entry.newer } else { self.oldest = entry.newer }
  }

  private mutating func linkNewest(_ index: Int) {
    self.entries[index]?.newer = -1
    self.entries[index]?.older = self.newest
    if self.newest >= 0 { self.entries[self.newest]?.newer = index } else { self.oldest = index }
    self.newest = index
  }
}

extension RecentlyUsed: Sendable where Key: Sendable, Value: Sendable {}
extension RecentlyUsed.Entry: Sendable where Key: Sendable, Value: Sendable {}
