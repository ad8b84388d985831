import Foundation
import SallyportPKI
import TestSupport
import Testing

extension SystemTests {
  /// The built `sallyport` before a real OpenID provider: glewlwyd.
  @Suite(.serialized) struct ProviderTests {
    private static let mappings = #"claimMappings: {username: {claim: NAME, prefix: ""}, groups: {claim: groups, prefix: ""}}"#

    /// Has the gateway believe tokens of this source, with a cache so short that a revoked one is noticed in the test.
    private static func accepting(_ source: String, _ pki: TestPKI) -> ServedGateway.Change {
      { configuration, directory in
        try directory.write(pki.serverAuthority.certificatePEM, to: "idp-ca.pem")
        try directory.write("web-secret\n", to: "client-secret")
        configuration =
          configuration
          .replacing(
            "authentication: {clientCertificates: {}}",
            with: "authentication:\n  clientCertificates: {}\n  cache: {lifetime: 1s}\n  tokens:\n  - \(source)"
          )
          .replacing("[clientCertificate]", with: "[clientCertificate, token]")
      }
    }

    /// The status of a list of pods that is asked for with a token.
    private static func status(_ served: ServedGateway, _ token: String) async throws -> String {
      let run = try await run(
        "curl",
        [
          "--silent", "--max-time", "60", "--cacert", served.file("server-ca.pem"), "--header", "@-", "--output", "/dev/null",
          "--write-out",
          "%{http_code}", served.url + "/api/v1/namespaces/dev/pods",
        ], input: Data("Authorization: Bearer \(token)".utf8))
      #expect(run.status == 0, "\(run.transcript)")
      return run.output
    }

    private static func untilItIs(_ status: String, _ served: ServedGateway, _ token: String) async throws {
      let end = ContinuousClock.now + .seconds(60)
      var last = ""
      while ContinuousClock.now < end {
        last = try await Self.status(served, token)
        if last == status { return }
        try await Task.sleep(for: .milliseconds(200))
      }
      #expect(last == status)
    }

    private static func record(_ served: ServedGateway, of user: String) throws -> AuditLine {
      try #require(try AuditLine.read(served.file("audit/requests.jsonl")).last { $0.user?.username == user }, "no record of \(user)")
    }

    @Test func tokensOfTheCodeFlowAreBelievedAndNewKeysAreFound() async throws {
      let pki = try TestPKI()
      let provider = try await GlewlwydServer(pki: pki)
      let source = """
        jwt: {issuer: {url: "\(provider.issuer)", audiences: [web, openid], certificateAuthorityFile: idp-ca.pem}, \
        \(Self.mappings.replacing("NAME", with: "email"))}
        """
      try await ServedGateway.with(changing: Self.accepting(source, pki)) { served in
        let first = try await provider.tokens()
        // The gateway may have been faster than its provider.
        try await Self.untilItIs("200", served, first.idToken)
        let record = try Self.record(served, of: "alice@example.org")
        #expect(record.user?.groups?.sorted() == ["edit", "staff"], "\(record)")
        #expect(record.annotations?["sallyport.dev/authentication"] == "jwt")
        #expect(record.annotations?["sallyport.dev/original-identity"]?.contains(provider.issuer) == true)
        // Its access token names no groups: somebody who may do nothing.
        #expect(try await Self.status(served, first.accessToken) == "403")
        // Its refresh token is nothing to present.
        #expect(try await Self.status(served, first.refreshToken) == "401")
        #expect(try await Self.status(served, String(first.idToken.dropLast(6)) + "AAAAAA") == "401")

        // Other keys: tokens by the new one are good as soon as the keys were fetched for them.
        try await provider.rotate()
        let second = try await provider.tokens()
        try await Self.untilItIs("200", served, second.idToken)
      }
      try await provider.stop()
    }

    @Test(arguments: ["json", "introspectionJWT", "jwt"]) func tokensAreAskedAbout(answer: String) async throws {
      let pki = try TestPKI()
      let provider = try await GlewlwydServer(pki: pki)
      let source = """
        introspection: {url: "\(provider.introspectionURL)", clientID: web, clientSecretFile: client-secret, answer: \(answer), \
        certificateAuthorityFile: idp-ca.pem, issuer: "\(provider.issuer)", audiences: [openid], \
        claimMappings: {username: {claim: username, prefix: "op:"}}}
        """
        // Glewlwyd's JSON names no issuer.
        .replacing(answer == "json" ? #"issuer: "\#(provider.issuer)", "# : "nothing of this", with: "")
      try await ServedGateway.with(changing: Self.accepting(source, pki)) { served in
        let tokens = try await provider.tokens()
        // Known, and without groups somebody who may do nothing.
        try await Self.untilItIs("403", served, tokens.accessToken)
        let record = try Self.record(served, of: "op:alice")
        #expect(record.annotations?["sallyport.dev/authentication"] == "introspection")
        // Glewlwyd has no signed answer for a token that is none: it says 400, from which nothing is learned, and nobody gets in.
        let refused = answer == "json" ? "401" : "503"
        #expect(try await Self.status(served, tokens.refreshToken) == refused)
        #expect(try await Self.status(served, "no-token-of-anybody") == refused)
        try await provider.revoke(tokens.accessToken)
        try await Self.untilItIs(refused, served, tokens.accessToken)

        let log =
          try String(contentsOfFile: served.file("audit/unauthenticated.jsonl"), encoding: .utf8)
          + String(contentsOfFile: served.file("audit/requests.jsonl"), encoding: .utf8) + served.process.errors
        for secret in [tokens.accessToken, tokens.refreshToken, "web-secret"] { #expect(!log.contains(secret)) }
      }
      try await provider.stop()
    }

    /// The provider's process hangs and goes while tokens come.
    @Test func aProviderThatHangsOrGoesIsInUseAgainWhenItIsBack() async throws {
      let pki = try TestPKI()
      let provider = try await GlewlwydServer(pki: pki)
      let source = """
        jwt: {issuer: {url: "\(provider.issuer)", audiences: [web, openid], certificateAuthorityFile: idp-ca.pem}, \
        \(Self.mappings.replacing("NAME", with: "email"))}
        """
      let tokens = try await provider.tokens()
      // Begun while the provider is away: nobody's tokens can be judged, and certificates are as good as always.
      try await provider.stop()
      try await ServedGateway.with(changing: Self.accepting(source, pki)) { served in
        #expect(try await Self.status(served, tokens.idToken) == "503")
        #expect(try await run("curl", served.throughGateway("/api/v1/namespaces/dev/pods")).status == 0)
        try await provider.restart()
        let begun = ContinuousClock.now
        try await Self.untilItIs("200", served, tokens.idToken)
        print("a provider that was away at the start was in use after \(ContinuousClock.now - begun)")
        for fault in ["hung", "gone"] {
          if fault == "hung" { provider.process.signal(SIGSTOP) } else { try await provider.stop() }
          try await Task.sleep(for: .seconds(2))
          #expect(try await Self.status(served, tokens.idToken) == "200", "\(fault)")
          #expect(try await Self.status(served, String(tokens.idToken.dropLast(6)) + "AAAAAA") == "401", "\(fault)")
          if fault == "hung" { provider.process.signal(SIGCONT) } else { try await provider.restart() }
        }
        try await provider.rotate()
        let rotated = try await provider.tokens()
        try await Self.untilItIs("200", served, rotated.idToken)
      }
      try await provider.stop()
    }
  }
}
