/// Edges of a graph whose edges have numbers for names: from a node, by a name, to a node.
///
/// One flat table for all nodes, so that following an edge is one or two looks into an array.
struct EdgeTable: Sendable {
  private var keys: [UInt64] = [Self.free]
  private var targets: [Int32] = [0]
  private var count = 0

  /// No node and no name has this number.
  private static let free = UInt64.max

  /// The node behind an edge; `nil` where there is no such edge.
  func target(from node: Int32, by name: Int32) -> Int32? {
    let key = Self.key(node, name)
    let mask = self.keys.count - 1
    var slot = Self.slot(key) & mask
    while self.keys[slot] != Self.free {
      if self.keys[slot] == key { return self.targets[slot] }
      slot = (slot + 1) & mask
    }
    return nil
  }

  /// Adds an edge, which must be new.
  mutating func insert(from node: Int32, by name: Int32, to target: Int32) {
    if (self.count + 1) * 2 > self.keys.count { self.grow() }
    self.place(Self.key(node, name), target)
    self.count += 1
  }

  private mutating func grow() {
    let old = zip(self.keys, self.targets).filter { $0.0 != Self.free }
    let size = max(8, self.keys.count * 2)
    self.keys = [UInt64](repeating: Self.free, count: size)
    self.targets = [Int32](repeating: 0, count: size)
    for (key, target) in old { self.place(key, target) }
  }

  private mutating func place(_ key: UInt64, _ target: Int32) {
    let mask = self.keys.count - 1
    var slot = Self.slot(key) & mask
    while self.keys[slot] != Self.free { slot = (slot + 1) & mask }
    self.keys[slot] = key
    self.targets[slot] = target
  }

  private static func key(_ node: Int32, _ name: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: node)) << 32 | UInt64(UInt32(bitPattern: name))
  }

  /// The finaliser of MurmurHash3.
  private static func slot(_ key: UInt64) -> Int {
    var mixed = key
    mixed = (mixed ^ mixed >> 33) &* 0xFF51_AFD7_ED55_8CCD
    mixed = (mixed ^ mixed >> 33) &* 0xC4CE_B9FE_1A85_EC53
    return Int(truncatingIfNeeded: mixed ^ mixed >> 33)
  }
}
