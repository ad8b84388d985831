import NIOCore
@_spi(Authenticator) import SallyportCore
import SallyportStrictYAML
import SallyportWire
import Testing

@testable import SallyportAudit

@Suite struct AuditPolicyTests {
  private func policy(_ rules: String, before: String = "") throws -> AuditPolicy {
    let text = "apiVersion: audit.k8s.io/v1\nkind: Policy\n\(before)rules:\n\(rules)\n"
    return try AuditPolicy.decode(bytes: text.utf8, fileName: "p.yaml")
  }

  private func level(
    _ policy: AuditPolicy, _ target: String, method: SallyportWire.Method = .get, user: String = "alice", groups: [String] = ["dev"]
  ) throws -> AuditPolicy.Level {
    let info = RequestInfo(method: method, target: try RequestTarget(reading: ByteBuffer(string: target), for: method))
    return policy.outcome(username: user, groups: groups, info: info, verb: info.verb, path: info.path).level
  }

  /// The example of Kubernetes' own documentation.
  private static let example = """
    - level: RequestResponse
      resources:
      - group: ""
        resources: ["pods"]
    - level: Metadata
      resources:
      - group: ""
        resources: ["pods/log", "pods/status"]
    - level: None
      resources:
      - group: ""
        resources: ["configmaps"]
        resourceNames: ["controller-leader"]
    - level: None
      users: ["system:kube-proxy"]
      verbs: ["watch"]
      resources:
      - group: ""
        resources: ["endpoints", "services"]
    - level: None
      userGroups: ["system:authenticated"]
      nonResourceURLs:
      - "/api*"
      - "/version"
    - level: Request
      resources:
      - group: ""
        resources: ["configmaps"]
      namespaces: ["kube-system"]
    - level: Metadata
      resources:
      - group: ""
        resources: ["secrets", "configmaps"]
    - level: Request
      resources:
      - group: ""
      - group: "extensions"
    - level: Metadata
      omitStages:
        - "RequestReceived"
    """

  @Test func theFirstRuleThatMatchesDecides() throws {
    let policy = try self.policy(Self.example)
    #expect(try self.level(policy, "/api/v1/namespaces/dev/pods/web") == .requestResponse)
    #expect(try self.level(policy, "/api/v1/namespaces/dev/pods/web/log") == .metadata, "a resource is not its subresources")
    #expect(try self.level(policy, "/api/v1/namespaces/kube-system/configmaps/controller-leader") == .none)
    #expect(try self.level(policy, "/api/v1/namespaces/kube-system/configmaps/other") == .request)
    #expect(try self.level(policy, "/api/v1/namespaces/dev/configmaps/other") == .metadata)
    #expect(try self.level(policy, "/api/v1/namespaces/dev/services/x") == .request)
    #expect(try self.level(policy, "/apis/apps/v1/deployments") == .metadata)
    #expect(try self.level(policy, "/version", groups: ["system:authenticated"]) == .none)
    #expect(try self.level(policy, "/api/v1/services?watch=true", user: "system:kube-proxy") == .none)
  }

  @Test func whatNoRuleMatchesIsNotRecorded() throws {
    let policy = try self.policy("- {level: Metadata, users: [bob]}")
    #expect(try self.level(policy, "/api/v1/pods", user: "bob") == .metadata)
    #expect(try self.level(policy, "/api/v1/pods") == .none)
  }

  @Test(arguments: [
    ("pods", "/api/v1/namespaces/a/pods/x", true), ("pods", "/api/v1/namespaces/a/pods/x/status", false),
    ("pods/status", "/api/v1/namespaces/a/pods/x/status", true), ("pods/*", "/api/v1/namespaces/a/pods/x/status", true),
    ("pods/*", "/api/v1/namespaces/a/pods/x", true), ("*/status", "/api/v1/namespaces/a/pods/x/status", true),
    ("*/status", "/api/v1/namespaces/a/pods/x", false), ("*", "/api/v1/namespaces/a/pods/x/status", true),
    ("*", "/apis/apps/v1/deployments", false), ("pods", "/api/v1/pods", true),
  ]) func resourcesAreNamedAsInKubernetes(name: String, target: String, matches: Bool) throws {
    let policy = try self.policy("- level: Metadata\n  resources: [{group: \"\", resources: [\"\(name)\"]}]")
    #expect((try self.level(policy, target) == .metadata) == matches)
  }

