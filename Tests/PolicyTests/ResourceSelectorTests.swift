import SallyportCore
import SallyportWire
import Testing

@Suite struct ResourceSelectorTests {
  static let reads = "- {name: r, deny: [{resources: [secrets], verbs: [get, list, watch]}]}"

  @Test(arguments: [
    "GET /api/v1/namespaces/dev/secrets/s1", "GET /api/v1/namespaces/dev/secrets", "GET /api/v1/secrets", "GET /api/v1/secrets?watch=1",
    "GET /api/v1/watch/secrets", "GET /api/v1/watch/namespaces/dev/secrets/s1", "GET /api/v1/namespaces//secrets",
    "GET /api/v1/namespaces/dev/%73ecrets/s1", "GET /api%2Fv1%2Fnamespaces/dev/secrets%2Fs1/", "GET https://x/api/v1/secrets/",
    "GET /apis/example.org/v1/secrets", "HEAD /api/v1/namespaces/dev/secrets/s1",
  ]) func noSpellingOfAReadEscapes(_ request: String) throws {
    #expect(try Court(Self.reads).denies(request))
  }

  @Test(arguments: [
    "POST /api/v1/namespaces/dev/secrets", "PUT /api/v1/namespaces/dev/secrets/s1", "DELETE /api/v1/namespaces/dev/secrets/s1",
    "GET /api/v1/namespaces/dev/pods", "GET /api/v1/namespaces/secrets/pods/secrets", "GET /healthz", "GET /api/v1", "GET /secrets",
    "GET /api/v1/namespaces/dev/Secrets", "GET /api/v1/namespaces/dev/secretsx",
  ]) func whatIsNotSelectedPasses(_ request: String) throws {
    #expect(try !Court(Self.reads).denies(request))
  }

  @Test func verbsAreLiteral() throws {
    for (verb, request) in [
      ("get", "GET /api/v1/namespaces/d/pods/p"), ("list", "GET /api/v1/pods"), ("watch", "GET /api/v1/pods?watch"),
      ("create", "POST /api/v1/namespaces/d/pods"), ("update", "PUT /api/v1/namespaces/d/pods/p"),
      ("patch", "PATCH /api/v1/namespaces/d/pods/p"), ("delete", "DELETE /api/v1/namespaces/d/pods/p"),
      ("deletecollection", "DELETE /api/v1/namespaces/d/pods"),
    ] {
      #expect(try Court("- {name: r, deny: [{resources: [pods], verbs: [\(verb)]}]}").denies(request), "\(verb)")
      let others = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"].filter { $0 != verb }
      #expect(try !Court("- {name: r, deny: [{resources: [pods], verbs: \(others)}]}").denies(request), "\(verb)")
      #expect(try Court("- {name: r, deny: [{resources: [pods]}]}").denies(request))
      #expect(try Court("- {name: r, deny: [{resources: [pods], verbs: [\"*\"]}]}").denies(request))
    }
  }

  @Test(arguments: [
    ("deployments", "GET /apis/apps/v1/namespaces/d/deployments", true),
    ("deployments.apps", "GET /apis/apps/v1/namespaces/d/deployments", true),
    ("deployments.apps", "GET /apis/example.org/v1/namespaces/d/deployments", false),
    ("deployments.core", "GET /apis/apps/v1/namespaces/d/deployments", false),
    ("pods.core", "GET /api/v1/pods", true),
    ("pods.core", "GET /apis/metrics.k8s.io/v1beta1/pods", false),
    ("pods", "GET /apis/metrics.k8s.io/v1beta1/pods", true),
    ("pods.metrics.k8s.io", "GET /apis/metrics.k8s.io/v1beta1/pods", true),
    ("pods", "GET /api/v1/namespaces/d/pods/p/log", false),
    ("pods/log", "GET /api/v1/namespaces/d/pods/p/log", true),
    ("pods/log", "GET /api/v1/namespaces/d/pods/p", false),
    ("pods/*", "GET /api/v1/namespaces/d/pods/p/log", true),
    ("pods/*", "GET /api/v1/namespaces/d/pods/p", false),
    ("*/log", "GET /api/v1/namespaces/d/pods/p/log", true),
    ("*/log", "GET /api/v1/namespaces/d/pods/p/status", false),
    ("*/*", "GET /api/v1/namespaces/d/pods/p/status", true),
    ("*/*", "GET /api/v1/namespaces/d/pods/p", false),
    ("*", "GET /api/v1/namespaces/d/pods/p/status", true),
    ("*", "GET /api/v1/nodes", true),
    ("*", "GET /version", false),
    ("*.apps", "GET /apis/apps/v1/deployments", true),
    ("*.apps", "GET /apis/apps/v1/namespaces/d/deployments/x/scale", false),
    ("*.apps/scale", "GET /apis/apps/v1/namespaces/d/deployments/x/scale", true),
    ("*.apps", "GET /api/v1/pods", false),
    ("*sets.apps", "GET /apis/apps/v1/daemonsets", true),
    ("*sets.apps", "GET /apis/apps/v1/deployments", false),
    ("*.*.example.org", "GET /apis/a.example.org/v1/things", true),
    ("*.*.example.org", "GET /apis/example.org/v1/things", false),
    ("namespaces/status", "GET /api/v1/namespaces/d/status", true),
    ("namespaces", "GET /api/v1/namespaces/d", true),
  ]) func aResourceIsNamedWithGroupAndSubresource(_ pattern: String, _ request: String, _ denied: Bool) throws {
    #expect(try Court("- {name: r, deny: [{resources: [\"\(pattern)\"]}]}").denies(request) == denied)
    #expect(try Court("- {name: r, allow: [{resources: [\"\(pattern)\"]}]}", default: "deny").denies(request) == !denied)
  }

