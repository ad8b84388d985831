// What the encoder writes into a record's line: constants of this program as they are, everything else through JSONText.
extension LineBytes {
  /// Writes text that stands inside a string, at most `limit` bytes of it before escaping.
  ///
  /// - Returns: whether it was cut
  @discardableResult
  mutating func writeText(_ text: UnsafeRawBufferPointer, limit: Int, _ escaping: JSONText = .plain) -> Bool {
    let length = text.cutLength(limit)
    escaping.write(UnsafeRawBufferPointer(rebasing: text[..<length]), to: &self)
    return length < text.count
  }

  @discardableResult
  mutating func writeText(_ text: String, limit: Int, _ escaping: JSONText = .plain) -> Bool {
    text.withBytes { self.writeText($0, limit: limit, escaping) }
  }

  /// Writes a number in decimal digits.
  mutating func writeDecimal(_ number: UInt64) {
    // 20 digits hold every 64-bit number.
    withUnsafeTemporaryAllocation(byteCount: 20, alignment: 1) { digits in
      var rest = number
      var position = 20
      repeat {
        position -= 1
        digits[position] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
      } while rest > 0
      self.write(UnsafeRawBufferPointer(rebasing: digits[position...]))
    }
  }
}

extension UnsafeRawBufferPointer {
  /// How many bytes stay when no more than `limit` may: as many, less the begun part of a scalar at the cut.
  func cutLength(_ limit: Int) -> Int {
    guard self.count > limit else { return self.count }
    var length = limit
    while length > 0, length > limit - 3, self[length] & 0xC0 == 0x80 { length -= 1 }
    return length
  }
}

extension String {
  /// The UTF-8 bytes, without a copy for every string that this program makes.
  func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    var copy = self
    return try copy.withUTF8 { try body(UnsafeRawBufferPointer($0)) }
  }
}
