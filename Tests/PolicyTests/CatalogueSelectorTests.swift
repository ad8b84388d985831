import Foundation
import SallyportCore
import SallyportPolicy
import SallyportStrictYAML
import SallyportWire
import Testing

/// `operations` and `returns` against the document that a real API server 1.36 served.
@Suite struct CatalogueSelectorTests {
  static let catalogue = try? RecordedDocument.v2.document()?.catalogue

  /// A court over the recorded document; `nil` where it is not there.
  static func court(_ rules: String, default effect: String? = nil) throws -> Court? {
    try self.catalogue.map { try Court(rules, default: effect, catalogue: $0) }
  }

  static let returnsSecrets = "- {name: r, deny: [{returns: [io.k8s.api.core.v1.Secret]}]}"

  @Test(arguments: [
    "GET /api/v1/namespaces/d/secrets/s", "GET /api/v1/namespaces/d/secrets", "GET /api/v1/secrets", "GET /api/v1/secrets?watch=yes",
    "GET /api/v1/watch/secrets", "GET /api/v1/watch/namespaces/d/secrets/s", "PATCH /api/v1/namespaces/d/secrets/s?dryRun=All",
    "DELETE /api/v1/namespaces/d/secrets/s", "DELETE /api/v1/namespaces/d/secrets", "PUT /api/v1/namespaces/d/secrets/s",
    "POST /api/v1/namespaces/d/secrets", "GET /api/v1/namespaces//secrets", "GET /api%2Fv1/secrets/", "GET /api/v1/%73ecrets",
    "HEAD /api/v1/secrets", "OPTIONS /api/v1/namespaces/d/secrets/s",
  ]) func returnsIsEveryActionThatCanHandOutTheKind(_ request: String) throws {
    guard let court = try Self.court(Self.returnsSecrets) else { return }
    #expect(try court.decide(request) == .deny(rule: "p/r", message: "The policy of this gateway denies the request."))
    let list = try #require(try Self.court("- {name: r, deny: [{returns: [io.k8s.api.core.v1.SecretList]}]}"))
    #expect(try list.denies(request))
  }

  @Test(arguments: [
    "GET /api/v1/namespaces/d/pods", "PATCH /api/v1/namespaces/d/configmaps/c", "GET /healthz", "GET /apis", "GET /api/v1",
    "POST /api/v1/namespaces/d/serviceaccounts/x/token", "GET /api/v1/namespaces/d/pods/p/exec", "GET /api/v1/nodes/n/proxy/secrets/x",
    "GET /api/v1/namespaces/d/services/s/proxy/api/v1/secrets", "GET /apis/apps/v1/namespaces/secrets/deployments/secrets",
  ]) func returnsLeavesTheRestAlone(_ request: String) throws {
    guard let court = try Self.court(Self.returnsSecrets) else { return }
    #expect(try court.decide(request) == .allow(rule: nil))
  }

  @Test func returnsCoversTheSubresourcesThatHandOutTheObject() throws {
    guard let court = try Self.court("- {name: r, deny: [{returns: [io.k8s.api.apps.v1.Deployment]}]}") else { return }
    #expect(try court.denies("GET /apis/apps/v1/namespaces/d/deployments/x/status"))
    #expect(try court.denies("PATCH /apis/apps/v1/namespaces/d/deployments/x/status"))
    #expect(try !court.denies("GET /apis/apps/v1/namespaces/d/deployments/x/scale"))
    #expect(try !court.denies("GET /apis/apps/v1/namespaces/d/replicasets/x"))
  }

