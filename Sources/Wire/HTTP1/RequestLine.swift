/// The three parts of a request line.
///
/// ```
/// request-line = method SP request-target SP HTTP-version
/// ```
/// See RFC 9112 section 3. The parts are divided by one blank each; the lenient reading by runs of white space that the
/// section allows is not followed.
struct RequestLine {
  let method: Method
  /// The target's range, counted like `line`.
  let target: Range<Int>
  let version: HTTPVersion

  init(_ line: Range<Int>, in bytes: UnsafeRawBufferPointer) throws(MalformedMessage) {
    var position = line.lowerBound
    while position < line.upperBound, FieldBytes.isTokenByte(bytes[position]) { position += 1 }
    guard position > line.lowerBound, position < line.upperBound, bytes[position] == 0x20 else {
      throw MalformedMessage("The request line does not begin with a method and a blank.")
    }
    self.method = Method(tokenBytes: UnsafeRawBufferPointer(rebasing: bytes[line.lowerBound..<position]))

    let targetStart = position + 1
    position = targetStart
    while position < line.upperBound, bytes[position] > 0x20, bytes[position] != 0x7F { position += 1 }
    guard position > targetStart else { throw MalformedMessage("The request line has no target.") }
    guard position < line.upperBound else { throw MalformedMessage("The request line has no version.") }
    guard bytes[position] == 0x20 else {
      throw bytes[position] == 0x0D ? .bareCarriageReturn : MalformedMessage("A control character stands in the request line.")
    }
    self.target = targetStart..<position
    self.version = try HTTPVersion(UnsafeRawBufferPointer(rebasing: bytes[position + 1..<line.upperBound]))
  }
}

extension HTTPVersion {
  /// Reads `HTTP/1.0` or `HTTP/1.1`.
  ///
  /// - Throws: ``MalformedMessage`` with status 505 for another version, 400 for what is none (RFC 9112 section 2.3; the
  ///   name is case-sensitive).
  init(_ bytes: UnsafeRawBufferPointer) throws(MalformedMessage) {
    guard bytes.count == 8, bytes.starts(with: "HTTP/".utf8), bytes[6] == UInt8(ascii: "."), Self.isDigit(bytes[5]), Self.isDigit(bytes[7])
    else { throw MalformedMessage("The version is not one of HTTP.") }
    switch (bytes[5], bytes[7]) {
    case (UInt8(ascii: "1"), UInt8(ascii: "1")): self = .http11
    case (UInt8(ascii: "1"), UInt8(ascii: "0")): self = .http10
    default: throw MalformedMessage(status: 505, "The version of HTTP is neither 1.0 nor 1.1.")
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}
