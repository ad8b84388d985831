import Foundation
import SallyportPolicy
import SallyportWire
import Testing

/// What an operation really gives away: every way in which an API server was seen to hand out a secret, against the shipped
/// policy and against a rule by `returns`.
@Suite struct GivenAwayTests {
  struct Way: Sendable, CustomTestStringConvertible {
    let what: String
    let requests: [String]
    var fields: [(String, String)] = []
    var testDescription: String { self.what }
  }

  static let one = "/api/v1/namespaces/dev/secrets/s1"
  static let all = "/api/v1/namespaces/dev/secrets"
  static let table = ("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io")
  static let metadata = ("Accept", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io")

  static func patch(_ type: String) -> [(String, String)] { [("Content-Type", "application/\(type)")] }

  static let ways: [Way] = [
    Way(what: "reading", requests: ["GET \(one)", "GET \(all)", "GET /api/v1/secrets"]),
    Way(what: "a merge patch", requests: ["PATCH \(one)", "PATCH \(one)?dryRun=All"], fields: patch("merge-patch+json")),
    Way(
      what: "a strategic merge patch", requests: ["PATCH \(one)", "PATCH \(one)?dryRun=All"], fields: patch("strategic-merge-patch+json")),
    Way(
      what: "a JSON patch: test is an oracle, copy puts the content into labels and error texts",
      requests: ["PATCH \(one)", "PATCH \(one)?dryRun=All"], fields: patch("json-patch+json")),
    Way(
      what: "server-side apply", requests: ["PATCH \(one)?fieldManager=x", "PATCH \(one)?fieldManager=x&force=true&dryRun=All"],
      fields: patch("apply-patch+yaml")),
    Way(what: "a patch answered as a table", requests: ["PATCH \(one)?includeObject=Object"], fields: patch("merge-patch+json") + [table]),
    Way(what: "a patch answered as metadata", requests: ["PATCH \(one)"], fields: patch("json-patch+json") + [metadata]),
    Way(
      what: "a delete that a finalizer, foreground or orphan deletion holds up",
      requests: [
        "DELETE \(one)", "DELETE \(one)?propagationPolicy=Foreground", "DELETE \(one)?propagationPolicy=Orphan",
        "DELETE \(one)?orphanDependents=true&dryRun=All", "DELETE \(one)?gracePeriodSeconds=0",
      ]),
    Way(
      what: "the deletion of a collection",
      requests: ["DELETE \(all)", "DELETE \(all)?dryRun=All&labelSelector=a", "DELETE \(all)?fieldSelector=metadata.name%3Ds1"]),
    Way(
      what: "tables, with the annotation that kubectl apply leaves",
      requests: ["GET \(one)", "GET \(all)", "GET \(all)?includeObject=Object", "GET \(all)?includeObject=None"], fields: [table]),
    Way(what: "metadata, with the same annotation", requests: ["GET \(one)", "GET \(all)", "GET \(all)?watch=1"], fields: [metadata]),
    Way(
      what: "the old paths that watch",
      requests: [
        "GET /api/v1/watch/secrets", "GET /api/v1/watch/namespaces/dev/secrets", "GET /api/v1/watch/namespaces/dev/secrets/s1",
        "GET /api/v1/watch/secrets?watch=0", "GET /api/v1/watch/namespaces//secrets", "GET /api/v1/%77atch/secrets",
      ]),
    Way(
      what: "watch in all its values",
      requests: [
        "", "=", "=1", "=true", "=TRUE", "=t", "=yes", "=on", "=2", "=f", "=F", "=no", "=off", "=00", "=-1", "=null", "=0%20", "=1&watch=0",
        "=0", "=false", "=FALSE", "=%66alse", "=1&%zz", "=1;x", "=%zz",
      ].map { "GET \(all)?watch\($0)" } + ["GET \(all)?%77atch=1", "GET \(all)?Watch=1", "GET \(all)?watch[]=1", "GET \(all)?&amp;watch=1"]),
    Way(
      what: "field selectors",
      requests: [
        "GET \(all)?fieldSelector=metadata.name=s1", "GET /api/v1/secrets?fieldSelector=metadata.name%3Ds1",
        "GET \(all)?watch=1&fieldSelector=metadata.name%3Ds1", "GET \(all)?fieldSelector=type%3DOpaque",
      ]),
    Way(
      what: "watches over WebSocket", requests: ["GET \(all)?watch=1", "GET /api/v1/watch/secrets", "GET \(one)"],
      fields: [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Protocol", "binary.k8s.io")]),
    Way(
      what: "the empty namespace segment",
      requests: [
        "GET /api/v1/namespaces//secrets", "GET /api/v1/namespaces%2F%2Fsecrets", "GET /api/v1/namespaces/%2Fsecrets",
        "GET /api/v1/namespaces%2f/secrets", "GET /api/v1/namespaces//secrets?watch=true",
      ]),
    Way(
      what: "slashes at the end, encoded letters and slashes, absolute targets",
      requests: [
        "GET \(one)/", "GET \(one)//", "GET \(one)%2F", "GET \(all)%2Fs1", "GET /api%2Fv1%2Fnamespaces%2Fdev%2Fsecrets%2Fs1",
        "GET /%61pi/%761/namespaces/dev/%73ecrets/s1", "GET https://elsewhere.example\(one)", "GET foo://x\(one)", "GET https:\(one)",
      ]),
    Way(
      what: "methods that a header asks for", requests: ["GET \(one)", "PATCH \(one)"],
      fields: [("X-HTTP-Method-Override", "POST"), ("X-Original-URL", "/healthz"), ("X-Forwarded-Uri", "/healthz")]),
  ]

  static func verdict(_ request: String, _ fields: [(String, String)], of user: String, in groups: [String], by policy: AccessPolicy) throws
    -> RecordedRequestsTests.Verdict
  {
    let words = request.split(separator: " ", maxSplits: 1)
    let asked = RecordedRequestsTests.Recorded(
      line: 0, method: Method(String(words[0])), target: Array(words[1].utf8), headers: fields, leaksSecret: true, isAboutSecrets: true)
    return try RecordedRequestsTests.verdict(on: asked, of: user, in: groups, by: policy)
  }

  @Test(arguments: ways) func theShippedPolicyClosesIt(_ way: Way) throws {
    let policy = try RecordedRequestsTests.policy(["secrets-are-private"])
    for request in way.requests {
      #expect(try Self.verdict(request, way.fields, of: "alice", in: ["developers"], by: policy) == .denied, "\(request)")
      #expect(try Self.verdict(request, way.fields, of: "sue", in: ["security"], by: policy) == .allowed, "\(request)")
    }
  }

  @Test(arguments: ways) func aRuleByWhatIsReturnedClosesIt(_ way: Way) throws {
    guard let catalogue = CatalogueSelectorTests.catalogue else { return }
    let rules = try policy("- {name: r, deny: [{returns: [io.k8s.api.core.v1.Secret]}], unless: {groups: [security]}}")
    let policy = AccessPolicy(rules: PolicyMatcher([rules], catalogue: catalogue, reading: .kubernetes))
    for request in way.requests {
      #expect(try Self.verdict(request, way.fields, of: "alice", in: ["developers"], by: policy) == .denied, "\(request)")
      #expect(try Self.verdict(request, way.fields, of: "sue", in: ["security"], by: policy) == .allowed, "\(request)")
    }
  }

  /// The paths that open connections, by any method and with any header, are no reads to a policy that allows reads.
  @Test(arguments: [
    "GET /api/v1/namespaces/d/pods/p/exec?command=sh", "GET /api/v1/namespaces/d/pods/p/attach",
    "GET /api/v1/namespaces/d/pods/p/portforward",
    "GET /api/v1/namespaces/d/pods/p/proxy/", "GET /api/v1/nodes/n/proxy/run/x", "GET /api/v1/namespaces/d/services/s/proxy/x",
    "HEAD /api/v1/nodes/n/proxy/pods", "GET /api/v1/proxy/nodes/n/pods", "GET /api/v1/namespaces/d/pods/p%2Fexec",
    "GET /apis/subresources.kubevirt.io/v1/namespaces/d/virtualmachineinstances/v/console",
  ]) func whatOpensAConnectionIsNeverARead(_ request: String) throws {
    let policy = try RecordedRequestsTests.policy(["read-only"])
    for upgrade in ["websocket", "SPDY/3.1"] {
      let fields = [("Connection", "Upgrade"), ("Upgrade", upgrade)]
      #expect(try Self.verdict(request, fields, of: "alice", in: [], by: policy) == .denied)
      #expect(try Self.verdict(request, fields, of: "oscar", in: ["operators"], by: policy) == .allowed)
    }
  }

  @Test func logsAndWatchesAreReadsAlsoByWebSocket() throws {
    let policy = try RecordedRequestsTests.policy(["read-only"])
    let fields = [("Connection", "Upgrade"), ("Upgrade", "websocket")]
    for request in ["GET /api/v1/pods?watch=1", "GET /api/v1/namespaces/d/pods/p/log?follow=1", "GET /api/v1/namespaces/d/pods/p"] {
      #expect(try Self.verdict(request, fields, of: "alice", in: [], by: policy) == .allowed, "\(request)")
    }
  }

  @Test func theHeadersOfBothPoliciesSayWhatStaysOpen() throws {
    for (name, words) in [
      (
        "secrets-are-private",
        ["stays open", "mounts a secret", "serviceaccounts/token", "proxy subresources", "aggregated APIs", "secrets-strict.yaml"]
      ),
      ("secrets-strict", ["Still open", "logs of pods", "aggregated APIs", "around the gateway"]),
    ] {
      let text = try String(contentsOf: ShippedPoliciesTests.directory.appending(path: "\(name).yaml"), encoding: .utf8)
      let header = text.split(separator: "\n").prefix { $0.hasPrefix("#") }.joined(separator: " ").replacing("# ", with: "")
      for word in words { #expect(header.contains(word), "\(name): \(word)") }
    }
  }
}
