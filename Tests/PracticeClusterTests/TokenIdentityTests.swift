import Foundation
import SallyportJOSE
import SallyportPKI
import TestSupport
import Testing

@testable import SallyportPracticeCluster

/// Which id_tokens and which users' certificates the practice cluster believes, held against what a real server was seen to
/// believe (1.36.2: wrong `aud` or `iss`, expired, without `exp` or `sub`: 401; without `kid`: believed).
@Suite(.serialized, .timeLimit(.minutes(5))) struct TokenIdentityTests {
  private static let review = #"{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}"#

  private struct World {
    let fixture: Fixture
    let provider: TestProvider
    let key: TokenMint.Key
    let mint: TokenMint

    /// Whom the server takes the bearer of a token, or of a certificate, for; the status where it takes him for nobody.
    func whoIs(_ token: String?, as certificate: TestCertificate? = nil) async throws -> String {
      let answer = try await self.fixture.send(
        [
          "POST /apis/authentication.k8s.io/v1/selfsubjectreviews HTTP/1.1", "Host: x", "Connection: close",
          "Content-Type: application/json", "Content-Length: \(TokenIdentityTests.review.utf8.count)",
        ] + (token.map { ["Authorization: Bearer \($0)"] } ?? []), body: TokenIdentityTests.review, as: certificate)
      return answer.json[["status", "userInfo", "username"]]?.string ?? "\(answer.status)"
    }

    func token(_ claims: [String: String] = [:], header: [String: String] = [:], key: TokenMint.Key? = nil) throws -> String {
      try self.mint.token(key ?? self.key, claims, header: header)
    }
  }

  private func with(_ algorithm: SignatureAlgorithm = .es256, _ body: (World) async throws -> Void) async throws {
    try await Fixture.with { fixture in
      let provider = try await TestProvider(certificate: fixture.pki.server)
      let key = try TokenMint.Key(algorithm)
      provider.serve(try TokenMint.keySet(key))
      fixture.cluster.believe([
        .init(
          url: provider.issuer, audiences: ["kubernetes"], certificateAuthority: fixture.pki.serverAuthority.certificatePEM)
      ])
      do {
        try await body(
          World(
            fixture: fixture, provider: provider, key: key,
            mint: TokenMint(issuer: provider.issuer, now: Int(Date().timeIntervalSince1970))))
      } catch {
        await provider.close()
        throw error
      }
      await provider.close()
    }
  }

  @Test(arguments: [SignatureAlgorithm.es256, .rs256]) func aTokenIsBelievedAsARealServerBelievesIt(_ algorithm: SignatureAlgorithm)
    async throws
  {
    try await self.with(algorithm) { world in
      let now = world.mint.now
      #expect(try await world.whoIs(try world.token()) == "alice-1")
      #expect(try await world.whoIs(try world.token(["aud": #"["other","kubernetes"]"#])) == "alice-1")
      #expect(try await world.whoIs(try world.token(header: ["kid": ""])) == "alice-1")
      for (claim, value) in [
        ("aud", #""another""#), ("aud", ""), ("iss", #""https://another.example.org""#), ("exp", "\(now - 1)"), ("exp", ""), ("sub", ""),
        ("sub", #""""#), ("nbf", "\(now + 1000)"),
      ] {
        #expect(try await world.whoIs(try world.token([claim: value])) == "401", "\(claim) \(value)")
      }
      #expect(try await world.whoIs("a.b.c") == "401")
      let whole = try world.token()
      let cut = String(whole.prefix(while: { $0 != "." })) + "." + whole.split(separator: ".")[1] + "."
      #expect(try await world.whoIs(cut) == "401")
    }
  }

  @Test func aForeignKeyIsNotBelievedAndANewOneIsFetched() async throws {
    try await self.with { world in
      let foreign = try TokenMint.Key(.es256, id: "key-1")
      #expect(try await world.whoIs(try world.token()) == "alice-1")
      #expect(try await world.whoIs(try world.token(key: foreign)) == "401")
      let next = try TokenMint.Key(.es256, id: "key-2")
      #expect(try await world.whoIs(try world.token(key: next)) == "401")
      world.provider.serve(try TokenMint.keySet(world.key, next))
      #expect(try await world.whoIs(try world.token(key: next)) == "alice-1")
      #expect(try await world.whoIs(try world.token()) == "alice-1")
    }
  }

  @Test func anIssuerOfAnotherAuthorityIsNotAsked() async throws {
    try await self.with { world in
      world.fixture.cluster.believe([
        .init(
          url: world.provider.issuer, audiences: ["kubernetes"], certificateAuthority: try TestPKI().serverAuthority.certificatePEM)
      ])
      #expect(try await world.whoIs(try world.token()) == "401")
      #expect(world.provider.paths.isEmpty)
    }
  }

  /// A valid client certificate comes before a token, even before garbage; one that proves nothing does not.
  @Test func aCertificateComesBeforeAToken() async throws {
    try await self.with { world in
      let pki = world.fixture.pki
      let bob = try pki.client("bob", groups: ["dev"])
      #expect(try await world.whoIs(try world.token(), as: bob) == "bob")
      #expect(try await world.whoIs("garbage", as: bob) == "bob")
      let stranger = try TestPKI().client("bob")
      let expired = try pki.client("bob") {
        $0.notBefore = Date(timeIntervalSinceNow: -7200)
        $0.notAfter = Date(timeIntervalSinceNow: -3600)
      }
      let early = try pki.client("bob") { $0.notBefore = Date(timeIntervalSinceNow: 3600) }
      let server = try pki.client("bob") { $0.purposes = [.serverAuthentication] }
      for certificate in [stranger, expired, early, server] {
        #expect(try await world.whoIs(try world.token(), as: certificate) == "alice-1")
        #expect(try await world.whoIs(nil, as: certificate) == "401")
      }
    }
  }

  /// A certificate that ends while its connection is kept is not believed for the next request.
  @Test func aCertificateEndsOnAKeptConnection() async throws {
    try await self.with { world in
      let short = try world.fixture.pki.client("bob") { $0.notAfter = Date(timeIntervalSinceNow: 3) }
      let client = try await RawTLSClient.connect(
        port: world.fixture.cluster.port,
        tls: .init(roots: try world.fixture.pki.serverAuthority.trustRoots(), certificate: short))
      let request =
        "POST /apis/authentication.k8s.io/v1/selfsubjectreviews HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        + "Content-Length: \(Self.review.utf8.count)\r\n\r\n\(Self.review)"
      func status() async throws -> Substring {
        try await client.send(request)
        let head = try await client.read(until: "\r\n\r\n")
        let length = try #require(head.firstMatch(of: /Content-Length: ([0-9]+)/)).1
        _ = try await client.read(count: try #require(Int(length)))
        return head.prefix(12)
      }
      #expect(try await status() == "HTTP/1.1 201")
      try await Task.sleep(for: .seconds(4))
      #expect(try await status() == "HTTP/1.1 401")
      await client.close()
    }
  }
}
