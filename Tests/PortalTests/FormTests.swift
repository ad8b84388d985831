import Crypto
import Foundation
import SallyportCore
import SallyportPortal
import Testing

@Suite struct FormTests {
  private let now = Date(timeIntervalSince1970: 1_800_000_000)
  private let tokens = FormTokens(key: SymmetricKey(size: .bits256))

  private func isGood(_ token: String, for purpose: FormTokens.Purpose = .signIn, cookie: Secret?, after seconds: Double = 0) -> Bool {
    self.tokens.isGood(Secret(token.utf8), for: purpose, cookie: cookie, at: self.now + seconds)
  }

  @Test func aTokenCountsForItsBrowserItsPurposeAndAnHour() {
    let cookie = FormTokens.newCookie()
    let token = self.tokens.token(for: .signIn, cookie: cookie, at: self.now)
    #expect(self.isGood(token, cookie: cookie))
    #expect(self.isGood(token, cookie: cookie, after: 3599))
    #expect(!self.isGood(token, cookie: cookie, after: 3600))
    #expect(!self.isGood(token, for: .signOut, cookie: cookie))
    #expect(!self.isGood(token, cookie: FormTokens.newCookie()))
    #expect(!self.isGood(token, cookie: nil))
    #expect(!self.tokens.isGood(nil, for: .signIn, cookie: cookie, at: self.now))
    #expect(!FormTokens.random().isGood(Secret(token.utf8), for: .signIn, cookie: cookie, at: self.now))
  }

  @Test func aTokenThatWasChangedIsNone() {
    let cookie = FormTokens.newCookie()
    let token = Array(self.tokens.token(for: .signIn, cookie: cookie, at: self.now).utf8)
    for index in token.indices {
      var changed = token
      changed[index] = changed[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
      #expect(!self.tokens.isGood(Secret(changed), for: .signIn, cookie: cookie, at: self.now), "\(index)")
    }
    for cut in 0..<token.count { #expect(!self.tokens.isGood(Secret(token.prefix(cut)), for: .signIn, cookie: cookie, at: self.now)) }
  }

  @Test func aCookieIsOneThatWasGivenOut() {
    let cookie = FormTokens.newCookie()
    #expect(FormTokens.cookie(among: [cookie]) == cookie)
    #expect(FormTokens.cookie(among: []) == nil)
    #expect(FormTokens.cookie(among: [cookie, cookie]) == nil)
    #expect(FormTokens.cookie(among: [Secret("short".utf8)]) == nil)
  }

  @Test func aFormIsReadAsABrowserSendsIt() throws {
    let form = try #require(FormFields("username=bob&password=a%26b%3D+%2B%C3%A4&return=%2Fa%3Fb&empty=&bare".utf8))
    #expect(form.text("username") == "bob")
    #expect(form.secret("password") == Secret("a&b= +ä".utf8))
    #expect(form.text("return") == "/a?b")
    #expect(form.text("empty") == "" && form.text("bare") == "" && form.text("missing") == nil)
    #expect(FormFields("".utf8) != nil)
    #expect(FormFields("a=%FF".utf8)?.text("a") == nil)
  }

  @Test(arguments: [
    "a=%", "a=%4", "a=%zz", "a=1&a=2", "a=1&%61=2", "%FF=1", (0..<33).map { "f\($0)=" }.joined(separator: "&"), "a=b=c", "a=1&", "&a=1",
    "a=1&&b=2", "=1", "a=/x", "a=b c", "a=b;c=d", "a=\u{e4}", "a=1\r\n", "a=\0", "a=<b>", "a='", "a=~", "a=1#b",
  ]) func whatCanBeReadInTwoWaysIsNoForm(_ body: String) {
    #expect(FormFields(body.utf8) == nil)
  }

  @Test func aQueryMayBeWrittenByHand() throws {
    let query = try #require(FormFields(query: "return=/a/b?c=d:e@f~&&x=1".utf8))
    #expect(query.text("return") == "/a/b?c=d:e@f~" && query.text("x") == "1")
    for query in ["a=1&a=2", "a=%", "a=\u{e4}", "a=<", "a=b c", "a=1#2", "a=\"", "a=\\", (0..<33).map { "f\($0)=" }.joined(separator: "&")]
    {
      #expect(FormFields(query: query.utf8) == nil, "\(query)")
    }
  }
}
