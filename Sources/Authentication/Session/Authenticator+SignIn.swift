import Foundation
public import NIOCore
public import SallyportCore
import SallyportSessions

/// What becomes of somebody who signs in with a browser.
public enum SignInOutcome: Sendable {
  /// - Parameters:
  ///   - cookie: the value of the cookie ``OwnCookies/sessionName``; it is known nowhere else
  ///   - identity: whom the session stands for
  ///   - ended: the keys of sessions that the same user had too many
  case signedIn(cookie: Secret, identity: Identity, ended: [[UInt8]])
  /// 401, 429 or 503; nothing was begun.
  case refused(Problem)
}

/// What became of a session behind a stream.
public enum SessionReview: Sendable, Equatable {
  case good
  case ended
  /// It goes on, and the user has other groups or attributes now.
  case identityChanged
}

extension Authenticator {
  /// How people sign in with a browser; `nil`: nobody does.
  public var sessionRules: SessionRules? { self.sessions?.rules }

  /// Signs somebody in by a user name and a password. They are judged by the same stores, the same memory and the same throttle
  /// as those of Basic authentication: there is one count of guesses for both.
  ///
  /// - Parameter presented: the values of the session's cookie that came along; a session there ends with the new one
  public func signIn(
    username: String, password: Secret, from address: ClientAddress, replacing presented: [Secret], on eventLoop: any EventLoop
  ) -> Answer<SignInOutcome> {
    guard let sessions = self.sessions, sessions.rules.takesPasswords else { return .now(.refused(AuthenticationProblem.signInNotServed)) }
    // Basic authentication has no such names (RFC 7617 section 2); who has one could not be told from another with a part of
    // the name as password.
    guard !username.utf8.contains(UInt8(ascii: ":")) else {
      return .now(.refused(AuthenticationProblem.credentialsRefused.with(detail: "the user name has a colon")))
    }
    let pair = password.withBytes { Data(username.utf8) + Data(":".utf8) + Data($0) }
    let field = Secret(Array("Basic ".utf8) + Array(pair.base64EncodedString().utf8))
    return self.passwords.authenticate(field, from: address, on: eventLoop).flatMap { outcome in
      switch outcome {
      case .identified(let identity):
        self.begin(identity, Self.proof(of: identity, self.passwords), from: address, replacing: presented, on: eventLoop)
      case .refused(let problem): .now(.refused(problem))
      case .nothingPresented: .now(.refused(AuthenticationProblem.credentialsRefused))
      }
    }
  }

  /// Signs somebody in by the certificate that the connection shows.
  public func signIn(
    certificate: VerifiedCertificate?, from address: ClientAddress, replacing presented: [Secret], on eventLoop: any EventLoop
  ) -> Answer<SignInOutcome> {
    guard let sessions = self.sessions, sessions.rules.takesCertificates else {
      return .now(.refused(AuthenticationProblem.signInNotServed))
    }
    guard let certificate else { return .now(.refused(AuthenticationProblem.certificateMissing)) }
    switch self.certificates.authenticate(certificate, at: self.clock.wall()) {
    case .failure(let problem): return .now(.refused(problem))
    case .success(let identity):
      return self.begin(
        identity, .certificate(fingerprint: certificate.fingerprint), from: address, until: certificate.notAfter, replacing: presented,
        on: eventLoop)
    }
  }

  /// Whom the session's cookie of a request stands for, whatever else is presented beside it.
  public func session(
    of request: StrippedRequest, on connection: ConnectionFacts, eventLoop: any EventLoop
  ) -> Answer<AuthenticationOutcome> {
    guard let sessions = self.sessions, let presented = request.ownCookies?.sessions, !presented.isEmpty else {
      return .now(.nothingPresented)
    }
    return sessions.authenticate(presented, certificate: connection.clientCertificate, on: eventLoop)
  }

  /// Whom the connection's certificate would sign in; `nil` for nobody.
  public func certificateName(of certificate: VerifiedCertificate?) -> String? {
    guard let certificate, case .success(let identity) = self.certificates.authenticate(certificate, at: self.clock.wall()) else {
      return nil
    }
    return identity.username
  }

  /// Ends the sessions whose cookies were presented, and nothing else. What is no session's is ended already.
  ///
  /// - Returns: the keys of what ended; `nil` where it cannot be ended now
  public func signOut(_ presented: [Secret], on eventLoop: any EventLoop) -> Answer<[[UInt8]]?> {
    guard let sessions = self.sessions else { return .now([]) }
    let keys = sessions.keeper.keys(of: presented)
    return sessions.keeper.end(keys, on: eventLoop).map { isCertain in isCertain ? keys.map(\.bytes) : nil }
  }

  /// Looks at the session by which a stream was admitted; that counts as using it.
  ///
  /// - Parameter certificate: what the stream's connection shows
  public func review(
    _ identity: Identity, certificate: VerifiedCertificate?, on eventLoop: any EventLoop
  ) -> Answer<SessionReview> {
    guard let session = identity.session else { return .now(.good) }
    guard let sessions = self.sessions else { return .now(.ended) }
    return sessions.authenticate(SessionKey(bytes: session.key), certificate: certificate, on: eventLoop).map { outcome in
      switch outcome {
      case .identified(let now): now.isSame(as: identity) ? .good : .identityChanged
      // Who cannot be asked ends nothing: the stream is bounded by its session's end.
      case .refused(let problem): problem.status == 401 ? .ended : .good
      case .nothingPresented: .ended
      }
    }
  }

  func begin(
    _ identity: Identity, _ proof: SignedIn.Proof, from address: ClientAddress, until end: Date? = nil, tags: [String] = [],
    replacing presented: [Secret],
    on eventLoop: any EventLoop
  ) -> Answer<SignInOutcome> {
    guard let sessions = self.sessions else { return .now(.refused(AuthenticationProblem.signInNotServed)) }
    let now = self.clock.wall()
    var limits = sessions.rules.limits
    if case .passwordAlone = proof { limits.lifetime = min(limits.lifetime, SessionRules.longestWithoutRefresh) }
    let contents = SignedIn(identity, proof, looked: now, from: address.ip.isEmpty ? nil : address.ip).bytes
    // What was there before ends, whoever it was: nobody goes on under an ID that somebody else may have chosen.
    let replaced = sessions.keeper.keys(of: presented)
    return sessions.keeper.begin(
      contents, for: identity.username, tags: tags, replacing: replaced, until: end, limits, at: now, on: eventLoop
    ).map { beginning in
      switch beginning {
      case .began(let id, let session, let ended):
        .signedIn(cookie: id.text, identity: session.identity, ended: ended.map(\.bytes))
      case .full: .refused(AuthenticationProblem.tooManySessions)
      case .unavailable(let detail): .refused(AuthenticationProblem.sessionsUnavailable.with(detail: detail))
      }
    }
  }

  private static func proof(of identity: Identity, _ passwords: PasswordAuthenticator) -> SignedIn.Proof {
    if let account = identity.account { return .account(account) }
    if identity.method == .passwordFile { return .passwordFile }
    return .passwordAlone(store: passwords.chain.digest(of: identity.method))
  }
}
