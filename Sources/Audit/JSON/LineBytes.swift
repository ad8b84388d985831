/// The bytes of a line while it is written.
///
/// A record is some eighty short writes. This is memory of its own, grown when it has to be and copied out once, because
/// eighty writes into a `ByteBuffer` cost twice as much as everything else about a record.
struct LineBytes: ~Copyable {
  private var base: UnsafeMutableRawPointer
  private var capacity: Int
  private(set) var count = 0

  init(capacity: Int = 2048) {
    self.capacity = max(capacity, 64)
    self.base = .allocate(byteCount: self.capacity, alignment: 1)
  }

  deinit {
    self.base.deallocate()
  }

  /// What was written. The pointer is good until the next write.
  func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try body(UnsafeRawBufferPointer(start: self.base, count: self.count))
  }

  @inline(__always)
  mutating func write(_ constant: StaticString) {
    let place = self.grow(by: constant.utf8CodeUnitCount)
    place.copyMemory(from: constant.utf8Start, byteCount: constant.utf8CodeUnitCount)
  }

  @inline(__always)
  mutating func write(_ byte: UInt8) {
    self.grow(by: 1).storeBytes(of: byte, as: UInt8.self)
  }

  @inline(__always)
  mutating func write(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
    self.grow(by: bytes.count).copyMemory(from: start, byteCount: bytes.count)
  }

  /// Writes `count` bytes, all of which `body` must set.
  @inline(__always)
  mutating func write(count: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void) {
    body(UnsafeMutableRawBufferPointer(start: self.grow(by: count), count: count))
  }

  /// Makes room for bytes that the caller sets, and counts them as written.
  @inline(__always)
  private mutating func grow(by byteCount: Int) -> UnsafeMutableRawPointer {
    if byteCount > self.capacity - self.count { self.reallocate(for: byteCount) }
    defer { self.count += byteCount }
    return self.base + self.count
  }

  @inline(never)
  private mutating func reallocate(for byteCount: Int) {
    let capacity = max(self.capacity * 2, self.count + byteCount)
    let base = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 1)
    base.copyMemory(from: self.base, byteCount: self.count)
    self.base.deallocate()
    self.base = base
    self.capacity = capacity
  }
}
