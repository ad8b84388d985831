import NIOCore
import SallyportCore
import SallyportJOSE
import SallyportJSON

import struct Foundation.Date

/// Says who presents a Bearer token (RFC 6750): one that an issuer has signed (RFC 7519), or one that somebody is asked about.
///
/// The way of a token, where every step may end it:
/// 1. it was verified a moment ago: identified, at the cost of one MAC and one look-up, or of one comparison where the same
///    connection presented it last;
/// 2. it was refused a moment ago: refused;
/// 3. it is no signed token in the one form that is read, or names no issuer that is known here: those are asked who know
///    other tokens (``TokenJudge``), and without them it is refused;
/// 4. the issuer does not sign by its algorithm or make tokens of its type: refused;
/// 5. no key of that issuer has its name: the keys are fetched, if it is time, and it is judged again with what came;
/// 6. its signature is none of the key's, or its claims are not as they must be: refused.
///
/// A signature is verified on the event loop that asks: with the algorithms that issuers use it takes less than handing it
/// to a thread and back.
final class TokenAuthenticator: Sendable {
  struct Issuer {
    let rules: TokenRules
    let keys: any IssuerKeys
    /// What its identities were judged by: the rules, and the names that may be.
    let verifier: [UInt8]
    /// What its identities are known by.
    var method = AuthenticationMethod.jwt
  }

  /// How many keys a token that names none is tried by.
  static let mostTries = 16

  let issuers: [Issuer]
  /// The gateway's own issuer.
  let own: Issuer?
  let judges: [any TokenJudge]
  private let identities: TokenIdentities
  private let keys: CredentialKeyMaker
  /// What every judgement depends on beside the token and the issuers' keys.
  private let generation: [UInt8]
  let memory: TokenMemory
  let clock: AuthenticationClock
  private let lifetime: TimeAmount
  private let negativeLifetime: TimeAmount

  /// - Parameters:
  ///   - makeFetcher: gets an issuer's keys; over the network unless a test has its own way
  ///   - makeIntrospector: asks an endpoint about tokens, likewise
  init(
    configuration: AuthenticatorConfiguration, memory: AuthenticationMemory, clock: AuthenticationClock,
    makeFetcher: (TokenIssuer) -> any KeySetFetcher = TokenAuthenticator.providerFetcher,
    makeIntrospector: (IntrospectionEndpoint) -> any TokenIntrospector = TokenAuthenticator.introspectionClient
  ) {
    let signers = configuration.tokenEndpoints.compactMap { endpoint in
      if case .introspection(let endpoint) = endpoint { endpoint.signer } else { nil }
    }
    // Of an issuer that signs tokens and answers about tokens the keys are fetched once.
    var sources = memory.tokens.sources(for: configuration.tokens + signers) { issuer in
      KeySetSource(issuer: issuer.rules.issuer, fetcher: makeFetcher(issuer), clock: clock.monotonic, news: configuration.issuerNews)
    }
    self.issuers = zip(configuration.tokens, sources).map { issuer, source in
      Issuer(rules: issuer.rules.keeping(configuration.keptClaims), keys: source, verifier: Self.verifier(of: issuer.rules, configuration))
    }
    self.own = configuration.ownIssuer.map { issuer in
      Issuer(
        rules: issuer.rules.keeping(configuration.keptClaims), keys: OwnKeys(issuer, clock: clock),
        verifier: Self.verifier(of: issuer.rules, configuration),
        method: .issuedToken)
    }
    self.judges = configuration.tokenEndpoints.map { endpoint -> any TokenJudge in
      switch endpoint {
      case .introspection(let endpoint):
        Introspection(
          endpoint.keeping(configuration.keptClaims), introspector: makeIntrospector(endpoint),
          keys: endpoint.signer == nil ? nil : sources.remove(at: configuration.tokens.count),
          allowSystemNames: configuration.allowSystemNames)
      case .tokenReview(let source): TokenReview(source.keeping(configuration.keptClaims), allowSystemNames: configuration.allowSystemNames)
      }
    }
    self.identities = TokenIdentities(names: NameRules(allowSystemNames: configuration.allowSystemNames))
    self.generation = Self.generation(
      of: configuration.tokens, verifiers: self.issuers.map(\.verifier), judges: self.judges.map(\.verifier),
      own: (self.own.map { [$0.verifier] } ?? []) + (configuration.ownIssuer?.keyIDs.map { Array($0.utf8) } ?? []),
      keptClaims: configuration.keptClaims)
    self.keys = CredentialKeyMaker(processKey: memory.processKey, generation: self.generation)
    self.memory = memory.tokens
    self.clock = clock
    self.lifetime = TimeAmount(configuration.cache.lifetime)
    self.negativeLifetime = TimeAmount(configuration.cache.negativeLifetime)
  }

