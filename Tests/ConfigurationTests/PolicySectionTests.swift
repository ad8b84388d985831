import SallyportConfiguration
import Testing

@Suite struct PolicySectionTests {
  @Test func anAPIServerMayBeAskedForItsDescription() throws {
    let text = everyKey.replacing("  kind: kubernetes", with: "  kind: kubernetes\n  openapi: upstream")
    #expect(try load(text).upstreams[0].openapi == .upstream)
    let file = everyKey.replacing("  kind: kubernetes", with: "  kind: kubernetes\n  openapi: ./upstream")
    guard case .file(let named) = try load(file).upstreams[0].openapi else {
      Issue.record("no file")
      return
    }
    #expect(named.path == "/etc/sallyport/./upstream")
  }

  @Test func aRouteMayHaveNoPolicies() throws {
    let text = everyKey.replacing("policies: [secrets-are-private]", with: "policies: []")
    #expect(try load(text).routes[1].policies == [])
  }

  @Test(arguments: [
    (
      "  openapi: dashboard.json", "  openapi: upstream",
      "59:12: upstreams[1].openapi: asks an upstream that is no API server; name a file, or set kind: kubernetes"
    ),
    ("policies: [secrets-are-private]", "policies: [a, a]", "74:17: routes[1].policies[1]: stands in the list twice; remove it"),
    (
      "policies: [secrets-are-private]", "policies: all", "74:13: routes[1].policies: is text; write a list, a line with `- ` for each item"
    ),
    ("  files: [", "  file: [", "87:3: policy.file: is not a known key; did you mean `files`?"),
    ("[\"policies/*.yaml\"]", "[]", "87:10: policy.files: has too few items; list at least 1"),
    ("[\"policies/*.yaml\"]", "[a.yaml, a.yaml]", "87:19: policy.files[1]: stands in the list twice; remove it"),
  ]) func whatHasNoMeaningIsAFault(old: String, new: String, fault: String) {
    #expect(faults(in: everyKey, replacing: old, by: new).contains(fault), "\(faults(in: everyKey, replacing: old, by: new))")
  }

  @Test func policiesWithoutFilesAndFilesWithoutUseAreFaults() {
    let without = everyKey.replacing("\n\npolicy:\n  files: [\"policies/*.yaml\"]", with: "")
    #expect(faults(in: without) == ["74:14: routes[1].policies[0]: names a policy, and there are no policy files; add policy.files"])
    let unused =
      leastKeys.replacing("authenticate: [password]}", with: "authenticate: [password], policies: []}")
      + "\npolicy: {files: [a.yaml]}"
    #expect(
      faults(in: unused) == ["17:9: policy: is used by no route; remove it, or name a policy in a route's `policies`"])
  }
}
