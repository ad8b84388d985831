import SallyportCore
import SallyportStrictYAML
import Testing

@testable import SallyportAuthentication

@Suite struct PasswordHashTests {
  // MARK: Verification

  @Test(arguments: [
    (KnownHash.bcryptVector, "U*U"), (KnownHash.correctHorse, "correct horse"), (KnownHash.umlauts, "pässwörd ☃"),
    (KnownHash.sha512Vector, "Hello world!"), (KnownHash.sha512Rounds, "Hello world!"),
    (KnownHash.sha512Long, String(repeating: "x", count: 511)), (KnownHash.yescrypt, "correct horse"),
    (KnownHash.yescryptDefault, "correct horse"), (KnownHash.seventyTwo, String(repeating: "x", count: 72)),
  ])
  func knownVectorsMatchTheirPasswordOnly(_ text: String, _ password: String) throws {
    let hash = try PasswordHash(text)
    #expect(PasswordVerifier.verify(Secret(password), against: hash) == .matches)
    #expect(PasswordVerifier.verify(Secret(String(password.dropLast())), against: hash) == .differs)
    #expect(PasswordVerifier.verify(Secret("~" + password.dropFirst()), against: hash) == .differs)
    #expect(PasswordVerifier.verify(Secret(""), against: hash) == .differs)
  }

  @Test func bcryptDoesNotVouchForWhatItDoesNotRead() throws {
    let password = Secret(String(repeating: "x", count: 72) + "anything")
    #expect(PasswordVerifier.verify(password, against: try PasswordHash(KnownHash.seventyTwo)) == .tooLongForBcrypt)
  }

  @Test func aNulCannotCutAPasswordShort() throws {
    #expect(PasswordVerifier.verify(Secret("correct horse\0more"), against: try PasswordHash(KnownHash.correctHorse)) == .failed)
  }

