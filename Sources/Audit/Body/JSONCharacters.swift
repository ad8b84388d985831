/// The bytes that the inside of a JSON string stands for, as far as they are ASCII: to compare it with names. Other characters
/// that are written as escapes come out as a byte that is in no name.
struct JSONCharacters: Sequence, IteratorProtocol {
  private let text: UnsafeRawBufferPointer
  private var position = 0

  /// - Parameter text: without its quotes, and read by ``BodyRewriter`` before
  init(_ text: UnsafeRawBufferPointer) {
    self.text = text
  }

  mutating func next() -> UInt8? {
    guard self.position < self.text.count else { return nil }
    let byte = self.text[self.position]
    self.position += 1
    guard byte == UInt8(ascii: "\\"), self.position < self.text.count else { return byte }
    let escape = self.text[self.position]
    self.position += 1
    guard escape == UInt8(ascii: "u") else { return escape }
    guard let value = self.text.hexadecimal(at: self.position) else { return 0xFF }
    self.position += 4
    return value < 0x80 ? UInt8(value) : 0xFF
  }
}

extension UnsafeRawBufferPointer {
  /// The value of four hexadecimal digits.
  func hexadecimal(at position: Int) -> UInt32? {
    guard position + 4 <= self.count else { return nil }
    var value: UInt32 = 0
    for index in position..<(position + 4) {
      guard let digit = Hexadecimal.value(self[index]) else { return nil }
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  func isText(_ text: StaticString) -> Bool { self.count == text.utf8CodeUnitCount && self.has(text, at: 0) }
}
