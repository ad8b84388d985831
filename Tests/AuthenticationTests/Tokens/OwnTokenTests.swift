import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import SallyportCore
import TestSupport
import Testing

@testable import SallyportAuthentication

/// Tokens of the gateway's own issuer, presented to the gateway.
@Suite struct OwnTokenTests {
  private static let url = "https://gateway.example.org/.sallyport"
  private let key: TokenMint.Key
  private let now = Int(Date().timeIntervalSince1970)

  init() throws { self.key = try TokenMint.Key() }

  private func authenticator(
    _ published: NIOLockedValueBox<String>, judges: [AuthenticatorConfiguration.TokenEndpoint] = []
  ) -> TokenAuthenticator {
    var configuration = AuthenticatorConfiguration()
    configuration.ownIssuer = OwnIssuer(url: Self.url, keyIDs: ["key-1"]) { _ in Array(published.withLockedValue { $0 }.utf8) }
    configuration.tokenEndpoints = judges
    return TokenAuthenticator(
      configuration: configuration, memory: AuthenticationMemory(), clock: .system,
      makeIntrospector: { _ in ScriptedIntrospector(#"{"active":true,"sub":"mallory","username":"mallory"}"#) })
  }

  private func token(_ claims: [String: String] = [:], by key: TokenMint.Key? = nil) throws -> Secret {
    let usual = ["aud": #""sallyport""#, "sub": #""alice""#, "groups": #"["dev"]"#, "email": ""]
    let token = try TokenMint(issuer: Self.url, now: self.now).token(key ?? self.key, usual.merging(claims) { $1 })
    return Secret("Bearer \(token)".utf8)
  }

  private func judge(_ authenticator: TokenAuthenticator, _ token: Secret) async throws -> AuthenticationOutcome {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    return try await loop.flatSubmit {
      switch authenticator.authenticate(token, on: loop) {
      case .now(let outcome): loop.makeSucceededFuture(outcome)
      case .later(let future): future
      }
    }.get()
  }

  private func identity(_ outcome: AuthenticationOutcome) -> Identity? {
    if case .identified(let identity) = outcome { identity } else { nil }
  }

  @Test func aTokenForTheGatewayNamesWhomItWasMadeFor() async throws {
    let authenticator = self.authenticator(NIOLockedValueBox(try TokenMint.keySet(self.key)))
    let plain = try #require(self.identity(try await self.judge(authenticator, self.token())))
    #expect(plain.username == "alice" && plain.groups == ["dev"] && plain.uid == nil && plain.method == .issuedToken)
    let full = try await self.judge(authenticator, self.token(["uid": #""7""#, "scope": #""read write""#, "jti": #""j""#]))
    let identity = try #require(self.identity(full))
    #expect(identity.uid == "7" && identity.token?.scopes == ["read", "write"])
    #expect(identity.proofEnds == identity.token?.expires && identity.proofEnds != nil)
  }

  /// An endpoint that would vouch for anything is not asked about what claims to be the gateway's own.
  @Test func aTokenForSomebodyElseIsRefusedAndAskedOfNobody() async throws {
    let rules = TokenRules(issuer: "", audiences: [], username: .init(claim: ClaimPath("username"), prefix: ""))
    let endpoint = IntrospectionEndpoint(
      url: "https://idp/introspect", clientID: "c", clientAuthentication: .basic(Secret("s".utf8)), rules: rules)
    let authenticator = self.authenticator(NIOLockedValueBox(try TokenMint.keySet(self.key)), judges: [.introspection(endpoint)])
    let control = try await self.judge(authenticator, Secret("Bearer opaque".utf8))
    #expect(self.identity(control)?.username == "mallory")
    let forger = try TokenMint.Key()
    for token in [
      try self.token(["aud": #""kubernetes""#]), try self.token(["aud": #"["kubernetes"]"#]), try self.token(by: forger),
      try self.token(["exp": "\(self.now - 60)"]), try self.token(["sub": #""system:admin""#]),
      try self.token(["groups": #"["system:masters"]"#]), try self.token(["sub": #""system:serviceaccount:dev:bot""#]),
    ] {
      guard case .refused(let problem) = try await self.judge(authenticator, token) else {
        Issue.record("a token was believed")
        continue
      }
      #expect(problem.status == 401)
    }
  }

  @Test func aKeyThatIsPublishedNoLongerSignsNothing() async throws {
    let published = NIOLockedValueBox(try TokenMint.keySet(self.key))
    let authenticator = self.authenticator(published)
    #expect(self.identity(try await self.judge(authenticator, self.token())) != nil)
    published.withLockedValue { $0 = (try? TokenMint.keySet(TokenMint.Key(id: "key-2"))) ?? "" }
    #expect(self.identity(try await self.judge(authenticator, self.token(["jti": #""another""#]))) == nil)
  }

  @Test func aStreamStaysWhileSuchTokensAreAccepted() async throws {
    let published = NIOLockedValueBox(try TokenMint.keySet(self.key))
    let identity = try #require(self.identity(try await self.judge(self.authenticator(published), self.token())))
    var configuration = AuthenticatorConfiguration()
    #expect(
      Authenticator(configuration: configuration, memory: AuthenticationMemory()).objection(
        to: identity, certificate: nil, accepting: .token)
        == .methodNotAccepted)
    configuration.ownIssuer = OwnIssuer(url: Self.url, keyIDs: ["key-1", "key-2"]) { _ in [] }
    let next = Authenticator(configuration: configuration, memory: AuthenticationMemory())
    #expect(next.objection(to: identity, certificate: nil, accepting: .token) == nil)
    #expect(next.objection(to: identity, certificate: nil, accepting: .password) == .methodNotAccepted)
  }
}
