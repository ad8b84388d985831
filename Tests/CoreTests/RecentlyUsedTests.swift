import SallyportCore
import Testing

/// The bounded map, held against one that is written without any cleverness.
@Suite struct RecentlyUsedTests {
  /// Keys in the order of their use, the most recent last.
  private struct Model {
    var entries: [(key: Int, value: Int)] = []
    let capacity: Int

    mutating func value(for key: Int) -> Int? {
      guard let index = self.entries.firstIndex(where: { $0.key == key }) else { return nil }
      let entry = self.entries.remove(at: index)
      self.entries.append(entry)
      return entry.value
    }

    mutating func insert(_ value: Int, for key: Int) -> [Int] {
      var removed: [Int] = []
      if let index = self.entries.firstIndex(where: { $0.key == key }) { removed.append(self.entries.remove(at: index).value) }
      while self.entries.count >= self.capacity { removed.append(self.entries.removeFirst().value) }
      self.entries.append((key, value))
      return removed
    }
  }

  @Test(arguments: [1, 2, 3, 8]) func itForgetsWhatTheModelForgets(_ capacity: Int) {
    var map = RecentlyUsed<Int, Int>(capacity: capacity)
    var model = Model(capacity: capacity)
    var random = SystemRandomNumberGenerator()
    for step in 0..<20_000 {
      let key = Int.random(in: 0..<12, using: &random)
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<5: #expect(map.value(for: key) == model.value(for: key))
      case 5..<8: #expect(map.insert(step, for: key) == model.insert(step, for: key))
      case 8:
        let index = model.entries.firstIndex { $0.key == key }
        #expect(map.remove(key) == index.map { model.entries.remove(at: $0).value })
      default:
        let isEven = model.entries.first.map { $0.value % 2 == 0 } ?? false
        #expect(map.removeOldest { $0 % 2 == 0 } == (isEven ? model.entries.removeFirst().value : nil))
      }
      #expect(map.count == model.entries.count && map.values.sorted() == model.entries.map(\.value).sorted())
    }
  }
}
