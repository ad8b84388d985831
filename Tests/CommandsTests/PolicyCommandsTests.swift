import Foundation
import SallyportCommands
import SallyportCore
import SallyportPolicy
import SallyportService
import SallyportWire
import TestSupport
import Testing

/// What `sallyport policy` finds out, but for reading its arguments.
@Suite struct PolicyCommandsTests {
  static let pets = """
    openapi: 3.0.3
    info: {title: Pets, version: "1"}
    paths:
      /pets:
        get: {operationId: listPets, responses: {"200": {description: all}}}
      /pets/{id}:
        get: {operationId: getPet, responses: {"200": {description: one}}}
    """

  static let kubernetes = """
    {"swagger": "2.0", "info": {"title": "k", "version": "1"}, "paths": {
      "/api/v1/namespaces/{namespace}/secrets/{name}": {
        "get": {"operationId": "readSecret", "x-kubernetes-action": "get",
          "x-kubernetes-group-version-kind": {"group": "", "version": "v1", "kind": "Secret"}, "responses": {}},
        "put": {"operationId": "replaceSecret", "x-kubernetes-action": "put",
          "x-kubernetes-group-version-kind": {"group": "", "version": "v1", "kind": "Secret"}, "responses": {}}},
      "/apis/apps/v1/namespaces/{namespace}/deployments/{name}": {
        "patch": {"operationId": "patchDeployment", "x-kubernetes-action": "patch",
          "x-kubernetes-group-version-kind": {"group": "apps", "version": "v1", "kind": "Deployment"}, "responses": {}}},
      "/api/v1/namespaces/{namespace}/pods/{name}/exec": {
        "get": {"operationId": "openExec", "x-kubernetes-action": "connect",
          "x-kubernetes-group-version-kind": {"group": "", "version": "v1", "kind": "PodExecOptions"}, "responses": {}}},
      "/version": {"get": {"operationId": "version", "responses": {}}}
    }}
    """

  static func policy(_ name: String, _ rules: String, tests: String = "") -> String {
    """
    apiVersion: sallyport.dev/v1alpha1
    kind: AccessPolicy
    metadata: {name: \(name)}
    rules:
    \(rules)
    \(tests)

    """
  }

  static let noSecrets = policy(
    "no-secrets", "- {name: secrets, deny: [{resources: [secrets]}], unless: {groups: [security]}, message: No.}",
    tests: """
      tests:
      - {user: alice, request: GET /api/v1/secrets, expect: deny}
      - {user: alice, request: GET /api/v1/pods, expect: allow}
      """)

  /// A gateway's configuration with two upstreams and a route to each; nothing that it names is opened but policies and documents.
  static func configuration(in directory: TemporaryDirectory) throws -> String {
    try directory.write(self.pets, to: "pets.yaml")
    try directory.write(self.kubernetes, to: "kubernetes.json")
    try directory.write(self.noSecrets, to: "no-secrets.yaml")
    try directory.write(self.policy("no-pets", "- {name: one, deny: [{operations: [getPet]}]}"), to: "no-pets.yaml")
    return try directory.write(
      """
      apiVersion: sallyport.dev/v1alpha1
      kind: Gateway
      listeners:
      - {name: main, address: 127.0.0.1:0, tls: {certificateFile: s.pem, privateKeyFile: s.key, clientCAFile: ca.pem}}
      authentication: {clientCertificates: {}}
      credentials: [{name: front-proxy, requestHeaders: {certificateFile: f.pem, privateKeyFile: f.key}}]
      upstreams:
      - {name: pets, servers: ["https://127.0.0.1:1"], caFile: ca.pem, openapi: pets.yaml}
      - {name: kubernetes, kind: kubernetes, servers: ["https://127.0.0.1:2"], caFile: ca.pem, openapi: kubernetes.json}
      - {name: bare, servers: ["https://127.0.0.1:3"], caFile: ca.pem}
      routes:
      - {name: pets, match: {path: /pets}, upstream: pets, credential: front-proxy, authenticate: [clientCertificate], policies: [no-pets]}
      - {name: bare, match: {path: /bare}, upstream: bare, credential: front-proxy, authenticate: [clientCertificate], policies: []}
      - name: api
        upstream: kubernetes
        credential: front-proxy
        authenticate: [clientCertificate]
        policies: [no-secrets]
        impersonation: refuse
      policy: {files: ["no-*.yaml"]}
      audit: {directory: audit}

      """, to: "sallyport.yaml")
  }

  // MARK: - operations

