import TestSupport

/// Small damage to a message's bytes.
struct Mutation {
  private static let interesting: [UInt8] =
    [0x00, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x20, 0x7F, 0x80, 0x85, 0xA0, 0xC3, 0xFF]
    + Array("0159aAfFxZ:;,.-_+/?#%&=()[]{}\"'\\@!~^`|<>".utf8)

  /// Damages `bytes` at one to three places.
  static func apply(to bytes: inout [UInt8], by chance: inout Chance) {
    for _ in 0..<chance.pick([1, 1, 1, 2, 3]) {
      guard !bytes.isEmpty else { return }
      let place = chance.count(0...bytes.count - 1)
      switch chance.count(0...7) {
      case 0, 1: bytes[place] = chance.pick(self.interesting)
      case 2, 3: bytes.insert(chance.pick(self.interesting), at: place)
      case 4: bytes.remove(at: place)
      case 5: bytes.removeSubrange(place..<min(bytes.count, place + chance.count(1...8)))
      case 6: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + chance.count(1...20))], at: chance.count(0...bytes.count))
      default: self.moveALine(in: &bytes, by: &chance)
      }
    }
  }

  private static func moveALine(in bytes: inout [UInt8], by chance: inout Chance) {
    let ends = bytes.indices.filter { bytes[$0] == 0x0A }
    guard ends.count > 2 else { return }
    let index = chance.count(1...ends.count - 1)
    let line = Array(bytes[(ends[index - 1] + 1)...ends[index]])
    bytes.insert(contentsOf: line, at: chance.pick(ends) + 1)
  }
}
