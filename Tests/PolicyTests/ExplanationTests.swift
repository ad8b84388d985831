import Foundation
import SallyportCore
import SallyportPolicy
import SallyportWire
import Testing

@Suite struct ExplanationTests {
  static func explain(_ rules: String, _ method: String, _ target: String, default effect: String? = nil, as other: String? = nil) throws
    -> Explanation
  {
    let matcher = PolicyMatcher([try policy(rules, default: effect)], catalogue: CatalogueSelectorTests.catalogue, reading: .kubernetes)
    return matcher.explain(
      WrittenRequest(
        method: method, target: target, user: "alice", groups: ["team"],
        impersonates: other.map { RequestedImpersonation(user: $0) }))
  }

  @Test func aDenialNamesWhatMatched() throws {
    let explanation = try Self.explain(
      """
      - name: secrets
        deny:
        - {resources: [pods]}
        - {resources: [secrets], verbs: [get], namespaces: [prod]}
        unless: {groups: [security], users: [root]}
        message: No.
      """, "GET", "/api/v1/namespaces/prod/%73ecrets/s1/")
    #expect(
      explanation.text == """
        GET /api/v1/namespaces/prod/secrets/s1/
          reads as   get secrets (v1) in the namespace prod, named s1
          operation  \(CatalogueSelectorTests.catalogue == nil ? "not known" : "readCoreV1NamespacedSecret")

        DENIED by p/secrets: No.

        p/secrets (deny, p.yaml:6) applies
          - resources: pods
              the resource is another
          + resources: secrets; verbs: get; namespaces: prod
              the resource is secrets
          + for alice
              of `unless`, the user is none of root and in none of the groups security
        """)
  }

  @Test(arguments: [
    (
      "- {name: r, deny: [{resources: [pods], verbs: [create]}]}", "GET", "/api/v1/pods",
      "the resource is pods, but the verb list is not among its verbs"
    ),
    (
      "- {name: r, deny: [{resources: [pods], names: [a]}]}", "GET", "/api/v1/pods",
      "the resource is pods; the request names no name, so any may be meant"
    ),
    (
      "- {name: r, deny: [{resources: [pods], namespaces: [a]}]}", "GET", "/api/v1/namespaces/b/pods",
      "the resource is pods, but the namespace b is not among its namespaces"
    ),
    (
      "- {name: r, deny: [{paths: [/version], methods: [POST]}]}", "GET", "/version",
      "the path is /version, but the method GET is not among its methods"
    ),
    ("- {name: r, deny: [{paths: [/healthz]}]}", "GET", "/version", "the path is another"),
    ("- {name: r, deny: [{resources: [\"*\"]}]}", "GET", "/version", "the request is for no resource"),
    (
      "- {name: r, allow: [{resources: [\"*\"], verbs: [get]}]}", "GET", "/api/v1/namespaces/d/pods/p/exec",
      "the resource is *, but what opens a connection needs the verb create"
    ),
    (
      "- {name: r, allow: [{resources: [\"*\"], verbs: [get]}]}", "GET", "/api/v1/nodes/n/proxy/x",
      "the resource is *, but a proxy needs all verbs"
    ),
    ("- {name: r, deny: [{impersonates: {users: [bob]}}]}", "GET", "/version", "nobody else's identity is asked for"),
  ]) func aSelectorSaysWhatDidNotMatch(_ rules: String, _ method: String, _ target: String, _ reason: String) throws {
    #expect(try Self.explain(rules, method, target).rules[0].selectors[0].because == reason)
  }

  @Test func whatCannotBeReadIsSaid() throws {
    let explanation = try Self.explain("- {name: r, deny: [{resources: [pods]}]}", "GET", "/api/v1/../pods")
    #expect(explanation.verdict == .refuse)
    #expect(explanation.text.contains("REFUSED with 400"))
  }

  @Test func allowAndDefaultAreSaid() throws {
    let rules = "- {name: r, allow: [{resources: [pods]}]}"
    #expect(try Self.explain(rules, "GET", "/api/v1/pods", default: "deny").text.contains("ALLOWED by p/r"))
    #expect(try Self.explain(rules, "GET", "/api/v1/nodes", default: "deny").text.contains("DENIED because no rule allows it: No rule"))
    #expect(try Self.explain(rules, "GET", "/api/v1/nodes").text.contains("ALLOWED because no rule denies it"))
  }

  @Test func whatTheRouteForbidsIsSaid() throws {
    let matcher = PolicyMatcher([try policy("- {name: r, deny: [{resources: [pods]}]}")], catalogue: nil, reading: .kubernetes)
    var request = WrittenRequest(method: "GET", target: "/version", user: "alice", impersonates: .init(user: "bob"))
    #expect(matcher.explain(request).verdict == .allow)
    let refused = matcher.explain(request, impersonation: .refuse)
    #expect(refused.verdict == .deny && refused.rule == nil)
    #expect(refused.text.contains("DENIED because the route lets nobody act as somebody else: This gateway"))
    request.impersonates = nil
    #expect(matcher.explain(request, impersonation: .refuse).verdict == .allow)
  }

  @Test func whatDecidedComesFirstThenWhatNearlyDid() throws {
    let explanation = try Self.explain(
      """
      - {name: other, deny: [{resources: [nodes]}]}
      - {name: near, deny: [{resources: [pods]}], only: {users: [bob]}}
      - {name: decides, deny: [{resources: [pods]}]}
      """, "GET", "/api/v1/pods")
    let rules = explanation.text.split(separator: "\n").filter { $0.hasPrefix("p/") }
    #expect(rules.map { $0.prefix { $0 != " " } } == ["p/decides", "p/near", "p/other"])
  }

  @Test func bothIdentitiesAreShown() throws {
    let explanation = try Self.explain(
      "- {name: r, deny: [{resources: [pods]}], only: {users: [bob]}}", "GET", "/api/v1/pods", as: "bob")
    #expect(explanation.rules[0].people.map(\.isMeant) == [false, true])
    #expect(explanation.rules[0].applies)
    #expect(explanation.text.contains("+ for bob, whom the user would act as"))
  }

  @Test func itCanBeReadByMachines() throws {
    let explanation = try Self.explain("- {name: r, deny: [{resources: [pods]}]}", "GET", "/api/v1/pods")
    let json = try explanation.json()
    #expect(try JSONDecoder().decode(Explanation.self, from: Data(json.utf8)) == explanation)
    #expect(json.contains("\"verdict\" : \"deny\""))
  }
}
