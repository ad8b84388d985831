import Foundation
import SallyportCore
import Testing

@testable import SallyportPortal

/// What a provider sends a browser back with, and what somebody else does.
@Suite struct CallbackTests {
  private static let state = String(repeating: "s", count: 43)
  private static let issuer = "https://idp.example.org"
  private static let address = "https://gateway.example.org/.sallyport/callback"
  private let now = Date(timeIntervalSince1970: 1_800_000_000)

  private func flow(_ state: String = CallbackTests.state, issuer: String = CallbackTests.issuer) -> SignInFlow {
    SignInFlow(
      state: Secret(state.utf8), nonce: Secret("n".utf8), verifier: Secret("v".utf8), issuer: issuer, redirectURI: Self.address,
      target: "/ui", began: self.now)
  }

  private func judge(
    _ query: String, _ flows: [SignInFlow], namesItself: Bool = false, at address: String = CallbackTests.address, after seconds: Double = 1
  ) throws -> CallbackJudge.Judgement {
    CallbackJudge(issuer: Self.issuer, namesItself: namesItself).judge(
      try Callback(query: query), flows: flows, redirectURI: address, at: self.now + seconds)
  }

  private func foreignness(_ judgement: CallbackJudge.Judgement) -> String? {
    if case .foreign(let detail) = judgement { detail } else { nil }
  }

  @Test func aCodeComesWithItsState() throws {
    let other = self.flow(String(repeating: "o", count: 43))
    let judgement = try self.judge("code=abc%2Fdef&state=\(Self.state)&session_state=x.y", [other, self.flow()])
    guard case .redeem(let code, let flow) = judgement else { return #expect(Bool(false), "\(judgement)") }
    #expect(code == Secret("abc/def".utf8) && flow.state == Secret(Self.state.utf8) && flow.target == "/ui")
    // A code may be written with what a query may have.
    guard case .redeem = try self.judge("state=\(Self.state)&code=a/b:c~=", [self.flow()]) else { return #expect(Bool(false)) }
  }

  @Test func anErrorIsNoCode() throws {
    let judgement = try self.judge("error=access_denied&error_description=No&state=\(Self.state)", [self.flow()])
    guard case .refused(let error, _) = judgement else { return #expect(Bool(false), "\(judgement)") }
    #expect(error == "access_denied")
  }

  private static let unreadable: [String?] = [
    nil, "", "code=a", "state=STATE", "code=a&state=", "code=a&state=short", "code=a&state=STATE&state=STATE", "code=a&code=b&state=STATE",
    "code=a&state=STATE&%63ode=b", "code=&state=STATE", "code=a&error=access_denied&state=STATE", "code=%00&state=STATE",
    "code=%C3%A9&state=STATE", "code=a&state=STATE&iss=a&iss=b", "code=a&state=STATE&iss=%FF", "error=&state=STATE",
    "error=<script>&state=STATE", "error=%3Cscript%3E&state=STATE", "code=a&state=STATE&id_token=x", "code=a&state=STATE&access_token=x",
    "code=a&state=STATE&response=x", "code=a b&state=STATE", "code=a&state=STATE&x=%zz", "code=\u{e9}&state=STATE",
    "code=\(String(repeating: "a", count: 4097))&state=STATE", String(repeating: "p&", count: 40) + "code=a&state=STATE",
  ]

  @Test(arguments: Self.unreadable) func whatCanBeReadInTwoWaysIsRefused(_ query: String?) {
    #expect(throws: Callback.Fault.self) { try Callback(query: query?.replacingOccurrences(of: "STATE", with: Self.state)) }
  }

  @Test func theFaultHasNothingOfTheQuery() throws {
    let error = #expect(throws: Callback.Fault.self) { try Callback(query: "code=top-secret&code=x&state=\(Self.state)") }
    #expect(error?.description.contains("secret") == false)
  }

  @Test func nobodyElsesStateCounts() throws {
    for flows in [[], [self.flow(String(repeating: "o", count: 43))]] {
      #expect(try self.foreignness(self.judge("code=a&state=\(Self.state)", flows))?.contains("state is none") == true)
    }
    #expect(try self.foreignness(self.judge("code=a&state=\(Self.state)", [self.flow()], after: 600)) != nil)
    // An error that nobody has asked for neither.
    #expect(try self.foreignness(self.judge("error=access_denied&state=\(Self.state)", [])) != nil)
  }

  /// One provider's answer is never another's (RFC 9700 section 4.4, RFC 9207).
  @Test func providersAreNotMixedUp() throws {
    let query = "code=a&state=\(Self.state)"
    // The sign-in was begun at another one, whose path this is not.
    #expect(try self.foreignness(self.judge(query, [self.flow(issuer: "https://evil.example")]))?.contains("another provider") == true)
    #expect(try self.foreignness(self.judge(query, [self.flow()], at: Self.address + "/other")) != nil)
    #expect(try self.foreignness(self.judge(query, [self.flow()], at: "https://other.example.org/.sallyport/callback")) != nil)
    // `iss` is held against the provider wherever it is there, and must be where that was promised.
    #expect(try self.foreignness(self.judge("\(query)&iss=https%3A%2F%2Fevil.example", [self.flow()]))?.contains("iss") == true)
    #expect(try self.foreignness(self.judge("\(query)&iss=https%3A%2F%2Fidp.example.org%2F", [self.flow()])) != nil)
    #expect(try self.foreignness(self.judge("\(query)&iss=", [self.flow()])) != nil)
    #expect(try self.foreignness(self.judge(query, [self.flow()], namesItself: true))?.contains("iss is missing") == true)
    for namesItself in [true, false] {
      let judgement = try self.judge("\(query)&iss=https%3A%2F%2Fidp.example.org", [self.flow()], namesItself: namesItself)
      #expect(self.foreignness(judgement) == nil)
    }
  }
}
