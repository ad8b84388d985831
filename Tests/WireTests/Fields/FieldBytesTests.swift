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
      // Anywhere in a value of any length, whatever stands beside it: eight bytes are looked at together.
      for neighbour: UInt8 in [0x20, 0x61, 0x7E, 0x80] {
        for before in 0...16 {
          for behind in 0...16 {
            let value = [UInt8](repeating: neighbour, count: before) + [byte] + [UInt8](repeating: neighbour, count: behind)
            let isFound = value.withUnsafeBytes { FieldBytes.holdsOnlyValueBytes($0) }
            if isFound != isFine { Issue.record("byte \(byte) behind \(before) and before \(behind) of \(neighbour): \(isFound)") }
          }
        }
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
