import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// A policy file that somebody edits while `sallyport serve` uses it, and an upstream that describes itself.
  @Suite(.serialized) struct PolicyEditTests {
    private static func policy(_ rule: String) -> String {
      "apiVersion: sallyport.dev/v1alpha1\nkind: AccessPolicy\nmetadata: {name: p}\nrules:\n- \(rule)\n"
    }

    private func status(_ served: ServedGateway, _ path: String) async throws -> String {
      let arguments = served.throughGateway(path).filter { $0 != "--fail" } + ["--output", "/dev/null", "--write-out", "%{http_code}"]
      return try await run("curl", arguments).output
    }

    /// Asks until the answer is the one that is waited for; the last one that came.
    private func eventually(_ wanted: String, _ served: ServedGateway, _ path: String) async throws -> String {
      var last = ""
      for _ in 0..<600 {
        last = try await self.status(served, path)
        if last == wanted { break }
        try await Task.sleep(for: .milliseconds(100))
      }
      return last
    }

    @Test func anEditHoldsByItselfAndABrokenOneChangesNothing() async throws {
      try await ServedGateway.with(policies: ["p.yaml"]) { configuration, directory in
        configuration += "reload: {interval: 300ms, settle: 200ms}\n"
        configuration = configuration.replacing("  connectTimeout", with: "  openapi: upstream\n  connectTimeout")
        try directory.write(Self.policy("{name: r, deny: [{operations: [\"*Secret*\"]}]}"), to: "p.yaml")
      } _: { served in
        let pods = "/api/v1/namespaces/dev/pods"
        let secrets = "/api/v1/namespaces/dev/secrets"
        #expect(try await self.status(served, secrets) == "403")
        #expect(try await self.status(served, pods) == "200")
        try served.directory.write(Self.policy("{name: r, deny: [{returns: [io.k8s.api.core.v1.Pod]}]}"), to: "p.yaml")
        #expect(try await self.eventually("403", served, pods) == "403")
        #expect(try await self.status(served, secrets) == "200")

        try served.directory.write(Self.policy("{name: r, denies: [{resources: [secrets]}]}"), to: "p.yaml")
        let log = try await served.process.waitForErrors { $0.contains("the reload failed") }
        #expect(log.contains("p.yaml:5:13: rules[0].denies: is not a known key; known here: allow, deny,"), "\(log)")
        #expect(try await self.status(served, pods) == "403")
        #expect(try await self.status(served, secrets) == "200")

        // What the upstream says of itself can be listed and explained without the gateway.
        let listed = try await sallyport("policy", "operations", "--config", served.file("sallyport.yaml"), "readCoreV1NamespacedSecret")
        #expect(listed.status == 0 && listed.output.contains("v1/Secret"), "\(listed.transcript)")
        try served.directory.write(Self.policy("{name: r, deny: [{operations: [\"*Secret*\"]}]}"), to: "p.yaml")
        let explained = try await sallyport(
          "policy", "explain", "--config", served.file("sallyport.yaml"), "--user", "eve", "GET", secrets)
        #expect(
          explained.status == 3 && explained.output.contains("the operation is listCoreV1NamespacedSecret"), "\(explained.transcript)")
        #expect(try await self.eventually("403", served, secrets) == "403")
      }
    }
  }
}
