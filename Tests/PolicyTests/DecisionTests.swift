import SallyportCore
import SallyportPolicy
import SallyportWire
import Testing

@Suite struct DecisionTests {
  @Test func denyWinsWhateverTheOrder() throws {
    let deny = "- {name: d, deny: [{resources: [pods]}]}"
    let allow = "- {name: a, allow: [{resources: [pods]}]}"
    for rules in ["\(deny)\n\(allow)", "\(allow)\n\(deny)"] {
      #expect(try Court(rules).denies("GET /api/v1/pods"))
      #expect(try Court(rules, default: "deny").denies("GET /api/v1/pods"))
    }
  }

  @Test func theRuleAndItsMessageAreInTheDecision() throws {
    let court = try Court(
      """
      - {name: later, deny: [{resources: [nodes]}]}
      - {name: first, deny: [{resources: [pods]}], message: Not here.}
      - {name: second, deny: [{resources: ["*"]}], message: Nor here.}
      """)
    #expect(try court.decide("GET /api/v1/pods") == .deny(rule: "p/first", message: "Not here."))
    #expect(try court.decide("GET /api/v1/nodes") == .deny(rule: "p/later", message: "The policy of this gateway denies the request."))
    #expect(try court.decide("GET /api/v1/services") == .deny(rule: "p/second", message: "Nor here."))
    #expect(try court.decide("GET /version") == .allow(rule: nil))
  }

  @Test func aDenyByDefaultInOnePolicyMakesTheRouteAnAllowList() throws {
    let open = try policy("- {name: d, deny: [{resources: [secrets]}]}", name: "open")
    let closed = try policy("- {name: a, allow: [{resources: [\"*\"], verbs: [get, list]}]}", name: "closed", default: "deny")
    let more = try policy("- {name: b, allow: [{paths: [/version]}]}", name: "more")
    let court = Court([open, closed, more])
    #expect(try court.decide("GET /api/v1/pods") == .allow(rule: "closed/a"))
    #expect(try court.decide("GET /version") == .allow(rule: "more/b"))
    #expect(
      try court.decide("GET /healthz") == .deny(rule: nil, message: "No rule of this gateway's policy allows the request."))
    #expect(try court.denies("POST /api/v1/namespaces/d/pods"))
    #expect(try court.denies("GET /api/v1/secrets"))
    #expect(try !Court([open, more]).denies("GET /healthz"))
  }

  @Test func anAllowMayBeForSomeOnly() throws {
    let court = try Court(
      "- {name: a, allow: [{resources: [\"*\"]}], only: {groups: [admins]}, unless: {users: [eve]}}", default: "deny")
    #expect(try !court.denies("GET /api/v1/pods", groups: ["admins"]))
    #expect(try court.denies("GET /api/v1/pods"))
    #expect(try court.denies("GET /api/v1/pods", user: "eve", groups: ["admins"]))
  }

  @Suite struct Impersonation {
    static let bob = RequestedImpersonation(user: "bob", groups: ["team"])

    @Test func bothIdentitiesAreJudged() throws {
      let court = try Court("- {name: d, deny: [{resources: [pods]}], only: {users: [alice]}}")
      #expect(try court.denies("GET /api/v1/pods", user: "alice", as: Self.bob))
      #expect(try court.denies("GET /api/v1/pods", user: "carol", as: RequestedImpersonation(user: "alice")))
      #expect(try !court.denies("GET /api/v1/pods", user: "carol", as: Self.bob))
    }

    @Test func anExemptionMustHoldForBoth() throws {
      let court = try Court("- {name: d, deny: [{resources: [pods]}], unless: {groups: [team]}}")
      #expect(try court.denies("GET /api/v1/pods", user: "alice", as: Self.bob))
      #expect(try court.denies("GET /api/v1/pods", user: "x", groups: ["team"], as: RequestedImpersonation(user: "y")))
      #expect(try !court.denies("GET /api/v1/pods", user: "x", groups: ["team"], as: Self.bob))
    }

    @Test func anAllowMustHoldForBoth() throws {
      let court = try Court("- {name: a, allow: [{resources: [pods]}], only: {groups: [team]}}", default: "deny")
      #expect(try court.denies("GET /api/v1/pods", user: "alice", as: Self.bob))
      #expect(try court.denies("GET /api/v1/pods", user: "x", groups: ["team"], as: RequestedImpersonation(user: "y")))
      #expect(try !court.denies("GET /api/v1/pods", user: "x", groups: ["team"], as: Self.bob))
    }

    @Test(arguments: [
      ("{users: [\"*\"]}", true), ("{users: [bob]}", true), ("{users: [rob]}", false), ("{groups: [team]}", true),
      ("{groups: [\"system:*\"]}", true), ("{groups: [masters]}", false), ("{users: [rob], groups: [team]}", true),
    ]) func actingAsSomebodyIsDeniedItself(_ whom: String, _ denied: Bool) throws {
      for reading in [PathReading.kubernetes, .generic] {
        let court = try Court("- {name: d, deny: [{impersonates: \(whom)}]}", reading: reading)
        #expect(try court.denies("GET /version", as: Self.bob) == denied)
        #expect(try !court.denies("GET /version", user: "bob", groups: ["team"]))
      }
    }

    @Test func whoMayActAsSomebodyIsTheAskersMatter() throws {
      let court = try Court("- {name: d, deny: [{impersonates: {users: [\"*\"]}}], unless: {groups: [admins]}}")
      #expect(try !court.denies("GET /version", groups: ["admins"], as: Self.bob))
      #expect(try court.denies("GET /version", as: RequestedImpersonation(user: "bob", groups: ["admins"])))
    }

    @Test func serviceAccountsAndTheAnonymousHaveTheGroupsThatTheServerGivesThem() throws {
      func denied(_ group: String, _ requested: RequestedImpersonation) throws -> Bool {
        try Court("- {name: d, deny: [{impersonates: {groups: [\"\(group)\"]}}]}").denies("GET /version", as: requested)
      }
      let account = "system:serviceaccount:dev:builder"
      #expect(try denied("system:serviceaccounts:dev", .init(user: account)))
      #expect(try denied("system:serviceaccounts", .init(user: account)))
      #expect(try !denied("system:serviceaccounts", .init(user: account, groups: ["team"])))
      #expect(try denied("system:authenticated", .init(user: account)))
      #expect(try denied("system:authenticated", .init(user: "bob")))
      #expect(try !denied("system:authenticated", .init(user: "bob", groups: ["system:unauthenticated"])))
      #expect(try denied("system:unauthenticated", .init(user: "system:anonymous")))
      #expect(try !denied("system:authenticated", .init(user: "system:anonymous")))
    }
  }
}
