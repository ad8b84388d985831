import SallyportJOSE
import Testing

@Suite struct Base64URLTests {
  @Test func everyLengthComesBack() {
    for length in 0..<70 {
      let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ 250) }
      let text = Base64URL.encode(bytes)
      #expect(Base64URL.decode(text.utf8) == bytes)
      #expect(!text.contains("="))
    }
    #expect(Base64URL.encode([0xFB, 0xFF, 0xFE]) == "-__-")
  }

  @Test(arguments: ["A", "AAAAA", "AA==", "A A", "AA\n", "A+", "A/", "AB", "AAB", "Ä", "-_-", "=", "AA=A"])
  func oneSpellingForEachSequenceOfBytes(_ text: String) {
    #expect(Base64URL.decode(text.utf8) == nil)
  }
}
