public import NIOCore
public import SallyportCore

/// Says who sends a request: the second station.
///
/// A credential that is presented is never overlooked:
///
/// | client certificate | `Authorization` | answer |
/// |---|---|---|
/// | none | none | nothing presented |
/// | good | none | the certificate's identity |
/// | none | good | the identity of the password's store or of the token |
/// | good | good, same user | the certificate's identity |
/// | good | good, another user | refused |
/// | bad | anything | refused |
/// | anything | bad, repeated, or of a scheme that the route does not accept | refused |
///
/// **Why both must be good and agree.** kube-apiserver lets a good certificate win and does not look at the token beside
/// it, even at garbage. Whoever types a name and a password then acts as somebody else without being told, with a
/// certificate that a browser or a kubeconfig presented by itself, and a log shows a user whom nobody meant. Letting the
/// password win is no better: it would be the weaker proof. Refusing what can be read in two ways costs nobody who means
/// one user. Where both agree the certificate's identity is taken, the stronger proof, whose groups and end somebody
/// signed.
///
/// On a route that does not accept certificates, one that the connection happens to present is no credential at all: the
/// listener asks everybody, and a browser sends what it has. An `Authorization` field, in contrast, was put into this
/// very request, and is refused where the route takes none.
///
/// **Sessions.** The cookie of a session comes last in this order: certificate, `Authorization`, session. A browser sends it
/// by itself, so that on a route that does not accept sessions it is no credential at all; on one that does it is never
/// overlooked:
///
/// | certificate, `Authorization` | session | answer |
/// |---|---|---|
/// | nothing presented | good | the identity that the session stands for |
/// | good | good, same user | the identity of the former: what was presented itself is the stronger proof |
/// | good | good, another user | refused |
/// | anything | bad, ended or repeated | refused |
/// | bad | anything | refused |
///
/// An authenticator belongs to one configuration generation. What is worth keeping from one to the next is in the
/// ``AuthenticationMemory`` that it is given.
public final class Authenticator: Sendable {
  let certificates: CertificateAuthenticator
  let passwords: PasswordAuthenticator
  let tokens: TokenAuthenticator
  /// `nil`: nobody signs in with a browser.
  let sessions: SessionAuthenticator?
  let parties: RelyingParties
  let providerMemory: ProviderMemory
  private let passwordChallenges: [String]
  private let realm: String
  let clock: AuthenticationClock

  /// - Parameters:
  ///   - memory: caches, counts and threads; the same object for all generations of a process
  ///   - clock: the time, for validity, caches and lockouts
  public convenience init(configuration: AuthenticatorConfiguration, memory: AuthenticationMemory, clock: AuthenticationClock = .system) {
    self.init(
      configuration: configuration, memory: memory, clock: clock,
      parties: RelyingParties(configuration: configuration, memory: memory, clock: clock))
  }

