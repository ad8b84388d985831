import Foundation
import Logging
import NIOCore
import SallyportAuthentication
import SallyportCore
import SallyportLDAPSyntax
import SallyportPKI
import TestSupport
import Testing

@testable import SallyportAuthenticationLDAP

/// Against OpenLDAP.
@Suite(.serialized, .timeLimit(.minutes(10))) struct DirectoryTests {
  private typealias Entries = DirectoryEntries

  private func ask(_ configuration: LDAPConfiguration, _ name: String, as typed: String? = nil) async throws -> AuthenticationOutcome {
    try await Desk(.ldap(configuration)).ask(typed ?? name, Entries.password(of: name))
  }

  @Test func theDirectoryKeepsThePromisesOfEveryStore() async throws {
    let pki = try TestPKI()
    let server = try await DirectoryServer(pki: pki)
    let outage = AuthenticatorConformance.Outage(begin: { server.signal(SIGSTOP) }, end: { server.signal(SIGCONT) })
    let conformance = AuthenticatorConformance(
      .ldap(try .of(server, timeout: .seconds(5))),
      person: .init(typed: "alice", password: Entries.password(of: "alice"), groups: ["developers", "everybody", "staff"]),
      other: .init(typed: "bob", password: Entries.password(of: "bob"), groups: ["everybody"]), outage: outage)
    #expect(try await conformance.verify() == [])
    try await server.stop()
  }

  // MARK: Encryption

  @Test func tlsIsVerifiedInBothForms() async throws {
    let pki = try TestPKI()
    let server = try await DirectoryServer(pki: pki)
    for tls in [true, false] { #expect(try await self.ask(.of(server, tls: tls), "alice").identifiedUser?.username == "alice") }
    // Another authority: nobody is asked anything.
    let directory = TemporaryDirectory()
    let other = try directory.write(try TestPKI().serverAuthority.certificatePEM, to: "ca.pem")
    for tls in [true, false] {
      let problem = try await self.ask(.of(server, tls: tls) { $0.encryption = .tls(caFile: other) }, "alice").refusal
      #expect(problem?.code == "passwordStoreUnavailable", "\(String(describing: problem))")
      let missing = try await self.ask(.of(server, tls: tls) { $0.encryption = .tls(caFile: directory.file("none.pem")) }, "alice").refusal
      #expect(missing?.code == "passwordStoreUnavailable")
    }
    try await server.stop()
  }

  @Test func aCertificateForAnotherNameIsRefused() async throws {
    let pki = try TestPKI()
    let server = try await DirectoryServer(pki: pki, certificate: try pki.server(names: ["ldap.example.org", "127.0.0.2"]))
    for tls in [true, false] {
      for host in ["127.0.0.1", "localhost"] {
        let problem = try await self.ask(.of(server, tls: tls) { $0.servers[0].host = host }, "alice").refusal
        #expect(problem?.code == "passwordStoreUnavailable", "\(host) \(String(describing: problem))")
      }
    }
    try await server.stop()
  }

  @Test func anExpiredCertificateIsRefused() async throws {
    let pki = try TestPKI()
    let expired = try pki.server(names: ["127.0.0.1"]) { $0.notAfter = Date(timeIntervalSinceNow: -60) }
    let server = try await DirectoryServer(pki: pki, certificate: expired)
    #expect(try await self.ask(.of(server), "alice").refusal?.code == "passwordStoreUnavailable")
    try await server.stop()
  }

  @Test func whatTheEnvironmentSaysOfTLSCountsForNothing() async throws {
    setenv("LDAPTLS_REQCERT", "never", 1)
    defer { unsetenv("LDAPTLS_REQCERT") }
    let pki = try TestPKI()
    let server = try await DirectoryServer(pki: pki, certificate: try pki.server(names: ["ldap.example.org"]))
    #expect(try await self.ask(.of(server), "alice").refusal?.code == "passwordStoreUnavailable")
    try await server.stop()
  }

  @Test func plaintextIsSpokenOnlyWhereItIsAllowed() async throws {
    let server = try await DirectoryServer(pki: try TestPKI())
    #expect(try await self.ask(.of(server, tls: false) { $0.encryption = .insecurePlaintext }, "alice").identifiedUser != nil)
    try await server.stop()
  }

  // MARK: Users

  @Test func theNameIsTheEntrysHoweverItWasTyped() async throws {
    let server = try await DirectoryServer(pki: try TestPKI())
    let configuration = try LDAPConfiguration.of(server) {
      $0.users.uid = try .init(parsing: "employeeNumber")
      $0.users.extra = [.init(key: "example.org/department", attribute: try .init(parsing: "departmentNumber"))]
    }
    for typed in ["alice", "ALICE", "alice@example.org", "Alice@Example.org"] {
      let identity = try #require(try await self.ask(configuration, "alice", as: typed).identifiedUser, "\(typed)")
      #expect(identity.username == "alice" && identity.uid == "1001" && identity.method == .ldap)
      #expect(identity.extra == [.init(key: "example.org/department", values: ["research"])])
      #expect(identity.origin == [.init("dn", "uid=alice,ou=people,dc=example,dc=org")])
    }
    try await server.stop()
  }

  @Test func whoShouldNotBeLetInIsNot() async throws {
    let pki = try TestPKI()
    let server = try await DirectoryServer(pki: pki)
    try await server.add(
      """
      dn: cn=twin-1,ou=people,dc=example,dc=org
      objectClass: inetOrgPerson
      cn: twin-1
      sn: twin
      uid: twin
      userPassword: twin\(Entries.passwordSuffix)

      dn: cn=twin-2,ou=people,dc=example,dc=org
      objectClass: inetOrgPerson
      cn: twin-2
      sn: twin
      uid: twin
      userPassword: twin\(Entries.passwordSuffix)

      dn: cn=mallory,ou=people,dc=example,dc=org
      objectClass: inetOrgPerson
      cn: mallory
      sn: mallory
      mail: mallory@example.org
      uid:: \(Data("alice\nX-Remote-Group: admins".utf8).base64EncodedString())
      userPassword: mallory\(Entries.passwordSuffix)

      dn: cn=reserved,ou=people,dc=example,dc=org
      objectClass: inetOrgPerson
      cn: reserved
      sn: reserved
      mail: reserved@example.org
      uid: system:admin
      userPassword: reserved\(Entries.passwordSuffix)

      dn: uid=passwordless,ou=people,dc=example,dc=org
      objectClass: inetOrgPerson
      cn: passwordless
      sn: passwordless
      uid: passwordless


      """)
    let configuration = try LDAPConfiguration.of(server) { $0.users.enabled = try .init(parsing: "(!(employeeType=inactive))") }
    for (name, typed) in [
      ("twin", "twin"), ("mallory", "mallory@example.org"), ("reserved", "reserved@example.org"), ("carol", "carol"),
      ("passwordless", "passwordless"), ("alice", "bob"), ("alice", "*"), ("alice", "ali*"), ("alice", "alice)(objectClass=*"),
      ("alice", "uid=alice,ou=people,dc=example,dc=org"), ("sallyport", "sallyport"), ("admin", "admin"),
    ] {
      let outcome = try await self.ask(configuration, name, as: typed)
      #expect(outcome.refusal?.code == "credentialsRefused", "\(typed): \(outcome)")
    }
    let empty = try await Desk(.ldap(configuration)).ask("alice", "")
    #expect(empty.refusal?.code == "credentialsRefused")
    try await server.stop()
  }

  /// A referral leads wherever an entry says. It is neither followed nor an error.
  @Test func referralsAreNotFollowed() async throws {
    let pki = try TestPKI()
    let server = try await DirectoryServer(pki: pki)
    let rogue = try await DirectoryServer(pki: pki, entries: Entries.base + Entries.person("eve", "mail: eve@example.org"))
    try await server.add(
      """
      dn: ou=elsewhere,ou=people,dc=example,dc=org
      objectClass: referral
      objectClass: extensibleObject
      ou: elsewhere
      ref: ldap://127.0.0.1:\(rogue.port)/ou=people,dc=example,dc=org


      """)
    #expect(try await self.ask(.of(server), "eve").refusal?.code == "credentialsRefused")
    #expect(try await self.ask(.of(server), "alice").identifiedUser != nil)
    let base = try LDAPConfiguration.of(server) {
      $0.users.place = .search(
        base: try .init(parsing: "ou=elsewhere,ou=people,dc=example,dc=org"), scope: .subtree,
        filter: try .init(parsing: "(uid={username})"))
    }
    #expect(try await self.ask(base, "eve").refusal?.code == "passwordStoreUnavailable")
    try await rogue.stop()
    try await server.stop()
  }

  @Test func aTemplateNamesTheEntryWithAndWithoutAServiceAccount() async throws {
    let server = try await DirectoryServer(pki: try TestPKI())
    for hasAccount in [true, false] {
      let configuration = try LDAPConfiguration.of(server) {
        $0.users.place = .template(try .init(parsing: "uid={username},ou=people,dc=example,dc=org"), filter: nil)
        $0.groups = nil
        if !hasAccount { $0.serviceAccount = nil }
      }
      #expect(try await self.ask(configuration, "alice", as: "Alice").identifiedUser?.username == "alice")
      for typed in ["bob", "alice,ou=people", "alice+cn=alice", "nobody", "", "a\\", "#04"] {
        #expect(try await self.ask(configuration, "alice", as: typed).refusal?.code == "credentialsRefused", "\(typed)")
      }
    }
    try await server.stop()
  }

  // MARK: Accounts

  @Test func theDirectorysReasonsAreForTheLogAlone() async throws {
    let server = try await DirectoryServer(pki: try TestPKI())
    try await server.modify(
      """
      dn: uid=dave,ou=people,dc=example,dc=org
      changetype: modify
      replace: pwdReset
      pwdReset: TRUE

      dn: uid=bob,ou=people,dc=example,dc=org
      changetype: modify
      replace: pwdAccountLockedTime
      pwdAccountLockedTime: 000001010000Z

      dn: cn=default,ou=policies,dc=example,dc=org
      changetype: modify
      replace: pwdLockout
      pwdLockout: TRUE


      """)
    var messages: Set<String> = []
    for (name, reason) in [("dave", "must be changed"), ("bob", "locked the account")] {
      let problem = try #require(try await self.ask(.of(server), name).refusal)
      #expect(problem.status == 401 && problem.detail.contains(reason), "\(problem)")
      messages.insert(problem.message)
    }
    let wrong = try #require(try await self.ask(.of(server), "bob", as: "alice").refusal)
    #expect(messages == [wrong.message])
    try await server.stop()
  }

  /// The account is locked there after six wrong passwords. It never sees the sixth.
  @Test func aFloodLocksNothingInTheDirectory() async throws {
    let server = try await DirectoryServer(pki: try TestPKI())
    try await server.modify(
      "dn: cn=default,ou=policies,dc=example,dc=org\nchangetype: modify\nreplace: pwdLockout\npwdLockout: TRUE\n\n")
    let source = AuthenticatorConfiguration.PasswordSource.ldap(try .of(server))
    let memory = AuthenticationMemory(threads: 1)
    let desks = (0..<20).map { Desk(source, network: $0, failures: 5, memory: memory) }
    var codes: [String: Int] = [:]
    try await withThrowingTaskGroup(of: String.self) { group in
      for index in 0..<200 {
        let spelling = ["alice", "Alice", "ALICE", "alice@example.org"][index % 4]
        group.addTask { try await desks[index % 20].ask(spelling, "guess \(index)").refusal?.code ?? "let in" }
      }
      for try await code in group { codes[code, default: 0] += 1 }
    }
    // Those that found no room were not looked at either.
    #expect(Set(codes.keys).isSubset(of: ["credentialsRefused", "credentialsThrottled", "authenticationBusy"]), "\(codes)")
    #expect((1...5).contains(codes["credentialsRefused"] ?? 0) && (codes["credentialsThrottled"] ?? 0) > 5, "\(codes)")
    let entry = try await server.read("uid=alice,ou=people,dc=example,dc=org", "pwdFailureTime", "pwdAccountLockedTime")
    #expect(!entry.contains("pwdAccountLockedTime"), "\(entry)")
    #expect(entry.components(separatedBy: "pwdFailureTime:").count - 1 <= 5, "\(entry)")
    try await server.stop()
  }

  // MARK: Groups

  private func groups(_ server: DirectoryServer, _ name: String, _ change: (inout LDAPConfiguration) throws -> Void) async throws
    -> [String]?
  {
    try await self.ask(.of(server) { try change(&$0) }, name).identifiedUser?.groups
  }

  @Test func groupsOfEveryKindAreFound() async throws {
    let server = try await DirectoryServer(pki: try TestPKI())
    #expect(try await self.groups(server, "alice") { $0.groups?.isNested = false } == ["developers"])
    #expect(try await self.groups(server, "alice") { _ in } == ["developers", "everybody", "staff"])
    #expect(try await self.groups(server, "alice") { $0.groups = nil } == [])
    #expect(try await self.groups(server, "dave") { _ in } == [])
    let all = try LDAPConfiguration.Groups.Source.groups("(|(member={dn})(uniqueMember={dn})(memberUid={username}))")
    #expect(try await self.groups(server, "alice") { $0.groups?.source = all } == ["developers", "everybody", "posix", "staff"])
    #expect(try await self.groups(server, "bob") { $0.groups?.source = all } == ["everybody", "unique"])
    let memberOf = LDAPConfiguration.Groups.Source.memberOf(try .init(parsing: "memberOf"))
    #expect(try await self.groups(server, "alice") { $0.groups?.source = memberOf } == ["developers", "everybody", "staff"])
    #expect(
      try await self.groups(server, "alice") {
        $0.groups?.source = memberOf
        $0.groups?.isNested = false
      } == ["developers"])
    // OpenLDAP does not know the rule: whatever it answers, nobody gets a group by it.
    let chain = try LDAPConfiguration.Groups.Source.search(
      base: .init(parsing: "ou=groups,dc=example,dc=org"), scope: .one, filter: FilterTemplate(parsing: "(member={dn})").inChain)
    #expect(
      try await self.groups(server, "alice") {
        $0.groups?.source = chain
        $0.groups?.isNested = false
      } == [])
    try await server.stop()
  }

  @Test func ringsEndAndDepthAndNumberAreBounded() async throws {
    let server = try await DirectoryServer(pki: try TestPKI())
    var entries = Entries.group("ring-a", members: ["uid=bob,ou=people", "cn=ring-b,ou=groups"])
    entries +=
      Entries.group("ring-b", members: ["cn=ring-a,ou=groups"])
      + Entries.group("ring-c", members: ["cn=ring-b,ou=groups", "cn=ring-c,ou=groups"])
    for level in 0..<15 {
      entries += Entries.group("deep-\(level)", members: [level == 0 ? "uid=dave,ou=people" : "cn=deep-\(level - 1),ou=groups"])
    }
    for number in 0..<300 { entries += Entries.group("many-\(number)", members: ["uid=carol,ou=people"]) }
    try await server.add(entries)
    let memberOf = LDAPConfiguration.Groups.Source.memberOf(try .init(parsing: "memberOf"))
    for source in [try .groups("(member={dn})"), memberOf] {
      #expect(try await self.groups(server, "bob") { $0.groups?.source = source } == ["everybody", "ring-a", "ring-b", "ring-c"])
      let deep = try await self.ask(.of(server) { $0.groups?.source = source }, "dave").refusal
      #expect(deep?.detail.contains("nested deeper than 10") == true, "\(String(describing: deep))")
      #expect(
        try await self.groups(server, "dave") {
          $0.groups?.source = source
          $0.groups?.depth = 15
        }?.count == 15)
      let many = try await self.ask(.of(server) { $0.groups?.source = source }, "carol").refusal
      #expect(many?.detail.contains("more than 256 groups") == true, "\(String(describing: many))")
    }
    try await server.stop()
  }

  // MARK: Freshness

  @Test func whoIsGoneOrChangedIsSeenAtHalfTheLifetime() async throws {
    let server = try await DirectoryServer(pki: try TestPKI())
    let configuration = try LDAPConfiguration.of(server) { $0.users.enabled = try .init(parsing: "(!(employeeType=inactive))") }
    let desk = Desk(.ldap(configuration), lifetime: .seconds(4))
    for name in ["alice", "bob", "dave"] { #expect(try await desk.ask(name, Entries.password(of: name)).identifiedUser != nil) }
    try await server.modify(
      """
      dn: cn=developers,ou=groups,dc=example,dc=org
      changetype: modify
      add: member
      member: uid=edit,ou=people,dc=example,dc=org
      -
      delete: member
      member: uid=alice,ou=people,dc=example,dc=org

      dn: uid=bob,ou=people,dc=example,dc=org
      changetype: modify
      replace: employeeType
      employeeType: inactive

      dn: uid=dave,ou=people,dc=example,dc=org
      changetype: delete


      """)
    let start = ContinuousClock.now
    var seen: [String: Duration] = [:]
    // As busy as a dashboard: the connection is never without a request.
    while seen.count < 3, ContinuousClock.now - start < .seconds(60) {
      if seen["alice"] == nil, try await desk.ask("alice", Entries.password(of: "alice")).identifiedUser?.groups == [] {
        seen["alice"] = ContinuousClock.now - start
      }
      for name in ["bob", "dave"] where seen[name] == nil {
        if try await desk.ask(name, Entries.password(of: name)).refusal?.code == "credentialsRefused" {
          seen[name] = ContinuousClock.now - start
        }
      }
      try await Task.sleep(for: .milliseconds(20))
    }
    #expect(seen.count == 3, "\(seen)")
    // The lifetime is four seconds; what is left is for a starved machine.
    #expect(seen.values.allSatisfy { $0 < .seconds(10) }, "\(seen)")
    try await server.stop()
  }

  // MARK: Faults

  @Test func theSecondServerTakesOverAndTheFirstComesBack() async throws {
    let pki = try TestPKI()
    let first = try await DirectoryServer(pki: pki)
    let second = try await DirectoryServer(pki: pki)
    let configuration = try LDAPConfiguration.of(first, second, timeout: .seconds(6))
    let desk = Desk(.ldap(configuration), failures: 1000, lifetime: .milliseconds(1))
    let password = Entries.password(of: "alice")
    #expect(try await desk.ask("alice", password).identifiedUser != nil)
    for fault in ["hung", "gone"] {
      if fault == "hung" { first.signal(SIGSTOP) } else { try await first.stop() }
      let start = ContinuousClock.now
      while try await desk.ask("alice", password).identifiedUser == nil {
        try #require(ContinuousClock.now - start < .seconds(30), "the second server does not take over: \(fault)")
      }
      // A connection to the first may still be tried meanwhile; nobody is let in for that.
      var refused = try await desk.ask("alice", "wrong \(fault)").refusal?.code
      while refused == "passwordStoreUnavailable", ContinuousClock.now - start < .seconds(60) {
        refused = try await desk.ask("alice", "wrong \(fault)").refusal?.code
      }
      #expect(refused == "credentialsRefused")
      if fault == "hung" { first.signal(SIGCONT) }
    }
    try await second.stop()
    #expect(try await desk.ask("alice", password).refusal?.code == "passwordStoreUnavailable")
    #expect(try await desk.ask("alice", "wrong again").refusal?.code == "passwordStoreUnavailable")
    let back = try await DirectoryServer(pki: pki, ports: (first.port, first.tlsPort))
    let start = ContinuousClock.now
    // Its authority is another file with the same content; the first one's is still there.
    while try await desk.ask("alice", password).identifiedUser == nil {
      try #require(ContinuousClock.now - start < .seconds(30), "the first server is not used again")
      try await Task.sleep(for: .milliseconds(20))
    }
    print("the directory was in use \(ContinuousClock.now - start) after it had come back")
    try await back.stop()
  }

  // MARK: Hostile names against a real server

  @Test func thousandsOfHostileNamesLetNobodyIn() async throws {
    let server = try await DirectoryServer(pki: try TestPKI())
    let search = try LDAPConfiguration.of(server) { $0.groups = nil }
    let direct = try LDAPConfiguration.of(server) {
      $0.groups = nil
      $0.users.place = .template(try .init(parsing: "uid={username},ou=people,dc=example,dc=org"), filter: nil)
      $0.serviceAccount = nil
    }
    var random = SystemRandomNumberGenerator()
    let pieces = [
      "alice", "*", "(", ")", "\\", "\\2a", ")(uid=*", "*)(uid=*", "|", "&", "!", "=", ",", "+", "\"", ";", "<", ">", "#", " ",
      ",ou=people",
      "uid=alice", "\u{E9}", "\u{1F98A}", "{username}", ")(|(uid=*)", "\\,", "bob",
    ]
    for configuration in [search, direct] {
      let desk = Desk(.ldap(configuration), failures: 1_000_000)
      var asked = 0
      for round in 0..<60 {
        try await withThrowingTaskGroup(of: (String, AuthenticationOutcome).self) { group in
          for _ in 0..<25 {
            let name = (0..<Int.random(in: 1...5, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            // Her own name is no attack, in no letter case and with no blanks that the directory does not see.
            guard name.trimmingCharacters(in: .whitespaces).lowercased() != "alice" else { continue }
            asked += 1
            group.addTask { (name, try await desk.ask(name, Entries.password(of: "alice"))) }
          }
          for try await (name, outcome) in group {
            #expect(outcome.identifiedUser == nil, "round \(round): \(name.debugDescription) was let in")
            #expect(outcome.refusal?.code == "credentialsRefused", "\(name.debugDescription): \(outcome)")
          }
        }
      }
      #expect(asked > 1000)
    }
    try await server.stop()
  }
}
