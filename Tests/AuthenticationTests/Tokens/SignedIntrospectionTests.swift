import Foundation
import NIOCore
import SallyportCore
import SallyportJOSE
import TestSupport
import Testing

@testable import SallyportAuthentication

/// Signed introspection answers: RFC 9701, and the token that an opaque one stands for.
@Suite struct SignedIntrospectionTests {
  private static let issuer = "https://idp.example.org"

  /// A station whose one endpoint answers with JWTs, and who signs them.
  private struct Signed {
    let station: TokenStation
    let introspector = ScriptedIntrospector("")
    let key: TokenMint.Key
    let mint: TokenMint

    init(_ answer: IntrospectionEndpoint.Answer, algorithm: SignatureAlgorithm = .es256, keys: ScriptedKeys? = nil) throws {
      self.key = try TokenMint.Key(algorithm)
      var endpoint = IntrospectionTests.endpoint {
        $0.issuer = SignedIntrospectionTests.issuer
        $0.audiences = ["kubernetes"]
        $0.algorithms = [.es256, .rs256]
      }
      endpoint.answer = answer
      self.station = try TokenStation(key: self.key, keys: keys, endpoints: [(endpoint, self.introspector)], withoutIssuers: true)
      self.mint = TokenMint(issuer: SignedIntrospectionTests.issuer, now: Int(self.station.time.wall.timeIntervalSince1970))
    }

