import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import SallyportCore
import SallyportJOSE
import SallyportJSON
import TestSupport
import Testing

@testable import SallyportAuthentication

/// A provider's keys without a network.
final class ScriptedKeys: KeySetFetcher {
  private let state: NIOLockedValueBox<(answer: Result<KeySet, ProviderFault>, count: Int)>

  init(_ answer: Result<KeySet, ProviderFault>) { self.state = NIOLockedValueBox((answer, 0)) }

  var count: Int { self.state.withLockedValue { $0.count } }

  func answer(_ answer: Result<KeySet, ProviderFault>) { self.state.withLockedValue { $0.answer = answer } }

  func fetch() async throws(ProviderFault) -> KeySet {
    try self.state.withLockedValue { state in
      state.count += 1
      return state.answer
    }.get()
  }
}

extension KeySet {
  init(of keys: TokenMint.Key...) throws { try self.init(text: TokenMint.keySet(keys.map { try $0.entry() })) }
  init(text: String) throws { try self.init(try JSONReader.read(text.utf8)) }
}

/// An introspection endpoint without a network. An empty answer is one without a body, and what begins as a JWT is one.
final class ScriptedIntrospector: TokenIntrospector {
  private struct State {
    var answer: Result<String, ProviderFault>
    var count = 0
    var waiting: [CheckedContinuation<Void, Never>] = []
    var isHeld = false
  }

  private let state: NIOLockedValueBox<State>

  init(_ answer: String) { self.state = NIOLockedValueBox(State(answer: .success(answer))) }
  init(fault: String) { self.state = NIOLockedValueBox(State(answer: .failure(ProviderFault(fault)))) }

  /// How often it was asked.
  var count: Int { self.state.withLockedValue { $0.count } }

  func answer(_ answer: String) { self.state.withLockedValue { $0.answer = .success(answer) } }

  /// Lets questions wait, or answers all of them.
  func hold(_ isHeld: Bool) {
    let waiting = self.state.withLockedValue { state in
      state.isHeld = isHeld
      defer { if !isHeld { state.waiting = [] } }
      return isHeld ? [] : state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }

  func answer(about token: Secret) async throws(ProviderFault) -> IntrospectionAnswer {
    await withCheckedContinuation { continuation in
      let goesOn = self.state.withLockedValue { state in
        state.count += 1
        if state.isHeld { state.waiting.append(continuation) }
        return !state.isHeld
      }
      if goesOn { continuation.resume() }
    }
    let text = try self.state.withLockedValue { $0.answer }.get()
    if text.isEmpty { return .nothing }
    if text.hasPrefix("eyJ") { return .signed(Secret(text.utf8)) }
    do throws(JSONFault) {
      return .json(try JSONReader.read(text.utf8))
    } catch {
      throw ProviderFault(error.description)
    }
  }
}

/// Authenticates tokens of one issuer, or of several that have the same keys, with a time of its own.
struct TokenStation {
  let time: TestTime
  let memory: AuthenticationMemory
  let keys: ScriptedKeys
  let key: TokenMint.Key
  let mint: TokenMint
  let authenticator: TokenAuthenticator
  let eventLoop = MultiThreadedEventLoopGroup.singleton.next()

  static let rules = TokenRules(
    issuer: "https://idp.example.org", audiences: ["kubernetes", "sallyport"], algorithms: Set(SignatureAlgorithm.allCases),
    username: .init(claim: ClaimPath("sub"), prefix: "idp:"), groups: .init(claim: ClaimPath("groups"), prefix: "idp:"))

  init(
    key: TokenMint.Key? = nil, keys: ScriptedKeys? = nil, cache: AuthenticatorConfiguration.Cache = .init(),
    time: TestTime = TestTime(), memory: AuthenticationMemory = AuthenticationMemory(threads: 1), allowSystemNames: Set<String> = [],
    endpoints: [(IntrospectionEndpoint, ScriptedIntrospector)] = [], withoutIssuers: Bool = false, reviews: [TokenReviewSource] = [],
    _ change: (inout TokenRules) -> Void = { _ in }
  ) throws {
    let key = try key ?? TokenMint.Key()
    var rules = Self.rules
    change(&rules)
    let source = try keys ?? ScriptedKeys(.success(KeySet(of: key)))
    var configuration = AuthenticatorConfiguration(cache: cache)
    configuration.tokens = withoutIssuers ? [] : [TokenIssuer(rules: rules)]
    configuration.tokenEndpoints = endpoints.map { .introspection($0.0) } + reviews.map { .tokenReview($0) }
    configuration.allowSystemNames = allowSystemNames
    self.time = time
    self.memory = memory
    self.key = key
    self.keys = source
    self.mint = TokenMint(issuer: rules.issuer, now: Int(time.wall.timeIntervalSince1970))
    self.authenticator = TokenAuthenticator(
      configuration: configuration, memory: memory, clock: time.clock, makeFetcher: { _ in source },
      makeIntrospector: { endpoint in endpoints.first { $0.0.url == endpoint.url }?.1 ?? ScriptedIntrospector(fault: "nobody") })
  }

  /// What becomes of a token, its keys fetched.
  func outcome(_ token: String) async throws -> AuthenticationOutcome {
    try await self.authenticator.authenticate(Secret("Bearer \(token)"), on: self.eventLoop).value
  }

  func now(_ token: String, memory: ConnectionMemory? = nil) -> AuthenticationOutcome? {
    self.authenticator.authenticate(Secret("Bearer \(token)"), memory: memory, on: self.eventLoop).outcomeNow
  }

  /// The outcome of an ordinary token with other claims or another header.
  func outcome(_ claims: [String: String] = [:], header: [String: String] = [:]) async throws -> AuthenticationOutcome {
    try await self.outcome(self.mint.token(self.key, claims, header: header))
  }
}
