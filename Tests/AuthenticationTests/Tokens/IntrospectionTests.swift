import Foundation
import NIOCore
import SallyportCore
import SallyportJOSE
import TestSupport
import Testing

@testable import SallyportAuthentication

/// Opaque tokens (RFC 7662): what answers are believed, for how long, and how often anybody is asked.
@Suite struct IntrospectionTests {
  private static let active =
    #"{"active":true,"username":"alice","sub":"alice-1","groups":["dev"],"scope":"read write","aud":"kubernetes","jti":"t1"}"#

  static let url = "https://idp.example.org/introspect"

  static func endpoint(
    _ url: String = Self.url, _ change: (inout TokenRules) -> Void = { _ in }
  ) -> IntrospectionEndpoint {
    var rules = TokenRules(
      issuer: "", audiences: [], username: .init(claim: ClaimPath("username"), prefix: "op:"),
      groups: .init(claim: ClaimPath("groups"), prefix: "op:"))
    change(&rules)
    return IntrospectionEndpoint(url: url, clientID: "sallyport", clientAuthentication: .basic(Secret("very secret")), rules: rules)
  }

  private func station(
    _ answer: String = Self.active, cache: AuthenticatorConfiguration.Cache = .init(), _ change: (inout TokenRules) -> Void = { _ in }
  ) throws -> (TokenStation, ScriptedIntrospector) {
    let introspector = ScriptedIntrospector(answer)
    return (try TokenStation(cache: cache, endpoints: [(Self.endpoint(Self.url, change), introspector)]), introspector)
  }

  // MARK: What is believed

  @Test func anActiveTokenIsSomebodys() async throws {
    let (station, introspector) = try self.station()
    let identity = try #require(try await station.outcome("opaque").identity)
    #expect(identity.username == "op:alice" && identity.groups == ["op:dev"] && identity.method == .introspection)
    #expect(identity.origin.map(\.name) == ["issuer", "subject", "jti"])
    #expect(identity.token?.scopes == ["read", "write"] && identity.token?.audiences == ["kubernetes"])
    #expect(identity.token?.issuer == "https://idp.example.org/introspect")
    #expect(identity.expires == nil)
    #expect(introspector.count == 1)
  }

  @Test(arguments: [
    "{}", "[]", "true", "null", "7", #""active""#, #"{"active":false}"#, #"{"active":"true"}"#, #"{"active":1}"#, #"{"active":null}"#,
    #"{"active":[true]}"#, #"{"Active":true,"username":"alice"}"#, #"{"active":true}"#, #"{"active":true,"username":""}"#,
    #"{"active":true,"username":7}"#, #"{"active":true,"username":["alice"]}"#, #"{"active":true,"username":"alice","exp":1}"#,
    #"{"active":true,"username":"alice","exp":"9999999999"}"#, #"{"active":true,"username":"alice","exp":1e300}"#,
    #"{"active":true,"username":"alice","nbf":9999999999}"#, #"{"active":true,"username":"alice","groups":[7]}"#,
    #"{"active":true,"username":"alice","groups":{}}"#, #"{"active":true,"username":"alice","aud":7}"#,
    #"{"active":true,"username":"alice","sub":7}"#, #"{"active":true,"username":"alice","sub":""}"#,
    #"{"active":true,"username":"alice","scope":{}}"#, #"{"active":true,"username":"al\nice"}"#,
    #"{"active":true,"username":"alice","token_type":"refresh_token"}"#, #"{"active":true,"username":"alice","token_type":"DPoP"}"#,
    #"{"active":true,"username":"alice","token_type":1}"#, #"{"active":true,"username":"alice","token_use":"refresh_token"}"#,
    #"{"active":true,"username":"alice","typ":"Refresh"}"#, #"{"active":true,"username":"alice","hasgroups":true}"#,
    #"{"active":true,"username":"alice","_claim_names":{"groups":"x"}}"#,
  ]) func whateverIsNoGoodAnswerRefuses(_ answer: String) async throws {
    let (station, introspector) = try self.station(answer)
    let problem = try #require(try await station.outcome("opaque").problem)
    #expect(problem == AuthenticationProblem.tokenRefused, "\(answer)")
    #expect(!problem.detail.contains("opaque"))
    // Not asked again for a moment.
    #expect(station.now("opaque")?.problem == AuthenticationProblem.tokenRefused)
    #expect(introspector.count == 1)
  }