  @Test func operationsAreListedInColumns() throws {
    let directory = TemporaryDirectory()
    let (catalogue, warnings) = try PolicySources.catalogue(file: directory.write(Self.kubernetes, to: "k.json"))
    #expect(warnings.isEmpty)
    #expect(
      OperationTable(catalogue).text == """
        ID               METHOD  PATH                                                     VERB    GROUP/VERSION/KIND
        readSecret       GET     /api/v1/namespaces/{namespace}/secrets/{name}            get     v1/Secret
        replaceSecret    PUT     /api/v1/namespaces/{namespace}/secrets/{name}            update  v1/Secret
        patchDeployment  PATCH   /apis/apps/v1/namespaces/{namespace}/deployments/{name}  patch   apps/v1/Deployment
        openExec         GET     /api/v1/namespaces/{namespace}/pods/{name}/exec          get     v1/PodExecOptions
        version          GET     /version                                                 -       -
        """)
    #expect(OperationTable(catalogue, matching: ["*Secret", "version"]).rows.map(\.id) == ["readSecret", "replaceSecret", "version"])
    let rows = try JSONDecoder().decode([OperationTable.Row].self, from: Data(OperationTable(catalogue).json().utf8))
    #expect(rows == OperationTable(catalogue).rows)
  }

  @Test func anUpstreamOfAConfigurationIsListed() async throws {
    let directory = TemporaryDirectory()
    let file = try Self.configuration(in: directory)
    let pets = try await PolicySources.catalogue(configuration: file, upstream: "pets").catalogue
    #expect(OperationTable(pets).rows.map(\.id) == ["listPets", "getPet"])
    for (upstream, words) in [
      ("pet", "did you mean `pets`?"), ("bare", "has no API description"), (nil, "choose with --upstream: pets, kubernetes"),
    ] as [(String?, String)] {
      let fault = await #expect(throws: StartFault.self) { try await PolicySources.catalogue(configuration: file, upstream: upstream) }
      #expect(fault?.description.contains(words) == true, "\(fault?.description ?? "")")
    }
  }

  // MARK: - explain

  @Test func aRouteExplainsItsDecision() async throws {
    let directory = TemporaryDirectory()
    let file = try Self.configuration(in: directory)
    let api = try await ExplainableRules(configuration: file, route: "api", openapi: nil)
    var request = WrittenRequest(method: "GET", target: "/api/v1/namespaces/dev/%73ecrets/s1", user: "alice")
    let denied = api.explain(request)
    #expect(denied.verdict == .deny && denied.rule == "no-secrets/secrets" && denied.message == "No.")
    #expect(denied.reading?.operation == "readSecret")
    #expect(denied.text.contains("(deny, \(directory.path)/no-secrets.yaml:5) applies"))
    request.groups = ["security"]
    #expect(api.explain(request).verdict == .allow)
    request.impersonates = RequestedImpersonation(user: "bob")
    #expect(api.explain(request).verdict == .deny, "the route refuses impersonation")

    let pets = try await ExplainableRules(configuration: file, route: "pets", openapi: nil)
    let pet = pets.explain(WrittenRequest(method: "GET", target: "/pets/1", user: "alice"))
    #expect(pet.rule == "no-pets/one" && pet.reading?.verb == nil)
    let bare = try await ExplainableRules(configuration: file, route: "bare", openapi: nil)
    #expect(bare.explain(WrittenRequest(method: "GET", target: "/bare/x", user: "alice")).verdict == .allow)
  }

  @Test func aRouteThatIsNotThereOrNotChosenIsAFault() async throws {
    let directory = TemporaryDirectory()
    let file = try Self.configuration(in: directory)
    for (route, words) in [("ap", "did you mean `api`?"), (nil, "choose with --route: pets, bare, api")] as [(String?, String)] {
      let fault = await #expect(throws: StartFault.self) { try await ExplainableRules(configuration: file, route: route, openapi: nil) }
      #expect(fault?.description.contains(words) == true, "\(fault?.description ?? "")")
    }
  }

  @Test func policyFilesExplainWithoutAConfiguration() throws {
    let directory = TemporaryDirectory()
    let files = [
      try directory.write(Self.noSecrets, to: "a.yaml"),
      try directory.write(Self.policy("no-pets", "- {name: one, deny: [{operations: [getPet]}]}"), to: "b.yaml"),
    ]
    let fault = #expect(throws: StartFault.self) { try ExplainableRules(policyFiles: files, openapi: nil, reading: .generic) }
    #expect(fault?.description.contains("give one with --openapi") == true)
    let pets = try directory.write(Self.pets, to: "pets.yaml")
    let rules = try ExplainableRules(policyFiles: files, openapi: pets, reading: .generic)
    #expect(rules.explain(WrittenRequest(method: "GET", target: "/pets/1", user: "alice")).rule == "no-pets/one")
    #expect(rules.explain(WrittenRequest(method: "GET", target: "/pets", user: "alice")).verdict == .allow)
    #expect(throws: StartFault.self) {
      try ExplainableRules(policyFiles: [files[0], directory.write(Self.noSecrets, to: "c.yaml")], openapi: nil, reading: .kubernetes)
    }
  }

  @Test func aRuleThatSelectsNothingIsAFaultWithTheNearestName() throws {
    let directory = TemporaryDirectory()
    let pets = try directory.write(Self.pets, to: "pets.yaml")
    let file = try directory.write(Self.policy("p", "- {name: one, deny: [{operations: [\"getPets*\"]}]}"), to: "p.yaml")
    let fault = #expect(throws: StartFault.self) { try ExplainableRules(policyFiles: [file], openapi: pets, reading: .generic) }
    #expect(fault?.description.contains("selects no operation of the OpenAPI document; did you mean `getPet*`?") == true)
  }

  // MARK: - test

  @Test func casesThatPassAreCounted() throws {
    let directory = TemporaryDirectory()
    let file = try directory.write(Self.noSecrets, to: "a.yaml")
    let report = try PolicyTestReport(files: ["\(directory.path)/*.yaml"], openapi: nil)
    #expect(report.failures == 0 && report.warnings.isEmpty)
    #expect(report.text == "\(file): no-secrets: 2 of 2 pass\n2 cases of 1 policies: all pass")
  }

  @Test func aCaseThatFailsIsExplained() throws {
    let directory = TemporaryDirectory()
    let file = try directory.write(
      Self.policy(
        "p", "- {name: r, deny: [{resources: [pods]}], only: {groups: [team]}}",
        tests: """
          tests:
          - {user: alice, request: GET /api/v1/pods, expect: deny}
          - {user: alice, request: GET /api/v1/../pods, expect: allow}
          - {user: bea, groups: [team], request: GET /api/v1/pods, expect: deny, rule: r}
          """), to: "p.yaml")
    let report = try PolicyTestReport(files: [file], openapi: nil)
    #expect(report.failures == 2)
    #expect(report.text.contains("\(file): p: 1 of 3 pass"))
    #expect(report.text.contains("\(file):7: FAILED: alice, GET /api/v1/pods, is expected to be denied: it is allowed"))
    #expect(report.text.contains("        of `only`, the user is in none of the groups team"))
    #expect(report.text.contains("\(file):8: FAILED: alice, GET /api/v1/../pods, is expected to be allowed: the gateway answers 400"))
    #expect(report.text.hasSuffix("3 cases of 1 policies: 2 failed"))
    let files = try JSONDecoder().decode([PolicyTestReport.File].self, from: Data(report.json().utf8))
    #expect(files == report.files)
    #expect(files[0].cases.map(\.result) == ["allow", "refuse", "deny"])
  }

  @Test func faultsOfAllFilesAreReportedAtOnce() throws {
    let directory = TemporaryDirectory()
    let broken = try directory.write("kind: AccessPolicy\n", to: "broken.yaml")
    let needy = try directory.write(Self.policy("p", "- {name: r, deny: [{returns: [io.k8s.api.core.v1.Secret]}]}"), to: "needy.yaml")
    let fault = #expect(throws: StartFault.self) {
      try PolicyTestReport(files: [broken, directory.path + "/none.yaml"], openapi: nil)
    }
    #expect(fault?.messages.contains { $0.hasPrefix("\(broken):1:1: ") } == true)
    #expect(fault?.messages.contains { $0.contains("none.yaml: names no file") } == true)
    let other = #expect(throws: StartFault.self) { try PolicyTestReport(files: [needy], openapi: nil) }
    #expect(other?.description.contains("give the API's description with --openapi") == true)
  }

  @Test func aPolicyWithoutTestsIsToldOf() throws {
    let directory = TemporaryDirectory()
    let file = try directory.write(Self.policy("p", "- {name: r, deny: [{resources: [pods]}]}"), to: "p.yaml")
    let report = try PolicyTestReport(files: [file], openapi: nil)
    #expect(report.warnings.contains { $0.contains("has no tests") })
  }
}
