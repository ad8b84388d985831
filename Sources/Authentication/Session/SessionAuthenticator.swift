import NIOCore
import SallyportCore
import SallyportSessions

import struct Foundation.Date

/// Says who presents a session's cookie, and looks again at whom a session stands for.
///
/// A session is not believed for what it was at its beginning, but for what its store says now:
///
/// | signed in by | judged | by |
/// |---|---|---|
/// | certificate | for each request | the connection shows the same certificate, which is still valid and not revoked |
/// | password file | for each request | the user is still in the file, not disabled, with the same hash; groups as the file has them now |
/// | directory, PAM | every ``SessionRules/refresh`` | the store finds the account again; groups as it has them now |
/// | OpenID provider | every ``SessionRules/refresh`` | the provider takes the session's refresh token; groups as it has them now |
///
/// The last two are a question to another machine. Once it is due, requests go on while it is asked in the background; of
/// an answer that is twice as old nobody is let in before there is another.
final class SessionAuthenticator: Sendable {
  let rules: SessionRules
  let keeper: SessionKeeper<OpenSession>
  private let certificates: CertificateAuthenticator
  private let passwords: PasswordAuthenticator
  private let looks: SingleFlight<SessionKey, Look>
  let parties: RelyingParties
  let renewals: SingleFlight<SessionKey, AuthenticationOutcome>
  let providerMemory: ProviderMemory
  let clock: AuthenticationClock

  /// What looking again at somebody found.
  enum Look: Sendable {
    case current(Identity)
    case gone(String)
    case unavailable(String)
  }

  init(
    rules: SessionRules, shared: SharedSessions? = nil, memory: AuthenticationMemory, certificates: CertificateAuthenticator,
    passwords: PasswordAuthenticator, parties: RelyingParties, clock: AuthenticationClock
  ) {
    self.rules = rules
    self.keeper = memory.sessionStores.keeper(of: shared)
    self.looks = memory.sessionLooks
    self.parties = parties
    self.renewals = memory.sessionRenewals
    self.providerMemory = memory.providers
    self.certificates = certificates
    self.passwords = passwords
    self.clock = clock
  }

  // MARK: Requests

  /// Who presents these values of the session's cookie; a browser has one.
  func authenticate(_ presented: [Secret], certificate: VerifiedCertificate?, on eventLoop: any EventLoop) -> Answer<AuthenticationOutcome>
  {
    guard presented.count == 1, let id = SessionID(reading: presented[0]) else {
      return .now(.refused(AuthenticationProblem.sessionOver.with(detail: "the session's cookie is not one that was given out")))
    }
    return self.authenticate(self.keeper.key(of: id), certificate: certificate, on: eventLoop)
  }

  func authenticate(_ key: SessionKey, certificate: VerifiedCertificate?, on eventLoop: any EventLoop) -> Answer<AuthenticationOutcome> {
    self.keeper.find(key, self.rules.limits, at: self.clock.wall(), on: eventLoop).flatMap { finding in
      switch finding {
      case .found(let session): self.judge(session, certificate: certificate, on: eventLoop)
      case .none: .now(.refused(AuthenticationProblem.sessionOver.with(detail: "there is no such session, or it has ended")))
      case .unavailable(let detail): .now(.refused(AuthenticationProblem.sessionsUnavailable.with(detail: detail)))
      }
    }
  }

