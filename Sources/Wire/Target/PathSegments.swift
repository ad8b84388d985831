/// A decoded path split at slashes, those at both ends taken away first; the segments are ranges of its bytes.
struct PathSegments {
  private let path: UnsafeRawBufferPointer
  private var ranges: [Range<Int>] = []

  init(_ path: UnsafeRawBufferPointer) {
    self.path = path
    let slash = UInt8(ascii: "/")
    var start = 0
    var end = path.count
    while start < end, path[start] == slash { start += 1 }
    while end > start, path[end - 1] == slash { end -= 1 }
    guard start < end else { return }
    // Most paths have fewer segments than this: one allocation.
    self.ranges.reserveCapacity(8)
    for index in start..<end where path[index] == slash {
      self.ranges.append(start..<index)
      start = index + 1
    }
    self.ranges.append(start..<end)
  }

  var count: Int { self.ranges.count }

  func bytes(_ index: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self.path[self.ranges[index]]) }

  func text(_ index: Int) -> String { String(decoding: self.bytes(index), as: UTF8.self) }

  /// Whether a segment is this word, byte for byte.
  func equals(_ index: Int, _ word: StaticString) -> Bool {
    let segment = self.bytes(index)
    guard segment.count == word.utf8CodeUnitCount else { return false }
    for offset in 0..<segment.count where segment[offset] != word.utf8Start[offset] { return false }
    return true
  }
}
