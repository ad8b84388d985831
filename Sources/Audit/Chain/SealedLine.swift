/// What a line of the log says of its place in the chain: its last annotations, read from behind.
package struct SealedLine {
  /// What the link is computed over.
  package let body: UnsafeRawBufferPointer
  package let value: ChainValue
  package let sequence: UInt64
  /// Of one of the log's own events: what was signed, and the signature.
  package let signed: (body: UnsafeRawBufferPointer, signature: UnsafeRawBufferPointer)?

  /// - Parameter line: with or without its newline
  /// - Returns: `nil` where the line does not end as the log's writer ends one
  package init?(_ line: UnsafeRawBufferPointer) {
    var end = line.count
    if end > 0, line[end - 1] == UInt8(ascii: "\n") { end -= 1 }
    // `,"sallyport.dev/chain":"<64 digits>"}}`
    let length = Chain.chainKey.utf8CodeUnitCount + ChainValue.digits + 3
    guard end > length, line.has("\"}}", endingAt: end), line.has(Chain.chainKey, at: end - length) else { return nil }
    let digits = end - 3 - ChainValue.digits
    guard let value = ChainValue(hexadecimal: UnsafeRawBufferPointer(rebasing: line[digits..<(end - 3)])) else { return nil }
    let body = UnsafeRawBufferPointer(rebasing: line[..<(end - length)])

    // `,"sallyport.dev/sequence":"<digits>"`, and of an event `,"sallyport.dev/signature":"…"` behind it
    var sequenceEnd = body.count
    var signature: UnsafeRawBufferPointer?
    let signatureLength = Chain.signatureKey.utf8CodeUnitCount + CheckpointKey.signatureLength + 1
    if body.count > signatureLength, body.has(Chain.signatureKey, at: body.count - signatureLength), body.last == UInt8(ascii: "\"") {
      sequenceEnd = body.count - signatureLength
      let start = sequenceEnd + Chain.signatureKey.utf8CodeUnitCount
      signature = UnsafeRawBufferPointer(rebasing: body[start..<(body.count - 1)])
    } else {
      guard body.last == UInt8(ascii: "\"") else { return nil }
      sequenceEnd -= 1
    }
    var start = sequenceEnd
    // Nineteen digits are more than a log ever has, and no overflow.
    while start > 0, sequenceEnd - start < 19, body[start - 1] &- UInt8(ascii: "0") < 10 { start -= 1 }
    guard start < sequenceEnd, body.has(Chain.sequenceKey, endingAt: start), body[start] != UInt8(ascii: "0") else { return nil }
    var sequence: UInt64 = 0
    for index in start..<sequenceEnd { sequence = sequence * 10 + UInt64(body[index] &- UInt8(ascii: "0")) }
    self.body = body
    self.value = value
    self.sequence = sequence
    self.signed = signature.map { (UnsafeRawBufferPointer(rebasing: body[..<sequenceEnd]), $0) }
  }
}

extension UnsafeRawBufferPointer {
  func has(_ text: StaticString, at position: Int) -> Bool {
    guard position >= 0, position + text.utf8CodeUnitCount <= self.count else { return false }
    for offset in 0..<text.utf8CodeUnitCount where self[position + offset] != text.utf8Start[offset] { return false }
    return true
  }

  func has(_ text: StaticString, endingAt end: Int) -> Bool { self.has(text, at: end - text.utf8CodeUnitCount) }
}
