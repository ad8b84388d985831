/// How many observations fell into which of some fixed ranges. Plain integers: whoever owns it counts without a lock.
public struct HistogramCounts: Sendable, Equatable {
  /// The upper ends of the ranges, ascending and inclusive; what is above the last is counted by ``count`` alone.
  public let bounds: HistogramBounds
  /// For each bound, how many observations were at most that and more than the bound before.
  public private(set) var counts: [UInt64]
  public private(set) var count: UInt64 = 0
  /// In the unit of the observations.
  public private(set) var sum: Double = 0

  public init(_ bounds: HistogramBounds) {
    self.bounds = bounds
    self.counts = Array(repeating: 0, count: bounds.values.count)
  }

  /// Counts one observation, in the unit of the bounds.
  public mutating func observe(_ value: Double) {
    self.count += 1
    self.sum += value
    // A dozen comparisons, the most frequent ones first: quicker than a search.
    for index in self.bounds.values.indices where value <= self.bounds.values[index] {
      self.counts[index] += 1
      return
    }
  }

  /// Adds what another counted over the same bounds.
  public mutating func add(_ other: HistogramCounts) {
    precondition(self.bounds == other.bounds, "histograms of other ranges were added")
    self.count += other.count
    self.sum += other.sum
    for index in self.counts.indices { self.counts[index] += other.counts[index] }
  }
}

/// The ranges of a histogram.
public struct HistogramBounds: Sendable, Equatable {
  public let values: [Double]

  /// - Parameter values: ascending
  public init(_ values: [Double]) {
    precondition(zip(values, values.dropFirst()).allSatisfy { $0 < $1 }, "bounds ascend")
    self.values = values
  }

  /// For latencies in seconds: from a millisecond to a minute.
  public static let latency = HistogramBounds([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60])
}
