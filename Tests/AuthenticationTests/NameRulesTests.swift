import Testing

@testable import SallyportAuthentication

@Suite struct NameRulesTests {
  private let rules = NameRules(allowSystemNames: [])

  @Test(arguments: ["alice", "alice@example.org", "Zoë", "on call", "a,b", "sys", "System:masters", "system", "日本", "a\u{301}"])
  func ordinaryNamesAreGood(_ name: String) {
    #expect(self.rules.fault(in: name) == nil)
  }

  @Test(arguments: ["\n", "\r", "\0", "\t", "\u{7F}", "\u{85}", "\u{1B}", "\u{2028}", "\u{2029}"])
  func namesWithControlCharactersAreRefused(_ control: String) {
    #expect(self.rules.fault(in: "alice\(control)X-Remote-Group: system:masters") == .controlCharacter)
    #expect(self.rules.fault(in: control) == .controlCharacter)
  }

  @Test(arguments: [" alice", "alice ", "\u{A0}alice", "alice\u{3000}", " "])
  func namesWithOuterBlanksAreRefused(_ name: String) {
    #expect(self.rules.fault(in: name) == .outerBlanks)
  }

  @Test func theEmptyNameIsRefused() {
    #expect(self.rules.fault(in: "") == .empty)
  }

  @Test func lengthIsCountedInBytes() {
    #expect(self.rules.fault(in: String(repeating: "a", count: 256)) == nil)
    #expect(self.rules.fault(in: String(repeating: "a", count: 257)) == .tooLong)
    #expect(self.rules.fault(in: String(repeating: "ä", count: 128)) == nil)
    #expect(self.rules.fault(in: String(repeating: "ä", count: 129)) == .tooLong)
  }

  @Test(arguments: ["system:masters", "system:", "system:node:a", "system:\u{301}masters"])
  func systemNamesAreRefused(_ name: String) {
    #expect(self.rules.fault(in: name) == .reserved)
  }

  @Test func aListedSystemNameIsGoodAndOnlyExactlyThat() {
    let rules = NameRules(allowSystemNames: ["system:monitoring", "system:\u{E9}"])
    #expect(rules.fault(in: "system:monitoring") == nil)
    #expect(rules.fault(in: "system:monitoring2") == .reserved)
    #expect(rules.fault(in: "system:masters") == .reserved)
    // The same letter in another Unicode normalisation is another name to the API server.
    #expect(rules.fault(in: "system:\u{E9}") == nil)
    #expect(rules.fault(in: "system:e\u{301}") == .reserved)
  }

  @Test func aListedNameMustStillBeWellFormed() {
    #expect(NameRules(allowSystemNames: ["system:a\n"]).fault(in: "system:a\n") == .controlCharacter)
  }
}
