import Testing

@testable import SallyportAuthenticationLDAP

@Suite struct BindJudgementTests {
  private func judge(_ code: Int32, _ diagnostic: String = "", policy: Int32? = nil) -> BindJudgement {
    BindJudgement(BindAnswer(code: code, diagnostic: diagnostic, policyError: policy))
  }

  @Test func onlySuccessIsGood() {
    #expect(self.judge(0) == .good)
    for code: Int32 in 1...123 { #expect(self.judge(code) != .good) }
    #expect(self.judge(0, policy: 2) == .refused("the password must be changed"))
  }

  @Test func accountsAreToldApartInTheLog() {
    #expect(self.judge(49) == .refused("wrong password"))
    #expect(self.judge(49, policy: 0) == .refused("the password has expired"))
    #expect(self.judge(49, policy: 1) == .refused("the directory has locked the account"))
    #expect(self.judge(19) == .refused("the directory has locked the account"))
    #expect(self.judge(48) == .refused("the entry has no password"))
    #expect(self.judge(53) == .refused("the directory does not admit the account (code 53)"))
  }

  @Test(arguments: [
    ("52e", "wrong password"), ("525", "the directory has no such user"), ("532", "the password has expired"),
    ("533", "the account is disabled"), ("701", "the account has expired"), ("773", "the password must be changed"),
    ("775", "the directory has locked the account"), ("531", "the account may not sign in now or from here"),
  ])
  func activeDirectorysSubCodesAreRead(code: String, reason: String) {
    let words = "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data \(code), v4563"
    #expect(self.judge(49, words) == .refused(reason))
  }

  @Test(arguments: [Int32(1), 2, 3, 8, 10, 11, 13, 51, 52, 80]) func aServerThatDoesNotJudgeIsUnavailable(code: Int32) {
    #expect(self.judge(code) == .unavailable("the bind was answered with code \(code)"))
  }

  @Test func anObjectGUIDIsWrittenAsActiveDirectoryDoes() {
    let bytes: [UInt8] = [0x78, 0x56, 0x34, 0x12, 0x34, 0x12, 0x78, 0x56, 1, 2, 3, 4, 5, 6, 7, 8]
    #expect(AttributeText.objectGUID(bytes) == "12345678-1234-5678-0102-030405060708")
  }
}
