import SallyportConfiguration
import SallyportLDAPSyntax
import Testing

/// The least configuration with a directory and PAM that say everything they can.
let everyDirectoryKey = leastKeys.replacing(
  "  - passwordFile: {file: users.yaml}",
  with: """
      - ldap:
          urls: ["ldap://ldap-1.example.org", "ldap://[::1]:3389"]
          startTLS: true
          caFile: certs/ldap-ca.pem
          bindDN: cn=sallyport,dc=example,dc=org
          bindPasswordFile: certs/ldap-password
          users:
            base: ou=people,dc=example,dc=org
            scope: one
            filter: "(|(uid={username})(mail={username}))"
            username: uid
            uid: entryUUID
            extra: {example.org/department: departmentNumber, example.org/building: roomNumber}
            enabledFilter: "(!(pwdAccountLockedTime=*))"
          groups:
            base: ou=groups,dc=example,dc=org
            scope: one
            filter: "(|(member={dn})(memberUid={username}))"
            name: ou
            nested: true
            depth: 5
            limit: 100
          timeout: 3s
          connections: 8
          waiting: 128
      - pam:
          service: sallyport
          serviceDirectory: pam.d
          groups: system
          threads: 4
          waiting: 16
          timeout: 45s
    """)

/// The other ways to say it.
let everyMemberOfKey = leastKeys.replacing(
  "  - passwordFile: {file: users.yaml}",
  with: """
      - ldap:
          urls: ["ldap://ldap.example.org"]
          insecurePlaintext: true
          bindDN: cn=sallyport
          bindPasswordEnv: LDAP_PASSWORD
          userDNTemplate: uid={username},ou=people
          users: {username: uid, filter: "(objectClass=person)"}
          groups: {memberOf: memberOf}
    """)

