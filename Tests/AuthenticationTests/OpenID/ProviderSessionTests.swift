import Foundation
import NIOConcurrencyHelpers
import NIOCore
import SallyportCore
import SallyportJSON
import TestSupport
import Testing

@testable import SallyportAuthentication

/// What becomes of a session that a provider vouches for, while time passes.
@Suite struct ProviderSessionTests {
  /// Rotates its refresh tokens, and knows each of them once: the next answer has these groups.
  private func rotating(_ station: ProviderStation, _ groups: String, withIDToken: Bool = true) {
    let (key, time) = (station.key, station.time)
    let current = NIOLockedValueBox(1)
    station.provider.change { script in
      script.tokens = { grant throws(ProviderFault) in
        let next = current.withLockedValue { number -> Int? in
          guard grant.isCode || grant.refreshToken == "refresh-\(number)" else { return nil }
          if !grant.isCode { number += 1 }
          return number
        }
        guard let next else { return OAuthError("invalid_grant").map { .failure($0) } ?? .success("{}") }
        return .success(
          ProviderStation.answer(
            key, at: time, refreshToken: "refresh-\(next)", withNonce: grant.isCode, grant.isCode ? [:] : ["groups": groups],
            members: withIDToken || grant.isCode ? [:] : ["id_token": ""]))
      }
    }
  }

