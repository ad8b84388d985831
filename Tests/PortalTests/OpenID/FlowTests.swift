import Crypto
import Foundation
import SallyportCore
import Testing

@testable import SallyportPortal

/// Sign-ins that lead by way of a provider, as they lie in a browser.
@Suite struct FlowTests {
  private static let root = SymmetricKey(size: .bits256)
  private let seal = FlowSeal(root: Self.root)
  private let now = Date(timeIntervalSince1970: 1_800_000_000)
  private let browser = FormTokens.newCookie()

  private func flow(_ target: String = "/ui?a=b", after seconds: Double = 0) -> SignInFlow {
    .begin(
      at: "https://idp.example.org", redirectURI: "https://gateway.example.org/.sallyport/callback", returningTo: target,
      at: self.now + seconds)
  }

  private func sealed(_ flow: SignInFlow) throws -> Secret { try #require(self.seal.seal(flow, for: self.browser)) }

  @Test func itIsOpenedByTheBrowserThatBeganIt() throws {
    let flow = self.flow()
    let cookie = try self.sealed(flow)
    let opened = try #require(self.seal.open(cookie, for: self.browser, at: self.now))
    #expect(opened.state == flow.state && opened.nonce == flow.nonce && opened.verifier == flow.verifier)
    #expect(opened.issuer == flow.issuer && opened.redirectURI == flow.redirectURI && opened.target == "/ui?a=b")
    #expect(opened.began == flow.began)
    #expect(self.seal.open(cookie, for: FormTokens.newCookie(), at: self.now) == nil)
    #expect(FlowSeal(root: SymmetricKey(size: .bits256)).open(cookie, for: self.browser, at: self.now) == nil)
    // Another gateway with the same keys.
    #expect(FlowSeal(root: Self.root).open(cookie, for: self.browser, at: self.now) != nil)
  }

  @Test func itIsOverAfterTenMinutes() throws {
    let cookie = try self.sealed(self.flow())
    #expect(self.seal.open(cookie, for: self.browser, at: self.now + 599) != nil)
    #expect(self.seal.open(cookie, for: self.browser, at: self.now + 600) == nil)
    #expect(self.seal.open(cookie, for: self.browser, at: self.now - 61) == nil)
  }

  @Test func whatWasChangedIsNone() throws {
    let cookie = try self.sealed(self.flow()).withBytes { Array($0) }
    for index in stride(from: 0, to: cookie.count, by: 7) {
      var changed = cookie
      changed[index] = changed[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
      #expect(self.seal.open(Secret(changed), for: self.browser, at: self.now) == nil, "\(index)")
    }
    for length in [0, 1, 20, cookie.count - 1] {
      #expect(self.seal.open(Secret(cookie.prefix(length)), for: self.browser, at: self.now) == nil)
    }
    #expect(self.seal.open(Secret(Array(repeating: UInt8(ascii: "A"), count: 5000)), for: self.browser, at: self.now) == nil)
  }

  @Test func noTwoAreAlikeAndNothingOfThemShows() throws {
    let (one, other) = (self.flow(), self.flow())
    #expect(one.state != other.state && one.nonce != other.nonce && one.verifier != other.verifier)
    for flow in [one, other] {
      let values = [flow.state, flow.nonce, flow.verifier].map { $0.withBytes { String(decoding: $0, as: UTF8.self) } }
      #expect(Set(values).count == 3 && values.allSatisfy { $0.utf8.count == 43 })
      let shown = "\(flow) \(String(reflecting: flow)) \(String(describing: Mirror(reflecting: flow).children.map(\.value)))"
      #expect(!values.contains { shown.contains($0) })
      let cookie = try self.sealed(flow).withBytes { String(decoding: $0, as: UTF8.self) }
      #expect(!values.contains { cookie.contains($0) })
    }
  }

  /// RFC 7636 appendix B.
  @Test func theChallengeIsTheVerifiersHash() {
    let flow = SignInFlow(
      state: Secret("s".utf8), nonce: Secret("n".utf8), verifier: Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".utf8),
      issuer: "", redirectURI: "", target: "/", began: self.now)
    #expect(flow.challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
  }

  @Test func aBrowserHasABoundedNumberOfThem() throws {
    let flows = (0..<6).map { self.flow(after: Double($0)) }
    let cookies = try flows.map { (name: $0.name, value: try self.sealed($0)) }
    let later = self.now + 10
    func removed(_ presented: [(name: String, value: Secret)]) -> Set<String> {
      Set(self.seal.names(toRemoveFrom: presented, for: self.browser, at: later))
    }
    #expect(removed(Array(cookies.prefix(FlowSeal.most - 1))).isEmpty)
    // The oldest make room.
    #expect(removed(cookies.reversed()) == Set(flows.prefix(3).map(\.name)))
    // What is none, none any more, or under another's name goes as well; what nobody of ours has named is left alone.
    let old = self.flow(after: -700)
    let stranger = (name: "AAAAAAAA", value: cookies[0].value)
    #expect(removed([(old.name, try self.sealed(old)), stranger, ("x; Path=/", Secret("y".utf8)), cookies[1]]) == [old.name, "AAAAAAAA"])
  }

  @Test func aLongTargetDoesNotFillTheHead() throws {
    let flow = self.flow("/" + String(repeating: "a", count: 2000))
    #expect(flow.target == "/")
    let longest = self.flow("/" + String(repeating: "a", count: 1023))
    #expect(longest.target.utf8.count == 1024)
    #expect(try self.sealed(longest).count < 3000)
  }

  @Test func anAddressKeepsWhatItsEndpointHas() {
    let parameters = [(name: "a", value: "b c&d=é"), (name: "e", value: "https://x/?y#z")]
    let query = "a=b%20c%26d%3D%C3%A9&e=https%3A%2F%2Fx%2F%3Fy%23z"
    #expect(ProviderAddress.with(parameters, at: "https://idp/auth") == "https://idp/auth?\(query)")
    #expect(ProviderAddress.with(parameters, at: "https://idp/auth?p=1") == "https://idp/auth?p=1&\(query)")
    #expect(ProviderAddress.with(parameters, at: "https://idp/auth?") == "https://idp/auth?\(query)")
  }
}
