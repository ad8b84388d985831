import NIOCore
import SallyportCore
import Testing

@testable import SallyportAuthentication

/// What is remembered of passwords: the caches, the shared verifications, the pool's bound, the throttle as clients see it.
@Suite struct PasswordMemoryTests {
  private let good = Secret.basic("alice", "correct horse")
  private let wrong = Secret.basic("alice", "wrong")

  // MARK: Caches

  @Test func aVerifiedPasswordIsAnsweredAtOnceWithTheSameIdentity() async throws {
    let station = try TestStation()
    let first = try #require(try await station.outcome(self.good).identity)
    let second = try #require(station.ask(self.good).outcomeNow?.identity)
    #expect(first === second)
    // The scheme's letter case and the number of blanks are not part of the credential.
    let spelled = self.good.withBytes { Secret("bASIC  ".utf8 + Array($0.dropFirst(6))) }
    #expect(station.ask(spelled).outcomeNow?.identity === first)
  }

  @Test func aVerifiedPasswordIsBelievedForItsLifetimeOnly() async throws {
    let station = try TestStation { $0.cache.lifetime = .seconds(60) }
    _ = try await station.outcome(self.good)
    station.time.advance(by: .seconds(60) - .nanoseconds(1))
    #expect(station.ask(self.good).outcomeNow != nil)
    station.time.advance(by: .nanoseconds(1))
    #expect(station.ask(self.good).outcomeNow == nil)
  }

  @Test func aChangedFileEndsWhatWasVerifiedByTheOldOne() async throws {
    let old = try TestStation()
    #expect(try await old.outcome(self.good).identity != nil)
    let users = TestStation.users.replacing("- name: alice", with: "- name: alice\n  disabled: true")
    let new = try TestStation(users: users, time: old.time, memory: old.memory)
    #expect(new.ask(self.good).outcomeNow == nil)
    #expect(try await new.outcome(self.good).problem == AuthenticationProblem.credentialsRefused)
  }

  @Test func anUnchangedFileKeepsWhatWasVerified() async throws {
    let old = try TestStation()
    _ = try await old.outcome(self.good)
    let new = try TestStation(time: old.time, memory: old.memory)
    #expect(new.ask(self.good).outcomeNow?.identity?.username == "alice")
  }

  @Test func aWrongPasswordIsRefusedAtOnceForAMoment() async throws {
    let station = try TestStation { $0.cache.negativeLifetime = .seconds(5) }
    #expect(try await station.outcome(self.wrong).problem == AuthenticationProblem.credentialsRefused)
    #expect(try station.refusalNow(self.wrong).detail == "wrong password for user alice")
    // Only this one: the right password is not held up by it.
    #expect(try await station.outcome(self.good).identity != nil)
    station.time.advance(by: .seconds(5))
    #expect(station.ask(self.wrong).outcomeNow == nil)
  }

  // MARK: Verifications

