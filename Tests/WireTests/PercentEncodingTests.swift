import Testing

@testable import SallyportWire

@Suite struct PercentEncodingTests {
  private func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

  @Test func escapesAreUndone() {
    #expect(self.text(PercentEncoding.decode("a%20b+c%2B%c3%A9".utf8)) == "a b+c+é")
    #expect(self.text(PercentEncoding.decodeForm("a%20b+c%2B%c3%A9".utf8)) == "a b c+é")
    #expect(PercentEncoding.decode("%00%FF".utf8) == [0, 0xFF])
    for broken in ["%", "%2", "%2g", "%g2", "%%20", "a%", "%+1", "%2+"] {
      #expect(PercentEncoding.decode(broken.utf8) == nil && PercentEncoding.decodeForm(broken.utf8) == nil, "\(broken)")
    }
  }

  @Test func everythingButUnreservedCharactersIsEscaped() {
    let unreserved = "abcxyzABCXYZ0189-._~"
    #expect(PercentEncoding.encode(unreserved) == unreserved)
    #expect(PercentEncoding.encode("a b/ü&=+%") == "a%20b%2F%C3%BC%26%3D%2B%25")
    #expect(PercentEncoding.encode("/a?b/c", keeping: "/") == "/a%3Fb/c")
    for scalar in UInt8.min...127 {
      let character = String(Unicode.Scalar(scalar))
      let encoded = PercentEncoding.encode(character)
      #expect((encoded == character) == (unreserved.contains(character) || Character(character).isLetter || Character(character).isNumber))
      #expect(self.text(PercentEncoding.decodeForm(encoded.utf8)) == character)
    }
  }
}
