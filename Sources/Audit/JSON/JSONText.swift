/// How text stands in a JSON string (RFC 8259 section 7), written so that no byte of it can end the string or the line.
///
/// Escaped is what JSON demands (quote, backslash, C0 controls) and everything else that could end a line, drive a
/// terminal or hide itself when the line is read: DEL, C1 controls, U+2028 and U+2029, bidirectional and invisible
/// format characters. Escaping does not change the value. What is no UTF-8 becomes U+FFFD.
struct JSONText {
  /// Whether the text stands in a JSON document that itself is the text of a string: everything is escaped twice.
  private let nested: Bool

  static let plain = JSONText(nested: false)
  static let nested = JSONText(nested: true)

  /// Writes the text without quotes around it.
  func write(_ text: UnsafeRawBufferPointer, to line: inout LineBytes) {
    var runStart = 0
    var position = Self.firstSpecial(in: text, from: 0)
    while position < text.count {
      let step = UTF8Step(text, at: position)
      switch step {
      case .scalar(let value, let length):
        if Self.mustEscape(value) {
          Self.copy(text, runStart..<position, to: &line)
          self.writeEscape(value, to: &line)
          runStart = position + length
        }
        position += length
      case .invalid(let length):
        Self.copy(text, runStart..<position, to: &line)
        line.write("\u{FFFD}")
        position += length
        runStart = position
      }
      position = Self.firstSpecial(in: text, from: position)
    }
    Self.copy(text, runStart..<text.count, to: &line)
  }

  private static func copy(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, to line: inout LineBytes) {
    guard !range.isEmpty else { return }
    line.write(UnsafeRawBufferPointer(rebasing: text[range]))
  }

  /// The index of the first byte that cannot simply be copied: a control, a quote, a backslash, DEL or beyond ASCII.
  ///
  /// Eight bytes at a time; nearly all text in a record has no such byte at all.
  static func firstSpecial(in text: UnsafeRawBufferPointer, from start: Int) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs: UInt64 = 0x8080_8080_8080_8080
    var position = start
    while position + 8 <= text.count {
      let word = text.loadUnaligned(fromByteOffset: position, as: UInt64.self)
      // Each term sets the high bit of a byte that is: beyond ASCII; below 0x20; the quote; the backslash; DEL. A borrow
      // can also set it above a byte that truly is one, which the search below sorts out.
      let quote = word ^ (ones &* 0x22)
      let backslash = word ^ (ones &* 0x5C)
      let delete = word ^ (ones &* 0x7F)
      let found = word | (word &- ones &* 0x20) | (quote &- ones) | (backslash &- ones) | (delete &- ones)
      if found & highs != 0 { break }
      position += 8
    }
    while position < text.count, !self.isSpecial(text[position]) { position += 1 }
    return position
  }

  private static func isSpecial(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == 0x22 || byte == 0x5C || byte >= 0x7F
  }

  /// Whether a scalar is escaped. All of them are in the basic plane, so that four hexadecimal digits are enough.
  static func mustEscape(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x00...0x1F, 0x22, 0x5C: true
    case 0x7F...0x9F: true  // DEL and C1: 0x9B alone begins a terminal's control sequence
    case 0xAD, 0x61C, 0x180E: true  // invisible
    case 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F: true  // invisible, line ends, direction
    case 0xFEFF, 0xFFF9...0xFFFB: true
    default: false
    }
  }

  private func writeEscape(_ scalar: UInt32, to line: inout LineBytes) {
    self.writeBackslash(to: &line)
    switch scalar {
    case 0x5C: self.writeBackslash(to: &line)
    case 0x22: line.write(self.nested ? "\\\"" : "\"")
    case 0x0A: line.write("n")
    case 0x0D: line.write("r")
    case 0x09: line.write("t")
    default:
      line.write("u")
      for shift: UInt32 in [12, 8, 4, 0] {
        line.write(Hexadecimal.digit(UInt8(scalar >> shift & 0xF)))
      }
    }
  }

  private func writeBackslash(to line: inout LineBytes) {
    line.write(self.nested ? "\\\\" : "\\")
  }
}

enum Hexadecimal {
  /// The lower-case digit of a value below 16.
  static func digit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
  }

  /// Two lower-case digits for each byte.
  static func text(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: bytes.flatMap { [self.digit($0 >> 4), self.digit($0 & 0xF)] }, as: UTF8.self)
  }

  /// The value of a digit in either case, `nil` for any other byte.
  static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
