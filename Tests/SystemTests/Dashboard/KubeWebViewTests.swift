import Foundation
import SallyportPracticeCluster
import TestSupport
import Testing

extension SystemTests {
  /// A web interface of Kubernetes that knows nothing of the gateway, as it comes from PyPI: behind it, and asking the API through it
  /// by the token that the gateway gave each request.
  @Suite(.serialized, .timeLimit(.minutes(5))) struct KubeWebViewTests {
    private static let policy = """
      apiVersion: sallyport.dev/v1alpha1
      kind: AccessPolicy
      metadata: {name: secrets-are-private}
      rules:
      - name: no-secret-reads
        deny: [{resources: [secrets]}]
        unless: {groups: [security]}
        message: Secrets are not readable through this gateway.

      """

    private struct World {
      let served: ServedGateway
      let program: RunningTool

      /// A page, as alice or bob.
      func page(_ path: String, as name: String) async throws -> (status: String, text: String) {
        let run = try await run(
          "curl",
          [
            "--silent", "--show-error", "--max-time", "60", "--cacert", self.served.file("server-ca.pem"), "--resolve",
            "localhost:\(self.served.port):127.0.0.1", "--user", "\(name):correct horse 17", "--write-out", "\n%{http_code}",
            "https://localhost:\(self.served.port)\(path)",
          ])
        let end = run.output.lastIndex(of: "\n") ?? run.output.startIndex
        return (String(run.output[end...].dropFirst()), String(run.output[..<end]))
      }

      /// What the API was asked, and by whom.
      func asked() throws -> [AuditLine] {
        try self.served.auditRecords().filter {
          $0.stage == "ResponseComplete" && $0.annotations?["sallyport.dev/route"] == "api"
        }
      }
    }

    private static func with(_ body: (World) async throws -> Void) async throws {
      let port = try freePort()
      try await ServedGateway.with(
        policies: ["policy.yaml"],
        changing: { configuration, directory in
          try directory.write(Self.policy, to: "policy.yaml")
          let alice = BrowserTests.users.replacing("users:\n", with: "").replacing("bob", with: "alice").replacing("[edit]", with: "[view]")
          try directory.write(BrowserTests.users + "\n" + alice, to: "users.yaml")
          let keys = try await sallyport("keys", "rotate", "--directory", directory.file("issuer"))
          try #require(keys.status == 0, "\(keys.transcript)")
          configuration = configuration.replacing(
            "authentication: {clientCertificates: {}}",
            with: "authentication: {clientCertificates: {}, passwords: [{passwordFile: {file: users.yaml}}]}\n"
              + "issuer: {url: \"https://127.0.0.1:1/.sallyport\", signingKeysDirectory: issuer}"
          ).replacing("credentials:\n", with: "credentials:\n- {name: dashboard-token, idToken: {audience: sallyport}}\n")
            .replacing(
              "upstreams:\n",
              with: "upstreams:\n- {name: kube-web-view, servers: [\"https://127.0.0.1:\(port)\"], caFile: server-ca.pem}\n"
            ).replacing(
              "routes:\n",
              with: "routes:\n- {name: kube-web-view, match: {hosts: [localhost]}, upstream: kube-web-view, credential: dashboard-token, "
                + "authenticate: [password]}\n"
            ).replacing("authenticate: [clientCertificate]\n", with: "authenticate: [clientCertificate, token]\n")
        }
      ) { served in
        let program = try RunningTool(
          Installation.kubeWebView,
          [
            Installation.client("kube_web_view.py"), "\(port)", served.file("server.pem"), served.file("server.key"), served.url,
            served.file("server-ca.pem"),
          ], environment: ["PYTHONUNBUFFERED": "1"])
        _ = try await program.wait { $0.contains("Running on https://127.0.0.1:\(port)") }
        try await body(World(served: served, program: program))
        // It would wait for its clients to go first.
        program.signal(SIGKILL)
        let run = try await program.result()
        let written = run.output + run.errors + served.process.errors + (try served.directory.read("audit/requests.jsonl"))
        for secret in ["eyJ", "correct horse"] { #expect(!written.contains(secret), "\(secret) was written down") }
      }
    }

    @Test func itShowsEachUserWhatTheAPIShowsThem() async throws {
      try await Self.with { world in
        for (name, group) in [("alice", "view"), ("bob", "edit")] {
          let before = try world.asked().count
          let cluster = try await world.page("/clusters/gateway", as: name)
          #expect(cluster.status == "200" && cluster.text.contains("/clusters/gateway/namespaces/dev"), "\(cluster)")
          let pods = try await world.page("/clusters/gateway/namespaces/dev/pods", as: name)
          #expect(pods.status == "200" && ["web-0", "web-1", "web-2"].allSatisfy(pods.text.contains), "\(pods)")
          let pod = try await world.page("/clusters/gateway/namespaces/dev/pods/web-0", as: name)
          #expect(pod.status == "200" && pod.text.contains("registry.example/web:1.4"), "\(pod)")

          let asked = try world.asked().dropFirst(before)
          #expect(asked.contains { $0.requestURI == "/api/v1/namespaces/dev/pods" })
          #expect(asked.contains { $0.requestURI?.hasPrefix("/api/v1/namespaces/dev/events?") == true })
          for record in asked {
            #expect(record.user?.username == name && record.user?.groups == [group], "\(record)")
            #expect(record.annotations?["sallyport.dev/authentication"] == "issuedToken" && record.responseStatus?.code == 200, "\(record)")
            #expect(record.userAgent?.hasPrefix("pykube-ng/") == true)
          }
        }
      }
    }

    @Test func denyRulesHoldForItToo() async throws {
      try await Self.with { world in
        // Bob may read secrets as far as the API server goes.
        for name in ["alice", "bob"] {
          for path in ["secrets", "secrets/web-login"] {
            let page = try await world.page("/clusters/gateway/namespaces/dev/\(path)", as: name)
            #expect(page.status == "403" && page.text.contains("Forbidden") && !page.text.contains("cHJhY3RpY2U="), "\(page)")
            let record = try #require(try world.asked().last { $0.requestURI == "/api/v1/namespaces/dev/\(path)" })
            #expect(record.user?.username == name && record.responseStatus?.code == 403)
            #expect(record.annotations?["sallyport.dev/rule"] == "secrets-are-private/no-secret-reads")
          }
        }
        #expect(!world.served.cluster.recordedRequests().contains { $0.requestURI.contains("/secrets") })
      }
    }

    @Test func nobodyGetsThereWithoutSigningIn() async throws {
      try await Self.with { world in
        #expect(try await world.page("/clusters/gateway/namespaces/dev/pods", as: "mallory").status == "401")
        // Past the gateway there is no token, and so nothing to be seen.
        let direct = try await run(
          "curl",
          [
            "--silent", "--max-time", "60", "--cacert", world.served.file("server-ca.pem"),
            "https://127.0.0.1:\(try #require(world.program.output.firstMatch(of: /127\.0\.0\.1:(\d+)/)).1)/clusters/gateway",
          ])
        #expect(!direct.output.contains("/namespaces/dev"), "\(direct.output)")
        #expect(try world.asked().allSatisfy { $0.responseStatus?.code != 200 })
      }
    }
  }
}