  private func judge(_ session: OpenSession, certificate: VerifiedCertificate?, on eventLoop: any EventLoop) -> Answer<
    AuthenticationOutcome
  > {
    let now = self.clock.wall()
    let signedIn = session.signedIn
    switch signedIn.proof {
    case .certificate(let fingerprint):
      guard self.rules.takesCertificates else { return self.ended(session, "no certificate begins a session any more", on: eventLoop) }
      // The session goes on where the certificate is shown again: elsewhere the cookie is a stolen one, or the certificate
      // was not chosen yet.
      guard let certificate, certificate.fingerprint == fingerprint else {
        return .now(.refused(AuthenticationProblem.sessionOver.with(detail: "the connection does not show the session's certificate")))
      }
      switch self.certificates.authenticate(certificate, at: now) {
      case .success(let identity): return self.admitted(identity, session, at: now, on: eventLoop)
      // Where revocation lists cannot be asked, the certificate is not known to be bad: nobody gets in, and nothing ends.
      case .failure(let problem) where problem.status != 401: return .now(.refused(problem))
      case .failure(let problem): return self.ended(session, problem.detail, on: eventLoop)
      }
    case .passwordFile:
      guard self.rules.takesPasswords, let user = self.passwords.user(named: signedIn.username), !user.isDisabled,
        user.identity.verifier == signedIn.verifier
      else { return self.ended(session, "the user is gone, disabled, or has another password", on: eventLoop) }
      return self.admitted(user.identity, session, at: now, on: eventLoop)
    case .account(let account):
      guard self.rules.takesPasswords, let store = self.passwords.chain.store(account.store) else {
        return self.ended(session, "the user's store is not asked any more, or by other rules", on: eventLoop)
      }
      return self.judge(session, account, of: store, at: now, on: eventLoop)
    case .passwordAlone(let store):
      guard self.rules.takesPasswords, self.passwords.chain.store(store) != nil else {
        return self.ended(session, "the user's store is not asked any more, or by other rules", on: eventLoop)
      }
      return .now(.identified(session.identity))
    case .provider(let proof):
      guard let party = self.parties.party(verifying: proof.provider) else {
        return self.ended(session, "nobody signs in by the provider any more, or by other rules", on: eventLoop)
      }
      // Who cannot be asked again vouched until the session's end.
      guard proof.refreshToken != nil else { return .now(.identified(session.identity)) }
      return self.judge(session, at: now) { self.renew(session, proof, by: party, on: eventLoop) }
    }
  }

  // MARK: Looking again

  private func judge(
    _ session: OpenSession, _ account: Identity.Account, of store: any PasswordStore, at now: Date, on eventLoop: any EventLoop
  ) -> Answer<AuthenticationOutcome> {
    self.judge(session, at: now) { self.look(session, account, of: store, on: eventLoop) }
  }

  /// By how old the last answer is: a young one counts, behind an older one somebody asks in the background, and beyond that nobody is
  /// let in before there is another.
  private func judge(
    _ session: OpenSession, at now: Date, asking ask: () -> EventLoopFuture<AuthenticationOutcome>
  ) -> Answer<AuthenticationOutcome> {
    let age = now.timeIntervalSince(session.signedIn.looked)
    let refresh = self.rules.refresh / .seconds(1)
    // An answer from the future is of a clock that was set back.
    guard age >= refresh || age < -refresh else { return .now(.identified(session.identity)) }
    if age >= 2 * refresh || age < 0 { return .later(ask()) }
    if session.claimLook(at: self.clock.monotonic()) { _ = ask() }
    return .now(.identified(session.identity))
  }