  private func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < end {
      if try await condition() { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    #expect(Bool(false), "\(what) did not come")
  }

  @Test func groupsAreTakenAnewAndTheRefreshTokenIsRotated() async throws {
    let station = try ProviderStation()
    self.rotating(station, #"["second"]"#)
    let (cookie, _) = try await station.signedIn()
    station.time.advance(by: .seconds(299))
    #expect(try await station.outcome(cookie).identity?.groups == ["idp:dev", "idp:ops"])
    #expect(station.provider.grants.count == 1)
    // Due: this request goes on by what is known, and soon one goes on by what is new.
    station.time.advance(by: .seconds(2))
    #expect(try await station.outcome(cookie).identity?.groups == ["idp:dev", "idp:ops"])
    try await self.eventually("the second answer") { try await station.outcome(cookie).identity?.groups == ["idp:second"] }
    // An hour and more, each time with the token of the time before.
    for round in 2...8 {
      station.time.advance(by: .seconds(700))
      let identity = try #require(try await station.outcome(cookie).identity)
      #expect(identity.groups == ["idp:second"] && identity.origin.map(\.name).filter { $0 == "session" }.count == 1)
      #expect(station.provider.grants.compactMap(\.refreshToken).last == "refresh-\(round)")
    }
  }

  @Test func manyRequestsAskOnce() async throws {
    let station = try ProviderStation()
    self.rotating(station, #"["second"]"#)
    let (cookie, _) = try await station.signedIn()
    station.time.advance(by: .seconds(700))
    station.provider.hold(true)
    let answers = (0..<50).map { _ in station.ask(cookie) }
    try await self.eventually("the question") { station.provider.grants.count == 2 }
    station.provider.hold(false)
    for answer in answers { #expect(try await answer.value.identity?.groups == ["idp:second"]) }
    #expect(station.provider.grants.count == 2)
  }

  @Test func aRefusedRefreshTokenEndsTheSession() async throws {
    let station = try ProviderStation()
    let (cookie, _) = try await station.signedIn()
    station.provider.change {
      $0.tokens = { _ throws(ProviderFault) in OAuthError("invalid_grant").map { .failure($0) } ?? .success("{}") }
    }
    station.time.advance(by: .seconds(700))
    let problem = try #require(try await station.outcome(cookie).problem)
    #expect(problem == AuthenticationProblem.sessionOver && problem.detail.contains("invalid_grant"))
    self.rotating(station, #"["second"]"#)
    #expect(try await station.outcome(cookie).problem == AuthenticationProblem.sessionOver, "what has ended stays so")
  }

  @Test func nobodyIsLetInByAnAnswerThatIsTwiceAsOld() async throws {
    let station = try ProviderStation()
    let (cookie, _) = try await station.signedIn()
    for fault in ["down", ""] {
      station.provider.change { script in
        script.tokens = { _ throws(ProviderFault) in
          if fault.isEmpty { return OAuthError("invalid_client").map { .failure($0) } ?? .success("{}") }
          throw ProviderFault(fault)
        }
      }
      station.time.advance(by: .seconds(400))
      // For a while the provider's silence stops nobody.
      if fault == "down" { #expect(try await station.outcome(cookie).identity != nil) }
      station.time.advance(by: .seconds(300))
      try await self.eventually("the refusal") { try await station.outcome(cookie).problem == AuthenticationProblem.providerUnavailable }
    }
    // However many want to know, it is asked every few seconds.
    let asked = station.provider.grants.count
    for _ in 0..<20 { #expect(try await station.outcome(cookie).problem == AuthenticationProblem.providerUnavailable) }
    #expect(station.provider.grants.count == asked)
    // It is back: nobody has to sign in anew.
    self.rotating(station, #"["third"]"#)
    station.time.advance(by: .seconds(6))
    #expect(try await station.outcome(cookie).identity?.groups == ["idp:third"])
  }

  /// The identity that is renewed must be the one that was judged.
  @Test func anAnswerAboutSomebodyElseRenewsNobody() async throws {
    let station = try ProviderStation()
    let (key, time) = (station.key, station.time)
    let (cookie, _) = try await station.signedIn()
    func answering(_ claims: [String: String]) {
      station.provider.change { script in
        script.tokens = { _ throws(ProviderFault) in
          .success(ProviderStation.answer(key, at: time, refreshToken: "refresh-2", withNonce: false, claims))
        }
      }
    }
    answering(["sub": #""bob-1""#, "email": #""bob@example.org""#, "groups": #"["admins"]"#])
    time.advance(by: .seconds(700))
    let problem = try #require(try await station.outcome(cookie).problem)
    #expect(problem.status == 503 && problem.detail.contains("another subject"))
    answering(["groups": #"["second"]"#])
    time.advance(by: .seconds(6))
    #expect(try await station.outcome(cookie).identity?.groups == ["idp:second"])
    #expect(station.provider.grants.compactMap(\.refreshToken).last == "refresh-2", "what the provider gave is kept")
    // Another nonce than the first one's is of another sign-in.
    answering(["nonce": #""nonce-2""#])
    time.advance(by: .seconds(700))
    #expect(try await station.outcome(cookie).problem == AuthenticationProblem.sessionOver)
  }

  @Test func underAnotherNameTheyAreSomebodyElse() async throws {
    let station = try ProviderStation()
    let (key, time) = (station.key, station.time)
    let (cookie, _) = try await station.signedIn()
    station.provider.change { script in
      script.tokens = { _ throws(ProviderFault) in
        .success(ProviderStation.answer(key, at: time, refreshToken: "r", withNonce: false, ["email": #""alicia@example.org""#]))
      }
    }
    time.advance(by: .seconds(700))
    #expect(try await station.outcome(cookie).problem == AuthenticationProblem.sessionOver)
  }

  /// OpenID Connect Core section 12.2: a refresh may come without an id_token.
  @Test func withoutAnIDTokenTheGroupsAreThoseOfTheUserinfoEndpoint() async throws {
    for source in [OpenIDProvider.GroupSource.idToken, .userinfo] {
      let station = try ProviderStation { $0.groupsFrom = source }
      let groups = NIOLockedValueBox("first")
      station.provider.change { script in
        script.userinfo = { _ throws(ProviderFault) in #"{"sub":"alice-1","groups":["\#(groups.withLockedValue { $0 })"]}"# }
      }
      self.rotating(station, #"["never"]"#, withIDToken: false)
      let (cookie, identity) = try await station.signedIn()
      groups.withLockedValue { $0 = "second" }
      station.time.advance(by: .seconds(700))
      let renewed = try #require(try await station.outcome(cookie).identity)
      #expect(renewed.groups == (source == .idToken ? identity.groups : ["idp:second"]))
      #expect(renewed.username == identity.username && renewed.origin == identity.origin)
    }
  }

  @Test func withoutARefreshTokenTheSessionLastsAsLongAsTheIDTokenAndAnHourAtMost() async throws {
    for (lifetime, expected) in [("600", 600.0), ("36000", 3600)] {
      let time = TestTime()
      let station = try ProviderStation(refreshToken: nil, time: time)
      let key = station.key
      let ends = Int(time.wall.timeIntervalSince1970) + (Int(lifetime) ?? 0)
      station.provider.change { script in
        script.tokens = { _ throws(ProviderFault) in .success(ProviderStation.answer(key, at: time, refreshToken: nil, ["exp": "\(ends)"]))
        }
      }
      let (cookie, identity) = try await station.signedIn()
      #expect(identity.expires == time.wall + expected)
      time.advance(by: .seconds(Int64(expected) - 1))
      #expect(try await station.outcome(cookie).identity != nil)
      time.advance(by: .seconds(1))
      #expect(try await station.outcome(cookie).problem?.status == 401)
      #expect(station.provider.grants.count == 1)
    }
    // So it is where the provider's is not to be used.
    let station = try ProviderStation { $0.refreshes = false }
    #expect(try await station.signedIn().identity.expires == station.time.wall + 600)
  }

  @Test func byOtherRulesASessionIsOver() async throws {
    let memory = AuthenticationMemory(threads: 1)
    let (time, key) = (TestTime(), try TokenMint.Key())
    let first = try ProviderStation(time: time, memory: memory, key: key)
    let (cookie, _) = try await first.signedIn()
    // The page may call it otherwise.
    #expect(try await ProviderStation(time: time, memory: memory, key: key) { $0.name = "Other" }.outcome(cookie).identity != nil)
    let other = try ProviderStation(time: time, memory: memory, key: key) {
      $0.rules.groups = .init(claim: ClaimPath("roles"), prefix: "idp:")
    }
    #expect(try await other.outcome(cookie).problem == AuthenticationProblem.sessionOver)
  }

  @Test func nothingSecretIsSeenOfASession() async throws {
    let station = try ProviderStation()
    let (cookie, identity) = try await station.signedIn()
    let logout = try #require(try await station.authenticator.providerLogout(of: [cookie], on: station.eventLoop).value)
    #expect(logout.endpoint == "\(ProviderStation.issuer)/end" && logout.subject == "alice-1" && logout.idToken != nil)
    let shown = "\(identity) \(identity.origin) \(String(reflecting: logout)) \(logout)"
    for secret in ["refresh-1", "access-1", "nonce-1", "eyJ", cookie.text] { #expect(!shown.contains(secret), "\(secret)") }
    let proof = ProviderProof(
      provider: [1], issuer: "i", subject: "s", nonce: SealedSecret(Secret("nonce-1".utf8)),
      refreshToken: SealedSecret(Secret("refresh-1".utf8)), idToken: nil, renewing: nil)
    for text in ["\(proof)", String(reflecting: proof)] { #expect(!text.contains("nonce-1") && !text.contains("refresh-1")) }
  }

  @Test func whereTheProviderIsNotToBeToldNobodyIsLedThere() async throws {
    let station = try ProviderStation { $0.signsOut = false }
    let (cookie, _) = try await station.signedIn()
    #expect(try await station.authenticator.providerLogout(of: [cookie], on: station.eventLoop).value == nil)
    let telling = try ProviderStation()
    let (other, _) = try await telling.signedIn()
    #expect(try await telling.authenticator.providerLogout(of: [], on: telling.eventLoop).value == nil)
    #expect(try await telling.authenticator.providerLogout(of: [other, other], on: telling.eventLoop).value == nil)
    _ = try await telling.authenticator.signOut([other], on: telling.eventLoop).value
    #expect(try await telling.authenticator.providerLogout(of: [other], on: telling.eventLoop).value == nil)
  }
}