@Suite struct PasswordStoreSectionTests {
  @Test func aDirectoryIsReadWithAllThatItSays() throws {
    let passwords = try load(everyDirectoryKey).authentication.passwords
    guard case .ldap(let ldap) = passwords[0], case .pam(let pam) = passwords[1] else {
      Issue.record("\(passwords)")
      return
    }
    #expect(ldap.urls.map(\.description) == ["ldap://ldap-1.example.org:389", "ldap://[::1]:3389"])
    #expect(ldap.caFile?.path == "/etc/sallyport/certs/ldap-ca.pem" && !ldap.insecurePlaintext)
    #expect(ldap.serviceAccount?.name.text == "cn=sallyport,dc=example,dc=org")
    guard case .file(let file)? = ldap.serviceAccount?.password else {
      Issue.record("the password has no file")
      return
    }
    #expect(file.path == "/etc/sallyport/certs/ldap-password")
    #expect(
      ldap.users.place
        == .search(
          base: try .init(parsing: "ou=people,dc=example,dc=org"), scope: .one,
          filter: try .init(parsing: "(|(uid={username})(mail={username}))")))
    #expect(ldap.users.username.text == "uid" && ldap.users.uid?.text == "entryUUID")
    #expect(ldap.users.extra.map(\.key) == ["example.org/building", "example.org/department"])
    #expect(ldap.users.enabledFilter != nil)
    #expect(ldap.groups?.name.text == "ou" && ldap.groups?.nested == true && ldap.groups?.depth == 5 && ldap.groups?.limit == 100)
    #expect(ldap.timeout == .seconds(3) && ldap.connections == 8 && ldap.waiting == 128)
    #expect(pam.service == "sallyport" && pam.serviceDirectory?.path == "/etc/sallyport/pam.d" && pam.groups == .system)
    #expect(pam.threads == 4 && pam.waiting == 16 && pam.timeout == .seconds(45))
  }

  @Test func aDirectoryIsReadWithWhatItLeavesOut() throws {
    let passwords = try load(everyMemberOfKey).authentication.passwords
    guard case .ldap(let ldap) = passwords[0] else {
      Issue.record("\(passwords)")
      return
    }
    #expect(ldap.insecurePlaintext && ldap.caFile == nil && ldap.knowsItsUsers)
    #expect(ldap.serviceAccount?.password == .environment("LDAP_PASSWORD"))
    #expect(
      ldap.groups?.source == .memberOf(try .init(parsing: "memberOf")) && ldap.groups?.name.text == "cn" && ldap.groups?.nested == false)
    #expect(ldap.timeout == .seconds(5) && ldap.connections == 4 && ldap.waiting == 64)
  }

  private static let ldap = "authentication.passwords[0].ldap"

  @Test(arguments: [
    ("      startTLS: true\n", "", "would send passwords in the clear; write ldaps, set startTLS: true, or set insecurePlaintext: true"),
    ("ldap://ldap-1", "ldaps://ldap-1", ".urls[0]: is ldaps beside startTLS, which is for ldap; write all urls alike"),
    ("startTLS: true", "insecurePlaintext: true", ".caFile: has no effect without TLS; remove it, or remove insecurePlaintext"),
    ("startTLS: true", "startTLS: true\n      insecurePlaintext: true", ".insecurePlaintext: stands beside startTLS; keep one of the two"),
    ("ldap://ldap-1.example.org", "http://ldap-1", ".urls[0]: is not an LDAP URL; write it as in ldaps://ldap.example.org"),
    (
      "ldap://ldap-1.example.org", "ldap://ldap-1/dc=x",
      ".urls[0]: has more than a host and a port; write it as in ldaps://ldap.example.org"
    ),
    (
      "      bindPasswordFile: certs/ldap-password\n", "",
      ".bindDN: has no password; add bindPasswordFile or bindPasswordEnv; leave bindDN out to search without a name"
    ),
    ("      bindDN: cn=sallyport,dc=example,dc=org\n", "", ".bindPasswordFile: stands without bindDN; add bindDN, or remove it"),
    (
      "bindDN: cn=sallyport,dc=example,dc=org", "bindDN: sallyport",
      ".bindDN: is not a distinguished name; write it as in ou=people,dc=example,dc=org"
    ),
    ("base: ou=people", "base: people", ".users.base: is not a distinguished name; write it as in ou=people,dc=example,dc=org"),
    (
      "(|(uid={username})(mail={username}))", "(uid=alice)",
      ".users.filter: does not ask for the user's name; write it as in (uid={username})"
    ),
    ("(|(uid={username})(mail={username}))", "(uid={dn})", ".users.filter: has a placeholder that is not known here; use {username}"),
    (
      "(|(uid={username})(mail={username}))", "uid={username}",
      ".users.filter: has no parenthesis where a filter begins; write it as in (uid={username})"
    ),
    (
      "username: uid\n", "username: the name\n", ".users.username: is not the name of an attribute; write it as in uid, memberOf or 2.5.4.3"
    ),
    ("example.org/department", "kubernetes.io/department", "has a key of a domain that is Kubernetes' own; use a domain of yours"),
    (
      "(|(member={dn})(memberUid={username}))", "(cn=x)",
      ".groups.filter: asks nothing about the user; write it as in (member={dn}) or (memberUid={username})"
    ),
    (
      "(|(member={dn})(memberUid={username}))", "(memberUid={username})",
      ".groups.filter: cannot be asked about groups, as nested wants; write it as in (member={dn}), or remove nested"
    ),
    (
      "nested: true", "inChain: true\n        nested: true",
      ".groups.inChain: stands beside nested; keep one of the two: the server follows the chain, or Sallyport"
    ),
    ("        nested: true\n", "", ".groups.depth: has no effect without nested; remove it, or set nested: true"),
    ("groups: system", "groups: some", "[1].pam.groups: is not a known word; write system or none"),
    (
      "service: sallyport", "service: ../sshd",
      "[1].pam.service: is not the name of a PAM service; use up to 63 lower-case letters, digits, `-` and `_`; `other` is what PAM falls back to"
    ),
    (
      "service: sallyport", "service: other",
      "[1].pam.service: is not the name of a PAM service; use up to 63 lower-case letters, digits, `-` and `_`; `other` is what PAM falls back to"
    ),
  ])
  func aFaultSaysWhereAndWhatWouldBeRight(old: String, new: String, fault: String) {
    let found = faults(in: everyDirectoryKey, replacing: old, by: new)
    #expect(found.contains { $0.hasSuffix(fault) }, "\(found)")
  }

  @Test func aTemplateLeavesNoPlaceForABase() {
    let found = faults(in: everyMemberOfKey, replacing: "username: uid,", by: "username: uid, base: ou=people,")
    #expect(
      found.map { $0.drop { $0 != " " } } == [
        " \(Self.ldap).users.base: has no effect beside userDNTemplate; remove it, or remove userDNTemplate"
      ])
    #expect(
      faults(in: everyMemberOfKey, replacing: "uid={username}", by: "uid=alice").contains {
        $0.contains("userDNTemplate: does not have {username}")
      })
  }

  @Test func aDirectoryThatDoesNotKnowItsUsersStandsLast() {
    let direct = everyMemberOfKey.replacing("      bindDN: cn=sallyport\n      bindPasswordEnv: LDAP_PASSWORD\n", with: "")
    #expect(faults(in: direct) == [])
    let before = direct.replacing("credentials:\n", with: "  - passwordFile: {file: users.yaml}\ncredentials:\n")
    #expect(faults(in: before).contains { $0.contains("does not know its users without a bindDN") }, "\(faults(in: before))")
  }

  @Test func aStoreIsOneThing() {
    let found = faults(
      in: leastKeys, replacing: "- passwordFile: {file: users.yaml}",
      by: "- {passwordFile: {file: users.yaml}, pam: {service: a, groups: none}}")
    #expect(found.map { $0.drop { $0 != " " } } == [" authentication.passwords[0].pam: stands beside `passwordFile`; keep one of the two"])
    let none = faults(in: leastKeys, replacing: "- passwordFile: {file: users.yaml}", by: "- {}")
    #expect(none.contains { $0.hasSuffix("has none of the keys `passwordFile` or `ldap` or `pam`; add one of them") }, "\(none)")
  }
}