  @Test func theRulesAreHeld() async throws {
    let (station, introspector) = try self.station {
      $0.issuer = "https://idp.example.org"
      $0.audiences = ["kubernetes"]
      $0.requiredScopes = ["read"]
      $0.requirements = [.init(claim: ClaimPath("client_id"), requiredValue: "kubectl")]
    }
    let good = [
      "active": "true", "username": #""alice""#, "iss": #""https://idp.example.org""#, "aud": #"["x","kubernetes"]"#,
      "scope": #""read""#, "client_id": #""kubectl""#,
    ]
    func ask(_ change: [String: String], _ token: String) async throws -> AuthenticationOutcome {
      let members = good.merging(change) { $1 }.filter { !$0.value.isEmpty }
      introspector.answer("{" + members.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}")
      return try await station.outcome(token)
    }
    let identity = try await ask([:], "good").identity
    #expect(identity?.username == "op:alice" && identity?.token?.issuer == "https://idp.example.org")
    for (index, wrong) in [
      ["iss": ""], ["iss": #""https://idp.example.org/""#], ["aud": ""], ["aud": #""x""#], ["aud": "[]"], ["scope": ""],
      ["scope": #""write""#], ["client_id": ""], ["client_id": #""other""#],
    ].enumerated() {
      #expect(try await ask(wrong, "wrong-\(index)").problem == AuthenticationProblem.tokenRefused, "\(wrong)")
    }
  }

  @Test func serviceAccountsAreNobodysToName() async throws {
    let (station, _) = try self.station(#"{"active":true,"username":"system:serviceaccount:dev:default"}"#) { $0.username.prefix = "" }
    #expect(try await station.outcome("opaque").problem == AuthenticationProblem.tokenRefused)
  }

  // MARK: For how long

  @Test func anAnswerIsKeptForTheCachesLifetime() async throws {
    let (station, introspector) = try self.station()
    let identity = try #require(try await station.outcome("opaque").identity)
    station.time.advance(by: .seconds(59))
    #expect(station.now("opaque")?.identity === identity)
    introspector.answer(#"{"active":false}"#)
    station.time.advance(by: .seconds(1))
    #expect(try await station.outcome("opaque").problem == AuthenticationProblem.tokenRefused)
    #expect(introspector.count == 2)
  }

  @Test func noAnswerIsKeptBeyondTheTokensEnd() async throws {
    let now = 1_800_000_000
    let (station, introspector) = try self.station(
      #"{"active":true,"username":"alice","exp":\#(now + 100)}"#, cache: .init(lifetime: .seconds(3600)))
    #expect(try await station.outcome("opaque").identity?.expires == Date(timeIntervalSince1970: Double(now + 130)))
    station.time.advance(by: .seconds(129))
    #expect(station.now("opaque")?.identity != nil)
    station.time.advance(by: .seconds(1))
    #expect(try await station.outcome("opaque").problem == AuthenticationProblem.tokenRefused)
    #expect(introspector.count == 2)
  }

  @Test func whatCouldNotBeAskedIsAskedAgain() async throws {
    let introspector = ScriptedIntrospector(fault: "down")
    let station = try TokenStation(endpoints: [(Self.endpoint(), introspector)])
    for count in 1...3 {
      let problem = try #require(try await station.outcome("opaque").problem)
      #expect(problem == AuthenticationProblem.identityProviderUnavailable && problem.retryAfterSeconds != nil)
      #expect(introspector.count == count)
    }
    introspector.answer(Self.active)
    #expect(try await station.outcome("opaque").identity != nil)
  }

  // MARK: How often anybody is asked

  @Test func oneQuestionForAllWhoWait() async throws {
    let (station, introspector) = try self.station()
    introspector.hold(true)
    let answers = (0..<50).map { _ in station.authenticator.authenticate(Secret("Bearer opaque"), on: station.eventLoop) }
    let other = station.authenticator.authenticate(Secret("bearer another"), on: station.eventLoop)
    while introspector.count < 2 { try await Task.sleep(for: .milliseconds(1)) }
    introspector.hold(false)
    for answer in answers { #expect(try await answer.value.identity?.username == "op:alice") }
    #expect(try await other.value.identity != nil)
    #expect(introspector.count == 2)
  }

  @Test func soManyQuestionsAtATimeAndNoMore() async throws {
    let (station, introspector) = try self.station()
    introspector.hold(true)
    let admitted = (0..<256).map { station.authenticator.authenticate(Secret("Bearer opaque-\($0)"), on: station.eventLoop) }
    let late = try await station.outcome("opaque-late").problem
    #expect(late == AuthenticationProblem.identityProviderUnavailable)
    while introspector.count < 256 { try await Task.sleep(for: .milliseconds(1)) }
    introspector.hold(false)
    for answer in admitted { #expect(try await answer.value.identity != nil) }
    #expect(try await station.outcome("opaque-late").identity != nil)
  }

  @Test func noTokenIsNothingToAskAbout() async throws {
    let (station, introspector) = try self.station()
    for text in ["a b", "a,b", "tök", "=", "==", "a=b", "a\"b", "a%20b", "a\0b", ""] {
      #expect(station.now(text)?.problem == AuthenticationProblem.tokenRefused, "\(text)")
    }
    #expect(introspector.count == 0)
    #expect(try await station.outcome("AZaz09-._~+/==").identity != nil)
  }

  /// An issuer's own token is judged by its keys, and by nobody else: an endpoint that says yes to everything changes nothing.
  @Test func anIssuersTokenIsNotAskedAbout() async throws {
    let (station, introspector) = try self.station()
    #expect(try await station.outcome().identity?.method == .jwt)
    #expect(try await station.outcome(station.mint.token(TokenMint.Key())).problem == AuthenticationProblem.tokenRefused)
    #expect(try await station.outcome(["exp": "1"]).problem == AuthenticationProblem.tokenRefused)
    // Nor about what claims to be of the issuer and cannot be verified at all.
    let payload = Base64URL.encode(#"{"iss":"https://idp.example.org","sub":"alice"}"#.utf8)
    for header in [
      #"{"alg":"none"}"#, #"{ "alg": "none" }"#, #"{"alg":"HS512","typ":"JWT"}"#, #"{"alg":"ES256","crit":["b64"],"b64":false}"#,
      #"{"alg":"ES256","alg":"none"}"#, "{}",
    ] {
      for signature in ["", "AAAA"] {
        let token = "\(Base64URL.encode(header.utf8)).\(payload).\(signature)"
        #expect(try await station.outcome(token).problem == AuthenticationProblem.tokenRefused, "\(header)")
      }
    }
    let twice = Base64URL.encode(#"{"iss":"https://other.example.org","iss":"https://idp.example.org"}"#.utf8)
    #expect(try await station.outcome("\(Base64URL.encode(#"{"alg":"none"}"#.utf8)).\(twice).AAAA").problem != nil)
    #expect(introspector.count == 0)
    #expect(try await station.outcome(["iss": #""https://other.example.org""#]).identity?.method == .introspection)
  }

  @Test func oneAfterTheOtherIsAskedUntilOneVouches() async throws {
    let first = ScriptedIntrospector(#"{"active":false}"#)
    let second = ScriptedIntrospector(Self.active)
    let station = try TokenStation(
      endpoints: [(Self.endpoint("https://one.example.org/i"), first), (Self.endpoint("https://two.example.org/i"), second)])
    #expect(try await station.outcome("opaque").identity?.token?.issuer == "https://two.example.org/i")
    #expect(first.count == 1 && second.count == 1)
    // Where one of them cannot be asked, a refusal of the other is not the last word.
    let away = ScriptedIntrospector(fault: "down")
    let unsure = try TokenStation(
      endpoints: [(Self.endpoint("https://one.example.org/i"), away), (Self.endpoint("https://two.example.org/i"), second)])
    second.answer(#"{"active":false}"#)
    #expect(try await unsure.outcome("opaque").problem == AuthenticationProblem.identityProviderUnavailable)
    second.answer(Self.active)
    #expect(try await unsure.outcome("opaque").identity != nil)
  }

  @Test func otherRulesBelieveNothingOfIt() async throws {
    let introspector = ScriptedIntrospector(Self.active)
    let old = try TokenStation(endpoints: [(Self.endpoint(), introspector)])
    let identity = try #require(try await old.outcome("opaque").identity)
    let same = try TokenStation(key: old.key, time: old.time, memory: old.memory, endpoints: [(Self.endpoint(), introspector)])
    #expect(same.now("opaque")?.identity === identity)
    let other = try TokenStation(
      key: old.key, time: old.time, memory: old.memory, endpoints: [(Self.endpoint { $0.username.prefix = "x:" }, introspector)])
    #expect(try await other.outcome("opaque").identity?.username == "x:alice")
    #expect(!other.authenticator.judges.contains { $0.verifier == identity.verifier })
    #expect(same.authenticator.judges.contains { $0.verifier == identity.verifier })
  }
}
