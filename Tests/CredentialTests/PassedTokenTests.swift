import Foundation
import NIOCore
@_spi(Authenticator) import SallyportCore
import SallyportCredential
import SallyportIssuer
import Testing

/// Tokens that the gateway has not made itself: the one behind an opaque one, and the client's own.
@Suite struct PassedTokenTests {
  private let time = TestTime()

  private func opaque(_ name: String = "alice", token: String?, expires: Date? = nil) -> Identity {
    Identity(
      username: name, groups: ["dev"], method: .introspection, expires: expires?.addingTimeInterval(30),
      token: .init(issuer: "https://idp.example.org", audiences: [], scopes: [], expires: expires),
      phantomToken: token.map { Secret($0.utf8) })
  }

  private func text(_ credential: UpstreamCredential) -> String { String(buffer: credential.fieldLines) }

  @Test func theSignedTokenTakesThePlaceOfTheOpaqueOne() throws {
    let source = PhantomTokenCredential(minted: nil, clock: self.time.clock)
    let ends = self.time.wall.addingTimeInterval(100)
    let (alice, memory) = (Subject.identity(self.opaque(token: "a.b.c", expires: ends)), ConnectionMemory())
    let first = try source.credential(for: alice, impersonating: nil, memory: memory)
    #expect(self.text(first) == "Authorization: Bearer a.b.c\r\n" && first.kind == "phantomToken" && first.connection == .none)
    #expect(try source.credential(for: alice, impersonating: nil, memory: memory) === first)
    let bob = Subject.identity(self.opaque("bob", token: "d.e.f"))
    #expect(self.text(try source.credential(for: bob, impersonating: nil, memory: memory)) == "Authorization: Bearer d.e.f\r\n")
    let asking = try source.credential(for: alice, impersonating: .init(user: "zoe"), memory: memory)
    #expect(self.text(asking) == "Authorization: Bearer a.b.c\r\nImpersonate-User: zoe\r\n")
    #expect(self.text(try source.credential(for: .anonymous, impersonating: nil)).isEmpty)
  }

  @Test func whoHasNoneGetsOneThatIsMadeOrNothing() throws {
    let none = PhantomTokenCredential(minted: nil)
    for identity in [self.opaque(token: nil), .of(method: .ldap), .of(method: .clientCertificate)] {
      #expect(problem { _ = try none.credential(for: .identity(identity), impersonating: nil) }?.code == "noTokenToPass")
    }
    let keys = KeyRing([.init(try SigningKey(.es256), begins: .distantPast)], tokenLifetime: 300)
    let minted = IDTokenCredential(issuer: Issuer(url: "https://g/.sallyport", keys: keys), audience: "a", names: ReservedNames())
    let source = PhantomTokenCredential(minted: minted)
    let made = try source.credential(for: .identity(.of()), impersonating: nil)
    #expect(made.kind == "idToken" && made.identifier != nil)
    #expect(self.text(try source.credential(for: .identity(self.opaque(token: "a.b.c")), impersonating: nil)).hasSuffix(" a.b.c\r\n"))
  }

  @Test func theClientsOwnTokenGoesOnAndNothingElseDoes() throws {
    let source = PassthroughCredential()
    func line(_ identity: Identity, _ authorization: String..., memory: ConnectionMemory? = nil) throws -> String {
      self.text(
        try source.credential(
          for: .identity(identity), presenting: authorization.map { Secret($0.utf8) }, impersonating: nil, memory: memory))
    }
    let jwt = Identity.of(method: .jwt)
    for spelling in ["Bearer a.b.c", "bearer a.b.c", "BEARER  a.b.c"] {
      #expect(try line(jwt, spelling) == "Authorization: Bearer a.b.c\r\n")
    }
    func code(_ identity: Identity, _ authorization: String...) -> String? {
      problem {
        _ = try source.credential(
          for: .identity(identity), presenting: authorization.map { Secret($0.utf8) }, impersonating: nil)
      }?.code
    }
    #expect(code(.of(method: .passwordFile), "Basic YTpi") == "noTokenToPass")
    #expect(code(.of(method: .clientCertificate), "Bearer a.b.c") == "noTokenToPass")
    #expect(code(jwt) == "noTokenToPass" && code(jwt, "Bearer a", "Bearer b") == "noTokenToPass")
    #expect(
      code(jwt, "Basic YTpi") == "noTokenToPass" && code(jwt, "Bearer") == "noTokenToPass" && code(jwt, "Bearer a b") == "noTokenToPass")
    // One connection, two tokens: each request goes with its own.
    let (memory, other) = (ConnectionMemory(), Identity.of("bob", method: .tokenReview))
    for _ in 0..<2 {
      #expect(try line(jwt, "Bearer one", memory: memory).hasSuffix(" one\r\n"))
      #expect(try line(other, "Bearer two", memory: memory).hasSuffix(" two\r\n"))
    }
  }
}
