import Foundation
import NIOCore
import SallyportCore
import SallyportJOSE
import TestSupport
import Testing

@testable import SallyportAuthentication

/// Tokens that are believed, and whom they name.
@Suite struct TokenTests {
  @Test(arguments: SignatureAlgorithm.allCases) func everyAlgorithmSignsIn(_ algorithm: SignatureAlgorithm) async throws {
    let station = try TokenStation(key: TokenMint.Key(algorithm))
    let identity = try #require(try await station.outcome().identity)
    #expect(identity.username == "idp:alice-1")
    #expect(identity.groups == ["idp:dev", "idp:ops"])
    #expect(identity.method == .jwt)
    #expect(identity.origin == [.init("issuer", "https://idp.example.org"), .init("subject", "alice-1"), .init("jti", "token-1")])
    #expect(
      identity.token
        == .init(
          issuer: "https://idp.example.org", audiences: ["kubernetes"], scopes: [], expires: station.time.wall.addingTimeInterval(600),
          email: "alice@example.org"))
    #expect(identity.expires == station.time.wall.addingTimeInterval(630))
  }

  @Test(arguments: SignatureAlgorithm.allCases) func anAlgorithmThatTheIssuerDoesNotUseIsRefused(_ algorithm: SignatureAlgorithm)
    async throws
  {
    let station = try TokenStation(key: TokenMint.Key(algorithm)) { $0.algorithms.remove(algorithm) }
    #expect(try await station.outcome().problem == AuthenticationProblem.tokenRefused)
  }

  @Test func claimsAreMappedAsConfigured() async throws {
    let station = try TokenStation { rules in
      rules.username = .init(claim: ClaimPath("email"), prefix: "")
      rules.groups = .init(claim: ClaimPath("realm_access.roles"), prefix: "kc:")
      rules.uid = ClaimPath("sub")
      rules.extra = [.init(key: "example.org/department", claim: ClaimPath("department"))]
      rules.requirements = [.init(claim: ClaimPath("hd"), requiredValue: "example.org")]
      rules.requiredScopes = ["kubernetes"]
    }
    let claims = [
      "realm_access": #"{"roles":["viewer"]}"#, "department": #"["research","sales"]"#, "hd": #""example.org""#,
      "scope": #""openid kubernetes""#, "email_verified": "true", "aud": #"["other","sallyport"]"#,
    ]
    let identity = try #require(try await station.outcome(claims).identity)
    #expect(identity.username == "alice@example.org")
    #expect(identity.groups == ["kc:viewer"])
    #expect(identity.uid == "alice-1")
    #expect(identity.extra == [.init(key: "example.org/department", values: ["research", "sales"])])
    #expect(identity.token?.scopes == ["openid", "kubernetes"])
    #expect(identity.token?.audiences == ["other", "sallyport"])
    for wrong in [
      ["hd": #""example.com""#], ["hd": ""], ["hd": "1"], ["scope": #""openid kubernetesx""#], ["scope": ""], ["email_verified": "false"],
      ["email_verified": #""true""#], ["realm_access": #"{"roles":[1]}"#], ["email": ""], ["email": "7"], ["department": "{}"],
    ] {
      #expect(try await station.outcome(claims.merging(wrong) { $1 }).problem == AuthenticationProblem.tokenRefused, "\(wrong)")
    }
  }

  @Test func groupsAreAListAStringOrNone() async throws {
    let station = try TokenStation()
    #expect(try await station.outcome(["groups": #""solo""#]).identity?.groups == ["idp:solo"])
    #expect(try await station.outcome(["groups": ""]).identity?.groups == [])
    #expect(try await station.outcome(["groups": "[]"]).identity?.groups == [])
  }

  @Test func aClaimWithDotsInItsNameIsFound() async throws {
    let station = try TokenStation { $0.groups = .init(claim: ClaimPath("https://example.com/groups"), prefix: "") }
    #expect(try await station.outcome(["https://example.com/groups": #"["x"]"#]).identity?.groups == ["x"])
  }

  /// Azure and others leave the groups out where there are many: to take that for no groups would be wrong in silence.
  @Test(arguments: [["_claim_names": #"{"groups":"src1"}"#], ["hasgroups": "true"]]) func leftOutGroupsAreRefused(
    _ claims: [String: String]
  )
    async throws
  {
    let station = try TokenStation()
    let problem = try #require(try await station.outcome(claims.merging(["groups": ""]) { $1 }).problem)
    #expect(problem == AuthenticationProblem.tokenRefused && problem.detail.contains("too many"))
  }

  @Test func aTypeOfAccessTokensIsTaken() async throws {
    let station = try TokenStation()
    for type in ["", #""JWT""#, #""jwt""#, #""at+jwt""#, #""application/at+jwt""#] {
      #expect(try await station.outcome(header: ["typ": type]).identity != nil, "\(type)")
    }
  }

  @Test func aTokenWithoutKeyNameIsTriedByTheKeysThatFit() async throws {
    let other = try TokenMint.Key(.es256, id: "other")
    let rsa = try TokenMint.Key(.rs256, id: "rsa")
    var key = try TokenMint.Key(.es256)
    let station = try TokenStation(key: key, keys: ScriptedKeys(.success(KeySet(of: other, rsa, key))))
    key.id = nil
    #expect(try await station.outcome(station.mint.token(key)).identity != nil)
    #expect(try await station.outcome(station.mint.token(TokenMint.Key(.es256, id: nil))).problem != nil)
  }

  // MARK: Time

  @Test func thirtySecondsAreForgivenAndNoMore() async throws {
    let station = try TokenStation()
    let now = station.mint.now
    for good in [["exp": "\(now - 29)"], ["nbf": "\(now + 29)"], ["iat": "\(now + 29)"], ["exp": "\(now + 5).5"]] {
      #expect(try await station.outcome(good).identity != nil, "\(good)")
    }
    for bad in [
      ["exp": "\(now - 31)"], ["nbf": "\(now + 31)"], ["iat": "\(now + 31)"], ["exp": ""], ["exp": "\"\(now + 60)\""], ["exp": "1e300"],
      ["exp": "9223372036854775807"], ["exp": "-1"], ["exp": "null"], ["exp": "[\(now + 60)]"], ["nbf": #""0""#], ["iat": "true"],
      ["exp": "99999999999999999999"], ["nbf": "-5"],
    ] {
      #expect(try await station.outcome(bad).problem == AuthenticationProblem.tokenRefused, "\(bad)")
    }
  }

  // MARK: Memory

  @Test func aBelievedTokenIsAnsweredAtOnceUntilItEnds() async throws {
    let station = try TokenStation(cache: .init(lifetime: .seconds(3600)))
    let token = try station.mint.token(station.key)
    #expect(try await station.outcome(token).identity != nil)
    let identity = try #require(station.now(token)?.identity)
    #expect(station.now(token)?.identity === identity)
    station.time.advance(by: .seconds(629))
    #expect(station.now(token)?.identity === identity)
    station.time.advance(by: .seconds(2))
    #expect(try await station.outcome(token).problem == AuthenticationProblem.tokenRefused)
  }

  @Test func beliefEndsWithTheCachesLifetime() async throws {
    let station = try TokenStation()
    let token = try station.mint.token(station.key)
    let first = try #require(try await station.outcome(token).identity)
    station.time.advance(by: .seconds(59))
    #expect(station.now(token)?.identity === first)
    station.time.advance(by: .seconds(1))
    let second = try #require(try await station.outcome(token).identity)
    #expect(second !== first)
  }

  @Test func aRefusalIsRememberedForAMoment() async throws {
    let station = try TokenStation()
    let early = try station.mint.token(station.key, ["nbf": "\(station.mint.now + 32)"])
    #expect(try await station.outcome(early).problem != nil)
    station.time.advance(by: .seconds(3))
    #expect(station.now(early)?.problem != nil)
    station.time.advance(by: .seconds(2))
    #expect(try await station.outcome(early).identity != nil)
  }

  // MARK: Keys that come and go

  @Test func withoutKeysTheProviderIsToBlame() async throws {
    let keys = ScriptedKeys(.failure(ProviderFault("down")))
    let station = try TokenStation(keys: keys)
    let token = try station.mint.token(station.key)
    let problem = try #require(try await station.outcome(token).problem)
    #expect(problem == AuthenticationProblem.identityProviderUnavailable && problem.status == 503 && problem.retryAfterSeconds != nil)
    keys.answer(.success(try KeySet(of: station.key)))
    station.time.advance(by: .seconds(11))
    #expect(try await station.outcome(token).identity != nil)
  }

  @Test func aNewKeyIsFetchedWhenATokenNamesIt() async throws {
    let station = try TokenStation()
    #expect(try await station.outcome().identity != nil)
    let next = try TokenMint.Key(.es256, id: "key-2")
    station.keys.answer(.success(try KeySet(of: station.key, next)))
    station.time.advance(by: .seconds(11))
    let count = station.keys.count
    #expect(try await station.outcome(station.mint.token(next)).identity != nil)
    #expect(station.keys.count == count + 1)
  }

  @Test func unknownKeysDoNotSetThePaceOfFetching() async throws {
    let station = try TokenStation()
    #expect(try await station.outcome().identity != nil)
    station.time.advance(by: .seconds(11))
    let count = station.keys.count
    for number in 0..<50 {
      let stranger = try TokenMint.Key(.es256, id: "stranger-\(number)")
      #expect(try await station.outcome(station.mint.token(stranger)).problem == AuthenticationProblem.tokenRefused)
    }
    #expect(station.keys.count == count + 1)
  }

  @Test func theLastGoodKeysStayWhileTheProviderIsAway() async throws {
    let station = try TokenStation()
    #expect(try await station.outcome().identity != nil)
    station.keys.answer(.failure(ProviderFault("down")))
    station.time.advance(by: .seconds(400))
    #expect(try await station.outcome(["jti": #""another""#]).identity != nil)
    #expect(try await station.outcome(station.mint.token(TokenMint.Key(.es256, id: "new"))).problem == AuthenticationProblem.tokenRefused)
    #expect(try await station.outcome(["jti": #""a third""#]).identity != nil)
  }

  // MARK: What routes ask for

  @Test func aRouteAsksForFactsOfTheToken() async throws {
    let station = try TokenStation()
    let identity = try #require(try await station.outcome(["scope": #""read write""#]).identity)
    #expect(IdentityRequirement(scopes: ["read", "write"]).problem(for: identity) == nil)
    #expect(
      IdentityRequirement(audiences: ["x", "kubernetes"], issuers: [station.mint.issuer], methods: [.jwt]).problem(for: identity) == nil)
    for missing in [
      IdentityRequirement(scopes: ["read", "admin"]), IdentityRequirement(audiences: ["x"]),
      IdentityRequirement(issuers: ["https://idp.example.org/"]), IdentityRequirement(methods: [.clientCertificate]),
    ] {
      #expect(missing.problem(for: identity) == AuthenticationProblem.insufficientScope)
    }
    let certified = try #require(try TestStation().ask(certificate: .of()).outcomeNow?.identity)
    #expect(IdentityRequirement(scopes: ["read"]).problem(for: certified) == AuthenticationProblem.insufficientScope)
    #expect(IdentityRequirement(methods: [.clientCertificate]).problem(for: certified) == nil)
  }
}
