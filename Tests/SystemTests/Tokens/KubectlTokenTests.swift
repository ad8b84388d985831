import Foundation
import SallyportPKI
import TestSupport
import Testing

extension SystemTests {
  /// kubectl with tokens, the built `sallyport`, and a provider over TLS.
  @Suite(.serialized) struct KubectlTokenTests {
    private static func kubeconfig(_ served: ServedGateway, _ name: String, _ token: String) throws -> String {
      try served.directory.write(
        """
        apiVersion: v1
        kind: Config
        clusters:
        - {name: c, cluster: {server: "\(served.url)", certificate-authority: "\(served.file("server-ca.pem"))"}}
        users:
        - {name: u, user: {token: "\(token)"}}
        contexts:
        - {name: x, context: {cluster: c, user: u, namespace: dev}}
        current-context: x

        """, to: "\(name).kubeconfig")
    }

    /// Has the gateway believe the provider's signed tokens, and ask it about others.
    private static func accepting(_ provider: TestProvider, _ pki: TestPKI) -> ServedGateway.Change {
      { configuration, directory in
        let authority = try directory.write(pki.serverAuthority.certificatePEM, to: "idp-ca.pem")
        let secret = try directory.write("the-gateways-own-secret\n", to: "introspection-secret")
        let mappings = #"claimMappings: {username: {claim: NAME, prefix: ""}, groups: {claim: groups, prefix: ""}}"#
        configuration =
          configuration
          .replacing(
            "authentication: {clientCertificates: {}}",
            with: """
              authentication:
                clientCertificates: {}
                tokens:
                - jwt:
                    issuer: {url: "\(provider.issuer)", audiences: [kubernetes], certificateAuthorityFile: \(authority)}
                    \(mappings.replacing("NAME", with: "email"))
                - introspection:
                    {url: "\(provider.issuer)/introspect", clientID: sallyport, clientSecretFile: \(secret),
                     certificateAuthorityFile: \(authority), \(mappings.replacing("NAME", with: "username"))}
              """
          )
          .replacing("[clientCertificate]", with: "[clientCertificate, token]")
      }
    }

    @Test(arguments: Kubectl.allCases) func kubectlSignsInByToken(_ kubectl: Kubectl) async throws {
      let pki = try TestPKI()
      let provider = try await TestProvider(certificate: pki.server)
      let key = try TokenMint.Key()
      let issuer = provider.issuer
      let keySet = try TokenMint.keySet(key)
      provider.answer { [weak provider] path, channel in
        switch path {
        case "/.well-known/openid-configuration":
          TestProvider.send(#"{"issuer":"\#(issuer)","jwks_uri":"\#(issuer)/keys"}"#, to: channel)
        case "/keys": TestProvider.send(keySet, to: channel)
        default:
          let isGood = provider?.requests.last?.body.hasPrefix("token=opaque-token&") == true
          TestProvider.send(isGood ? #"{"active":true,"username":"olga","groups":["view"]}"# : #"{"active":false}"#, to: channel)
        }
      }
      try await ServedGateway.with(changing: Self.accepting(provider, pki)) { served in
        let mint = TokenMint(issuer: issuer, now: Int(Date().timeIntervalSince1970))
        let signed = try mint.token(key, ["groups": #"["edit"]"#])
        let alice = try Self.kubeconfig(served, "alice", signed)
        let pods = try await kubectl.run(["get", "pods", "-o", "name"], kubeconfig: alice)
        #expect(pods.status == 0 && pods.output.contains("pod/web-0"), "\(pods.transcript)")
        let exec = try await kubectl.run(["exec", "web-0", "--", "echo", "hello"], kubeconfig: alice)
        #expect(exec.status == 0 && exec.output.contains("hello"), "\(exec.transcript)")
        let olga = try await kubectl.run(["get", "pods", "-o", "name"], kubeconfig: Self.kubeconfig(served, "olga", "opaque-token"))
        #expect(olga.status == 0 && olga.output.contains("pod/web-0"), "\(olga.transcript)")

        let forged = try mint.token(TokenMint.Key(), ["groups": #"["edit"]"#])
        for (name, token) in [("forged", forged), ("unknown", "another-token")] {
          let refused = try await kubectl.run(["get", "pods"], kubeconfig: Self.kubeconfig(served, name, token))
          #expect(refused.status == 1 && refused.errors.contains("must be logged in"), "\(refused.transcript)")
        }
        let records = try AuditLine.read(served.file("audit/requests.jsonl"))
        for (user, method) in [("alice@example.org", "jwt"), ("olga", "introspection")] {
          let record = try #require(records.last { $0.user?.username == user }, "no record of \(user)")
          #expect(record.annotations?["sallyport.dev/authentication"] == method)
        }
        let log =
          try String(contentsOfFile: served.file("audit/unauthenticated.jsonl"), encoding: .utf8)
          + String(contentsOfFile: served.file("audit/requests.jsonl"), encoding: .utf8) + served.process.errors
        for secret in [signed, forged, "opaque-token", "another-token", "the-gateways-own-secret"] { #expect(!log.contains(secret)) }
      }
      await provider.close()
    }
  }
}
