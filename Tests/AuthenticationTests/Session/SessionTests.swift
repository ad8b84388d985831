import Foundation
import NIOCore
import SallyportSessions
import Testing

@testable import SallyportAuthentication
@_spi(CertificateVerifier) @testable import SallyportCore

/// Sessions by the rules of their stores, with a time that moves when it is told to.
@Suite struct SessionTests {
  private static let limits = SessionLimits(idle: .seconds(1800), lifetime: .seconds(7200), perUser: 3, total: 100)

  private func station(
    _ store: ScriptedStore? = nil, memory: AuthenticationMemory = AuthenticationMemory(threads: 2), time: TestTime = TestTime(),
    users: String = TestStation.users, passwords: Bool = true, certificates: Bool = true
  ) throws -> TestStation {
    try TestStation(users: users, time: time, memory: memory) {
      if let store { $0.passwords = [.store(store)] }
      $0.sessions = SessionRules(
        limits: Self.limits, refresh: .seconds(300), takesPasswords: passwords, takesCertificates: certificates)
    }
  }

  private func signIn(_ station: TestStation, _ name: String = "alice", _ password: String = "good") async throws -> Secret {
    let outcome = try await station.authenticator.signIn(
      username: name, password: Secret(password), from: .home, replacing: [], on: station.eventLoop
    ).value
    guard case .signedIn(let cookie, _, _) = outcome else { throw NotSignedIn(outcome: "\(outcome)") }
    return cookie
  }

  private struct NotSignedIn: Error {
    let outcome: String
  }

  private func ask(_ station: TestStation, _ cookie: Secret, certificate: VerifiedCertificate? = nil) async throws -> AuthenticationOutcome
  {
    try await station.authenticator.authenticate(
      authorization: [], sessions: [cookie], certificate: certificate, from: .home, accepting: .session, eventLoop: station.eventLoop
    ).value
  }

  /// A store that knows alice with these groups now.
  private func store(_ groups: String...) -> ScriptedStore {
    let store = ScriptedStore.alice("first")
    store.change { script in
      script.refresh = { user in
        .current(StoredUser(username: "alice", groups: groups, reference: user.reference))
      }
    }
    return store
  }

  // MARK: Ends

  @Test func aSessionEndsWhenItIsIdleAndAtItsEnd() async throws {
    let time = TestTime()
    let station = try self.station(self.store("first"), time: time)
    let cookie = try await self.signIn(station)
    for _ in 0..<4 {
      time.advance(by: .minutes(29))
      #expect(try await self.ask(station, cookie).identity?.username == "alice")
    }
    time.advance(by: .minutes(4))
    #expect(try await self.ask(station, cookie).problem == AuthenticationProblem.sessionOver)
    let other = try await self.signIn(station)
    time.advance(by: .minutes(30))
    #expect(try await self.ask(station, other).problem?.status == 401)
  }

  @Test func theIdentitySaysWhatItIsAndWhenItEnds() async throws {
    let station = try self.station(self.store("first"))
    let identity = try #require(try await self.ask(station, self.signIn(station)).identity)
    #expect(identity.method == .session && identity.session?.signedInBy == .ldap && identity.groups == ["first"])
    #expect(identity.expires == station.time.wall + 7200 && identity.session?.began == station.time.wall)
    #expect(identity.origin.map(\.name).prefix(2) == ["session", "signedInBy"])
    #expect(identity.session?.handle.utf8.count == 16)
  }

  /// One object as long as nothing changes: what is remembered of an identity elsewhere is found again.
  @Test func aSessionStandsForOneObject() async throws {
    let station = try self.station(self.store("first"))
    let cookie = try await self.signIn(station)
    let first = try #require(try await self.ask(station, cookie).identity)
    #expect(try await self.ask(station, cookie).identity === first)
  }

  // MARK: Looking again

  @Test func groupsAreResolvedAnewEveryFewMinutes() async throws {
    let time = TestTime()
    let store = self.store("second")
    let station = try self.station(store, time: time)
    let cookie = try await self.signIn(station)
    time.advance(by: .seconds(299))
    #expect(try await self.ask(station, cookie).identity?.groups == ["first"])
    #expect(store.refreshed == 0)
    time.advance(by: .seconds(2))
    // It is due: this one goes on, and the next knows.
    #expect(try await self.ask(station, cookie).identity?.groups == ["first"])
    try await station.eventLoop.submit {}.get()
    #expect(try await self.ask(station, cookie).identity?.groups == ["second"])
    #expect(store.refreshed == 1)
  }

