/// Reproducible chance: the same seed gives the same sequence everywhere, so that a failure can be repeated.
///
/// SplitMix64, of Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
public struct Chance: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) { self.state = seed }

  public mutating func next() -> UInt64 {
    self.state &+= 0x9E37_79B9_7F4A_7C15
    var value = self.state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }

  /// Whether something happens that does so once in `rarity` times.
  public mutating func once(in rarity: Int) -> Bool { Int.random(in: 0..<rarity, using: &self) == 0 }

  public mutating func pick<Element>(_ choices: [Element]) -> Element { choices[Int.random(in: 0..<choices.count, using: &self)] }

  public mutating func count(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

  /// Up to `most` places at which `length` bytes are cut, ascending.
  public mutating func cuts(of length: Int, most: Int) -> [Int] {
    (0..<self.count(0...most)).map { _ in self.count(0...length) }.sorted()
  }
}