  /// A digest of everything that a judgement depends on: a generation with other rules or other providers believes nothing of
  /// what this one believes.
  private static func generation(
    of issuers: [TokenIssuer], verifiers: [[UInt8]], judges: [[UInt8]], own: [[UInt8]], keptClaims: [String]
  ) -> [UInt8] {
    var digest = PartsDigest()
    // A password's judgements have another scope, whatever they depend on.
    digest.add(["token"])
    digest.add(verifiers)
    digest.add(judges)
    digest.add(own)
    // No judgement depends on them, but what a remembered identity can tell.
    digest.add(keptClaims)
    for provider in issuers.map(\.provider) {
      digest.add(provider.discoveryURL.map { [$0] } ?? [])
      digest.add(provider.certificateAuthority.map { [$0] } ?? [])
      digest.add([provider.insecurePlaintext ? "plaintext" : "TLS"])
    }
    return digest.finalize()
  }

  private static func verifier(of rules: TokenRules, _ configuration: AuthenticatorConfiguration) -> [UInt8] {
    var verifier = PartsDigest()
    verifier.add([rules.fingerprint])
    verifier.add(configuration.allowSystemNames.sorted())
    return verifier.finalize()
  }

  /// What the identities of an issuer are judged by; `nil` for one that nothing is taken from.
  func verifier(ofIssuer issuer: String) -> [UInt8]? {
    self.issuers.first { $0.rules.issuer.utf8.elementsEqual(issuer.utf8) }?.verifier
  }

  /// A provider whose authorities cannot be read is never asked: they were read when the configuration was.
  static func providerFetcher(_ issuer: TokenIssuer) -> any KeySetFetcher {
    do throws(ProviderFault) {
      return try ProviderFetcher(issuer: issuer.rules.issuer, provider: issuer.provider)
    } catch {
      return BrokenFetcher(fault: error)
    }
  }

  static func introspectionClient(_ endpoint: IntrospectionEndpoint) -> any TokenIntrospector {
    do throws(ProviderFault) {
      return try IntrospectionClient(endpoint)
    } catch {
      return BrokenFetcher(fault: error)
    }
  }

  private struct BrokenFetcher: KeySetFetcher, TokenIntrospector {
    let fault: ProviderFault
    func answer(about token: Secret) async throws(ProviderFault) -> IntrospectionAnswer { throw self.fault }
    func fetch() async throws(ProviderFault) -> KeySet { throw self.fault }
  }

  /// Begins to fetch the issuers' keys.
  func begin() {
    for issuer in self.issuers { issuer.keys.start() }
    for judge in self.judges { judge.begin() }
  }

  /// Says who presents the token of an `Authorization` field of the scheme `Bearer`.
  ///
  /// - Parameter connection: what the connection remembers, where it remembers anything
  func authenticate(
    _ value: Secret, memory connection: ConnectionMemory? = nil, on eventLoop: any EventLoop
  ) -> Answer<AuthenticationOutcome> {
    let now = self.clock.monotonic()
    if let last = connection?.authentication {
      if last.holds(for: value, scope: self.generation, at: now) { return .now(.identified(last.identity)) }
      // Whatever comes of this one, the other is wiped.
      connection?.authentication = nil
    }
    return value.withBytes { bytes in
      let token = UnsafeRawBufferPointer(rebasing: bytes[AuthorizationField(reading: bytes).token])
      // Before the MAC, so that its cost is bounded.
      guard !token.isEmpty, token.count <= SignedToken.mostBytes else {
        return .now(.refused(Self.refusal(token.isEmpty ? "there is no token behind Bearer" : "the token is too long")))
      }
      let key = self.keys.key(for: token)
      if let (identity, ends) = self.memory.verified.entry(for: key, at: now) {
        connection?.authentication = RememberedAuthentication(value, stoodFor: identity, until: ends, scope: self.generation)
        return .now(.identified(identity))
      }
      if let problem = self.memory.refused.value(for: key, at: now) { return .now(.refused(problem)) }
      let fault: String
      do throws(SignedToken.Fault) {
        let signed = try SignedToken(token)
        if let issuer = self.issuer(named: signed.claims) { return self.look(at: signed, of: issuer, key, at: now, on: eventLoop) }
        fault = "iss names no configured issuer"
      } catch {
        fault = error.description
        if self.claimsToBeOfAnIssuer(token) { return .now(self.refuse(fault, key, at: now)) }
      }
      guard !self.judges.isEmpty else { return .now(self.refuse(fault, key, at: now)) }
      return self.ask(about: token, key, at: now, on: eventLoop)
    }
  }

  private func remembered(_ key: CredentialKey, at now: NIODeadline) -> AuthenticationOutcome? {
    if let identity = self.memory.verified.value(for: key, at: now) { return .identified(identity) }
    return self.memory.refused.value(for: key, at: now).map { .refused($0) }
  }

