import Foundation
import NIOCore
import SallyportCore
import SallyportJOSE
import TestSupport
import Testing

@testable import SallyportAuthentication

/// `check --probe` of those who vouch for tokens.
@Suite struct TokenProbeTests {
  private struct Review: TokenReviewTransport {
    let answer: Result<String, Problem>
    func review(_ document: Secret) async throws(Problem) -> [UInt8] { Array(try self.answer.get().utf8) }
  }

  private func findings(
    keys: ScriptedKeys? = nil, introspection: ScriptedIntrospector? = nil, review: Result<String, Problem>? = nil
  ) async throws -> [ProbeFinding] {
    let key = try TokenMint.Key()
    let source = try keys ?? ScriptedKeys(.success(KeySet(of: key)))
    var configuration = AuthenticatorConfiguration()
    configuration.tokens = keys == nil && (introspection != nil || review != nil) ? [] : [TokenIssuer(rules: TokenStation.rules)]
    if introspection != nil { configuration.tokenEndpoints.append(.introspection(IntrospectionTests.endpoint())) }
    if let review {
      configuration.tokenEndpoints.append(
        .tokenReview(TokenReviewSource(upstream: "kubernetes", audiences: [], transport: Review(answer: review))))
    }
    let tokens = TokenAuthenticator(
      configuration: configuration, memory: AuthenticationMemory(threads: 1), clock: TestTime().clock, makeFetcher: { _ in source },
      makeIntrospector: { _ in introspection ?? ScriptedIntrospector(fault: "nobody") })
    var findings: [ProbeFinding] = []
    for probe in tokens.probes { findings += await probe() }
    return findings
  }

  @Test func anIssuerSaysHowManyKeysThereAre() async throws {
    #expect(
      try await self.findings(keys: ScriptedKeys(.success(KeySet(of: TokenMint.Key(), TokenMint.Key(id: "b")))))
        == [.good("issuer https://idp.example.org", "discovery answers, 2 key(s) can be used")])
    let fault = "the discovery document could not be fetched: connection refused"
    #expect(
      try await self.findings(keys: ScriptedKeys(.failure(ProviderFault(fault)))) == [.bad("issuer https://idp.example.org", fault)])
  }

  @Test func anEndpointThatDoesNotKnowAMadeUpTokenIsGood() async throws {
    let subject = "introspection at https://idp.example.org/introspect"
    #expect(
      try await self.findings(introspection: ScriptedIntrospector(#"{"active":false}"#))
        == [.good(subject, "answers, and does not know a token that was made up")])
    for (answer, words) in [
      (#"{"active":true,"username":"alice"}"#, "vouches for a token that was made up"), (#"{}"#, "has no active"), ("[]", "is no object"),
    ] {
      let findings = try await self.findings(introspection: ScriptedIntrospector(answer))
      #expect(findings.map(\.isGood) == [false] && findings[0].detail.contains(words), "\(findings)")
    }
    let refused = try await self.findings(
      introspection: ScriptedIntrospector(fault: "the introspection answer is answered with status 401"))
    #expect(refused.map(\.isGood) == [false] && refused[0].detail.contains("check clientID, its secret or key"), "\(refused)")
  }

  @Test func aClusterThatIsAskedSaysWhetherItMayBe() async throws {
    let subject = "token review at upstream kubernetes"
    #expect(
      try await self.findings(review: .success(#"{"kind":"TokenReview","status":{"error":"no"}}"#))
        == [.good(subject, "answers, and does not know a token that was made up")])
    let forbidden = Problem("tokenReviewFailed", blame: .upstream, status: 503, message: "", detail: "the upstream answers with status 403")
    let findings = try await self.findings(review: .failure(forbidden))
    #expect(findings.map(\.isGood) == [false] && findings[0].detail.contains("clusterrolebinding"), "\(findings)")
  }
}