  init(
    configuration: AuthenticatorConfiguration, memory: AuthenticationMemory, clock: AuthenticationClock, parties: RelyingParties
  ) {
    self.certificates = CertificateAuthenticator(
      reader: CertificateReader(
        names: NameRules(allowSystemNames: configuration.allowSystemNames), rules: configuration.certificates),
      revocation: configuration.revocation)
    self.passwords = PasswordAuthenticator(configuration: configuration, memory: memory, clock: clock)
    self.tokens = TokenAuthenticator(configuration: configuration, memory: memory, clock: clock)
    self.parties = parties
    self.providerMemory = memory.providers
    let (certificates, passwords) = (self.certificates, self.passwords)
    self.sessions = configuration.sessions.map {
      SessionAuthenticator(
        rules: $0, shared: configuration.sharedSessions, memory: memory, certificates: certificates, passwords: passwords,
        parties: parties, clock: clock)
    }
    self.realm = Self.quoted(configuration.realm)
    self.passwordChallenges = [#"Basic realm=\#(self.realm), charset="UTF-8""#]
    self.clock = clock
  }

  /// Begins to fetch the keys of token issuers. Without it they are fetched when the first token comes.
  public func begin() {
    self.tokens.begin()
    self.parties.begin()
  }

  /// Says who sends a request. It answers at once, on the event loop that calls, unless a password must be hashed or
  /// an issuer's keys must be fetched.
  ///
  /// - Parameters:
  ///   - request: its `Authorization` fields are looked at, and nothing else
  ///   - accepting: what the route accepts
  ///   - memory: what the connection remembers, where it remembers anything
  ///   - eventLoop: where a later answer arrives; its future never fails
  public func authenticate(
    _ request: StrippedRequest, on connection: ConnectionFacts, accepting: AcceptedMethods, memory: ConnectionMemory? = nil,
    eventLoop: any EventLoop
  ) -> Answer<AuthenticationOutcome> {
    self.authenticate(
      authorization: request.authorization, sessions: request.ownCookies?.sessions ?? [], certificate: connection.clientCertificate,
      from: request.origin?.client ?? connection.clientAddress,
      accepting: accepting, memory: memory, eventLoop: eventLoop)
  }

  /// Says whom a token stands for that came elsewhere than in an `Authorization` field, as if it were a Bearer token.
  ///
  /// - Parameter eventLoop: where a later answer arrives; its future never fails
  public func authenticate(token: Secret, eventLoop: any EventLoop) -> Answer<AuthenticationOutcome> {
    self.tokens.authenticate(Secret(Array("Bearer ".utf8) + token.withBytes { Array($0) }), on: eventLoop)
  }

  /// The values for `WWW-Authenticate` in a 401 (RFC 9110 section 11.6.1, RFC 7617 section 2). Empty where only
  /// certificates are accepted: no registered scheme stands for them.
  public func challenges(for accepted: AcceptedMethods) -> [String] {
    (accepted.contains(.password) ? self.passwordChallenges : []) + (accepted.contains(.token) ? ["Bearer realm=\(self.realm)"] : [])
  }

  /// The values for `WWW-Authenticate` in the answer to a problem: with the error codes of RFC 6750 section 3.1 where a
  /// token was presented, and no more of what was wrong with it.
  ///
  /// - Parameter requirement: what the route asks for, whose scopes are named where they are missing
  public func challenges(
    for accepted: AcceptedMethods, answering problem: Problem, requirement: IdentityRequirement? = nil
  ) -> [String] {
    switch problem {
    case AuthenticationProblem.tokenRefused:
      return self.challenges(for: accepted.subtracting(.token)) + [#"Bearer realm=\#(self.realm), error="invalid_token""#]
    case AuthenticationProblem.insufficientScope:
      guard accepted.contains(.token) else { return [] }
      let scopes = requirement?.scopes ?? []
      let scope = scopes.isEmpty ? "" : ", scope=\(Self.quoted(scopes.joined(separator: " ")))"
      return [#"Bearer realm=\#(self.realm), error="insufficient_scope"\#(scope)"#]
    default:
      return problem.status == 401 ? self.challenges(for: accepted) : []
    }
  }

  func authenticate(
    authorization: [Secret], sessions presented: [Secret] = [], certificate: VerifiedCertificate?, from address: ClientAddress,
    accepting: AcceptedMethods, memory: ConnectionMemory? = nil, eventLoop: any EventLoop
  ) -> Answer<AuthenticationOutcome> {
    let direct = self.authenticate(
      authorization: authorization, certificate: certificate, from: address, accepting: accepting, memory: memory, on: eventLoop)
    guard accepting.contains(.session), !presented.isEmpty, let sessions = self.sessions else { return direct }
    return direct.flatMap { outcome in
      switch outcome {
      case .refused: return .now(outcome)
      case .nothingPresented: return sessions.authenticate(presented, certificate: certificate, on: eventLoop)
      case .identified(let identity):
        return sessions.authenticate(presented, certificate: certificate, on: eventLoop).map { Self.joined(identity, $0) }
      }
    }
  }

  private func authenticate(
    authorization: [Secret], certificate: VerifiedCertificate?, from address: ClientAddress, accepting: AcceptedMethods,
    memory: ConnectionMemory?, on eventLoop: any EventLoop
  ) -> Answer<AuthenticationOutcome> {
    var certified: Identity?
    if accepting.contains(.clientCertificate), let certificate {
      switch self.certificates.authenticate(certificate, at: self.clock.wall()) {
      case .success(let identity): certified = identity
      case .failure(let problem): return .now(.refused(problem))
      }
    }
    guard let field = authorization.first else { return .now(certified.map { .identified($0) } ?? .nothingPresented) }
    guard authorization.count == 1 else { return .now(.refused(Self.refusal("the Authorization header is repeated"))) }
    let answer: Answer<AuthenticationOutcome>
    if accepting.contains(.token), field.withBytes({ AuthorizationField(reading: $0).isBearer }) {
      answer = self.tokens.authenticate(field, memory: memory, on: eventLoop)
    } else if accepting.contains(.password) {
      answer = self.passwords.authenticate(field, from: address, memory: memory, on: eventLoop)
    } else {
      return .now(.refused(Self.refusal("the route accepts no Authorization header of this scheme")))
    }
    guard let certified else { return answer }
    switch answer {
    case .now(let outcome): return .now(Self.joined(certified, outcome))
    case .later(let future): return .later(future.map { Self.joined(certified, $0) })
    }
  }

  /// The answer to a request with a good credential, given what a weaker one says.
  private static func joined(_ certified: Identity, _ outcome: AuthenticationOutcome) -> AuthenticationOutcome {
    guard case .identified(let identity) = outcome else { return outcome }
    // By bytes, as upstreams compare them: Swift's `==` sees through Unicode normalisation.
    guard identity.username.utf8.elementsEqual(certified.username.utf8) else {
      return .refused(
        AuthenticationProblem.credentialsDisagree.with(
          detail: "\(certified.method.rawValue) of \(certified.username), \(identity.method.rawValue) of \(identity.username)"))
    }
    return .identified(certified)
  }

  private static func refusal(_ detail: String) -> Problem { AuthenticationProblem.credentialsRefused.with(detail: detail) }

  /// A quoted-string (RFC 9110 section 5.6.4); what could not stand in one becomes a question mark.
  private static func quoted(_ text: String) -> String {
    let escaped = text.unicodeScalars.map { scalar in
      switch scalar {
      case "\"", "\\": "\\\(scalar)"
      case " "..."~": String(scalar)
      default: "?"
      }
    }
    return "\"\(escaped.joined())\""
  }
}
