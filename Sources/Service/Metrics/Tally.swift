/// Counts of a few different things: a short list that is searched from its front, because most requests are alike.
///
/// It is bounded: what comes when it is full is counted as ``others``.
struct Tally<Key: Hashable & Sendable>: Sendable {
  struct Entry: Sendable {
    let key: Key
    var count: UInt64
  }

  private(set) var entries: [Entry] = []
  private(set) var others: UInt64 = 0
  private let limit: Int

  init(limit: Int = 256) { self.limit = limit }

  mutating func count(_ key: Key, _ amount: UInt64 = 1) {
    for index in self.entries.indices where self.entries[index].key == key {
      self.entries[index].count += amount
      return
    }
    guard self.entries.count < self.limit else { return self.others += amount }
    self.entries.append(Entry(key: key, count: amount))
  }

  mutating func add(_ other: Tally) {
    for entry in other.entries { self.count(entry.key, entry.count) }
    self.others += other.others
  }
}
