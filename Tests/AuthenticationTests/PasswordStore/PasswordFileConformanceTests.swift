import SallyportAuthentication
import TestSupport
import Testing

@Suite struct PasswordFileConformanceTests {
  @Test func passwordFilesKeepThePromisesOfEveryStore() async throws {
    let users = """
      users:
      - {name: alice, passwordHash: \(KnownHash.correctHorse), groups: [developers, on call]}
      - {name: bob, passwordHash: \(KnownHash.batteryStaple)}
      """
    let conformance = AuthenticatorConformance(
      .file(try PasswordFile(content: Array(users.utf8), name: "users.yaml")),
      person: .init(typed: "alice", password: "correct horse", groups: ["developers", "on call"]),
      other: .init(typed: "bob", password: "battery staple"))
    #expect(try await conformance.verify() == [])
  }
}
