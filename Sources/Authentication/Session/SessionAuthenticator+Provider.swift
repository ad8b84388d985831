import NIOCore
import SallyportCore
import SallyportSessions

import struct Foundation.Date

/// Sessions that an OpenID provider vouches for: asking it again by the session's refresh token.
///
/// Such a token is often good for one question alone, and a provider that sees one twice ends everything that came of it. So that
/// one asks alone: of this process by a ``SingleFlight``, of several gateways by a mark in the session itself, which one of them
/// sets first. The others take what it brings.
extension SessionAuthenticator {
  /// Whoever set the mark and is not back by then never will be. Longer than all questions to a provider take together.
  static let longestRenewal = 45.0
  /// How often and how long somebody who waits for another gateway's answer looks for it.
  private static let patience = (pause: Duration.milliseconds(250), looks: 24)

  /// Asks the provider, once for all who wait for it, and keeps what it says.
  func renew(
    _ session: OpenSession, _ proof: ProviderProof, by party: RelyingParty, on eventLoop: any EventLoop
  ) -> EventLoopFuture<AuthenticationOutcome> {
    let key = session.facts.key
    guard !self.providerMemory.isPausing(key, at: self.clock.monotonic()) else {
      return eventLoop.makeSucceededFuture(.refused(party.unavailable("it was asked in vain a moment ago")))
    }
    switch self.renewals.board(key, on: eventLoop) {
    case .joins(let future): return future
    case .leads(let future):
      Task { self.renewals.land(key, with: await self.renewal(of: session, proof, by: party, on: eventLoop)) }
      return future
    }
  }

  private func renewal(
    of session: OpenSession, _ proof: ProviderProof, by party: RelyingParty, on eventLoop: any EventLoop
  ) async -> AuthenticationOutcome {
    if self.isRenewing(proof) { return await self.outcomeOfAnother(session, on: eventLoop) }
    guard let metadata = await party.knownOrFetched(on: eventLoop) else {
      self.providerMemory.pause(session.facts.key, at: self.clock.monotonic())
      return .refused(party.unavailable("its metadata cannot be fetched"))
    }
    var marked = session.signedIn
    var markedProof = proof
    markedProof.renewing = self.clock.wall()
    marked.proof = .provider(markedProof)
    guard await self.replace(session, by: marked, on: eventLoop) else { return await self.outcomeOfAnother(session, on: eventLoop) }
    let own: OpenSession
    switch await self.find(session.facts.key, on: eventLoop) {
    case .found(let found): own = found
    case .none: return Self.over
    case .unavailable(let detail): return .refused(AuthenticationProblem.sessionsUnavailable.with(detail: detail))
    }
    switch await party.renew(session.signedIn.user(.oidc), proof, metadata) {
    case .current(let identity, let renewed):
      guard Self.isSameUser(identity, as: session.identity) else {
        // Under another name they are somebody else: to policies, to the upstream and in the log.
        return await self.end(own, "the user has another name now", on: eventLoop)
      }
      _ = await self.replace(
        own, by: SignedIn(identity, .provider(renewed), looked: self.clock.wall(), from: session.signedIn.address), on: eventLoop)
      return await self.outcome(session, on: eventLoop)
    case .gone(let detail):
      // A gateway that was slower than its mark may be back: then it was its token that counted.
      if case .found(let found) = await self.find(session.facts.key, on: eventLoop), found.facts.version != own.facts.version {
        return self.outcome(of: found, session)
      }
      return await self.end(own, detail, on: eventLoop)
    case .unavailable(let detail, let kept):
      self.providerMemory.pause(session.facts.key, at: self.clock.monotonic())
      var unmarked = own.signedIn
      unmarked.proof = .provider(kept)
      _ = await self.replace(own, by: unmarked, on: eventLoop)
      return .refused(party.unavailable(detail))
    }
  }

  private func isRenewing(_ proof: ProviderProof) -> Bool {
    guard let began = proof.renewing else { return false }
    // One from the future is of a clock that differs from this one.
    return abs(self.clock.wall().timeIntervalSince(began)) < Self.longestRenewal
  }

  /// What another gateway brings, which is asking at the moment.
  private func outcomeOfAnother(_ session: OpenSession, on eventLoop: any EventLoop) async -> AuthenticationOutcome {
    for _ in 0..<Self.patience.looks {
      switch await self.find(session.facts.key, on: eventLoop) {
      case .none: return Self.over
      case .unavailable(let detail): return .refused(AuthenticationProblem.sessionsUnavailable.with(detail: detail))
      case .found(let found):
        guard case .provider(let proof) = found.signedIn.proof else { return Self.over }
        if found.signedIn.looked > session.signedIn.looked { return self.outcome(of: found, session) }
        guard self.isRenewing(proof) || found.facts.version == session.facts.version else {
          return .refused(AuthenticationProblem.providerUnavailable.with(detail: "another gateway has asked the provider in vain"))
        }
      }
      try? await Task.sleep(for: Self.patience.pause)
    }
    return .refused(AuthenticationProblem.providerUnavailable.with(detail: "another gateway is asking the provider"))
  }

  /// What is there now counts, whoever has put it there.
  private func outcome(_ session: OpenSession, on eventLoop: any EventLoop) async -> AuthenticationOutcome {
    switch await self.find(session.facts.key, on: eventLoop) {
    case .found(let found): self.outcome(of: found, session)
    case .none: Self.over
    case .unavailable(let detail): .refused(AuthenticationProblem.sessionsUnavailable.with(detail: detail))
    }
  }

  private func outcome(of found: OpenSession, _ session: OpenSession) -> AuthenticationOutcome {
    guard Self.isSameUser(found.identity, as: session.identity) else {
      return .refused(AuthenticationProblem.sessionsUnavailable.with(detail: "the session was found with another user"))
    }
    // A mark keeps the time of the last look; what the provider has said since changes it.
    guard found.signedIn.looked != session.signedIn.looked else {
      return .refused(AuthenticationProblem.sessionsUnavailable.with(detail: "what the provider says could not be kept"))
    }
    return .identified(found.identity)
  }

  private static var over: AuthenticationOutcome {
    .refused(AuthenticationProblem.sessionOver.with(detail: "the session has ended meanwhile"))
  }

  // MARK: - Answers of the store, waited for

  private func find(_ key: SessionKey, on eventLoop: any EventLoop) async -> SessionFinding<OpenSession> {
    let answer = self.keeper.find(key, self.rules.limits, at: self.clock.wall(), on: eventLoop)
    return await answer.get { .unavailable("the sessions' store failed: \($0)") }
  }

  private func replace(_ session: OpenSession, by signedIn: SignedIn, on eventLoop: any EventLoop) async -> Bool {
    await self.keeper.replace(session.facts, by: signedIn.bytes, on: eventLoop).get { _ in false }
  }

  private func end(_ session: OpenSession, _ detail: String, on eventLoop: any EventLoop) async -> AuthenticationOutcome {
    await self.ended(session, detail, on: eventLoop).get { _ in Self.over }
  }
}

extension RelyingParty {
  func knownOrFetched(on eventLoop: any EventLoop) async -> ProviderMetadata? {
    try? await self.metadata.metadata(on: eventLoop).get { .failure(ProviderFault("\($0)")) }.get()
  }
}
