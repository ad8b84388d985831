import NIOCore

extension ByteBuffer {
  /// Writes a number in decimal digits, without a string.
  mutating func writeDecimal(_ number: UInt64) { self.writeDigits(number, radix: 10) }

  /// Writes a number in lower-case hexadecimal digits, without a string.
  mutating func writeHexadecimal(_ number: UInt64) { self.writeDigits(number, radix: 16) }

  private mutating func writeDigits(_ number: UInt64, radix: UInt64) {
    // 2^64 has twenty decimal digits. They come from the last to the first.
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
      var position = digits.count
      var rest = number
      repeat {
        let digit = UInt8(truncatingIfNeeded: rest % radix)
        position -= 1
        digits.initializeElement(at: position, to: digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        rest /= radix
      } while rest > 0
      self.writeBytes(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: digits[position...])))
    }
  }
}
