/// Elements that are set once and read from then on, by any thread.
///
/// An array is an object: to look into one that is a part of something else costs two atomic operations, often enough more than the
/// look. Whoever owns this owns its memory alone: it cannot be copied, so nothing is counted, and nobody can hold the memory longer.
/// What lies outside is never read: an index that is wrong ends the process, as an array's would.
struct FrozenArray<Element: BitwiseCopyable>: ~Copyable {
  private let base: UnsafeMutablePointer<Element>
  let count: Int

  init(_ elements: [Element]) {
    self.base = .allocate(capacity: elements.count)
    self.count = elements.count
    for (index, element) in elements.enumerated() { (self.base + index).initialize(to: element) }
  }

  deinit { self.base.deallocate() }

  @inline(__always)
  subscript(index: Int) -> Element {
    precondition(UInt(bitPattern: index) < UInt(bitPattern: self.count), "beyond the end")
    return self.base[index]
  }
}

extension FrozenArray<UInt8> {
  /// Whether these bytes stand at `start`.
  func has(_ bytes: UnsafeBufferPointer<UInt8>, at start: Int) -> Bool {
    precondition(start >= 0 && bytes.count <= self.count - start, "beyond the end")
    let own = UnsafeRawBufferPointer(start: self.base + start, count: bytes.count)
    let others = UnsafeRawBufferPointer(bytes)
    var index = 0
    while index + 8 <= bytes.count {
      guard own.loadUnaligned(fromByteOffset: index, as: UInt64.self) == others.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      else { return false }
      index += 8
    }
    while index < bytes.count {
      guard own[index] == others[index] else { return false }
      index += 1
    }
    return true
  }
}

// Nobody writes after the initialiser, so that it does not matter who reads.
extension FrozenArray: @unchecked Sendable where Element: Sendable {}
