/// Reads one field line into ranges.
///
/// ```
/// field-line = field-name ":" OWS field-value OWS
/// ```
/// See RFC 9112 section 5. A line that begins with a blank (obs-fold) and a blank before the colon are refused, as the
/// section demands of a server; both have been used to hide a field from one of two readers.
enum FieldLine {
  /// - Parameters:
  ///   - line: the line's range in `bytes`, without its CRLF, not empty
  ///   - bytes: the section that the entry's indices count in
  static func read(_ line: Range<Int>, in bytes: UnsafeRawBufferPointer) throws(MalformedMessage) -> HeaderFields.Entry {
    var position = line.lowerBound
    while position < line.upperBound, FieldBytes.isTokenByte(bytes[position]) { position += 1 }
    let nameEnd = position
    guard nameEnd < line.upperBound, bytes[nameEnd] == UInt8(ascii: ":"), nameEnd > line.lowerBound else {
      throw self.fault(ofName: line, endingAt: nameEnd, in: bytes)
    }
    var valueStart = nameEnd + 1
    var valueEnd = line.upperBound
    while valueStart < valueEnd, FieldBytes.isBlank(bytes[valueStart]) { valueStart += 1 }
    while valueEnd > valueStart, FieldBytes.isBlank(bytes[valueEnd - 1]) { valueEnd -= 1 }
    let value = UnsafeRawBufferPointer(rebasing: bytes[valueStart..<valueEnd])
    guard FieldBytes.holdsOnlyValueBytes(value) else {
      throw value.contains(0x0D) ? .bareCarriageReturn : MalformedMessage("A control character stands in a field's value.")
    }
    let name = UnsafeRawBufferPointer(rebasing: bytes[line.lowerBound..<nameEnd])
    return HeaderFields.Entry(
      nameStart: UInt32(line.lowerBound), nameLength: UInt32(name.count), valueStart: UInt32(valueStart), valueLength: UInt32(value.count),
      known: KnownField(nameBytes: name))
  }

  private static func fault(ofName line: Range<Int>, endingAt end: Int, in bytes: UnsafeRawBufferPointer) -> MalformedMessage {
    guard end < line.upperBound else { return MalformedMessage("A field line has no colon.") }
    switch bytes[end] {
    case 0x20, 0x09:
      return end == line.lowerBound
        ? MalformedMessage("A field line begins with a blank (obs-fold).") : MalformedMessage("A blank stands before a field's colon.")
    case UInt8(ascii: ":"): return MalformedMessage("A field has no name.")
    case 0x0D: return .bareCarriageReturn
    default: return MalformedMessage("A field's name holds a byte that no token may hold.")
    }
  }
}
