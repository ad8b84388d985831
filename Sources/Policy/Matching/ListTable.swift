/// Lists of numbers by a number, one behind the other in one array.
struct ListTable: ~Copyable, Sendable {
  /// Where each list begins in `values`, and behind the last where that ends.
  private let starts: FrozenArray<Int32>
  private let values: FrozenArray<Int32>

  init(_ lists: [[Int32]] = []) {
    var (starts, values): ([Int32], [Int32]) = ([0], [])
    for list in lists {
      values += list
      starts.append(Int32(values.count))
    }
    self.starts = FrozenArray(starts)
    self.values = FrozenArray(values)
  }

  /// The places of a list's numbers; of none for a list that there is not.
  @inline(__always)
  func places(of list: Int) -> Range<Int> {
    guard list + 1 < self.starts.count else { return 0..<0 }
    return Int(self.starts[list])..<Int(self.starts[list + 1])
  }

  @inline(__always)
  subscript(place: Int) -> Int32 { self.values[place] }

  @inline(__always)
  func isEmpty(_ list: Int) -> Bool { self.places(of: list).isEmpty }

  /// Calls `body` with a list's numbers until it says `false`.
  @inline(__always)
  func forEach(of list: Int, _ body: (Int32) -> Bool) {
    for place in self.places(of: list) where !body(self.values[place]) { return }
  }
}
