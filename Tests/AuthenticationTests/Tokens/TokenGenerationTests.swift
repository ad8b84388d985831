import NIOCore
import SallyportCore
import SallyportJOSE
import TestSupport
import Testing

@testable import SallyportAuthentication

/// What one generation believes of what another has judged, and what a connection remembers.
@Suite struct TokenGenerationTests {
  @Test func aGenerationWithTheSameRulesGoesOnWithBeliefsAndKeys() async throws {
    let old = try TokenStation()
    let token = try old.mint.token(old.key)
    let identity = try #require(try await old.outcome(token).identity)
    let new = try TokenStation(key: old.key, time: old.time, memory: old.memory)
    #expect(new.now(token)?.identity === identity)
    #expect(new.now(try old.mint.token(old.key, ["jti": #""another""#]))?.identity != nil)
    #expect(new.keys.count == 0, "the keys are those of the generation before")
  }

  /// Every part of the rules is one that a judgement depends on.
  @Test func aGenerationWithOtherRulesBelievesNothingOfIt() async throws {
    let old = try TokenStation()
    let token = try old.mint.token(old.key)
    let before = try #require(try await old.outcome(token).identity)
    let changes: [(inout TokenRules) -> Void] = [
      { $0.audiences = ["kubernetes"] }, { $0.audiences = ["kubernetes", "other"] }, { $0.algorithms = [.es256] },
      { $0.username.prefix = "x:" }, { $0.username.claim = ClaimPath("email") }, { $0.groups = nil }, { $0.groups?.prefix = "" },
      { $0.groups?.claim = ClaimPath("roles") }, { $0.uid = ClaimPath("sub") }, { $0.extra = [.init(key: "a", claim: ClaimPath("b"))] },
      { $0.requirements = [.init(claim: ClaimPath("sub"), requiredValue: "alice-1")] }, { $0.requiredScopes = ["x"] },
    ]
    var verifiers: Set<[UInt8]> = [before.verifier]
    for (index, change) in changes.enumerated() {
      let new = try TokenStation(key: old.key, time: old.time, memory: old.memory, change)
      if let identity = try await new.outcome(token).identity {
        #expect(identity !== before, "change \(index)")
        #expect(identity.verifier == new.authenticator.verifier(ofIssuer: new.mint.issuer))
      }
      let verifier = try #require(new.authenticator.verifier(ofIssuer: new.mint.issuer))
      #expect(verifiers.insert(verifier).inserted, "change \(index)")
    }
    #expect(try TokenStation().authenticator.verifier(ofIssuer: old.mint.issuer) == before.verifier)
    #expect(try TokenStation(allowSystemNames: ["system:x"]).authenticator.verifier(ofIssuer: old.mint.issuer) != before.verifier)
    #expect(old.authenticator.verifier(ofIssuer: "https://idp.example.org/") == nil)
  }

  /// A reload that fails has made an authenticator too, and let go of it.
  @Test func aGenerationThatNeverCameIntoForceTakesNothingAway() async throws {
    let old = try TokenStation()
    #expect(try await old.outcome().identity != nil)
    _ = try TokenStation(time: old.time, memory: old.memory) { $0.issuer = "https://other.example.org" }
    let new = try TokenStation(key: old.key, time: old.time, memory: old.memory)
    #expect(new.now(try old.mint.token(old.key, ["jti": #""another""#]))?.identity != nil)
    #expect(new.keys.count == 0)
  }

  @Test func aConnectionRemembersItsLastTokenForAsLongAsTheCacheDoes() async throws {
    let station = try TokenStation()
    let memory = ConnectionMemory()
    let token = try station.mint.token(station.key)
    let identity = try #require(try await station.outcome(token).identity)
    #expect(memory.authentication == nil)
    #expect(station.now(token, memory: memory)?.identity === identity)
    #expect(memory.authentication?.identity === identity)
    station.time.advance(by: .seconds(59))
    #expect(station.now(token, memory: memory)?.identity === identity)
    // Another token is judged by itself.
    let other = try station.mint.token(station.key, ["sub": #""bob""#])
    #expect(station.now(other, memory: memory)?.identity?.username == "idp:bob")
    #expect(station.now(String(token.dropLast()), memory: memory)?.problem == AuthenticationProblem.tokenRefused)
    station.time.advance(by: .seconds(1))
    let again = try #require(station.now(token, memory: memory)?.identity)
    #expect(again !== identity, "the minute is over: it is verified again")
    // Nor does another generation believe it.
    let new = try TokenStation(key: station.key, time: station.time, memory: station.memory) { $0.audiences = ["other"] }
    #expect(try await new.outcome(token).problem == AuthenticationProblem.tokenRefused)
    #expect(new.now(token, memory: memory)?.problem == AuthenticationProblem.tokenRefused)
  }
}