  /// Asks the store, once for all who wait for it, and keeps what it says.
  private func look(
    _ session: OpenSession, _ account: Identity.Account, of store: any PasswordStore, on eventLoop: any EventLoop
  ) -> EventLoopFuture<AuthenticationOutcome> {
    let key = session.facts.key
    let future: EventLoopFuture<Look>
    switch self.looks.board(key, on: eventLoop) {
    case .joins(let joined): future = joined
    case .leads(let led):
      future = led
      let user = StoredUser(
        username: session.signedIn.username, reference: .init(account: account.name, typedName: account.typedName))
      let isTaken = store.refresh(user) { refreshment in
        switch refreshment {
        case .current(let user):
          switch self.passwords.chain.identity(of: user, in: store) {
          case .success(let identity): self.looks.land(key, with: .current(identity))
          case .failure(let fault): self.looks.land(key, with: .gone(fault.detail))
          }
        case .gone(let detail): self.looks.land(key, with: .gone(detail))
        case .unavailable(let detail): self.looks.land(key, with: .unavailable(detail))
        }
      }
      if !isTaken { self.looks.land(key, with: .unavailable("too much waits for \(store.method.rawValue)")) }
    }
    return future.flatMap { look in
      switch look {
      // The identity that is renewed must be the one that was judged: an answer about somebody else is none about this one.
      case .current(let identity) where !Self.isSameUser(identity, as: session.identity):
        eventLoop.makeSucceededFuture(
          .refused(AuthenticationProblem.passwordStoreUnavailable.with(detail: "the store answers about another user than was asked about"))
        )
      case .current(let identity): self.later(self.renewed(identity, session, on: eventLoop), on: eventLoop)
      case .gone(let detail): self.later(self.ended(session, detail, on: eventLoop), on: eventLoop)
      case .unavailable(let detail):
        eventLoop.makeSucceededFuture(.refused(AuthenticationProblem.passwordStoreUnavailable.with(detail: detail)))
      }
    }
  }

  private func later<Value: Sendable>(_ answer: Answer<Value>, on eventLoop: any EventLoop) -> EventLoopFuture<Value> {
    switch answer {
    case .now(let value): eventLoop.makeSucceededFuture(value)
    case .later(let future): future.hop(to: eventLoop)
    }
  }

  /// Somebody who is still who they were, or with other groups by now.
  private func admitted(
    _ identity: Identity, _ session: OpenSession, at now: Date, on eventLoop: any EventLoop
  ) -> Answer<AuthenticationOutcome> {
    identity.isSame(as: session.identity) ? .now(.identified(session.identity)) : self.renewed(identity, session, on: eventLoop)
  }

  /// Keeps what is known of somebody now, and gives the identity that the session stands for from here on.
  private func renewed(_ identity: Identity, _ session: OpenSession, on eventLoop: any EventLoop) -> Answer<AuthenticationOutcome> {
    guard Self.isSameUser(identity, as: session.identity) else {
      // Under another name they are somebody else: to policies, to the upstream and in the log.
      return self.ended(session, "the user has another name now", on: eventLoop)
    }
    let proof: SignedIn.Proof
    switch session.signedIn.proof {
    case .account: proof = identity.account.map { .account($0) } ?? session.signedIn.proof
    case .certificate, .passwordFile, .passwordAlone, .provider: proof = session.signedIn.proof
    }
    let signedIn = SignedIn(identity, proof, looked: self.clock.wall(), from: session.signedIn.address)
    return self.keeper.replace(session.facts, by: signedIn.bytes, on: eventLoop).flatMap { _ in
      // Whether this or another's newer value is there now: what is found is what counts.
      self.keeper.find(session.facts.key, self.rules.limits, at: self.clock.wall(), on: eventLoop).map { finding in
        switch finding {
        case .found(let renewed) where Self.isSameUser(renewed.identity, as: identity): .identified(renewed.identity)
        case .found: .refused(AuthenticationProblem.sessionsUnavailable.with(detail: "the session was found with another user"))
        case .none: .refused(AuthenticationProblem.sessionOver.with(detail: "the session has ended meanwhile"))
        case .unavailable(let detail): .refused(AuthenticationProblem.sessionsUnavailable.with(detail: detail))
        }
      }
    }
  }

  /// By bytes, as upstreams compare names.
  static func isSameUser(_ identity: Identity, as other: Identity) -> Bool {
    identity.username.utf8.elementsEqual(other.username.utf8)
  }

  func ended(_ session: OpenSession, _ detail: String, on eventLoop: any EventLoop) -> Answer<AuthenticationOutcome> {
    self.keeper.end([session.facts.key], on: eventLoop).map { _ in .refused(AuthenticationProblem.sessionOver.with(detail: detail)) }
  }
}
