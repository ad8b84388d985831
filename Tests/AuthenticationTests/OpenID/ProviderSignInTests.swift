import Crypto
import Foundation
import SallyportCore
import SallyportJOSE
import SallyportJSON
import TestSupport
import Testing

@testable import SallyportAuthentication

/// Codes exchanged for tokens, and whom these are taken for.
@Suite struct ProviderSignInTests {
  /// A station whose provider answers every code so.
  private func station(
    _ claims: [String: String] = [:], header: [String: String] = [:], members: [String: String] = [:], key: TokenMint.Key? = nil,
    _ change: (inout OpenIDProvider) -> Void = { _ in }
  ) throws -> ProviderStation {
    let station = try ProviderStation(change)
    let time = station.time
    let signing = key ?? station.key
    station.provider.change { script in
      script.tokens = { _ throws(ProviderFault) in
        .success(ProviderStation.answer(signing, at: time, refreshToken: nil, claims, header: header, members: members))
      }
    }
    return station
  }

  private func refusal(_ station: ProviderStation, _ code: AuthorizationCode = ProviderStation.code()) async throws -> Problem {
    guard case .refused(let problem) = try await station.signIn(code) else { throw ProviderStation.NotSignedIn(outcome: "signed in") }
    return problem
  }

  @Test func aCodeSignsSomebodyIn() async throws {
    let station = try ProviderStation()
    let (cookie, identity) = try await station.signedIn()
    #expect(identity.username == "alice@example.org" && identity.groups == ["idp:dev", "idp:ops"] && identity.method == .session)
    #expect(identity.session?.signedInBy == .oidc)
    let facts = Dictionary(uniqueKeysWithValues: identity.origin.map { ($0.name, $0.value) })
    #expect(facts["issuer"] == ProviderStation.issuer && facts["subject"] == "alice-1" && facts["sid"] == "sid-1")
    #expect(facts["signedInBy"] == "oidc")
    #expect(identity.token?.issuer == ProviderStation.issuer && identity.token?.expires == nil)
    #expect(try await station.outcome(cookie).identity === identity)
    guard case .code(let asked)? = station.provider.grants.first else { return #expect(Bool(false), "no code was sent") }
    #expect(asked.code.text == "code-1" && asked.verifier.text == "verifier")
    #expect(asked.redirectURI == "https://gateway.example.org/.sallyport/callback")
  }

  @Test func aSignInCountsOnce() async throws {
    let station = try ProviderStation()
    let code = ProviderStation.code("the-same-state")
    guard case .signedIn = try await station.signIn(code) else { return #expect(Bool(false), "not signed in") }
    let problem = try await self.refusal(station, code)
    #expect(problem == AuthenticationProblem.providerRefused && problem.detail.contains("before"))
    #expect(station.provider.grants.count == 1, "the provider is not asked a second time")
  }

  private static let badClaims: [(claims: [String: String], detail: String)] = [
    (["nonce": #""nonce-2""#], "nonce"), (["nonce": ""], "nonce"), (["nonce": "1"], "nonce"), (["nonce": #"["nonce-1"]"#], "nonce"),
    (["aud": #""other""#], "aud"), (["aud": ""], "aud"), (["aud": #"["sallyport","other"]"#], "azp"),
    (["aud": #"["sallyport","other"]"#, "azp": #""other""#], "azp"), (["azp": #""other""#], "azp"), (["azp": "1"], "azp"),
    (["iss": #""https://evil.example""#], "iss"), (["iss": #""https://idp.example.org/""#], "iss"), (["iat": ""], "iat"),
    (["iat": "1800000100"], "iat"), (["exp": ""], "exp"), (["exp": "1799999900"], "expired"), (["nbf": "1800000100"], "nbf"),
    (["sub": ""], "sub"), (["email": ""], "user name"), (["email_verified": "false"], "email_verified"),
    (["groups": #"["system:masters"]"#], "group"), (["groups": "{}"], "groups"), (["at_hash": #""AAAAAAAAAAAAAAAAAAAAAA""#], "at_hash"),
    (["at_hash": "1"], "at_hash"), (["_claim_names": #"{"groups":"src1"}"#, "groups": ""], "groups"),
  ]

  @Test(arguments: Self.badClaims) func anIDTokenThatIsNotForThisSignInSignsNobodyIn(_ claims: [String: String], _ detail: String)
    async throws
  {
    // Names of groups come as they are here, so that a reserved one shows.
    let station = try self.station(claims) { $0.rules.groups = .init(claim: ClaimPath("groups"), prefix: "") }
    let problem = try await self.refusal(station)
    #expect(problem == AuthenticationProblem.providerRefused && problem.status == 401)
    #expect(problem.detail.contains(detail), "\(problem.detail)")
  }

  @Test func anIDTokenOfNobodysKeySignsNobodyIn() async throws {
    let stranger = try TokenMint.Key(id: "key-1")
    #expect(try await self.refusal(self.station(key: stranger)).detail.contains("signature"))
    #expect(try await self.refusal(self.station(key: TokenMint.Key(id: "key-2"))).detail.contains("kid"))
    for header in [["alg": #""none""#], ["alg": #""HS256""#], ["alg": #""RS256""#]] {
      #expect(try await self.refusal(self.station(header: header)) == AuthenticationProblem.providerRefused, "\(header)")
    }
    for type in ["at+jwt", "logout+jwt", "secevent+jwt"] {
      #expect(try await self.refusal(self.station(header: ["typ": "\"\(type)\""])).detail.contains("typ"), "\(type)")
    }
    // The classic: the header without a signature.
    let station = try ProviderStation()
    let unsigned = "eyJhbGciOiJub25lIn0.\(Base64URL.encode(Array(#"{"sub":"alice-1"}"#.utf8)))."
    station.provider.change { $0.tokens = { _ throws(ProviderFault) in .success(#"{"token_type":"Bearer","id_token":"\#(unsigned)"}"#) } }
    #expect(try await self.refusal(station) == AuthenticationProblem.providerRefused)
  }

  @Test func theAccessTokenIsTheOneOfTheIDToken() async throws {
    let half = Array(SHA256.hash(data: Array("access-1".utf8))).prefix(16)
    let station = try self.station(["at_hash": "\"\(Base64URL.encode(half))\""])
    guard case .signedIn = try await station.signIn() else { return #expect(Bool(false), "not signed in") }
    // OpenID Connect Core, appendix A.3.
    let known = Secret("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y".utf8)
    #expect(IDTokenRules.hash(of: known, for: .rs256) == "77QmUPtjPfzWtF2AnpK9RQ")
    #expect(Base64URL.decode(Array(IDTokenRules.hash(of: known, for: .es384).utf8))?.count == 24)
    #expect(Base64URL.decode(Array(IDTokenRules.hash(of: known, for: .edDSA).utf8))?.count == 32)
  }

  @Test(arguments: [
    "[]", "{}", #"{"token_type":"Bearer"}"#, #"{"token_type":"DPoP","id_token":"a.b.c"}"#, #"{"token_type":"Bearer","id_token":1}"#,
    #"{"token_type":"Bearer","id_token":""}"#, #"{"id_token":"a.b.c"}"#, #"{"token_type":"Bearer","id_token":"a.b.c"}"#,
    #"{"token_type":"Bearer","access_token":"a"}"#,
  ]) func anAnswerThatIsNoneSignsNobodyIn(_ answer: String) async throws {
    let station = try ProviderStation()
    station.provider.change { $0.tokens = { _ throws(ProviderFault) in .success(answer) } }
    #expect([401, 503].contains(try await self.refusal(station).status))
  }

  @Test func whoeverIsAwayIsNotTheUsersFault() async throws {
    let station = try ProviderStation()
    station.provider.change { $0.tokens = { _ throws(ProviderFault) in throw ProviderFault("down") } }
    #expect(try await self.refusal(station) == AuthenticationProblem.providerUnavailable)
    for (word, status) in [("invalid_grant", 401), ("invalid_client", 503), ("unauthorized_client", 503)] {
      station.provider.change { script in
        script.tokens = { _ throws(ProviderFault) in OAuthError(word).map { .failure($0) } ?? .success("{}") }
      }
      let problem = try await self.refusal(station)
      #expect(problem.status == status && problem.detail.contains(word), "\(word)")
    }
    #expect(OAuthError("<b>") == nil && OAuthError("") == nil)
  }

  // MARK: Groups from the userinfo endpoint

  private func withUserinfo(_ answer: @escaping @Sendable () throws(ProviderFault) -> String) throws -> ProviderStation {
    // What the id_token says of groups does not count then, whatever it is.
    let station = try self.station(["groups": "7"]) { $0.groupsFrom = .userinfo }
    station.provider.change { script in
      script.userinfo = { token throws(ProviderFault) in
        guard token.text == "access-1" else { throw ProviderFault("another token") }
        return try answer()
      }
    }
    return station
  }

  @Test func groupsMayComeFromTheUserinfoEndpoint() async throws {
    let station = try self.withUserinfo { () throws(ProviderFault) in #"{"sub":"alice-1","groups":["far"],"email":"mallory@example.org"}"# }
    let identity = try await station.signedIn().identity
    #expect(identity.groups == ["idp:far"] && identity.username == "alice@example.org")
    let without = try self.withUserinfo { () throws(ProviderFault) in #"{"sub":"alice-1"}"# }
    #expect(try await without.signedIn().identity.groups == [])
  }

  @Test func anAnswerAboutSomebodyElseIsNotUsed() async throws {
    for answer in [
      #"{"sub":"bob-1","groups":["admins"]}"#, #"{"groups":["admins"]}"#, #"{"sub":1,"groups":[]}"#, #"{"sub":"alice-1","groups":{}}"#,
    ] {
      #expect(try await self.refusal(self.withUserinfo { () throws(ProviderFault) in answer }).status == 401, "\(answer)")
    }
    let away = try self.withUserinfo { () throws(ProviderFault) in throw ProviderFault("down") }
    #expect(try await self.refusal(away).status == 503)
  }
}
