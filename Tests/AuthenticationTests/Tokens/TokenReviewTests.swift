import Foundation
import NIOConcurrencyHelpers
import NIOCore
import SallyportCore
import SallyportJSON
import TestSupport
import Testing

@testable import SallyportAuthentication

/// An API server without a network.
private final class ScriptedReviews: TokenReviewTransport {
  private let state: NIOLockedValueBox<(answer: Result<String, Problem>, documents: [JSONValue])>

  init(_ answer: String) { self.state = NIOLockedValueBox((.success(answer), [])) }

  var documents: [JSONValue] { self.state.withLockedValue { $0.documents } }

  func answer(_ answer: Result<String, Problem>) { self.state.withLockedValue { $0.answer = answer } }

  func review(_ document: Secret) async throws(Problem) -> [UInt8] {
    let read = document.withBytes { bytes in try? JSONReader.read(bytes) }
    return Array(
      try self.state.withLockedValue { state in
        state.documents.append(read ?? .null)
        return state.answer
      }.get().utf8)
  }
}

/// Tokens that a cluster is asked about.
@Suite struct TokenReviewTests {
  private static let account = "system:serviceaccount:dev:builder"
  private static let user =
    #"{"username":"\#(account)","uid":"u-1","groups":["system:serviceaccounts","system:serviceaccounts:dev","system:authenticated"],"#
    + #""extra":{"authentication.kubernetes.io/pod-name":["web-0"]}}"#

  private static func review(_ status: String) -> String {
    #"{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1","metadata":{},"spec":{"token":"x"},"status":\#(status)}"#
  }

  private static let good = review(#"{"authenticated":true,"user":\#(user),"audiences":["https://kubernetes.default.svc"]}"#)

  private func station(
    _ answer: String = Self.good, audiences: [String] = [], cache: AuthenticatorConfiguration.Cache = .init()
  ) throws -> (TokenStation, ScriptedReviews) {
    let reviews = ScriptedReviews(answer)
    return (
      try TokenStation(
        cache: cache, reviews: [TokenReviewSource(upstream: "kubernetes", audiences: audiences, transport: reviews)]), reviews
    )
  }

  @Test func aServiceAccountIsWhoTheClusterSays() async throws {
    let (station, reviews) = try self.station()
    let identity = try #require(try await station.outcome("opaque-token").identity)
    #expect(identity.username == Self.account && identity.uid == "u-1" && identity.method == .tokenReview)
    #expect(identity.groups == ["system:serviceaccounts", "system:serviceaccounts:dev"])
    #expect(identity.extra == [.init(key: "authentication.kubernetes.io/pod-name", values: ["web-0"])])
    #expect(identity.token?.audiences == ["https://kubernetes.default.svc"] && identity.token?.issuer == "kubernetes")
    #expect(
      reviews.documents == [
        .object([
          "apiVersion": .string("authentication.k8s.io/v1"), "kind": .string("TokenReview"),
          "spec": .object(["token": .string("opaque-token")]),
        ])
      ])
    #expect(station.now("opaque-token")?.identity === identity)
    #expect(reviews.documents.count == 1)
  }

