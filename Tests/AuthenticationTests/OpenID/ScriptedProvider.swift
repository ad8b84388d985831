import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import SallyportCore
import SallyportJOSE
import SallyportJSON
import SallyportSessions
import TestSupport

@testable import SallyportAuthentication

/// A provider without a network, honest unless it is told otherwise.
final class ScriptedProvider: OpenIDClient {
  struct Script: Sendable {
    var metadata: [String: JSONValue]
    /// What it answers a grant with, as JSON; an error's word, or a fault.
    var tokens: @Sendable (OpenIDGrant) throws(ProviderFault) -> Result<String, OAuthError>
    var userinfo: @Sendable (Secret) throws(ProviderFault) -> String = { _ throws(ProviderFault) in throw ProviderFault("no userinfo") }
    var isHeld = false
  }

  private struct State {
    var script: Script
    var grants: [OpenIDGrant] = []
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  let issuer: String
  private let state: NIOLockedValueBox<State>

  init(_ issuer: String, tokens: @escaping @Sendable (OpenIDGrant) throws(ProviderFault) -> Result<String, OAuthError>) {
    self.issuer = issuer
    let metadata: [String: JSONValue] = [
      "issuer": .string(issuer), "authorization_endpoint": .string("\(issuer)/auth"), "token_endpoint": .string("\(issuer)/token"),
      "userinfo_endpoint": .string("\(issuer)/userinfo"), "end_session_endpoint": .string("\(issuer)/end"),
      "code_challenge_methods_supported": .array([.string("S256")]),
    ]
    self.state = NIOLockedValueBox(State(script: Script(metadata: metadata, tokens: tokens)))
  }

  /// What it was asked, in order.
  var grants: [OpenIDGrant] { self.state.withLockedValue { $0.grants } }

  func change(_ change: (inout Script) -> Void) { self.state.withLockedValue { change(&$0.script) } }

  /// Lets questions wait, or answers all of them.
  func hold(_ isHeld: Bool) {
    let waiting = self.state.withLockedValue { state in
      state.script.isHeld = isHeld
      defer { if !isHeld { state.waiting = [] } }
      return isHeld ? [] : state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }

  func metadata() async throws(ProviderFault) -> ProviderMetadata {
    try ProviderMetadata(.object(self.state.withLockedValue { $0.script.metadata }), issuer: self.issuer) { $0.hasPrefix("https://") }
  }

  func tokens(for grant: OpenIDGrant, at endpoint: String) async throws(ProviderFault) -> Result<OpenIDTokens, OAuthError> {
    guard endpoint == "\(self.issuer)/token" else { throw ProviderFault("another endpoint was asked") }
    await withCheckedContinuation { continuation in
      let goesOn = self.state.withLockedValue { state in
        state.grants.append(grant)
        if state.script.isHeld { state.waiting.append(continuation) }
        return !state.script.isHeld
      }
      if goesOn { continuation.resume() }
    }
    switch try self.state.withLockedValue({ $0.script.tokens })(grant) {
    case .success(let text): return .success(try OpenIDTokens(Self.json(text)))
    case .failure(let error): return .failure(error)
    }
  }

  func userinfo(by accessToken: Secret, at endpoint: String) async throws(ProviderFault) -> [String: JSONValue] {
    guard let claims = try Self.json(self.state.withLockedValue { $0.script.userinfo }(accessToken)).object else {
      throw ProviderFault("no object")
    }
    return claims
  }

  private static func json(_ text: String) throws(ProviderFault) -> JSONValue {
    do throws(JSONFault) {
      return try JSONReader.read(text.utf8)
    } catch {
      throw ProviderFault(error.description)
    }
  }
}

extension Secret {
  var text: String { self.withBytes { String(decoding: $0, as: UTF8.self) } }
}

/// An authenticator by which people sign in at a scripted provider, with a time of its own.
struct ProviderStation {
  static let issuer = "https://idp.example.org"
  static let clientID = "sallyport"
  static let nonce = Secret("nonce-1".utf8)

  let time: TestTime
  let key: TokenMint.Key
  let keys: ScriptedKeys
  let provider: ScriptedProvider
  let settings: OpenIDProvider
  let authenticator: Authenticator
  let eventLoop = MultiThreadedEventLoopGroup.singleton.next()

