import SallyportLDAPSyntax
import Testing

@Suite struct FilterTests {
  private func filled(_ template: String, username: String = "alice", dn: String = "uid=alice,dc=example") throws -> String {
    try FilterTemplate(parsing: template).filter(username: username, dn: dn).text
  }

  @Test func aTemplateIsFilled() throws {
    #expect(try self.filled("(uid={username})") == "(uid=alice)")
    #expect(
      try self.filled("(&(objectClass=person)(|(uid={username})(mail={username}@example.org))(!(locked=TRUE)))")
        == "(&(objectClass=person)(|(uid=alice)(mail=alice@example.org))(!(locked=TRUE)))")
    #expect(try self.filled("(member={dn})") == "(member=uid\\3dalice\\2cdc\\3dexample)")
    #expect(try self.filled("(cn=a*b*)") == "(cn=a*b*)")
    #expect(try self.filled("(mail=*)") == "(mail=*)")
    #expect(try self.filled("(userAccountControl:1.2.840.113556.1.4.803:=2)") == "(userAccountControl:1.2.840.113556.1.4.803:=2)")
    #expect(try self.filled("(cn:dn:2.4.6.8.10:=x)") == "(cn:dn:2.4.6.8.10:=x)")
    #expect(try self.filled("(age>=18)") == "(age>=18)")
    #expect(try self.filled("(cn;lang-de=a\\28b\\29)") == "(cn;lang-de=a\\28b\\29)")
  }

  /// RFC 4515 section 3, and the names of CVE-2022-22975's kind.
  @Test(arguments: [
    ("*", "\\2a"), (")(uid=*", "\\29\\28uid\\3d\\2a"), ("\\2a", "\\5c2a"), ("a\u{0}b", "a\\00b"), ("é", "\\c3\\a9"),
    ("a,ou=b", "a\\2cou\\3db"), ("", ""), ("{dn}", "\\7bdn\\7d"),
  ])
  func whatIsFilledInIsAValueAndNothingElse(name: String, escaped: String) throws {
    #expect(try self.filled("(uid={username})", username: name) == "(uid=\(escaped))")
  }

  @Test(arguments: [
    "", "uid=x", "(uid=x", "(uid=x))", "(uid=x)(cn=y)", "()", "(=x)", "(&)", "(&(a=b)", "(!)", "(!(a=b)(c=d))", "(a b=c)", "(uid=a(b)",
    "(uid=\\)", "(uid=\\2)", "(uid=\\zz)", "(uid=a**b)", "(uid={user})", "(uid={username)", "(uid=})", "(uid={)", "(uid>=*)", "(1=x)",
    "(1.02=x)", "(:=x)", "(a:b:c:=x)", "(a~=b*)", "(uid=\u{0})", " (uid=x)",
    String(repeating: "(!", count: 30) + "(a=b)" + String(repeating: ")", count: 30), "(a=\(String(repeating: "x", count: 5000)))",
  ])
  func whatIsNoFilterIsRefused(text: String) {
    #expect(throws: LDAPSyntaxFault.self) { try FilterTemplate(parsing: text) }
  }

  @Test func theChainIsAskedByActiveDirectorysRule() throws {
    let template = try FilterTemplate(parsing: "(&(objectClass=group)(|(member={dn})(memberUid={username})))").inChain
    #expect(
      template.filter(username: "a", dn: "b").text
        == "(&(objectClass=group)(|(member:1.2.840.113556.1.4.1941:=b)(memberUid=a)))")
    let plain = try FilterTemplate(parsing: "(memberUid={username})")
    #expect(plain.inChain == plain)
  }

  @Test func whatIsAboutUserNamesMatchesNoGroup() throws {
    func about(_ text: String) throws -> String? { try FilterTemplate(parsing: text).aboutGroups?.filter(anyOf: ["a"]).text }
    #expect(try about("(|(member={dn})(memberUid={username}))") == "(member=a)")
    #expect(try about("(&(objectClass=group)(member={dn}))") == "(&(objectClass=group)(member=a))")
    #expect(try about("(&(memberUid={username})(member={dn}))") == nil)
    #expect(try about("(memberUid={username})") == nil)
    #expect(try about("(|(!(memberUid={username}))(member={dn}))") == nil)
    #expect(try about("(&(!(memberUid={username}))(member={dn}))") == "(member=a)")
    #expect(try FilterTemplate(parsing: "(member={dn})").filter(anyOf: ["a", "b"]).text == "(|(member=a)(member=b))")
  }

  /// No name makes another filter: a reader that only knows the grammar sees the template's shape, with the name as a value.
  @Test func oneHundredThousandNamesStayValues() throws {
    var names = HostileNames(seed: 4515)
    let template = try FilterTemplate(parsing: "(&(objectClass=person)(|(uid={username})(mail=*{username}@example.org)(member={dn})))")
    for round in 0..<100_000 {
      let name = round % 2 == 0 ? names.next() : names.bytes()
      let other = names.next()
      let text = template.filter(username: name, dn: other).text
      let expected = SecondFilterReader.Filter.and([
        .item("objectClass", "=", [Array("person".utf8)]),
        .or([
          .item("uid", "=", [Array(name.utf8)]), .item("mail", "=", [[], Array("\(name)@example.org".utf8)]),
          .item("member", "=", [Array(other.utf8)]),
        ]),
      ])
      guard SecondFilterReader.read(text) == expected else {
        Issue.record("\(name.debugDescription), \(other.debugDescription): \(text)")
        return
      }
    }
  }

  /// What our reader takes for a filter, the other one takes for the same; what it refuses does not crash it.
  @Test func bothReadersAgree() {
    var names = HostileNames(seed: 1)
    var accepted = 0
    for _ in 0..<100_000 {
      let left = names.choose(["uid", "cn", "(uid", "&(a=b)(c", "|(a", "!(x", "a:dn:", "1.2.3", "", "u id"])
      let text = "(\(left)\(names.choose(["=", ">=", ":=", "~=", "=", "=*"]))\(names.next()))\(names.choose(["", "", ")", "))", "(a=b)"]))"
      guard let template = try? FilterTemplate(parsing: text), template.placeholders.isEmpty else { continue }
      accepted += 1
      let written = template.filter(username: "", dn: "").text
      guard let read = SecondFilterReader.read(text), read == SecondFilterReader.read(written) else {
        Issue.record("\(text.debugDescription) was read as \(written)")
        return
      }
    }
    #expect(accepted > 5000, "the cases reach the reader: \(accepted)")
  }
}
