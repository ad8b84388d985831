/// Looks for a text in bytes: Horspool's variant of the search by Boyer and Moore, which looks at one byte in as many as the
/// text has.
struct ByteSearch: Sendable {
  private let text: [UInt8]
  /// By how much the text can be moved on when a byte stands under its last one.
  private let skips: [Int]

  /// - Parameter text: at least one byte
  init(_ text: [UInt8]) {
    self.text = text
    var skips = [Int](repeating: text.count, count: 256)
    for (index, byte) in text.dropLast().enumerated() { skips[Int(byte)] = text.count - 1 - index }
    self.skips = skips
  }

  func occurs(in bytes: UnsafeRawBufferPointer) -> Bool {
    self.text.withUnsafeBufferPointer { text in
      self.skips.withUnsafeBufferPointer { skips in
        let last = text.count - 1
        var position = last
        while position < bytes.count {
          var offset = 0
          while offset <= last, bytes[position - offset] == text[last - offset] { offset += 1 }
          if offset > last { return true }
          position += skips[Int(bytes[position])]
        }
        return false
      }
    }
  }
}