  /// - Parameters:
  ///   - refreshToken: what the provider gives with a code; `nil` for none
  ///   - memory: another station's, for the next generation of its configuration
  init(
    refreshToken: String? = "refresh-1", time: TestTime = TestTime(), memory: AuthenticationMemory = AuthenticationMemory(threads: 1),
    key: TokenMint.Key? = nil, provider: ScriptedProvider? = nil, _ change: (inout OpenIDProvider) -> Void = { _ in }
  ) throws {
    self.time = time
    let key = try key ?? TokenMint.Key()
    self.key = key
    let keys = try ScriptedKeys(.success(KeySet(of: key)))
    self.keys = keys
    let provider =
      provider
      ?? ScriptedProvider(Self.issuer) { grant throws(ProviderFault) in
        .success(Self.answer(key, at: time, refreshToken: refreshToken, withNonce: grant.isCode))
      }
    self.provider = provider
    var settings = OpenIDProvider(
      name: "Example", clientID: Self.clientID, clientAuthentication: nil, signsOut: true,
      rules: TokenRules(
        issuer: Self.issuer, audiences: [Self.clientID], username: .init(claim: ClaimPath("email"), prefix: ""),
        groups: .init(claim: ClaimPath("groups"), prefix: "idp:")), provider: .init())
    change(&settings)
    self.settings = settings
    var configuration = AuthenticatorConfiguration()
    configuration.openIDProviders = [settings]
    configuration.sessions = SessionRules(
      limits: SessionLimits(idle: .seconds(7200), lifetime: .seconds(28_800), perUser: 5, total: 100), refresh: .seconds(300),
      takesPasswords: false, takesCertificates: false)
    self.authenticator = Authenticator(
      configuration: configuration, memory: memory, clock: time.clock,
      parties: RelyingParties(
        configuration: configuration, memory: memory, clock: time.clock, makeFetcher: { _ in keys }, makeClient: { _ in provider }))
  }

  /// An ordinary answer of the token endpoint, with other claims in its id_token.
  static func answer(
    _ key: TokenMint.Key, at time: TestTime, refreshToken: String?, withNonce: Bool = true, _ claims: [String: String] = [:],
    header: [String: String] = [:], members: [String: String] = [:]
  ) -> String {
    let mint = TokenMint(issuer: Self.issuer, audience: Self.clientID, now: Int(time.wall.timeIntervalSince1970))
    var all = ["sid": #""sid-1""#]
    if withNonce { all["nonce"] = #""nonce-1""# }
    let token = (try? mint.token(key, all.merging(claims) { $1 }, header: header)) ?? ""
    var answer = ["access_token": #""access-1""#, "token_type": #""Bearer""#, "expires_in": "300", "id_token": "\"\(token)\""]
    answer["refresh_token"] = refreshToken.map { "\"\($0)\"" } ?? ""
    return "{" + answer.merging(members) { $1 }.filter { !$0.value.isEmpty }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",")
      + "}"
  }

  static func code(_ state: String = UUID().uuidString, nonce: Secret = Self.nonce) -> AuthorizationCode {
    AuthorizationCode(
      code: Secret("code-1".utf8), state: Secret(state.utf8), nonce: nonce, verifier: Secret("verifier".utf8),
      redirectURI: "https://gateway.example.org/.sallyport/callback")
  }

  func signIn(_ code: AuthorizationCode = Self.code()) async throws -> SignInOutcome {
    try await self.authenticator.signIn(by: self.settings, code, from: .home, replacing: [], on: self.eventLoop).value
  }

  struct NotSignedIn: Error {
    let outcome: String
  }

  func signedIn() async throws -> (cookie: Secret, identity: Identity) {
    let outcome = try await self.signIn()
    guard case .signedIn(let cookie, let identity, _) = outcome else { throw NotSignedIn(outcome: "\(outcome)") }
    return (cookie, identity)
  }

  func ask(_ cookie: Secret) -> Answer<AuthenticationOutcome> {
    self.authenticator.authenticate(
      authorization: [], sessions: [cookie], certificate: nil, from: .home, accepting: .session, eventLoop: self.eventLoop)
  }

  func outcome(_ cookie: Secret) async throws -> AuthenticationOutcome { try await self.ask(cookie).value }
}

extension OpenIDGrant {
  var isCode: Bool { if case .code = self { true } else { false } }
  var refreshToken: String? { if case .refresh(let token) = self { token.text } else { nil } }
}