  @Test func equalCredentialsInFlightAreVerifiedOnce() async throws {
    let memory = AuthenticationMemory(threads: 1, waiting: 1)
    let station = try TestStation(memory: memory)
    let gate = Gate()
    #expect(memory.pool.run { gate.wait() })
    // There is room for one verification, and all of these get their answer from it.
    let answers = (0..<10).map { _ in station.ask(self.good) }
    gate.open()
    var identities: [Identity] = []
    for answer in answers { identities.append(try #require(try await answer.value.identity)) }
    #expect(identities.allSatisfy { $0 === identities[0] })
  }

  @Test func aFullPoolIsSaidAndNotWaitedFor() async throws {
    let memory = AuthenticationMemory(threads: 1, waiting: 0)
    let station = try TestStation(memory: memory)
    _ = try await station.outcome(self.good)
    // The verification's place is given back a moment after its answer.
    let gate = Gate()
    while !memory.pool.run({ gate.wait() }) {}
    let problem = try #require(try await station.outcome(.basic("bob", "battery staple")).problem)
    #expect(problem.code == "authenticationBusy")
    #expect(problem.status == 503)
    #expect(problem.retryAfterSeconds == 1)
    // Whoever is known goes on, and so do certificates.
    #expect(station.ask(self.good).outcomeNow?.identity != nil)
    #expect(station.ask(certificate: .of()).outcomeNow?.identity != nil)
    gate.open()
    // What was not verified is neither remembered as bad nor counted.
    while try await station.outcome(.basic("bob", "battery staple")).identity == nil {}
  }

  // MARK: Throttle

  private func exhaust(_ station: TestStation, from address: ClientAddress = .home) async throws {
    for number in 0..<5 {
      #expect(try await station.outcome(.basic("alice", "guess \(number)"), from: address).problem?.code == "credentialsRefused")
    }
  }

  @Test func afterTooManyFailuresNothingIsLookedAt() async throws {
    let station = try TestStation()
    try await self.exhaust(station)
    let problem = try station.refusalNow(self.good)
    #expect(problem.code == "credentialsThrottled")
    #expect(problem.status == 429)
    #expect(problem.retryAfterSeconds == 300)
    station.time.advance(by: .milliseconds(200_500))
    #expect(try station.refusalNow(self.good).retryAfterSeconds == 100)
    station.time.advance(by: .milliseconds(99_500))
    #expect(try await station.outcome(self.good).identity != nil)
  }

  @Test func anUnknownUserIsThrottledLikeAKnownOne() async throws {
    let station = try TestStation()
    for number in 0..<5 { _ = try await station.outcome(.basic("nobody", "guess \(number)")) }
    let problem = try station.refusalNow(.basic("nobody", "x"))
    #expect(problem.code == "credentialsThrottled")
    #expect(problem.message == AuthenticationProblem.credentialsThrottled.message)
  }

  @Test func aPasswordInUseIsNotThrottled() async throws {
    let station = try TestStation()
    _ = try await station.outcome(self.good)
    try await self.exhaust(station)
    #expect(try station.refusalNow(.basic("alice", "guess")).code == "credentialsThrottled")
    #expect(station.ask(self.good).outcomeNow?.identity?.username == "alice")
  }

  @Test func certificatesAreNeverThrottled() async throws {
    let station = try TestStation()
    try await self.exhaust(station)
    #expect(station.ask(certificate: .of()).outcomeNow?.identity?.username == "alice")
  }

  @Test func anotherNetworkIsNotLockedOut() async throws {
    let station = try TestStation()
    try await self.exhaust(station)
    #expect(try await station.outcome(self.good, from: .elsewhere).identity?.username == "alice")
  }

  @Test func repeatingOneWrongPasswordIsOneFailure() async throws {
    let station = try TestStation()
    for _ in 0..<50 { #expect(try await station.outcome(self.wrong).problem?.code == "credentialsRefused") }
    #expect(try await station.outcome(self.good).identity != nil)
  }

  @Test func aBurstOfGuessesIsNoWayAroundTheLimit() async throws {
    let memory = AuthenticationMemory(threads: 1, waiting: 100)
    let station = try TestStation(memory: memory)
    let gate = Gate()
    #expect(memory.pool.run { gate.wait() })
    let answers = (0..<50).map { station.ask(.basic("alice", "guess \($0)")) }
    gate.open()
    var codes: [String: Int] = [:]
    for answer in answers { codes[try await answer.value.problem?.code ?? "", default: 0] += 1 }
    #expect(codes == ["credentialsRefused": 5, "credentialsThrottled": 45])
  }

  @Test func whatCannotBeReadIsNoGuess() async throws {
    let station = try TestStation()
    for _ in 0..<100 { _ = try station.refusalNow(Secret("Basic !!!!")) }
    #expect(try await station.outcome(self.good).identity != nil)
  }

  @Test func aLockOutlivesAReload() async throws {
    let old = try TestStation()
    try await self.exhaust(old)
    let new = try TestStation(users: TestStation.users + "\n", time: old.time, memory: old.memory)
    #expect(try new.refusalNow(self.good).code == "credentialsThrottled")
  }

  // MARK: Secrecy

  @Test func nothingPrintsAPassword() async throws {
    let station = try TestStation()
    let good = try await station.outcome(self.good)
    let bad = try await station.outcome(.basic("alice", "hunter2"))
    let credential = try Secret("YWxpY2U6aHVudGVyMg==").withBytes { try BasicCredential(token: $0) }
    for value in [station.authenticator, station.memory, good, bad, credential, self.good] as [any Sendable] {
      var dumped = ""
      dump(value, to: &dumped)
      for text in [dumped, String(describing: value), String(reflecting: value)] {
        for secret in ["correct horse", "hunter2", "YWxpY2U6", "KBCwKx"] { #expect(!text.contains(secret)) }
      }
    }
  }
}
