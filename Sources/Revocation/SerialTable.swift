/// Serial numbers to look up: one buffer of bytes and one table of places in it, so that a list of 100,000 certificates
/// takes 3 MB and not an allocation for each.
///
/// The hash is seeded by process, as all of Swift's are.
struct SerialTable: Sendable {
  /// For each serial number its length in one byte and its bytes.
  private var bytes: [UInt8] = []
  /// Open addressing: the place in ``bytes`` plus one, 0 where there is none.
  private var slots: [UInt32]
  private(set) var count = 0

  /// - Parameter expected: how many serial numbers will come
  init(expecting expected: Int) {
    var size = 16
    while size < expected * 2 { size *= 2 }
    self.slots = [UInt32](repeating: 0, count: size)
    self.bytes.reserveCapacity(expected * 17)
  }

  /// The magnitude of a positive serial number, big-endian, without leading zeros; 255 bytes at most.
  mutating func insert(_ serial: UnsafeBufferPointer<UInt8>) {
    precondition(serial.count <= 255)
    if self.count * 2 >= self.slots.count { self.grow() }
    let slot = self.slot(of: serial)
    guard self.slots[slot] == 0 else { return }
    self.slots[slot] = UInt32(self.bytes.count) + 1
    self.bytes.append(UInt8(serial.count))
    self.bytes.append(contentsOf: serial)
    self.count += 1
  }

  func contains(_ serial: [UInt8]) -> Bool {
    guard serial.count <= 255 else { return false }
    return serial.withUnsafeBufferPointer { self.slots[self.slot(of: $0)] != 0 }
  }

  /// Where the serial number stands, or would stand.
  private func slot(of serial: UnsafeBufferPointer<UInt8>) -> Int {
    var hasher = Hasher()
    hasher.combine(bytes: UnsafeRawBufferPointer(serial))
    var slot = hasher.finalize() & (self.slots.count - 1)
    while self.slots[slot] != 0, !self.holds(serial, at: Int(self.slots[slot]) - 1) {
      slot = (slot + 1) & (self.slots.count - 1)
    }
    return slot
  }

  private func holds(_ serial: UnsafeBufferPointer<UInt8>, at place: Int) -> Bool {
    Int(self.bytes[place]) == serial.count
      && self.bytes.withUnsafeBufferPointer { UnsafeBufferPointer(rebasing: $0[(place + 1)...].prefix(serial.count)).elementsEqual(serial) }
  }

  private mutating func grow() {
    let old = self.slots.filter { $0 != 0 }
    self.slots = [UInt32](repeating: 0, count: self.slots.count * 2)
    for entry in old {
      let place = Int(entry) - 1
      let serial = Array(self.bytes[(place + 1)...].prefix(Int(self.bytes[place])))
      let slot = serial.withUnsafeBufferPointer { self.slot(of: $0) }
      self.slots[slot] = entry
    }
  }
}