  @Test func nobodyIsLetInByAnAnswerThatIsTwiceAsOld() async throws {
    let time = TestTime()
    let store = self.store("second")
    let station = try self.station(store, time: time)
    let cookie = try await self.signIn(station)
    time.advance(by: .seconds(600))
    #expect(try await self.ask(station, cookie).identity?.groups == ["second"])
    store.change { $0.refresh = { _ in .unavailable("down") } }
    time.advance(by: .seconds(600))
    let problem = try #require(try await self.ask(station, cookie).problem)
    #expect(problem == AuthenticationProblem.passwordStoreUnavailable && problem.status == 503)
    // The session is there when the directory is back.
    store.change { $0.refresh = { user in .current(StoredUser(username: "alice", groups: ["third"], reference: user.reference)) } }
    #expect(try await self.ask(station, cookie).identity?.groups == ["third"])
    store.change { $0.takes = false }
    time.advance(by: .seconds(600))
    #expect(try await self.ask(station, cookie).problem?.status == 503)
  }

  @Test func aDirectoryThatIsAwayForAMomentStopsNobody() async throws {
    let time = TestTime()
    let store = self.store()
    store.change { $0.refresh = { _ in .unavailable("down") } }
    let station = try self.station(store, time: time)
    let cookie = try await self.signIn(station)
    time.advance(by: .seconds(400))
    for _ in 0..<5 { #expect(try await self.ask(station, cookie).identity?.groups == ["first"]) }
  }

  @Test func whoIsGoneFromTheDirectoryIsOut() async throws {
    for gone: StoreRefreshment in [
      .gone("deleted"),
      .current(StoredUser(username: "alice", groups: ["system:masters"], reference: .init(account: "uid=alice", typedName: "alice"))),
    ] {
      let time = TestTime()
      let store = self.store()
      store.change { $0.refresh = { _ in gone } }
      let station = try self.station(store, time: time)
      let cookie = try await self.signIn(station)
      time.advance(by: .seconds(600))
      #expect(try await self.ask(station, cookie).problem == AuthenticationProblem.sessionOver)
      store.change { $0.refresh = { user in .current(StoredUser(username: "alice", groups: [], reference: user.reference)) } }
      #expect(try await self.ask(station, cookie).problem == AuthenticationProblem.sessionOver, "what has ended stays so")
    }
  }

  /// An answer about somebody else renews nobody, and ends nobody: the next may be the right one.
  @Test func anAnswerAboutAnotherUserIsNone() async throws {
    let time = TestTime()
    let store = self.store()
    store.change {
      $0.refresh = { user in .current(StoredUser(username: "alicia", groups: ["admins"], reference: user.reference)) }
    }
    let station = try self.station(store, time: time)
    let cookie = try await self.signIn(station)
    time.advance(by: .seconds(600))
    let problem = try #require(try await self.ask(station, cookie).problem)
    #expect(problem == AuthenticationProblem.passwordStoreUnavailable && problem.status == 503)
    store.change { $0.refresh = { user in .current(StoredUser(username: "alice", groups: ["second"], reference: user.reference)) } }
    let identity = try await self.ask(station, cookie).identity
    #expect(identity?.username == "alice" && identity?.groups == ["second"])
  }

  // MARK: Other generations

  @Test func aSessionGoesOnUnderAnotherConfigurationThatAsksTheSameStore() async throws {
    let memory = AuthenticationMemory(threads: 2)
    let store = self.store("first")
    let cookie = try await self.signIn(try self.station(store, memory: memory))
    #expect(try await self.ask(try self.station(store, memory: memory), cookie).identity?.username == "alice")
    // By other rules, or with the form gone, nobody can say who this is.
    for station in [
      try self.station(ScriptedStore.alice("first", name: "b"), memory: memory), try self.station(memory: memory),
    ] {
      let cookie = try await self.signIn(try self.station(store, memory: memory))
      #expect(try await self.ask(station, cookie).problem == AuthenticationProblem.sessionOver)
    }
    let another = try await self.signIn(try self.station(store, memory: memory))
    #expect(try await self.ask(try self.station(store, memory: memory, passwords: false), another).problem?.status == 401)
    // Keys are a process's own.
    let last = try await self.signIn(try self.station(store, memory: memory))
    #expect(try await self.ask(try self.station(store), last).problem?.status == 401)
  }

  @Test func aPasswordFilesUserIsAsTheFileHasThemNow() async throws {
    let memory = AuthenticationMemory(threads: 2)
    func now(_ users: String) throws -> TestStation { try self.station(memory: memory, users: users) }
    let cookie = try await self.signIn(try now(TestStation.users), "alice", "correct horse")
    #expect(try await self.ask(try now(TestStation.users), cookie).identity?.groups == ["developers", "on call"])
    let promoted = TestStation.users.replacing(#"[developers, "on call"]"#, with: "[chiefs]")
    #expect(try await self.ask(try now(promoted), cookie).identity?.groups == ["chiefs"])
    let changed = TestStation.users.replacing(KnownHash.correctHorse, with: KnownHash.batteryStaple)
    #expect(try await self.ask(try now(changed), cookie).problem == AuthenticationProblem.sessionOver)
    #expect(try await self.ask(try now(TestStation.users), cookie).problem == AuthenticationProblem.sessionOver)
  }

  // MARK: Certificates

  private func certificate(
    _ fingerprint: String = "aa55", _ name: String = "alice", until: Date = Date(timeIntervalSince1970: 1_900_000_000)
  )
    -> VerifiedCertificate
  {
    VerifiedCertificate(
      der: [0x30], fingerprint: fingerprint, commonNames: [name], organizations: ["developers"], subject: "CN=\(name)", serial: "01",
      issuer: "CN=clients", notBefore: Date(timeIntervalSince1970: 1_700_000_000), notAfter: until)
  }

  @Test func aCertificatesSessionNeedsTheCertificateAndEndsWithIt() async throws {
    let time = TestTime()
    let station = try self.station(time: time)
    let own = self.certificate(until: time.wall + 600)
    let outcome = try await station.authenticator.signIn(certificate: own, from: .home, replacing: [], on: station.eventLoop).value
    guard case .signedIn(let cookie, let identity, _) = outcome else { throw NotSignedIn(outcome: "\(outcome)") }
    #expect(identity.session?.signedInBy == .clientCertificate && identity.expires == own.notAfter)
    #expect(try await self.ask(station, cookie, certificate: own).identity?.username == "alice")
    #expect(try await self.ask(station, cookie).problem?.status == 401)
    #expect(try await self.ask(station, cookie, certificate: self.certificate("bb66")).problem?.status == 401)
    #expect(try await self.ask(station, cookie, certificate: own).identity != nil, "a thief's attempt does not sign alice out")
    time.advance(by: .seconds(601))
    #expect(try await self.ask(station, cookie, certificate: own).problem?.status == 401)
  }

  @Test func whatDoesNotSignInIsSaid() async throws {
    let station = try self.station(certificates: false)
    let off = try await station.authenticator.signIn(
      certificate: self.certificate(), from: .home, replacing: [], on: station.eventLoop
    ).value
    guard case .refused(AuthenticationProblem.signInNotServed) = off else { throw NotSignedIn(outcome: "\(off)") }
    let none = try await self.station().authenticator.signIn(certificate: nil, from: .home, replacing: [], on: station.eventLoop).value
    guard case .refused(let problem) = none else { throw NotSignedIn(outcome: "\(none)") }
    #expect(problem == AuthenticationProblem.certificateMissing && problem.status == 401)
    let without = try TestStation()
    let outcome = try await without.authenticator.signIn(
      username: "alice", password: Secret("correct horse"), from: .home, replacing: [], on: without.eventLoop
    ).value
    guard case .refused(AuthenticationProblem.signInNotServed) = outcome else { throw NotSignedIn(outcome: "\(outcome)") }
  }

  // MARK: Streams

  @Test func aStreamsSessionIsReviewed() async throws {
    let time = TestTime()
    let store = self.store("second")
    let station = try self.station(store, time: time)
    let cookie = try await self.signIn(station)
    let identity = try #require(try await self.ask(station, cookie).identity)
    func review() async throws -> SessionReview {
      try await station.authenticator.review(identity, certificate: nil, on: station.eventLoop).value
    }
    #expect(try await review() == .good)
    // A stream is use: it keeps its session from being idle.
    for _ in 0..<5 {
      time.advance(by: .seconds(290))
      #expect(try await review() != .ended)
    }
    #expect(try await review() == .identityChanged)
    store.change { $0.refresh = { _ in .unavailable("down") } }
    time.advance(by: .seconds(700))
    #expect(try await review() == .good, "who cannot be asked ends nothing")
    #expect(try await station.authenticator.signOut([cookie], on: station.eventLoop).value?.count == 1)
    #expect(try await review() == .ended)
  }
}