  private func issuer(named claims: [String: JSONValue]) -> Issuer? {
    guard let named = claims["iss"]?.string else { return nil }
    if let own, own.rules.issuer.utf8.elementsEqual(named.utf8) { return own }
    return self.issuers.first { $0.rules.issuer.utf8.elementsEqual(named.utf8) }
  }

  /// Whether a token that cannot be verified is nobody's to judge but an issuer's, and so refused: one without a signature, by
  /// an algorithm that is not accepted, with an extension. Somebody else who is asked might be laxer.
  private func claimsToBeOfAnIssuer(_ token: UnsafeRawBufferPointer) -> Bool {
    guard !self.issuers.isEmpty || self.own != nil else { return false }
    guard let claims = SignedToken.statedClaims(token) else { return SignedToken.hasShape(token) }
    return self.issuer(named: claims) != nil
  }

  private func look(
    at token: SignedToken, of issuer: Issuer, _ key: CredentialKey, at now: NIODeadline, on eventLoop: any EventLoop
  ) -> Answer<AuthenticationOutcome> {
    let judgement = self.judge(token, of: issuer, key, at: now)
    if case .settled(let outcome) = judgement { return .now(outcome) }
    guard let fetched = issuer.keys.fetchForUnknownKey(on: eventLoop) else {
      return .now(self.refusal(judgement, of: issuer, key, at: now))
    }
    return .later(
      fetched.map { _ in
        // Whoever waited for the same token may have judged it already.
        let now = self.clock.monotonic()
        return self.remembered(key, at: now) ?? self.refusal(self.judge(token, of: issuer, key, at: now), of: issuer, key, at: now)
      })
  }

  /// What is to be said of a token. All but the first may be otherwise with keys that are newer.
  private enum Judgement {
    case settled(AuthenticationOutcome)
    /// The issuer's keys are not known, or none of them has the token's `kid`.
    case noKey
    /// None of the keys that it may be of has made its signature: the provider may have another under the same name, or
    /// gives its keys no names.
    case noSignature
  }

  private func judge(_ token: SignedToken, of issuer: Issuer, _ key: CredentialKey, at now: NIODeadline) -> Judgement {
    guard issuer.rules.algorithms.contains(token.algorithm) else {
      return .settled(self.refuse("alg is none of the issuer's", key, at: now))
    }
    // Tokens of other kinds (RFC 8725 section 3.11), as logout tokens and security events, say so by their types.
    guard [nil, "jwt", "at+jwt"].contains(token.type) else {
      return .settled(self.refuse("typ is neither JWT nor at+jwt", key, at: now))
    }
    guard let keys = issuer.keys.keys else { return .noKey }
    if let keyID = token.keyID, !keys.knows(keyID) { return .noKey }
    let candidates = keys.candidates(for: token.keyID, token.algorithm)
    guard candidates.count <= Self.mostTries else {
      return .settled(self.refuse("the token names none of too many keys", key, at: now))
    }
    guard candidates.contains(where: { token.isSigned(by: $0) }) else { return .noSignature }
    let wall = self.clock.wall()
    do throws(TokenRefusal) {
      let facts = try ClaimsReader(token.claims, rules: issuer.rules, at: wall).read()
      let identity = try self.identities.identity(of: facts, from: issuer.rules.issuer, by: issuer.method, verifier: issuer.verifier)
      self.remember(identity, key, at: now, wall)
      return .settled(.identified(identity))
    } catch {
      return .settled(self.refuse(error.description, key, at: now))
    }
  }

  /// The outcome, where no newer keys are to be had. That a key is missing is not remembered: it may come at any moment.
  private func refusal(_ judgement: Judgement, of issuer: Issuer, _ key: CredentialKey, at now: NIODeadline) -> AuthenticationOutcome {
    switch judgement {
    case .settled(let outcome): return outcome
    case .noSignature: return self.refuse("the signature is none of the issuer's keys'", key, at: now)
    case .noKey:
      guard issuer.keys.keys != nil else {
        return .refused(
          AuthenticationProblem.identityProviderUnavailable.with(detail: "the keys of \(issuer.rules.issuer) are not known yet"))
      }
      return .refused(Self.refusal("kid names no key of the issuer"))
    }
  }

  func remember(_ identity: Identity, _ key: CredentialKey, at now: NIODeadline, _ wall: Date) {
    let lifetime = Double(self.lifetime.nanoseconds) / 1e9
    let left = identity.expires.map { min(max(0, $0.timeIntervalSince(wall)), lifetime) } ?? lifetime
    self.memory.verified.insert(identity, for: key, until: now + .nanoseconds(Int64(left * 1e9)), at: now)
  }

  func refuse(_ detail: String, _ key: CredentialKey, at now: NIODeadline) -> AuthenticationOutcome {
    let problem = Self.refusal(detail)
    self.memory.refused.insert(problem, for: key, until: now + self.negativeLifetime, at: now)
    return .refused(problem)
  }

  private static func refusal(_ detail: String) -> Problem { AuthenticationProblem.tokenRefused.with(detail: detail) }
}
