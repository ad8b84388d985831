/// Which bytes a header field may hold.
///
/// ```
/// token         = 1*tchar
/// tchar         = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" / "~" / DIGIT / ALPHA
/// field-value   = *field-content, without leading or trailing blanks
/// field-vchar   = VCHAR / obs-text
/// ```
/// See RFC 9110 sections 5.5 and 5.6.2.
enum FieldBytes {
  /// The bytes of `tchar` as bits: 0 to 63 in the first word, 64 to 127 in the second. Constants, since a table in memory
  /// would cost a check of its initialisation for every byte of every name.
  private static let lowTokenBytes: UInt64 = 0x03FF_6CFA_0000_0000
  private static let highTokenBytes: UInt64 = 0x57FF_FFFF_C7FF_FFFE

  /// Whether the byte may stand in a token: a method, a field name.
  @inline(__always)
  static func isTokenByte(_ byte: UInt8) -> Bool {
    guard byte < 0x80 else { return false }
    return (byte < 0x40 ? self.lowTokenBytes : self.highTokenBytes) >> UInt64(byte & 0x3F) & 1 == 1
  }

  /// Whether the byte may stand in a field value: visible characters, bytes above ASCII, blank and tab.
  static func isValueByte(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7F || byte == 0x09 }

  /// Whether the bytes may be written as a field's value.
  static func isValue(_ bytes: some BidirectionalCollection<UInt8>) -> Bool {
    guard let first = bytes.first, let last = bytes.last else { return true }
    return !self.isBlank(first) && !self.isBlank(last) && bytes.allSatisfy(self.isValueByte)
  }

  static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  static func lowercased(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
  }

  /// Whether all bytes may stand in a field value.
  static func holdsOnlyValueBytes(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs: UInt64 = 0x8080_8080_8080_8080
    var position = 0
    // Eight bytes at a time; nearly every value has none that needs a second look.
    while position + 8 <= bytes.count {
      let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
      let delete = word ^ (ones &* 0x7F)
      // The high bit of a byte is set that is below 0x20 or is DEL, and perhaps of the one above such a byte.
      let found = ((word &- ones &* 0x20) & ~word) | ((delete &- ones) & ~delete)
      if found & highs != 0 {
        for byte in bytes[position..<position + 8] where !self.isValueByte(byte) { return false }
      }
      position += 8
    }
    while position < bytes.count {
      guard self.isValueByte(bytes[position]) else { return false }
      position += 1
    }
    return true
  }

  /// Whether the bytes are `word` in any letter case.
  ///
  /// - Parameter word: ASCII, in lower case
  static func equal(_ bytes: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
    guard bytes.count == word.utf8CodeUnitCount else { return false }
    for index in 0..<bytes.count where self.lowercased(bytes[index]) != word.utf8Start[index] { return false }
    return true
  }

  /// Whether two runs of bytes are the same in any letter case.
  static func equalFolded(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
    left.count == right.count && zip(left, right).allSatisfy { self.lowercased($0) == self.lowercased($1) }
  }

  /// Calls `body` with each member of a comma-separated list, without the blanks around it; empty members are skipped
  /// (RFC 9110 section 5.6.1).
  static func forEachListMember(of list: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
    var start = 0
    while start < list.count {
      var end = start
      while end < list.count, list[end] != UInt8(ascii: ",") { end += 1 }
      var first = start
      var last = end
      while first < last, self.isBlank(list[first]) { first += 1 }
      while last > first, self.isBlank(list[last - 1]) { last -= 1 }
      if first < last { body(UnsafeRawBufferPointer(rebasing: list[first..<last])) }
      start = end + 1
    }
  }
}
