import CCrypt
import SallyportCommands
import SallyportStrictYAML
import Testing

@Suite struct PasswordTests {
  /// Whether libcrypt finds that the password has the hash, as the gateway asks it.
  private func matches(_ password: String, _ hash: String) -> Bool {
    var state = crypt_data()
    guard let result = crypt_r(password, hash, &state) else { return false }
    return String(cString: result) == hash
  }

  @Test(arguments: PasswordHashing.allCases) func aHashIsThatOfItsPasswordAndNoOther(algorithm: PasswordHashing) throws {
    let hash = try algorithm.hash("correct horse ä")
    #expect(self.matches("correct horse ä", hash))
    #expect(!self.matches("correct horse a", hash))
    #expect(try algorithm.hash("correct horse ä") != hash, "the salt is another each time")
  }

  @Test(arguments: [(PasswordHashing.yescrypt, "$y$j9T$"), (.sha512, "$6$rounds=200000$"), (.bcrypt, "$2b$11$")])
  func aHashSaysWhatItCosts(algorithm: PasswordHashing, prefix: String) throws {
    #expect(try algorithm.hash("x").hasPrefix(prefix))
  }

  @Test func aPasswordThatBcryptWouldCutIsRefused() throws {
    let long = String(repeating: "a", count: 73)
    #expect(throws: CommandFailure("bcrypt reads 72 bytes of a password and this one has more; choose another algorithm")) {
      try PasswordHashing.bcrypt.hash(long)
    }
    #expect(throws: Never.self) { try PasswordHashing.bcrypt.hash(String(long.dropLast())) }
    #expect(throws: Never.self) { try PasswordHashing.yescrypt.hash(long) }
  }

  @Test(arguments: PasswordHashing.allCases) func whatCannotBeHashedIsRefused(algorithm: PasswordHashing) {
    for password in ["", "a\u{0}b", String(repeating: "a", count: 512)] {
      #expect(throws: CommandFailure.self) { try algorithm.hash(password) }
    }
  }

  @Test func anEntryIsOneOfUsersYAML() throws {
    let entry = PasswordEntry.yaml(user: "no", groups: ["dev", "a\"b"], hash: "$y$x")
    #expect(entry == "- name: \"no\"\n  passwordHash: \"$y$x\"\n  groups: [\"dev\", \"a\\\"b\"]\n")
    let name = try StrictYAML.decode(entry, fileName: "users") { $0.list { $0["name"].text() } }
    #expect(name == ["no"])
    #expect(PasswordEntry.yaml(user: "a", groups: [], hash: "h") == "- name: \"a\"\n  passwordHash: \"h\"\n")
  }

  @Test func generatedPasswordsDifferAndCanBeTyped() {
    let passwords = Set((0..<100).map { _ in Passphrase.generate() })
    #expect(passwords.count == 100)
    #expect(passwords.allSatisfy { $0.wholeMatch(of: /([0-9a-hjkmnp-tv-z]{6}-){3}[0-9a-hjkmnp-tv-z]{6}/) != nil })
  }
}