  @Test(arguments: [
    "GET /api/v1/namespaces/d/pods/p/exec", "POST /api/v1/namespaces/d/pods/p/attach", "GET /api/v1/namespaces/d/pods/p/portforward",
    "GET /api/v1/nodes/n/proxy/run", "GET /api/v1/namespaces/d/services/https:s:443/proxy", "HEAD /api/v1/namespaces/d/pods/p/proxy/x",
    "GET /api/v1/proxy/namespaces/d/services/s/x",
  ]) func whatOpensAConnectionIsNeverARead(_ request: String) throws {
    let writes = "[create, update, patch, delete, deletecollection]"
    #expect(try Court("- {name: r, deny: [{resources: [\"*\"], verbs: \(writes)}]}").denies(request))
    #expect(try Court("- {name: r, allow: [{resources: [\"*\"], verbs: [get, list, watch]}]}", default: "deny").denies(request))
    #expect(try Court("- {name: r, deny: [{resources: [\"*\"], verbs: [create]}]}").denies(request))
    #expect(try !Court("- {name: r, allow: [{resources: [\"*\"]}]}", default: "deny").denies(request))
  }

  @Test func aProxyNeedsEveryVerb() throws {
    let some = "- {name: r, allow: [{resources: [nodes/proxy], verbs: [get, create]}]}"
    #expect(try Court(some, default: "deny").denies("GET /api/v1/nodes/n/proxy/run"))
    let all = "- {name: r, allow: [{resources: [nodes/proxy], verbs: [\"*\"]}]}"
    #expect(try !Court(all, default: "deny").denies("GET /api/v1/nodes/n/proxy/run"))
    for verb in ["get", "list", "watch", "create", "patch", "delete"] {
      #expect(try Court("- {name: r, deny: [{resources: [nodes/proxy], verbs: [\(verb)]}]}").denies("PUT /api/v1/nodes/n/proxy/"))
    }
  }

  @Test func aCreateOfASubresourceAdmitsAnExecByWebSocket() throws {
    let rule = "- {name: r, allow: [{resources: [pods/exec], verbs: [create]}]}"
    #expect(try !Court(rule, default: "deny").denies("GET /api/v1/namespaces/d/pods/p/exec?command=ls"))
    #expect(try !Court(rule, default: "deny").denies("POST /api/v1/namespaces/d/pods/p/exec?command=ls"))
    #expect(try Court(rule, default: "deny").denies("DELETE /api/v1/namespaces/d/pods/p/exec"))
  }

  @Test func aMethodWithoutAVerbIsOnlyMeantByAllVerbs() throws {
    for request in ["OPTIONS /api/v1/pods", "get /api/v1/pods", "PROPFIND /api/v1/pods"] {
      #expect(try Court("- {name: r, deny: [{resources: [pods]}]}").denies(request))
      let named = "[get, list, watch, create, update, patch, delete, deletecollection, proxy]"
      #expect(try !Court("- {name: r, deny: [{resources: [pods], verbs: \(named)}]}").denies(request))
      #expect(try Court("- {name: r, allow: [{resources: [pods], verbs: \(named)}]}", default: "deny").denies(request))
    }
  }

  @Test func aRuleNeedsNoResourceAtAGenericUpstream() throws {
    #expect(try !Court("- {name: r, deny: [{resources: [\"*\"]}]}", reading: .generic).denies("GET /api/v1/secrets"))
    #expect(try Court("- {name: r, allow: [{resources: [\"*\"]}]}", default: "deny", reading: .generic).denies("GET /api/v1/secrets"))
  }
}