  @Test func audiencesAreAskedForAndMustComeBack() async throws {
    let wanted = ["sallyport", #"o"dd\"#]
    let (station, reviews) = try self.station(audiences: wanted)
    #expect(try await station.outcome("a").problem == AuthenticationProblem.tokenRefused)
    #expect(reviews.documents.first?["spec"]?["audiences"]?.strings == wanted)
    for (index, answer) in [#"[]"#, #"["Sallyport"]"#, "7", #"[7]"#].enumerated() {
      reviews.answer(.success(Self.review(#"{"authenticated":true,"user":\#(Self.user),"audiences":\#(answer)}"#)))
      #expect(try await station.outcome("b-\(index)").problem == AuthenticationProblem.tokenRefused)
    }
    reviews.answer(.success(Self.review(#"{"authenticated":true,"user":\#(Self.user)}"#)))
    #expect(try await station.outcome("c").problem == AuthenticationProblem.tokenRefused)
    reviews.answer(.success(Self.review(#"{"authenticated":true,"user":\#(Self.user),"audiences":["x","sallyport"]}"#)))
    #expect(try await station.outcome("d").identity != nil)
  }

  @Test(arguments: [
    "{}", #"{"authenticated":false}"#, #"{"authenticated":"true","user":{"username":"a"}}"#,
    #"{"authenticated":1,"user":{"username":"a"}}"#,
    #"{"authenticated":false,"user":{"username":"a"}}"#, #"{"error":"token a-token is bad","user":{}}"#, #"{"authenticated":true}"#,
    #"{"authenticated":true,"user":{}}"#, #"{"authenticated":true,"user":{"username":""}}"#,
    #"{"authenticated":true,"user":{"username":7}}"#, #"{"authenticated":true,"user":{"username":"a","groups":"b"}}"#,
    #"{"authenticated":true,"user":{"username":"a","groups":[7]}}"#, #"{"authenticated":true,"user":{"username":"a","uid":7}}"#,
    #"{"authenticated":true,"user":{"username":"a","extra":[]}}"#, #"{"authenticated":true,"user":{"username":"a","extra":{"k":"v"}}}"#,
    #"{"authenticated":true,"user":{"username":"a","extra":{"K":["v"]}}}"#,
    #"{"authenticated":true,"user":{"username":"a","groups":["system:masters"]}}"#,
    #"{"authenticated":true,"user":{"username":"system:admin"}}"#, #"{"authenticated":true,"user":{"username":"a\nb"}}"#,
    #"{"authenticated":true,"user":{"username":"a"},"audiences":{}}"#,
  ]) func whateverIsNoYesRefuses(_ status: String) async throws {
    let (station, reviews) = try self.station(Self.review(status))
    let problem = try #require(try await station.outcome("a-token").problem)
    #expect(problem == AuthenticationProblem.tokenRefused, "\(status)")
    #expect(!problem.detail.contains("a-token"))
    #expect(station.now("a-token")?.problem != nil)
    #expect(reviews.documents.count == 1)
  }

  @Test func whereTheClusterCannotBeAskedNothingIsKnown() async throws {
    let (station, reviews) = try self.station()
    for answer: Result<String, Problem> in [
      .failure(Problem("x", blame: .upstream, status: 503, message: "x")), .success(""), .success("<html>"), .success("[]"),
      .success(#"{"kind":"Status","status":"Failure"}"#), .success(#"{"kind":"TokenReview"}"#),
      .success(#"{"kind":"TokenReview","status":{"authenticated":true},"status":{"authenticated":true}}"#),
    ] {
      reviews.answer(answer)
      #expect(try await station.outcome("a-token").problem == AuthenticationProblem.identityProviderUnavailable)
    }
    reviews.answer(.success(Self.good))
    #expect(try await station.outcome("a-token").identity != nil)
  }

  /// The review says nothing of the end; the token, which the cluster has vouched for, does.
  @Test func aBeliefDoesNotOutliveTheToken() async throws {
    let (station, reviews) = try self.station(cache: .init(lifetime: .seconds(3600)))
    let token = try station.mint.token(
      TokenMint.Key(), ["iss": #""https://kubernetes.default.svc""#, "exp": "\(station.mint.now + 100)"])
    let identity = try #require(try await station.outcome(token).identity)
    #expect(identity.token?.issuer == "https://kubernetes.default.svc")
    #expect(identity.expires == Date(timeIntervalSince1970: Double(station.mint.now + 100)))
    station.time.advance(by: .seconds(99))
    #expect(station.now(token)?.identity === identity)
    station.time.advance(by: .seconds(1))
    #expect(try await station.outcome(token).problem == AuthenticationProblem.tokenRefused)
    #expect(reviews.documents.count == 2)
  }

  /// The upstream's name stays, and what is behind it does not.
  @Test func whatAnotherClusterSaidIsNotBelieved() throws {
    func verifier(_ cluster: [String]) -> [UInt8] {
      TokenReview(TokenReviewSource(upstream: "kubernetes", cluster: cluster, transport: ScriptedReviews("")), allowSystemNames: [])
        .verifier
    }
    #expect(verifier(["https://10.0.0.1:6443"]) == verifier(["https://10.0.0.1:6443"]))
    #expect(verifier(["https://10.0.0.1:6443"]) != verifier(["https://10.0.0.2:6443"]))
  }

  /// Whoever else says it, and whatever names are allowed.
  @Test func nobodyElseVouchesForServiceAccounts() async throws {
    let names: Set<String> = [Self.account, "system:serviceaccounts"]
    let signed = try TokenStation(allowSystemNames: names) { $0.username.prefix = "" }
    #expect(try await signed.outcome(["sub": "\"\(Self.account)\""]).problem == AuthenticationProblem.tokenRefused)
    let introspector = ScriptedIntrospector(#"{"active":true,"username":"\#(Self.account)"}"#)
    let asked = try TokenStation(
      allowSystemNames: names, endpoints: [(IntrospectionTests.endpoint { $0.username.prefix = "" }, introspector)])
    #expect(try await asked.outcome("opaque").problem == AuthenticationProblem.tokenRefused)
  }
}