  @Test(arguments: [
    ("/healthz", "/healthz", true), ("/healthz", "/healthz/etcd", false), ("/healthz*", "/healthz/etcd", true), ("*", "/x", true),
    ("*", "/api/v1/pods", false), ("/api*", "/api", true),
  ]) func pathsAreComparedAsInKubernetes(pattern: String, target: String, matches: Bool) throws {
    let policy = try self.policy("- level: Metadata\n  nonResourceURLs: [\"\(pattern)\"]")
    #expect((try self.level(policy, target) == .metadata) == matches)
  }

  @Test func namespacesAreExactAndTheEmptyOneIsThatOfClusterResources() throws {
    let policy = try self.policy("- level: Metadata\n  namespaces: [\"\", dev]")
    #expect(try self.level(policy, "/api/v1/nodes") == .metadata)
    #expect(try self.level(policy, "/api/v1/namespaces/dev/pods") == .metadata)
    #expect(try self.level(policy, "/api/v1/namespaces/prod/pods") == .none)
    #expect(try self.level(policy, "/version") == .none)
  }

  private func record(_ decision: Decision?, stage: AuditRecord.Stage = .responseComplete) -> AuditRecord {
    let record = Samples.record()
    record.subject = .identity(Samples.identity())
    record.info = Samples.podReading
    record.decision = decision
    record.stage = stage
    return record
  }

  @Test func whatAReviewerMustNotMissIsRecordedWhateverThePolicySays() throws {
    let policy = try self.policy("- level: None", before: "omitStages: [ResponseComplete]\n")
    let allowed = self.record(.allow(rule: nil))
    #expect(allowed.isOmitted(allowed.outcome(of: policy)))
    let shell = self.record(.allow(rule: nil))
    shell.info = RequestInfo(
      isResourceRequest: true, verb: "get", apiPrefix: "api", apiVersion: "v1", namespace: "dev", resource: "pods", subresource: "exec",
      name: "web")
    let failed = self.record(nil)
    failed.subject = nil
    for record in [self.record(.deny(rule: "r", message: "m")), shell, failed, self.record(.allow(rule: nil), stage: .panic)] {
      #expect(!record.isOmitted(record.outcome(of: policy)))
    }
  }

  @Test func stagesAreOmittedByThePolicyAndByTheRule() throws {
    let policy = try self.policy(
      "- {level: Metadata, users: [alice], omitStages: [ResponseStarted]}\n- level: Metadata", before: "omitStages: [RequestReceived]\n")
    func omitted(_ stage: AuditRecord.Stage, user: String) -> Bool {
      let record = self.record(.allow(rule: nil), stage: stage)
      record.subject = .identity(Samples.identity(user))
      return record.isOmitted(record.outcome(of: policy))
    }
    #expect(omitted(.requestReceived, user: "alice") && omitted(.responseStarted, user: "alice"))
    #expect(omitted(.requestReceived, user: "bob") && !omitted(.responseStarted, user: "bob"))
    #expect(!omitted(.responseComplete, user: "alice"))
  }

  @Test(arguments: [
    ("- level: metadata", "4:10: rules[0].level: is not a known word; write None or Metadata or Request or RequestResponse"),
    ("- users: [a]", "4:3: rules[0].level: is missing; add this key"),
    (
      "- {level: None, nonResourceURLs: [healthz]}",
      "4:35: rules[0].nonResourceURLs[0]: does not begin with a slash; write it as in /healthz* or *"
    ),
    (
      "- {level: None, nonResourceURLs: [\"/a*b\"]}",
      "4:35: rules[0].nonResourceURLs[0]: has a wildcard that is not at its end; write it as in /healthz*"
    ),
    (
      "- {level: None, namespaces: [a], nonResourceURLs: [\"/a\"]}",
      "4:51: rules[0].nonResourceURLs: stands beside resources or namespaces; make two rules of it: a request is for a resource, or it is not"
    ),
    (
      "- {level: None, resources: [{group: apps, resourceNames: [x]}]}",
      "4:58: rules[0].resources[0].resourceNames: stands without `resources`; name the resources that have these names"
    ),
    ("- {level: None, user: [a]}", "4:17: rules[0].user: is not a known key; did you mean `users`?"),
  ]) func aFaultIsToldWithItsPlace(rules: String, fault: String) {
    #expect {
      try self.policy(rules)
    } throws: { error in
      "\(error)" == "p.yaml:\(fault)"
    }
  }

  @Test func anotherKindOfFileAndOneWithoutRulesAreRefused() {
    for text in ["apiVersion: v1\nkind: Policy\nrules: [{level: None}]", "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: []"] {
      #expect(throws: FileFaults.self) { try AuditPolicy.decode(bytes: text.utf8, fileName: "p.yaml") }
    }
  }
}
