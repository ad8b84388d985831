import SallyportCore
import SallyportStrictYAML
import Testing

import struct Foundation.Data
import class Foundation.FileManager
import struct Foundation.UUID

@testable import SallyportAuthentication

@Suite struct PasswordFileTests {
  private func load(_ text: String, allow: Set<String> = []) throws(FileFaults) -> PasswordFile {
    try PasswordFile(content: Array(text.utf8), name: "users.yaml", allowSystemNames: allow)
  }

  private func faults(of text: String) -> [String] {
    do throws(FileFaults) {
      _ = try self.load(text)
      return []
    } catch {
      return error.faults.map(\.description)
    }
  }

  @Test func aUserIsReadWithAllThatItHas() throws {
    let file = try self.load(TestStation.users)
    #expect(file.count == 3)
    let alice = try #require(file.user(named: "alice"))
    #expect(alice.identity.username == "alice")
    #expect(alice.identity.groups == ["developers", "on call"])
    #expect(alice.identity.uid == "1001")
    #expect(alice.identity.extra == [.init(key: "example.org/department", values: ["research"])])
    #expect(alice.identity.method == .passwordFile)
    #expect(alice.identity.origin == [.init("passwordFile", "users.yaml")])
    #expect(alice.identity.expires == nil)
    #expect(!alice.isDisabled)
    #expect(file.user(named: "carol")?.isDisabled == true)
    #expect(file.user(named: "bob")?.identity.groups == [])
    #expect(file.user(named: "Alice") == nil)
  }

  @Test func extraKeysStandInAFixedOrder() throws {
    let file = try self.load("users: [{name: a, passwordHash: \(KnownHash.yescrypt), extra: {z: [1st], b: [x, why]}}]")
    #expect(file.user(named: "a")?.identity.extra == [.init(key: "b", values: ["x", "why"]), .init(key: "z", values: ["1st"])])
  }