    /// An answer of RFC 9701.
    func answer(
      _ claims: [String: String] = [:], members: [String: String] = [:], header: [String: String] = [:], by key: TokenMint.Key? = nil
    ) throws -> String {
      let said = [
        "active": "true", "username": #""alice""#, "groups": #"["dev"]"#, "aud": #""kubernetes""#, "sub": #""alice-1""#,
      ].merging(members) { $1 }.filter { !$0.value.isEmpty }
      let introspection = "{" + said.map { "\"\($0.key)\":\($0.value)" }.sorted().joined(separator: ",") + "}"
      let own = [
        "aud": #""sallyport""#, "iat": "\(self.mint.now)", "token_introspection": introspection, "sub": "", "exp": "", "email": "",
        "groups": "", "jti": "",
      ]
      return try self.mint.token(
        key ?? self.key, own.merging(claims) { $1 }, header: ["typ": #""token-introspection+jwt""#].merging(header) { $1 })
    }

    func outcome(_ answer: String) async throws -> AuthenticationOutcome {
      self.introspector.answer(answer)
      return try await self.station.outcome("opaque-\(UInt64.random(in: 0...UInt64.max))")
    }

    /// What is refused tells nothing of the token, and is not remembered.
    func isNothingLearned(_ answer: String) async throws -> Bool {
      try await self.outcome(answer).problem == AuthenticationProblem.identityProviderUnavailable
    }
  }

  private func signed(_ algorithm: SignatureAlgorithm = .es256) throws -> Signed {
    try Signed(.introspectionJWT(.init()), algorithm: algorithm)
  }

  private func token() throws -> Signed { try Signed(.tokenJWT(.init())) }

  // MARK: RFC 9701

  @Test(arguments: [SignatureAlgorithm.es256, .rs256]) func aSignedAnswerIsBelievedAndKept(_ algorithm: SignatureAlgorithm) async throws {
    let signed = try self.signed(algorithm)
    let answer = try signed.answer()
    let identity = try #require(try await signed.outcome(answer).identity)
    #expect(identity.username == "op:alice" && identity.groups == ["op:dev"] && identity.method == .introspection)
    #expect(identity.phantomToken == Secret(answer.utf8))
    #expect(identity.token?.issuer == Self.issuer)
    #expect(!"\(identity) \(String(reflecting: identity.phantomToken))".contains(answer.prefix(10)))
    // A list of audiences, and its own word on the issuer.
    // As glewlwyd has it: whom the token is for.
    #expect(try await signed.outcome(signed.answer(["aud": #""kubernetes""#])).identity != nil)
    let listed = try signed.answer(["aud": #"["other","sallyport"]"#], members: ["iss": "\"\(Self.issuer)\""])
    #expect(try await signed.outcome(listed).identity?.username == "op:alice")
  }

  @Test func anInactiveTokenIsRefused() async throws {
    let signed = try self.signed()
    for members in [["active": "false"], ["active": #""true""#], ["active": "1"], ["active": ""], ["exp": "1"], ["aud": #""other""#]] {
      let problem = try await signed.outcome(signed.answer(members: members)).problem
      #expect(problem == AuthenticationProblem.tokenRefused, "\(members)")
    }
    let foreign = try await signed.outcome(signed.answer(members: ["iss": #""https://other.example.org""#])).problem
    #expect(foreign == AuthenticationProblem.tokenRefused)
  }

  @Test func anAnswerThatIsNotTheIssuersForUsAndOfNowTellsNothing() async throws {
    let signed = try self.signed()
    let now = signed.mint.now
    for claims in [
      ["iss": #""https://other.example.org""#], ["iss": ""], ["aud": #""other""#], ["aud": ""], ["aud": "7"], ["aud": "[]"], ["iat": ""],
      ["iat": "\(now + 3600)"], ["iat": "\(now - 3600)"], ["iat": #""\#(now)""#], ["token_introspection": ""],
      ["token_introspection": #""active""#], ["token_introspection": "[]"], ["token_introspection": "true"],
    ] {
      #expect(try await signed.isNothingLearned(signed.answer(claims)), "\(claims)")
    }
    for header in [
      ["typ": #""JWT""#], ["typ": #""at+jwt""#], ["typ": ""], ["typ": #""token-introspection""#], ["crit": #"["exp"]"#],
      ["kid": #""key-2""#], ["alg": #""none""#], ["alg": #""HS256""#], ["alg": #""ES384""#], ["alg": #""RS256""#],
    ] {
      #expect(try await signed.isNothingLearned(signed.answer(header: header)), "\(header)")
    }
    // Somebody else's key under the same name.
    #expect(try await signed.isNothingLearned(signed.answer(by: TokenMint.Key())))
    // What is said beside `token_introspection` is nobody's word on the token.
    let beside = try signed.answer(["active": "true", "username": #""mallory""#], members: ["active": "false"])
    #expect(try await signed.outcome(beside).problem == AuthenticationProblem.tokenRefused)
    // And what is not signed does not stand in for what is.
    #expect(try await signed.isNothingLearned(#"{"active":true,"username":"alice","aud":"kubernetes"}"#))
    #expect(try await signed.isNothingLearned(""))
  }

  @Test func mutatedAnswersAreNobodys() async throws {
    let signed = try self.signed()
    let answer = Array(try signed.answer().utf8)
    var random = SystemRandomNumberGenerator()
    for _ in 0..<300 {
      var bytes = answer
      let at = Int.random(in: bytes.indices, using: &random)
      bytes[at] = bytes[at] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
      let text = String(decoding: bytes, as: UTF8.self)
      guard text.hasPrefix("eyJ") else { continue }
      #expect(try await signed.isNothingLearned(text), "byte \(at)")
    }
  }

  @Test func newKeysAreFetchedForAnAnswer() async throws {
    let keys = ScriptedKeys(.failure(ProviderFault("away")))
    let signed = try Signed(.introspectionJWT(.init()), keys: keys)
    #expect(try await signed.isNothingLearned(signed.answer()))
    keys.answer(.success(try KeySet(of: signed.key)))
    signed.station.time.advance(by: .seconds(60))
    let answer = try signed.answer(["iat": "\(Int(signed.station.time.wall.timeIntervalSince1970))"])
    #expect(try await signed.outcome(answer).identity?.username == "op:alice")
  }

  // MARK: The token itself

  @Test func theTokenThatAnOpaqueOneStandsForIsJudgedAsAToken() async throws {
    let signed = try self.token()
    func answer(_ claims: [String: String], _ header: [String: String] = [:]) throws -> String {
      try signed.mint.token(signed.key, ["username": #""alice""#].merging(claims) { $1 }, header: header)
    }
    let good = try answer([:])
    let identity = try #require(try await signed.outcome(good).identity)
    #expect(identity.username == "op:alice" && identity.phantomToken == Secret(good.utf8) && identity.token?.audiences == ["kubernetes"])
    #expect(identity.expires != nil)
    #expect(try await signed.outcome(answer([:], ["typ": #""at+jwt""#])).identity != nil)
    for claims in [
      ["aud": #""other""#], ["aud": ""], ["iss": #""https://other.example.org""#], ["exp": ""], ["exp": "1"], ["sub": ""],
      ["active": "false"], ["active": #""true""#], ["username": ""],
    ] {
      #expect(try await signed.outcome(answer(claims)).problem == AuthenticationProblem.tokenRefused, "\(claims)")
    }
    // glewlwyd gives the token the type of an answer. An answer in which the claims do not stand at the top is no token.
    #expect(try await signed.outcome(answer([:], ["typ": #""token-introspection+jwt""#])).identity != nil)
    #expect(try await signed.outcome(signed.answer()).problem == AuthenticationProblem.tokenRefused)
    for header in [["typ": #""logout+jwt""#], ["kid": #""key-2""#], ["alg": #""none""#]] {
      #expect(try await signed.isNothingLearned(answer([:], header)), "\(header)")
    }
    #expect(try await signed.outcome("").problem == AuthenticationProblem.tokenRefused)
    #expect(try await signed.isNothingLearned(#"{"active":true,"username":"alice"}"#))
  }

  @Test func whoeverAnswersUnaskedInJWTsIsNotBelieved() async throws {
    let signed = try Signed(.json)
    #expect(try await signed.isNothingLearned(signed.answer()))
  }
}
