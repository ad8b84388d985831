import SallyportCore
import SallyportPolicy
import SallyportWire
import Testing

/// What the one walk along a path must tell apart, and must not lose.
@Suite struct PathMatchingTests {
  @Test func theOneTreeTellsWhatADenyExpectsFromWhatAnAllowAdmits() throws {
    // Both rules share every node of the tree.
    let court = try Court(
      """
      - {name: d, deny: [{paths: ["/debug/{what}/on"]}], only: {users: [bob]}}
      - {name: a, allow: [{paths: ["/debug/{what}/on"]}]}
      """, default: "deny")
    #expect(try court.decide("GET /debug/trace/on") == .allow(rule: "p/a"))
    #expect(try court.denies("GET /debug/trace/on", user: "bob"))
    // An empty parameter is none for the allow, and may be one for the deny.
    let question = { (user: String) in
      PolicyQuestion(method: .get, path: "/debug//on", info: nil, asker: Asker(user: user, groups: []))
    }
    #expect(court.matcher.decide(question("alice")) == .deny(rule: nil, message: "No rule of this gateway's policy allows the request."))
    #expect(court.matcher.decide(question("bob")) == .deny(rule: "p/d", message: "The policy of this gateway denies the request."))
  }

  @Test func noTemplateIsLostWhereVeryManyFit() throws {
    // Each of a hundred templates fits, each is somebody else's.
    let beginnings = (1...100).map { String(repeating: "a", count: $0) }
    let rules = beginnings.enumerated().map { number, beginning in
      "- {name: r\(number), deny: [{paths: [\"/files/\(beginning){rest}\"]}], only: {users: [user-\(number)]}}"
    }
    let whole = String(repeating: "a", count: 101)
    for reading in [PathReading.kubernetes, .generic] {
      let court = try Court(rules.joined(separator: "\n"), reading: reading)
      for number in beginnings.indices {
        let decision = try court.decide("GET /files/\(whole)", user: "user-\(number)")
        #expect(decision == .deny(rule: "p/r\(number)", message: "The policy of this gateway denies the request."), "\(reading)")
      }
      #expect(try !court.denies("GET /files/\(whole)", user: "user-100"))
    }
  }

  @Test func atAGenericUpstreamTheSpellingsHaveATreeEach() throws {
    let court = try Court(
      """
      - {name: d, deny: [{paths: [/Admin]}], only: {users: [bob]}}
      - {name: a, allow: [{paths: [/admin, /Admin/]}]}
      """, default: "deny", reading: .generic)
    #expect(try court.decide("GET /admin") == .allow(rule: "p/a"))
    #expect(try court.decide("GET /Admin/") == .allow(rule: "p/a"))
    for path in ["/Admin", "/ADMIN", "/admin/"] { #expect(try court.denies("GET \(path)"), "\(path)") }
    for path in ["/admin", "/Admin", "/ADMIN/", "/admin;x=1"] {
      #expect(try court.decide("GET \(path)", user: "bob") != .allow(rule: "p/a"), "\(path)")
    }
  }

  /// What is behind `proxy` is the backend's: however often it says what would be an empty namespace, the walk has an end, and soon.
  @Test func aProxiedPathIsWalkedOnce() throws {
    let proxy = "/api/v1/namespaces/{namespace}/pods/{name}/proxy"
    let court = try Court(
      """
      - {name: d, deny: [{paths: ["\(proxy)/{a}/{b}/{c}/{d}/{e}/{f}", "\(proxy)/{path}/**"]}]}
      """)
    let path = "/api/v1/namespaces/dev/pods/p/proxy/" + String(repeating: "namespaces//", count: 80_000) + "y"
    let question = PolicyQuestion(method: .get, path: path, info: nil, asker: Asker(user: "alice", groups: []))
    #expect(court.matcher.decide(question) == .deny(rule: "p/d", message: "The policy of this gateway denies the request."))
    // One empty namespace is none.
    let one = try Court("- {name: d, deny: [{paths: [/api/v1/pods]}]}")
    let empty = PolicyQuestion(method: .get, path: "/api/v1/namespaces//pods", info: nil, asker: Asker(user: "alice", groups: []))
    #expect(one.matcher.decide(empty) == .deny(rule: "p/d", message: "The policy of this gateway denies the request."))
  }

  @Test func anOperationIsTheSameWhateverTheRules() throws {
    // Both templates fit; the operation is the one that the document lists first, also where a rule has named the other before.
    let catalogue = Catalogue(
      operations: [
        Operation(id: "readText", method: .get, path: "/files/{name}.txt"),
        Operation(id: "readDraft", method: .get, path: "/files/draft-{name}"),
      ], kindsBySchema: [:])
    for reading in [PathReading.kubernetes, .generic] {
      let court = try Court(
        """
        - {name: d, deny: [{paths: ["/files/draft-{name}"]}], only: {users: [nobody]}}
        - {name: a, allow: [{operations: [readText]}]}
        """, default: "deny", catalogue: catalogue, reading: reading)
      #expect(try court.decide("GET /files/draft-1.txt") == .allow(rule: "p/a"))
      #expect(try court.denies("GET /files/draft-1"))
    }
  }
}
