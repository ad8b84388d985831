import SallyportLDAPSyntax
import Testing

@Suite struct DistinguishedNameTests {
  @Test(arguments: [
    ("dc=example,dc=org", "dc=example,dc=org"), ("uid=alice , ou=people", "uid=alice,ou=people"),
    ("CN=Before\\0dAfter,DC=example", "CN=Before\\0dAfter,DC=example"), ("OU=Sales+CN=J.  Smith,DC=x", "OU=Sales+CN=J.  Smith,DC=x"),
    ("CN=James \\\"Jim\\\" Smith\\, III,DC=x", "CN=James \\22Jim\\22 Smith\\2c III,DC=x"),
    ("1.3.6.1.4.1.1466.0=#04024869", "1.3.6.1.4.1.1466.0=#04024869"),
    ("CN=Lu\\C4\\8Di\\C4\\87", "CN=Lu\\c4\\8di\\c4\\87"), ("cn=a{b}", "cn=a\\7bb\\7d"), ("cn=\\ a\\ ", "cn=\\20a\\20"), ("cn=", "cn="),
  ])
  func aNameIsReadAndWrittenInOneSpelling(text: String, spelling: String) throws {
    #expect(try DistinguishedName(parsing: text).text == spelling)
  }

  @Test(arguments: [
    "", "alice", "=x", "uid=a,", ",uid=a", "uid=a,,dc=b", "uid=a;dc=b", "uid=\"a\"", "uid=a<b", "uid=a\\", "uid=a\\x", "uid=#", "uid=#0",
    "uid=#zz", "u id=a", "1=a", "uid=a+", "uid=\u{0}",
  ])
  func whatIsNoNameIsRefused(text: String) {
    #expect(throws: LDAPSyntaxFault.self) { try DistinguishedName(parsing: text) }
  }

  @Test func theOwnNamesValueIsGiven() throws {
    let name = try DistinguishedName(parsing: "CN=on call\\, night+ou=x,dc=example")
    #expect(name.ownValue(of: try AttributeName(parsing: "cn")) == "on call, night")
    #expect(name.ownValue(of: try AttributeName(parsing: "dc")) == nil)
  }

  @Test func twoSpellingsOfANameHaveOneKey() {
    #expect(DistinguishedName.key(of: "UID=Alice, DC=Example") == DistinguishedName.key(of: "uid=alice,dc=example"))
    #expect(DistinguishedName.key(of: "cn=a\\,b") == DistinguishedName.key(of: "cn=a\\2Cb"))
  }

  @Test(arguments: ["uid={username}", "uid={username},ou=people,dc=example", "cn=x+uid={username}-ldap,dc=a"])
  func aTemplateHasOnePlace(text: String) throws {
    #expect(try NameTemplate(parsing: text).name(username: "alice") == text.replacing("{username}", with: "alice"))
  }

  @Test(arguments: ["uid=alice", "uid={username},cn={username}", "{username}=x", "uid={user}", "uid={username", "uid=}", "{username},dc=x"])
  func whatIsNoTemplateIsRefused(text: String) {
    #expect(throws: LDAPSyntaxFault.self) { try NameTemplate(parsing: text) }
  }

  /// No name adds a part to the distinguished name, or changes one.
  @Test func oneHundredThousandNamesStayValues() throws {
    var names = HostileNames(seed: 4514)
    let template = try NameTemplate(parsing: "uid={username},ou=people,dc=example,dc=org")
    for round in 0..<100_000 {
      let name = round % 2 == 0 ? names.next() : names.bytes()
      let text = template.name(username: name)
      let expected: [[String: [UInt8]]] = [
        ["uid": Array(name.utf8)], ["ou": Array("people".utf8)], ["dc": Array("example".utf8)], ["dc": Array("org".utf8)],
      ]
      guard SecondNameReader.read(text) == expected, try DistinguishedName(parsing: text).text == text else {
        Issue.record("\(name.debugDescription): \(text)")
        return
      }
    }
  }

  @Test func bothReadersAgree() {
    var names = HostileNames(seed: 2)
    var accepted = 0
    for _ in 0..<100_000 {
      let text =
        "\(names.choose(["uid", "cn", "1.2.3", "", "a b"]))=\(names.next())\(names.choose(["", ",dc=x", "+cn=y", ",", ",ou=a\\,b"]))"
      guard let name = try? DistinguishedName(parsing: text) else { continue }
      accepted += 1
      let written = name.text
      guard let again = try? DistinguishedName(parsing: written), again.text == written else {
        Issue.record("\(text.debugDescription) was read as \(written)")
        return
      }
      // The strict one knows neither blanks around values nor hexadecimal ones.
      if let other = SecondNameReader.read(text), !text.contains("#"), !text.contains(" "),
        name.names.allSatisfy({ Set($0.map(\.type)).count == $0.count })
      {
        let parts = name.names.map { Dictionary($0.map { ($0.type.text, $0.value ?? []) }) { first, _ in first } }
        guard other == parts else {
          Issue.record("\(text.debugDescription) was read as \(written)")
          return
        }
      }
    }
    #expect(accepted > 5000, "the cases reach the reader: \(accepted)")
  }
}