  @Test func aPasswordThatLibcryptDoesNotTakeIsNoMatch() throws {
    #expect(
      PasswordVerifier.verify(Secret(String(repeating: "x", count: 512)), against: try PasswordHash(KnownHash.sha512Vector)) == .failed)
  }

  // MARK: What is taken

  @Test func kindAndCostAreRead() throws {
    #expect(try PasswordHash(KnownHash.correctHorse).kind == .bcrypt)
    #expect(try PasswordHash(KnownHash.correctHorse).cost == 5)
    #expect(try PasswordHash(KnownHash.sha512Vector).cost == 5000)
    #expect(try PasswordHash(KnownHash.sha512Rounds).cost == 10000)
    #expect(try PasswordHash(KnownHash.yescrypt).cost == 1024)
    #expect(try PasswordHash(KnownHash.yescryptDefault).cost == 16384)
  }

  @Test(arguments: [
    ("$apr1$salt$Xm1RSsHXbzqQPSzTgNkFS0", "Apache MD5"), ("$1$salt$qJH7.N4xYta3aEG/dfqo/0", "an MD5 hash"),
    ("$5$salt$Gcm6FsVtF/Qa77ZKD.iwsJlCVPY0XSMgLJL0Hnww/c1", "SHA-256"), ("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "SHA-1"),
    ("{SSHA}abcdef", "SHA-1"), ("*", "locked account"), ("*0", "locked account"), ("!", "locked account"), ("!!", "locked account"),
    ("juArAHrJjWnH6", "not a password hash"), ("secret", "not a password hash"), ("", "not a password hash"),
    ("$2x$05$", "not a password hash"),
    ("$7$CU..../....2Q9obwLhin8qvQl6sisAO/", "not a password hash"), (" $6$salt$", "not a password hash"),
    ("plain$6$", "not a password hash"),
  ])
  func everyOtherKindIsRefusedByName(_ text: String, _ name: String) {
    let fault = #expect(throws: ValueFault.self) { _ = try PasswordHash(text) }
    #expect(fault?.problem.contains(name) == true)
    #expect(fault?.remedy.contains("bcrypt") == true)
  }

  private static let bcryptTail = KnownHash.correctHorse.dropFirst(6)
  private static let sha512Tail = KnownHash.sha512Vector.dropFirst(3)
  private static let yescryptTail = KnownHash.yescrypt.dropFirst(6)

  @Test(arguments: [
    "$2y$04\(bcryptTail)", "$2y$00\(bcryptTail)", "$2y$17\(bcryptTail)", "$2y$31\(bcryptTail)", "$2y$99\(bcryptTail)",
    "$6$rounds=1000$\(sha512Tail)", "$6$rounds=4999$\(sha512Tail)", "$6$rounds=5000001$\(sha512Tail)", "$6$rounds=999999999$\(sha512Tail)",
    "$y$j65\(yescryptTail)", "$y$j7.\(yescryptTail)", "$y$jET\(yescryptTail)", "$y$jUT\(yescryptTail)",
  ])
  func costsOutOfBoundsAreRefused(_ text: String) {
    let fault = #expect(throws: ValueFault.self) { _ = try PasswordHash(text) }
    #expect(fault?.problem.contains("below") == true || fault?.problem.contains("above") == true)
  }

  @Test(arguments: [
    "$2y$16\(bcryptTail)", "$6$rounds=5000$\(sha512Tail)", "$6$rounds=5000000$\(sha512Tail)", "$y$j75\(yescryptTail)",
    "$y$jDT\(yescryptTail)",
  ])
  func costsAtTheBoundsAreTaken(_ text: String) throws {
    _ = try PasswordHash(text)
  }

  @Test(arguments: [
    "$2y$05$", "\(KnownHash.correctHorse).", String(KnownHash.correctHorse.dropLast()), "$2y$5$\(bcryptTail)", "$2y$ 5\(bcryptTail)",
    "$2y$-5\(bcryptTail)", KnownHash.correctHorse.replacing("eiB68", with: "fiB68"),
    "\(KnownHash.correctHorse.dropLast())n", KnownHash.correctHorse.replacing("D2ea", with: "D2:a"),
    "$6$", "$6$salt", "$6$salt$", "$6$$\(sha512Tail.dropFirst(11))", "$6$saltsaltsaltsalts$\(sha512Tail.dropFirst(11))",
    "\(KnownHash.sha512Vector)1", "\(KnownHash.sha512Vector)$", "\(KnownHash.sha512Vector.dropLast())2", "$6$rounds=$\(sha512Tail)",
    "$6$rounds=05000$\(sha512Tail)", "$6$rounds=5e5$\(sha512Tail)", "$6$rounds=99999999999999999999$\(sha512Tail)",
    "$6$sa:t$\(sha512Tail.dropFirst(11))", "$y$", "$y$j75$", "$y$j75$LdJMENpBABJJ3hIHjB1Bi.$", "$y$.75\(yescryptTail)",
    "$y$j75/\(yescryptTail)", "$y$jz5\(yescryptTail)", "$y$j7z\(yescryptTail)",
    "$y$j75$MDEyMzQ1Njc4OWFiY2RlZg$\(yescryptTail.dropFirst(24))",
    "\(KnownHash.yescrypt)2", "\(KnownHash.yescrypt.dropLast())z", "$y$j75$\(yescryptTail.dropFirst(24))",
  ])
  func hashesThatNoPasswordWouldMatchAreRefused(_ text: String) {
    let fault = #expect(throws: ValueFault.self) { _ = try PasswordHash(text) }
    #expect(fault?.problem.contains("no password would match") == true)
  }

  @Test func aHashDoesNotPrintItself() throws {
    let hash = try PasswordHash(KnownHash.correctHorse)
    var dumped = ""
    dump(hash, to: &dumped)
    for text in ["\(hash)", String(reflecting: hash), dumped, "\([hash])"] { #expect(!text.contains("KBCwKx")) }
  }
}
