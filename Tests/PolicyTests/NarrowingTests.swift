import SallyportCore
import Testing

/// `names` and `namespaces` in selectors, `unless`, `only`: what is not named is expected by a deny and not admitted by
/// anything else.
@Suite struct NarrowingTests {
  @Test(arguments: [
    ("GET /api/v1/namespaces/prod/pods/db-1", true), ("GET /api/v1/namespaces/prod/pods/web", false),
    ("GET /api/v1/namespaces/dev/pods/db-1", false),
    // Without a name, without a namespace: any of them.
    ("GET /api/v1/namespaces/prod/pods", true), ("GET /api/v1/pods", true), ("GET /api/v1/pods?watch=1", true),
    ("GET /api/v1/namespaces//pods", true), ("POST /api/v1/namespaces/prod/pods", true), ("DELETE /api/v1/namespaces/prod/pods", true),
    ("GET /api/v1/watch/pods", true), ("GET /api/v1/namespaces/dev/pods", false),
    // A field selector names the object.
    ("GET /api/v1/namespaces/prod/pods?fieldSelector=metadata.name%3Dweb", false),
    ("GET /api/v1/namespaces/prod/pods?fieldSelector=metadata.name%3Ddb-1", true),
    ("GET /api/v1/pods?fieldSelector=metadata.name%3Ddb-1", true),
    ("DELETE /api/v1/namespaces/prod/pods?fieldSelector=metadata.name%3Dweb", true),
  ]) func aDenyExpectsWhatIsNotNamed(_ request: String, _ denied: Bool) throws {
    let rule = "- {name: r, deny: [{resources: [pods], namespaces: [prod], names: [\"db-*\"]}]}"
    #expect(try Court(rule).denies(request) == denied)
  }

  @Test(arguments: [
    ("GET /api/v1/namespaces/prod/pods/db-1", true), ("GET /api/v1/namespaces/prod/pods/web", false),
    ("GET /api/v1/namespaces/dev/pods/db-1", false), ("GET /api/v1/namespaces/prod/pods", false), ("GET /api/v1/pods", false),
    ("GET /api/v1/namespaces//pods", false), ("POST /api/v1/namespaces/prod/pods", false),
    ("GET /api/v1/namespaces/prod/pods?fieldSelector=metadata.name%3Ddb-1", true),
  ]) func anAllowUnlessAndOnlyAdmitOnlyWhatIsNamed(_ request: String, _ named: Bool) throws {
    let allow = "- {name: r, allow: [{resources: [pods], namespaces: [prod], names: [\"db-*\"]}]}"
    #expect(try Court(allow, default: "deny").denies(request) == !named)
    let unless = "- {name: r, deny: [{resources: [pods]}], unless: {namespaces: [prod], names: [\"db-*\"]}}"
    #expect(try Court(unless).denies(request) == !named)
    let only = "- {name: r, deny: [{resources: [pods]}], only: {namespaces: [prod], names: [\"db-*\"]}}"
    #expect(try Court(only).denies(request) == named)
  }

  @Test func aNamespaceIsInItself() throws {
    let court = try Court("- {name: r, deny: [{resources: [\"*\"], verbs: [delete], namespaces: [prod]}]}")
    #expect(try court.denies("DELETE /api/v1/namespaces/prod"))
    #expect(try !court.denies("DELETE /api/v1/namespaces/dev"))
  }

  @Test func aProxiedNameIsKnownUnderItsSchemeAndPort() throws {
    let court = try Court("- {name: r, deny: [{resources: [\"*/proxy\"], names: [db]}]}")
    for name in ["db", "db:80", "https:db:443", "http:db:"] {
      #expect(try court.denies("GET /api/v1/namespaces/d/services/\(name)/proxy/x"), "\(name)")
    }
    #expect(try !court.denies("GET /api/v1/namespaces/d/services/web/proxy/db"))
    let allow = try Court("- {name: r, allow: [{resources: [\"*/proxy\"], names: [db]}]}", default: "deny")
    #expect(try allow.denies("GET /api/v1/namespaces/d/services/https:db:443/proxy/x"))
    #expect(try !allow.denies("GET /api/v1/namespaces/d/services/db/proxy/x"))
  }

  @Test(
    arguments: [
      ("alice", [], "dev", false), ("root", [], "dev", true), ("alice", ["security"], "dev", true), ("root", [], "prod", false),
      ("alice", ["security"], "prod", false), ("alice", ["dev"], "dev", false), ("security", [], "dev", false),
    ] as [(String, [String], String, Bool)])
  func usersOrGroupsAndEachOtherKey(_ user: String, _ groups: [String], _ namespace: String, _ fulfils: Bool) throws {
    let condition = "{users: [root], groups: [security], namespaces: [dev]}"
    let request = "GET /api/v1/namespaces/\(namespace)/pods"
    let unless = try Court("- {name: r, deny: [{resources: [pods]}], unless: \(condition)}")
    #expect(try unless.denies(request, user: user, groups: groups) == !fulfils)
    let only = try Court("- {name: r, deny: [{resources: [pods]}], only: \(condition)}")
    #expect(try only.denies(request, user: user, groups: groups) == fulfils)
    let both = try Court("- {name: r, deny: [{resources: [pods]}], only: {namespaces: [dev]}, unless: {users: [root]}}")
    #expect(try both.denies(request, user: user, groups: groups) == (namespace == "dev" && user != "root"))
  }

  @Test func patternsAreOfWholeNamesAndOfBytes() throws {
    let court = try Court("- {name: r, deny: [{resources: [pods]}], only: {users: [\"team-*-dev\", \"é\"]}}")
    for user in ["team-a-dev", "team--dev", "team-a-b-dev", "é"] { #expect(try court.denies("GET /api/v1/pods", user: user), "\(user)") }
    // The last is the same letter to Unicode, and another user to the API server.
    for user in ["team-dev", "xteam-a-dev", "team-a-devx", "Team-a-dev", "e\u{301}"] {
      #expect(try !court.denies("GET /api/v1/pods", user: user), "\(user)")
    }
  }

  @Test func everybodyIsAuthenticated() throws {
    let court = try Court("- {name: r, deny: [{resources: [pods]}], only: {groups: [\"system:authenticated\"]}}")
    #expect(try court.denies("GET /api/v1/pods"))
  }

  @Test func theMethodOfAuthenticationCounts() throws {
    let court = try Court("- {name: r, deny: [{resources: [pods]}], unless: {authentication: [clientCertificate]}}")
    #expect(try !court.denies("GET /api/v1/pods", by: .clientCertificate))
    #expect(try court.denies("GET /api/v1/pods", by: .passwordFile))
    #expect(try court.denies("GET /api/v1/pods", by: nil))
  }

  @Test(arguments: [
    ("10.1.2.3", true), ("11.1.2.3", false), ("192.0.2.7", true), ("192.0.2.8", false), ("::ffff:10.1.2.3", true),
    ("2001:db8:1::5", true), ("2001:db9::1", false), ("", false), ("10.1.2.3.4", false), ("nonsense", false),
  ]) func theClientsAddressCounts(_ address: String, _ inside: Bool) throws {
    let ranges = "[10.0.0.0/8, 192.0.2.7, \"2001:db8::/32\"]"
    let unless = try Court("- {name: r, deny: [{resources: [pods]}], unless: {clientCIDR: \(ranges)}}")
    #expect(try unless.denies("GET /api/v1/pods", from: address) == !inside)
    let only = try Court("- {name: r, deny: [{resources: [pods]}], only: {clientCIDR: \(ranges)}}")
    #expect(try only.denies("GET /api/v1/pods", from: address) == inside)
  }
}