  @Test func allFaultsOfAFileAreReportedAtOnceWithTheirPlaces() {
    let faults = self.faults(
      of: """
        users:
        - name: alice
          passwordHash: $apr1$salt$Xm1RSsHXbzqQPSzTgNkFS0
        - name: "system:admin"
          passwordHash: \(KnownHash.correctHorse)
        - name: bob
          passwordHash: \(KnownHash.correctHorse)
          groups: [developers, "system:masters"]
        - passwordHash: \(KnownHash.correctHorse)
          uuid: 5
        """)
    #expect(faults.count == 5)
    #expect(
      faults[0].hasPrefix("users.yaml:3:17: users[0].passwordHash: is an Apache MD5 hash, which is too weak; hash the password with bcrypt")
    )
    #expect(faults[1].hasPrefix("users.yaml:4:9: users[1].name: holds a colon"))
    #expect(faults[2].hasPrefix("users.yaml:8:24: users[2].groups[1]: begins with `system:`, which is Kubernetes' own; "))
    #expect(faults[3].hasPrefix("users.yaml:9:3: users[3].name: is missing"))
    #expect(faults[4].hasPrefix("users.yaml:10:3: users[3].uuid: is not a known key; did you mean `uid`?"))
  }

  @Test func noFaultRepeatsAHash() {
    let faults = self.faults(
      of: """
        users:
        - {name: alice, passwordHash: $1$salt$qJH7.N4xYta3aEG/dfqo/0}
        - {name: $2y$05$KBCwKxOzLha2MUDgW0PjXeiB68uDfBmXvTUyyqNxAD2eaQ43eHNkm, passwordHash: alice}
        - {$2y$05$KBCwKxOzLha2MUDgW0PjXeiB68uDfBmXvTUyyqNxAD2eaQ43eHNkm: alice}
        - {name: bob, passwordHash: $2y$05$KBCwKxOzLha2MUDgW0PjXf}
        """)
    #expect(faults.count >= 4)
    for fault in faults {
      #expect(!fault.contains("KBCwKx"))
      #expect(!fault.contains("qJH7"))
    }
  }

  @Test(arguments: ["alice", "ALICE", "Alice"])
  func aNameStandsOnceLetterCaseAside(_ second: String) {
    let faults = self.faults(
      of: "users:\n- {name: alice, passwordHash: \(KnownHash.yescrypt)}\n- {name: \(second), passwordHash: \(KnownHash.yescrypt)}\n")
    #expect(faults == ["users.yaml:3:10: users[1].name: has the name of the user in line 2, letter case aside; keep one of the two"])
  }

  @Test func aNameStandsOnceInAllUnicodeNormalisations() {
    let faults = self.faults(
      of: "users:\n- {name: zo\u{EB}, passwordHash: \(KnownHash.yescrypt)}\n- {name: zoe\u{308}, passwordHash: \(KnownHash.yescrypt)}\n")
    #expect(faults.count == 1)
  }

  @Test(arguments: [
    ("users: []", "too few"), ("users: [{name: 5, passwordHash: x}]", "number"), ("{}", "missing"), ("", "empty"), ("users: {}", "mapping"),
    ("users: [{name: a, passwordHash: \(KnownHash.yescrypt), disabled: yes}]", "true"),
    ("users: [{name: a, passwordHash: \(KnownHash.yescrypt), disabled: \"true\"}]", "true"),
    ("users: [{name: a, passwordHash: \(KnownHash.yescrypt), uid: 1001}]", "number"),
    ("users: [{name: a, passwordHash: \(KnownHash.yescrypt), extra: {Team: [x]}}]", "upper-case"),
    ("users: [{name: a, passwordHash: \(KnownHash.yescrypt), extra: {authentication.kubernetes.io/pod-name: [x]}}]", "Kubernetes' own"),
    ("users: [{name: a, passwordHash: \(KnownHash.yescrypt), extra: {k8s.io: [x]}}]", "Kubernetes' own"),
    ("users: [{name: a, passwordHash: \(KnownHash.yescrypt), extra: {team: []}}]", "too few"),
    ("users: [{name: a, passwordHash: \(KnownHash.yescrypt), extra: {team: [\"a\\nb\"]}}]", "control character"),
    ("users: [{name: a, passwordHash: \(KnownHash.yescrypt), groups: [\"a\\nb\"]}]", "control character"),
    ("users: [{name: \"a \", passwordHash: \(KnownHash.yescrypt)}]", "blank"),
    ("users: [{name: \"a:b\", passwordHash: \(KnownHash.yescrypt)}]", "colon"),
    ("users: [{name: a, passwordHash: \"*\"}]", "locked account"),
    ("users: [{name: a, passwordHash: \(KnownHash.yescrypt), passwordHash: \(KnownHash.yescrypt)}]", "twice"),
  ])
  func anythingUnclearIsAFault(_ text: String, _ word: String) {
    let faults = self.faults(of: text)
    #expect(faults.contains { $0.contains(word) })
  }

  @Test func domainsThatOnlyLookLikeKubernetesAreTaken() throws {
    _ = try self.load("users: [{name: a, passwordHash: \(KnownHash.yescrypt), extra: {notk8s.io/x: [v], example.org/k8s.io: [v]}}]")
  }

  @Test func aListedSystemGroupIsTaken() throws {
    let text = "users: [{name: a, passwordHash: \(KnownHash.yescrypt), groups: [\"system:masters\"]}]"
    #expect(throws: FileFaults.self) { try self.load(text) }
    #expect(try self.load(text, allow: ["system:masters"]).user(named: "a")?.identity.groups == ["system:masters"])
  }

  @Test func tooManyGroupsAreAFault() {
    let groups = (0...NameRules.mostGroups).map { "g\($0)" }.joined(separator: ", ")
    #expect(self.faults(of: "users: [{name: a, passwordHash: \(KnownHash.yescrypt), groups: [\(groups)]}]").count == 1)
  }

  @Test func weakButUsableHashesAreWarnedOf() throws {
    let file = try self.load(TestStation.users)
    #expect(file.warnings.count == 3)
    #expect(file.warnings.first?.description.hasPrefix("users.yaml:2:9: warning: users[0].name: has a bcrypt cost below 10; ") == true)
    #expect(try self.load("users: [{name: a, passwordHash: \(KnownHash.yescrypt)}]").warnings.isEmpty)
  }

  @Test func theDecoyIsOfTheMostCommonKind() throws {
    let file = try self.load(
      """
      users:
      - {name: a, passwordHash: \(KnownHash.sha512Vector)}
      - {name: b, passwordHash: \(KnownHash.yescrypt)}
      - {name: c, passwordHash: \(KnownHash.sha512Vector)}
      """)
    #expect(file.decoy?.kind == .sha512)
  }

  @Test func theContentHashFollowsTheContent() throws {
    #expect(try self.load(TestStation.users).contentHash == self.load(TestStation.users).contentHash)
    #expect(try self.load(TestStation.users).contentHash != self.load(TestStation.users + "\n").contentHash)
  }

  @Test func aFileDoesNotPrintItsHashes() throws {
    let file = try self.load(TestStation.users)
    var dumped = ""
    dump(file, to: &dumped)
    for text in ["\(file)", String(reflecting: file), dumped] { #expect(!text.contains("KBCwKx")) }
  }

  @Test func aFileIsReadFromDisk() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).yaml").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(FileManager.default.createFile(atPath: path, contents: Data(TestStation.users.utf8)))
    #expect(try PasswordFile(file: path).count == 3)
  }

  @Test func aFileThatIsNotThereIsAFault() {
    let error = #expect(throws: FileFaults.self) { try PasswordFile(file: "/nonexistent/users.yaml") }
    #expect(error?.description.hasPrefix("/nonexistent/users.yaml:1:1: cannot be read") == true)
  }

  @Test func aDirectoryIsAFault() {
    #expect(throws: FileFaults.self) { try PasswordFile(file: "/tmp") }
  }

  @Test func anOversizedFileIsAFault() {
    #expect(throws: FileFaults.self) {
      try PasswordFile(content: [UInt8](repeating: 0x23, count: PasswordFile.largestFile + 1), name: "htpasswd")
    }
  }
}
