import Foundation
import NIOCore
import SallyportPracticeCluster
import TestSupport
import Testing

@testable import SallyportService

/// Policies seen from outside, through a running house.
@Suite(.serialized, .timeLimit(.minutes(5))) struct PolicyTests {
  static let shipped = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../policies").standardizedFileURL

  static func shipped(_ name: String) throws -> String {
    try String(contentsOf: Self.shipped.appending(path: "\(name).yaml"), encoding: .utf8)
  }

  static func policy(_ name: String, _ rules: String) -> String {
    "apiVersion: sallyport.dev/v1alpha1\nkind: AccessPolicy\nmetadata: {name: \(name)}\nrules:\n\(rules)\n"
  }

  static func plan(_ files: [String: String]) -> House.Plan {
    var plan = House.Plan()
    plan.files = files
    plan.sections = [
      "policy: {files: [\(files.keys.filter { $0.hasSuffix(".yaml") && $0 != "pets.yaml" }.sorted().joined(separator: ", "))]}"
    ]
    return plan
  }

  // MARK: Denied

  /// What kubectl prints, what the record has, and what is counted; and that the answer depends on nothing that exists.
  @Test func aDenialIsForbiddenWithTheRulesWordsAndNothingElse() async throws {
    try await House.with(Self.plan(["secrets.yaml": Self.shipped("secrets-are-private")])) { house in
      let bob = Person.bob.basic
      for name in ["web-login", "there-is-none"] {
        let answer = try await house.get("/api/v1/namespaces/dev/secrets/\(name)", bob)
        #expect(answer.status == 403)
        let status = try #require(answer.kubernetesStatus)
        #expect(status.reason == "Forbidden" && status.message == "Secrets are not readable through this gateway.")
        let json = try #require(try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any])
        #expect(json["kind"] as? String == "Status" && json["apiVersion"] as? String == "v1" && json["code"] as? Int == 403)
        #expect(json["status"] as? String == "Failure")
        #expect(json["details"] as? [String: String] == ["name": name, "kind": "secrets"])
        let record = try house.closingRecord(of: answer)
        #expect(record.fact("decision") == "deny" && record.fact("rule") == "secrets-are-private/no-secret-reads")
        #expect(record.annotations["authorization.k8s.io/decision"] == "forbid")
        #expect(record.responseStatus?.code == 403)
      }
      let grouped = try await house.get("/apis/example.org/v1/namespaces/dev/secrets", bob)
      let details = try #require(try JSONSerialization.jsonObject(with: Data(grouped.body.utf8)) as? [String: Any])["details"]
      #expect(details as? [String: String] == ["group": "example.org", "kind": "secrets"])
      #expect(try await house.get("/api/v1/namespaces/dev/pods", bob).status == 200)
      #expect(try await house.metric(#"sallyport_policy_denials_total{route="api",rule="secrets-are-private/no-secret-reads"}"#) == 3)
      // Nothing of it reached the server.
      #expect(house.cluster?.recordedRequests().contains { $0.requestURI.contains("secrets") } == false)
    }
  }

  // MARK: A plain API

  static let pets = """
    openapi: 3.0.3
    info: {title: Pets, version: "1"}
    paths:
      /pets:
        get: {operationId: listPets, responses: {"200": {description: all}}}
      /pets/{id}:
        get: {operationId: getPet, responses: {"200": {description: one}}}
        delete: {operationId: removePet, responses: {"204": {description: gone}}}
    """

  @Test(arguments: ["{operations: [getPet]}", "{paths: [\"/pets/{id}\"], methods: [GET]}"])
  func onePetIsDeniedAtAPlainAPI(_ selector: String) async throws {
    var plan = Self.plan([
      "pets.yaml": Self.pets, "p.yaml": Self.policy("pets", "- {name: one, deny: [\(selector)], message: Not this one.}"),
    ])
    plan.behind = .script(ScriptedUpstream.answering(ScriptedUpstream.ok()))
    plan.kind = "generic"
    plan.upstream = ["openapi: pets.yaml"]
    try await House.with(plan) { house in
      let alice = try house.certificate("alice")
      for target in ["/pets/7", "/pets/7/", "/Pets/7", "/pets;v=1/7", "/pets/%37?x=1"] {
        let answer = try await house.get(target, as: alice)
        #expect(answer.status == 403 && answer.kubernetesStatus?.message == "Not this one.", "\(target)")
        #expect(try house.closingRecord(of: answer).fact("rule") == "pets/one")
      }
      for target in ["/pets%2F7", "//pets/7", "/x/../pets/7", "/%2570ets/7", "/;x/pets/7"] {
        #expect(try await house.get(target, as: alice).status == 400, "\(target)")
      }
      #expect(try #require(house.upstream).requests.isEmpty)
      #expect(try await house.get("/pets", as: alice).status == 200)
      let removed = "DELETE /pets/7 HTTP/1.1\r\nHost: localhost\r\nX-HTTP-Method-Override: GET\r\nX-Original-URL: /pets/8\r\n\r\n"
      #expect(try await house.ask(removed, as: alice).status == 200)
      let heads = try #require(house.upstream).requests.map(\.head).joined().lowercased()
      #expect(!heads.contains("override") && !heads.contains("original"), "a header that speaks for the request line goes nowhere")
    }
  }

  // MARK: Changing

  @Test func aBrokenEditKeepsTheRulesAndSaysSo() async throws {
    var plan = Self.plan(["p.yaml": Self.policy("p", "- {name: pods, deny: [{resources: [pods]}]}")])
    plan.sections.append("admin: {address: 127.0.0.1:0}")
    try await House.with(plan) { house in
      let alice = try house.certificate("alice", "view")
      let kept = try await house.connect(as: alice)
      func status(_ target: String) async throws -> Int {
        try await kept.send("GET \(target) HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return try await house.answer(from: kept).status
      }
      #expect(try await status("/api/v1/pods") == 403)
      try house.directory.write(Self.policy("p", "- {name: pods, deny: [{resources: [pods], verb: [get]}]}"), to: "p.yaml")
      await #expect(throws: StartFault.self) { try await house.reload() }
      #expect(try await status("/api/v1/pods") == 403, "the rules of before hold")
      #expect(try await status("/version") == 200)
      #expect(try await house.metric("sallyport_reload_last_successful") == 0)
      let ready = try await house.look("/readyz?verbose")
      #expect(ready.status == 200 && ready.body.contains("p.yaml:5:43: rules[0].deny[0].verb"), "\(ready.body)")
      try house.directory.write(Self.policy("p", "- {name: pods, deny: [{resources: [nodes]}]}"), to: "p.yaml")
      try await house.reload()
      #expect(try await status("/api/v1/pods") == 200, "the next request on the same connection")
      #expect(try await status("/api/v1/nodes") == 403)
      #expect(try await house.metric("sallyport_reload_last_successful") == 1)
    }
  }
}
