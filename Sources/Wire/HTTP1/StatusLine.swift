/// The parts of a status line.
///
/// ```
/// status-line = HTTP-version SP status-code SP [ reason-phrase ]
/// ```
/// See RFC 9112 section 4. The blank behind the code may be missing where there is no reason phrase: many servers write
/// it so, and it can be read one way only.
struct StatusLine {
  let version: HTTPVersion
  let status: Int
  let reason: String

  init(_ line: Range<Int>, in bytes: UnsafeRawBufferPointer) throws(MalformedMessage) {
    let line = UnsafeRawBufferPointer(rebasing: bytes[line])
    guard line.count >= 12, line[8] == 0x20 else { throw MalformedMessage("The status line is too short.") }
    self.version = try HTTPVersion(UnsafeRawBufferPointer(rebasing: line[..<8]))
    var status = 0
    for byte in line[9..<12] {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { throw MalformedMessage("The status code is not a number.") }
      status = status * 10 + Int(byte - UInt8(ascii: "0"))
    }
    guard status >= 100 else { throw MalformedMessage("The status code is below 100.") }
    self.status = status
    guard line.count > 12 else {
      self.reason = ""
      return
    }
    let reason = UnsafeRawBufferPointer(rebasing: line[13...])
    guard line[12] == 0x20, FieldBytes.holdsOnlyValueBytes(reason) else {
      throw MalformedMessage("The reason phrase holds a control character or is not set off by a blank.")
    }
    self.reason = String(decoding: reason, as: UTF8.self)
  }
}
