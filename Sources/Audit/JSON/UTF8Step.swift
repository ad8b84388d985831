/// One step through bytes that should be UTF-8: a scalar, or bytes that are none.
///
/// What is no UTF-8 is split as the Unicode Standard recommends (section 3.9, "maximal subparts") and as Swift's own
/// `String(decoding:as:)` does, so that a replaced value is the same wherever it is made.
///
/// ```
/// first byte   second    third     fourth       (Table 3-7, well-formed UTF-8 byte sequences)
/// 00..7F
/// C2..DF       80..BF
/// E0           A0..BF    80..BF
/// E1..EC,EE,EF 80..BF    80..BF
/// ED           80..9F    80..BF                 (surrogates D800..DFFF are not scalars)
/// F0           90..BF    80..BF    80..BF
/// F1..F3       80..BF    80..BF    80..BF
/// F4           80..8F    80..BF    80..BF
/// ```
enum UTF8Step: Equatable {
  case scalar(UInt32, length: Int)
  case invalid(length: Int)

  /// Reads the step that begins at `start`, which is an index of `bytes`.
  init(_ bytes: UnsafeRawBufferPointer, at start: Int) {
    let first = bytes[start]
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch first {
    case 0x00...0x7F:
      self = .scalar(UInt32(first), length: 1)
      return
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF1...0xF3: length = 4
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    default:
      self = .invalid(length: 1)
      return
    }
    var value = UInt32(first) & (0x7F >> UInt32(length))
    for offset in 1..<length {
      let allowed = offset == 1 ? second : 0x80...0xBF
      guard start + offset < bytes.count, allowed.contains(bytes[start + offset]) else {
        self = .invalid(length: offset)
        return
      }
      value = value << 6 | UInt32(bytes[start + offset] & 0x3F)
    }
    self = .scalar(value, length: length)
  }
}
