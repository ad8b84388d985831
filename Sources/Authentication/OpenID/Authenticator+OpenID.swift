import NIOConcurrencyHelpers
public import NIOCore
public import SallyportCore
import SallyportJOSE
import SallyportJSON
import SallyportSessions

import struct Foundation.Date

/// Where a browser is led to be signed out at its provider, too.
public struct ProviderLogout: Sendable {
  public let provider: OpenIDProvider
  /// `end_session_endpoint`.
  public let endpoint: String
  /// `id_token_hint`: the provider's own last word about the user, which it knows whom to sign out by; `nil` where it is not kept.
  public let idToken: Secret?
  public let subject: String
}

/// What becomes of a provider's message that somebody has signed out there.
public enum ProviderLogoutOutcome: Sendable {
  /// - Parameter ended: the keys of what ended, which may be nothing
  case ended(issuer: String, [[UInt8]])
  /// Nothing has ended. 400, as the standard asks for.
  case refused(Problem)
}

extension Authenticator {
  /// The providers that people sign in by, in the order of the configuration.
  public var openIDProviders: [OpenIDProvider] { self.parties.all.map(\.settings) }

  /// Where a provider's pages are.
  public func metadata(of provider: OpenIDProvider, on eventLoop: any EventLoop) -> Answer<Result<ProviderMetadata, Problem>> {
    guard let party = self.parties.party(ofIssuer: provider.issuer) else {
      return .now(.failure(AuthenticationProblem.signInNotServed))
    }
    return party.metadata.metadata(on: eventLoop).map { result in result.mapError { party.unavailable($0.description) } }
  }

  /// Signs somebody in whom a provider has sent back with a code.
  ///
  /// - Parameter presented: the values of the session's cookie that came along; a session there ends with the new one
  public func signIn(
    by provider: OpenIDProvider, _ code: AuthorizationCode, from address: ClientAddress, replacing presented: [Secret],
    on eventLoop: any EventLoop
  ) -> Answer<SignInOutcome> {
    guard self.sessions != nil, let party = self.parties.party(ofIssuer: provider.issuer) else {
      return .now(.refused(AuthenticationProblem.signInNotServed))
    }
    // A sign-in counts once, whatever comes of it. (A code does so at the provider, with the sign-in's own verifier.)
    let word = "state/\(code.state.withBytes { String(decoding: $0, as: UTF8.self) })"
    guard self.providerMemory.spend(word, for: .minutes(15), at: self.clock.monotonic()) else {
      return .now(.refused(AuthenticationProblem.providerRefused.with(detail: "the sign-in was finished before")))
    }
    guard self.providerMemory.beginExchange() else {
      return .now(.refused(party.unavailable("too many codes are being exchanged")))
    }
    let promise = eventLoop.makePromise(of: Result<RelyingParty.Vouched, Problem>.self)
    Task {
      let result: Result<RelyingParty.Vouched, Problem>
      if let metadata = await party.knownOrFetched(on: eventLoop) {
        result = await party.redeem(code, metadata)
      } else {
        result = .failure(party.unavailable("its metadata cannot be fetched"))
      }
      self.providerMemory.endExchange()
      promise.succeed(result)
    }
    return Answer<Result<RelyingParty.Vouched, Problem>>.later(promise.futureResult).flatMap { result in
      switch result {
      case .failure(let problem): .now(.refused(problem))
      case .success(let vouched):
        self.begin(
          vouched.identity, .provider(vouched.proof), from: address, until: self.end(of: vouched), tags: vouched.tags, replacing: presented,
          on: eventLoop)
      }
    }
  }

  /// A provider that cannot be asked again has vouched until its id_token ends, and for an hour at the most.
  private func end(of vouched: RelyingParty.Vouched) -> Date? {
    guard vouched.proof.refreshToken == nil else { return nil }
    let latest = self.clock.wall().addingTimeInterval(SessionRules.longestWithoutRefresh / .seconds(1))
    return min(latest, vouched.ends ?? latest)
  }

  /// Where the browser is to be led once its session has ended here; `nil` where there is no such place, or the session's provider
  /// is not to be told.
  ///
  /// - Parameter presented: the values of the session's cookie, before it ends
  public func providerLogout(of presented: [Secret], on eventLoop: any EventLoop) -> Answer<ProviderLogout?> {
    guard let sessions = self.sessions, presented.count == 1, let id = SessionID(reading: presented[0]) else { return .now(nil) }
    return sessions.keeper.find(sessions.keeper.key(of: id), sessions.rules.limits, at: self.clock.wall(), on: eventLoop).map { finding in
      // Nobody waits for a provider to be signed out here.
      guard case .found(let session) = finding, case .provider(let proof) = session.signedIn.proof,
        let party = self.parties.party(verifying: proof.provider), party.settings.signsOut,
        let endpoint = party.metadata.known?.endSessionEndpoint
      else { return nil }
      return ProviderLogout(provider: party.settings, endpoint: endpoint, idToken: proof.idToken?.value, subject: proof.subject)
    }
  }

  /// Ends the sessions of somebody who has signed out at a provider, as its logout token says (OpenID Connect Back-Channel Logout 1.0).
  public func signOut(by logoutToken: Secret, on eventLoop: any EventLoop) -> Answer<ProviderLogoutOutcome> {
    guard let sessions = self.sessions else { return .now(.refused(AuthenticationProblem.signInNotServed)) }
    guard logoutToken.count <= SignedToken.mostBytes,
      let issuer = logoutToken.withBytes({ SignedToken.statedClaims(Array($0))?["iss"]?.string }),
      let party = self.parties.party(ofIssuer: issuer)
    else { return .now(.refused(AuthenticationProblem.logoutRefused.with(detail: "iss names no provider"))) }
    let promise = eventLoop.makePromise(of: Result<LogoutToken, TokenDoubt>.self)
    Task {
      do throws(TokenDoubt) {
        promise.succeed(.success(try await party.read(logoutToken: logoutToken)))
      } catch {
        promise.succeed(.failure(error))
      }
    }
    return Answer<Result<LogoutToken, TokenDoubt>>.later(promise.futureResult).flatMap { result in
      let token: LogoutToken
      switch result {
      case .success(let read): token = read
      case .failure(let doubt): return .now(.refused(AuthenticationProblem.logoutRefused.with(detail: "\(issuer): \(doubt.detail)")))
      }
      let word = "jti/\(issuer.utf8.count)/\(issuer)/\(token.tokenID)"
      guard self.providerMemory.spend(word, for: .seconds(Int64(LogoutToken.oldest) + 60), at: self.clock.monotonic()) else {
        return .now(.refused(AuthenticationProblem.logoutRefused.with(detail: "\(issuer): the token came before (jti)")))
      }
      // The session, where it is named: another browser of the same user stays signed in.
      let tag = token.sessionID.map { ProviderTag.session($0, of: issuer) } ?? ProviderTag.subject(token.subject ?? "", of: issuer)
      return sessions.keeper.endAll(tagged: tag, on: eventLoop).map { ended in
        guard let ended else {
          // The provider may try again.
          self.providerMemory.unspend(word, at: self.clock.monotonic())
          return .refused(AuthenticationProblem.logoutRefused.with(detail: "\(issuer): where sessions are kept cannot be asked"))
        }
        return .ended(issuer: issuer, ended.map(\.bytes))
      }
    }
  }
}
