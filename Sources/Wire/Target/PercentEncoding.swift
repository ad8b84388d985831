/// Percent escapes (RFC 3986 section 2.1).
package enum PercentEncoding {
  /// The value of a hexadecimal digit in either letter case.
  static func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// The byte that the escape at `index` stands for; `nil` where `%` is not followed by two digits.
  static func escape(at index: Int, in bytes: UnsafeRawBufferPointer) -> UInt8? {
    guard index + 2 < bytes.count, let high = hexValue(bytes[index + 1]), let low = hexValue(bytes[index + 2]) else { return nil }
    return high << 4 | low
  }

  /// The bytes without their escapes, as Go's `url.PathUnescape` gives them; `nil` where an escape is broken.
  package static func decode(_ bytes: some Sequence<UInt8>) -> [UInt8]? {
    var decoded: [UInt8] = []
    var rest = bytes.makeIterator()
    while let byte = rest.next() {
      guard byte == UInt8(ascii: "%") else {
        decoded.append(byte)
        continue
      }
      guard let high = rest.next().flatMap(self.hexValue), let low = rest.next().flatMap(self.hexValue) else { return nil }
      decoded.append(high << 4 | low)
    }
    return decoded
  }

  /// The same with `+` as a blank, as forms have it (WHATWG URL section 5.1).
  package static func decodeForm(_ bytes: some Sequence<UInt8>) -> [UInt8]? {
    self.decode(bytes.lazy.map { $0 == UInt8(ascii: "+") ? 0x20 : $0 })
  }

  /// Text in which everything is escaped but the unreserved characters (section 2.3), for a query or a form.
  ///
  /// - Parameter kept: other characters that stay as they are
  package static func encode(_ text: String, keeping kept: StaticString = "") -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    let others = UnsafeBufferPointer(start: kept.utf8Start, count: kept.utf8CodeUnitCount)
    var encoded: [UInt8] = []
    encoded.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
        encoded.append(byte)
      case _ where others.contains(byte): encoded.append(byte)
      default: encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 0xF)]]
      }
    }
    return String(decoding: encoded, as: UTF8.self)
  }
}