  @Test func returnsOfAPartIsEveryKindThatHoldsIt() throws {
    guard let court = try Self.court("- {name: r, deny: [{returns: [io.k8s.api.core.v1.PodSpec]}]}") else { return }
    for request in [
      "GET /api/v1/pods", "DELETE /api/v1/namespaces/d/pods/p", "GET /apis/apps/v1/deployments", "GET /apis/batch/v1/watch/cronjobs",
    ] { #expect(try court.denies(request), "\(request)") }
    #expect(try !court.denies("GET /api/v1/services"))
  }

  @Test func operationsAreNamedByPatterns() throws {
    guard let court = try Self.court("- {name: r, deny: [{operations: [\"*CoreV1*Secret*\"], methods: [GET]}]}") else { return }
    for request in ["GET /api/v1/namespaces/d/secrets/s", "GET /api/v1/secrets", "GET /api/v1/watch/secrets", "GET /api/v1/secrets?watch"] {
      #expect(try court.decide(request) == .deny(rule: "p/r", message: "The policy of this gateway denies the request."), "\(request)")
    }
    #expect(try !court.denies("POST /api/v1/namespaces/d/secrets"))
    #expect(try !court.denies("PATCH /api/v1/namespaces/d/secrets/s"))
    #expect(try !court.denies("GET /api/v1/pods"))
  }

  @Test func aWatchIsTheOperationOfEitherPath() throws {
    guard let list = try Self.court("- {name: r, deny: [{operations: [listCoreV1NamespacedPod]}]}") else { return }
    #expect(try list.denies("GET /api/v1/namespaces/d/pods"))
    #expect(try list.denies("GET /api/v1/watch/namespaces/d/pods"))
    #expect(try !list.denies("GET /api/v1/pods"))
    let watch = try #require(try Self.court("- {name: r, deny: [{operations: [watchCoreV1NamespacedPodList]}]}"))
    #expect(try watch.denies("GET /api/v1/namespaces/d/pods?watch=1"))
    #expect(try watch.denies("GET /api/v1/watch/namespaces/d/pods"))
    #expect(try !watch.denies("GET /api/v1/namespaces/d/pods"))
    let read = try #require(try Self.court("- {name: r, deny: [{operations: [readCoreV1NamespacedPod]}]}"))
    #expect(try read.denies("GET /api/v1/watch/namespaces/d/pods/p"))
  }

  @Test func anAllowedOperationIsAllowedByItsOwnPathOnly() throws {
    guard let court = try Self.court("- {name: r, allow: [{operations: [watchCoreV1NamespacedPodList]}]}", default: "deny") else { return }
    #expect(try !court.denies("GET /api/v1/watch/namespaces/d/pods"))
    #expect(try court.denies("GET /api/v1/namespaces/d/pods?watch=1"))
  }

  @Test(arguments: [
    "GET /apis/example.org/v1/namespaces/d/widgets", "GET /api/v2/pods", "PUT /api/v1/namespaces/d/pods", "OPTIONS /api/v1/pods",
    "GET /api/v1/proxy/nodes/n/x", "GET /api/v1/namespaces/d/pods/p/unknown",
  ]) func whatTheDocumentDoesNotKnowIsDenied(_ request: String) throws {
    for rules in [Self.returnsSecrets, "- {name: r, deny: [{operations: [\"*Secret*\"]}], unless: {users: [alice]}}"] {
      guard let court = try Self.court(rules) else { return }
      guard case .deny(rule: "p/unknown-operation", _) = try court.decide(request) else {
        Issue.record("\(request) is not denied as unknown")
        continue
      }
    }
    let without = try #require(try Self.court("- {name: r, deny: [{resources: [secrets]}]}"))
    #expect(try !without.denies(request))
  }

  @Test func whatIsNoResourceNeedNotBeKnown() throws {
    guard let court = try Self.court(Self.returnsSecrets) else { return }
    for request in ["GET /healthz/x", "GET /nowhere", "GET /apis/example.org/v1"] { #expect(try !court.denies(request), "\(request)") }
  }

  @Test func withoutADocumentEveryResourceIsUnknown() throws {
    let court = try Court(Self.returnsSecrets)
    #expect(try court.denies("GET /api/v1/pods"))
    #expect(try !court.denies("GET /version"))
  }

  @Test func theRecordedLeaksAreClosedByReturnsToo() throws {
    guard let catalogue = Self.catalogue else { return }
    let rules = try PolicyDocument.load(
      yaml: """
        apiVersion: sallyport.dev/v1alpha1
        kind: AccessPolicy
        metadata: {name: by-returns}
        rules:
        - name: r
          deny:
          - returns: [io.k8s.api.core.v1.Secret]
        """, fileName: "by-returns.yaml")
    let policy = AccessPolicy(rules: PolicyMatcher([rules], catalogue: catalogue, reading: .kubernetes))
    for request in try RecordedRequestsTests.recorded() where request.leaksSecret {
      let verdict = try RecordedRequestsTests.verdict(on: request, of: "alice", in: [], by: policy)
      #expect(verdict != .allowed, "line \(request.line)")
    }
  }

  @Test func whatNoDocumentListsIsNoSlip() throws {
    guard let catalogue = Self.catalogue else { return }
    let rules = "- {name: r, deny: [{paths: [/healthz, \"/debug/**\", /metrics]}, {resources: [\"secrets/*\"]}]}"
    #expect(PolicyMatcher([try policy(rules)], catalogue: catalogue, reading: .kubernetes).selectingNothing.isEmpty)
    let generic = PolicyMatcher([try policy("- {name: r, deny: [{paths: [/healthz]}]}")], catalogue: catalogue, reading: .generic)
    #expect(generic.selectingNothing.count == 1, "what an API server serves says nothing of another")
  }

  @Test func aSlipIsReportedWithTheNearestName() throws {
    guard let catalogue = Self.catalogue else { return }
    let document = try policy(
      """
      - name: r
        deny:
        - operations: [readCoreV1NamespacedSecrets, "*Secret*", "*CoreV1*Secert*", "*corev1*Pod", "list*Deploments"]
        - returns: [io.k8s.api.core.v1.Secrets, io.k8s.api.core.v1.Pod]
        - resources: [secret, pods.core, depoyments.apps, pods/exce]
        - paths: ["/api/v1/namespace/{namespace}/secrets", "/api/v1/**", "/api/v1/namespaces/dev/pods"]
      """)
    let slips = PolicyMatcher([document], catalogue: catalogue, reading: .kubernetes).selectingNothing
    #expect(
      slips.map { "\($0.hasNoEffect ? "fault" : "warning") \($0.fault.place.line) \($0.fault.problem); \($0.fault.remedy)" } == [
        "fault 8 selects no operation of the OpenAPI document; did you mean `readCoreV1NamespacedSecret`?",
        "fault 8 selects no operation of the OpenAPI document; did you mean `*CoreV1*Secret*`?",
        "fault 8 selects no operation of the OpenAPI document; did you mean `*CoreV1*Pod`?",
        "fault 8 selects no operation of the OpenAPI document; did you mean `list*Deployment`?",
        "fault 9 is no schema that an operation answers with; did you mean `io.k8s.api.core.v1.Secret`?",
        "warning 10 is no resource of the OpenAPI document; did you mean `secrets`?",
        "warning 10 is no resource of the OpenAPI document; did you mean `deployments.apps`?",
        "warning 10 is no resource of the OpenAPI document; did you mean `pods/exec`?",
        "warning 11 is no path of the OpenAPI document; did you mean `/api/v1/namespaces/{namespace}/secrets`?",
      ])
  }
}
