import Testing

@testable import SallyportWire

@Suite struct FieldBytesTests {
  @Test func tokenBytesAreThoseOfTheGrammar() {
    let grammar = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
    #expect(grammar.count == 77)
    for byte in UInt8.min...UInt8.max { #expect(FieldBytes.isTokenByte(byte) == grammar.contains(byte), "byte \(byte)") }
  }

  @Test func valueBytesAreThoseOfTheGrammar() {
    for byte in UInt8.min...UInt8.max {
      let isFine = byte == 0x09 || (0x20...0x7E).contains(byte) || byte >= 0x80
      #expect(FieldBytes.isValueByte(byte) == isFine, "byte \(byte)")
      // Anywhere in a value of any length.
      for (before, behind) in [(0, 0), (1, 0), (0, 1), (40, 3), (3, 40)] {
        let value = [UInt8](repeating: 0x61, count: before) + [byte] + [UInt8](repeating: 0x61, count: behind)
        #expect(value.withUnsafeBytes { FieldBytes.holdsOnlyValueBytes($0) } == isFine)
      }
    }
  }

  @Test func listsAreReadMemberByMember() {
    func members(_ list: String) -> [String] {
      var members: [String] = []
      Array(list.utf8).withUnsafeBytes { bytes in
        FieldBytes.forEachListMember(of: bytes) { members.append(String(decoding: $0, as: UTF8.self)) }
      }
      return members
    }
    #expect(members("a") == ["a"])
    #expect(members(" a ,\tb c\t,, ,d") == ["a", "b c", "d"])
    #expect(members(",") == [] && members("") == [] && members(" \t ") == [])
  }
}
