/// Edges of a graph whose edges have numbers for names: from a node, by a name, to a node.
///
/// One flat table for all nodes, so that following an edge is one or two looks into an array.
struct EdgeTable: ~Copyable, Sendable {
  // Not private: the compiler (6.3.1) fails on a generic type of another file over a private one.
  struct Edge: BitwiseCopyable, Sendable {
    let key: UInt64
    let target: Int32
  }

  private let slots: FrozenArray<Edge>

  /// A table that edges are still put into.
  struct Draft: Sendable {
    fileprivate private(set) var targets: [UInt64: Int32] = [:]

    /// The node behind an edge; `nil` where there is no such edge.
    func target(from node: Int32, by name: Int32) -> Int32? { self.targets[EdgeTable.key(node, name)] }

    /// Adds an edge, which must be new.
    mutating func insert(from node: Int32, by name: Int32, to target: Int32) { self.targets[EdgeTable.key(node, name)] = target }
  }

  /// No node and no name has this number.
  private static let free = Edge(key: .max, target: 0)

  init(_ draft: Draft) {
    var size = 2
    while size < draft.targets.count * 2 { size *= 2 }
    var slots = [Edge](repeating: Self.free, count: size)
    for (key, target) in draft.targets {
      var slot = Self.slot(key) & (size - 1)
      while slots[slot].key != Self.free.key { slot = (slot + 1) & (size - 1) }
      slots[slot] = Edge(key: key, target: target)
    }
    self.slots = FrozenArray(slots)
  }

  /// The node behind an edge; `nil` where there is no such edge.
  func target(from node: Int32, by name: Int32) -> Int32? {
    let key = Self.key(node, name)
    let mask = self.slots.count - 1
    var slot = Self.slot(key) & mask
    while true {
      let edge = self.slots[slot]
      if edge.key == key { return edge.target }
      // Half of the places are free.
      if edge.key == .max { return nil }
      slot = (slot + 1) & mask
    }
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
