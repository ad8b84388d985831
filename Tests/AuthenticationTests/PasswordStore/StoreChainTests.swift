import NIOCore
import SallyportCore
import Testing

@testable import SallyportAuthentication

/// The order of password stores, and what each answer means for the rest.
@Suite struct StoreChainTests {
  private func station(_ stores: ScriptedStore..., change: (inout AuthenticatorConfiguration) -> Void = { _ in }) throws -> TestStation {
    try TestStation {
      $0.passwords = stores.map { .store($0) }
      change(&$0)
    }
  }

  private let good = Secret.basic("alice", "good")

  @Test func theFirstStoreThatKnowsAUserDecides() async throws {
    let (first, second) = (ScriptedStore.alice("from first"), ScriptedStore.alice("from second", name: "b"))
    #expect(try await self.station(first, second).outcome(self.good).identity?.groups == ["from first"])
    #expect(second.asked == 0)
  }

  @Test func whoIsUnknownInOneStoreIsLookedForInTheNext() async throws {
    let (first, second) = (ScriptedStore(judge: { _ in .unknown }), ScriptedStore.alice("from second", name: "b"))
    let identity = try #require(try await self.station(first, second).outcome(self.good).identity)
    #expect(identity.username == "alice" && identity.groups == ["from second"] && identity.method == .ldap)
    #expect(first.asked == 1)
  }

  @Test func aWrongPasswordStops() async throws {
    let (first, second) = (ScriptedStore(judge: { _ in .refused("wrong password") }), ScriptedStore.alice(name: "b"))
    let problem = try #require(try await self.station(first, second).outcome(self.good).problem)
    #expect(problem == AuthenticationProblem.credentialsRefused && problem.status == 401 && problem.detail == "wrong password")
    #expect(second.asked == 0)
  }

  /// A later store may know the same name as somebody else.
  @Test func aStoreThatCannotBeAskedStopsAndLetsNobodyIn() async throws {
    let (first, second) = (ScriptedStore(judge: { _ in .unavailable("connection refused") }), ScriptedStore.alice(name: "b"))
    let station = try self.station(first, second)
    let problem = try #require(try await station.outcome(self.good).problem)
    #expect(problem.code == "passwordStoreUnavailable" && problem.status == 503 && problem.blame == .identityProvider)
    #expect(problem.retryAfterSeconds != nil && problem.detail == "connection refused")
    #expect(second.asked == 0)
    // It is neither remembered nor counted.
    first.change { $0.judge = { _ in .unknown } }
    #expect(try await station.outcome(self.good).identity != nil)
  }

  @Test func aStoreWithoutRoomIsSaid() async throws {
    let first = ScriptedStore.alice()
    first.change { $0.takes = false }
    let problem = try #require(try await self.station(first).outcome(self.good).problem)
    #expect(problem.code == "authenticationBusy" && problem.status == 503 && problem.retryAfterSeconds == 1)
  }

  @Test func whoIsUnknownEverywhereIsRefusedLikeAWrongPassword() async throws {
    let station = try self.station(.alice(), .alice(name: "b"))
    let unknown = try #require(try await station.outcome(.basic("nobody", "good")).problem)
    let wrong = try #require(try await station.outcome(.basic("alice", "bad")).problem)
    #expect(unknown == wrong && unknown.message == wrong.message && unknown.status == 401)
    #expect(unknown.detail == "no password store has the user")
  }

  // MARK: Names

  @Test(arguments: ["alice\nadmin", "alice\u{0}", "", " alice", "alice\u{2028}", "system:admin", String(repeating: "x", count: 300)])
  func aNameThatBreaksTheRulesIsNobody(name: String) async throws {
    for user in [
      StoredUser(username: name), StoredUser(username: "alice", groups: ["fine", name]),
    ] {
      let station = try self.station(ScriptedStore(judge: { _ in .identified(user) }))
      let problem = try #require(try await station.outcome(self.good).problem)
      #expect(problem.code == "credentialsRefused" && !problem.detail.contains("admin"))
    }
    guard name != "system:admin" else { return }
    for user in [StoredUser(username: "alice", uid: name), StoredUser(username: "alice", extra: [.init(key: "k", values: [name])])] {
      #expect(try await self.station(ScriptedStore(judge: { _ in .identified(user) })).outcome(self.good).identity == nil)
    }
  }

  @Test func aSystemNameIsTakenWhereItIsAllowed() async throws {
    let station = try self.station(ScriptedStore.alice("system:masters")) { $0.allowSystemNames = ["system:masters"] }
    #expect(try await station.outcome(self.good).identity?.groups == ["system:masters"])
  }

  @Test func tooManyGroupsAreRefusedAndRepeatedOnesAreOne() async throws {
    let many = (0..<300).map { "g\($0)" }
    let station = try self.station(ScriptedStore(judge: { _ in .identified(StoredUser(username: "a", groups: many)) }))
    #expect(try await station.outcome(self.good).identity == nil)
    let twice = try self.station(ScriptedStore(judge: { _ in .identified(StoredUser(username: "a", groups: ["x", "y", "x"])) }))
    #expect(try await twice.outcome(self.good).identity?.groups == ["x", "y"])
  }

  @Test func theNameIsTheStoresAndNotWhatWasTyped() async throws {
    #expect(try await self.station(.alice()).outcome(.basic("ALICE", "good")).identity?.username == "alice")
  }

  // MARK: Accounts

  /// Otherwise every spelling and every network would be further guesses that the directory counts together.
  @Test func guessesAtAnAccountAreCountedTogetherWhateverIsTyped() async throws {
    let store = ScriptedStore.alice()
    let station = try self.station(store) { $0.throttle = .init(failures: 3) }
    for (index, name) in ["alice", "Alice", "ALICE"].enumerated() {
      let address = ClientAddress(ip: "192.0.2.\(index)", port: 1)
      #expect(try await station.outcome(.basic(name, "bad"), from: address).problem?.code == "credentialsRefused")
    }
    let problem = try #require(try await station.outcome(.basic("aLice", "good"), from: .elsewhere).problem)
    #expect(problem.code == "credentialsThrottled" && problem.retryAfterSeconds == 300)
    station.time.advance(by: .seconds(300))
    #expect(try await station.outcome(.basic("aLice", "good"), from: .elsewhere).identity != nil)
  }

  @Test func guessesThatRunCountAsFailures() async throws {
    let store = ScriptedStore.alice()
    store.change { $0.holds = true }
    let station = try self.station(store) { $0.throttle = .init(failures: 3) }
    let answers = (0..<20).map { station.ask(.basic("alice", "bad \($0)"), from: ClientAddress(ip: "192.0.2.\($0)", port: 1)) }
    store.change { $0.holds = false }
    store.letGo()
    var codes: [String: Int] = [:]
    for answer in answers { codes[try await answer.value.problem?.code ?? "", default: 0] += 1 }
    #expect(codes == ["credentialsRefused": 3, "credentialsThrottled": 17])
  }

  @Test func anUnknownNameIsLockedLikeAnAccount() async throws {
    let station = try self.station(.alice()) { $0.throttle = .init(failures: 3) }
    for index in 0..<3 {
      let address = ClientAddress(ip: "192.0.2.\(index)", port: 1)
      #expect(try await station.outcome(.basic("nobody", "bad \(index)"), from: address).problem?.code == "credentialsRefused")
    }
    #expect(try await station.outcome(.basic("Nobody", "bad"), from: .elsewhere).problem?.code == "credentialsThrottled")
  }

  @Test func whoSignedInAtAPlaceIsNotLockedOutThereByOthers() async throws {
    let station = try self.station(.alice()) { $0.throttle = .init(failures: 3) }
    #expect(try await station.outcome(self.good).identity != nil)
    for index in 0..<4 {
      _ = try await station.outcome(.basic("alice", "bad \(index)"), from: ClientAddress(ip: "192.0.2.\(100 + index)", port: 1))
    }
    #expect(try await station.outcome(.basic("alice", "bad"), from: .elsewhere).problem?.code == "credentialsThrottled")
    station.time.advance(by: .seconds(61))
    #expect(try await station.outcome(self.good).identity != nil)
  }

  // MARK: Time

  @Test func refusalsOfADirectoryLeaveAtFixedSteps() async throws {
    let station = try self.station(.alice(tellsByTime: true))
    for credential in [Secret.basic("alice", "bad"), .basic("nobody", "bad")] {
      let start = ContinuousClock.now
      #expect(try await station.outcome(credential).problem?.code == "credentialsRefused")
      #expect(ContinuousClock.now - start >= .milliseconds(240))
    }
  }

  // MARK: Freshness

  @Test func groupsAreLookedAtAgainAtHalfTheLifetime() async throws {
    let store = ScriptedStore.alice("old")
    let station = try self.station(store)
    #expect(try await station.outcome(self.good).identity?.groups == ["old"])
    store.change { $0.refresh = { user in .current(StoredUser(username: user.username, groups: ["new"], reference: user.reference)) } }
    station.time.advance(by: .seconds(29))
    #expect(station.ask(self.good).outcomeNow?.identity?.groups == ["old"] && store.refreshed == 0)
    station.time.advance(by: .seconds(1))
    // Nobody waits for it: this answer is the old one, the next is the new one.
    #expect(station.ask(self.good).outcomeNow?.identity?.groups == ["old"])
    #expect(station.ask(self.good).outcomeNow?.identity?.groups == ["new"])
    #expect(store.refreshed == 1 && store.asked == 1)
    // Only the password prolongs the belief in it.
    station.time.advance(by: .seconds(30))
    #expect(station.ask(self.good).outcomeNow == nil && store.asked == 2)
  }

  @Test(arguments: [true, false]) func whoIsGoneIsOutAtHalfTheLifetime(isDisabled: Bool) async throws {
    let store = ScriptedStore.alice()
    let station = try self.station(store)
    #expect(try await station.outcome(self.good).identity != nil)
    store.change {
      $0.refresh = { user in isDisabled ? .gone("disabled") : .current(StoredUser(username: "alice\n")) }
      $0.judge = { _ in .refused("disabled") }
    }
    station.time.advance(by: .seconds(30))
    _ = station.ask(self.good)
    #expect(try await station.outcome(self.good).problem?.code == "credentialsRefused")
  }

  @Test func aBeliefThatCannotBeRenewedEndsAtItsTime() async throws {
    let store = ScriptedStore.alice()
    let station = try self.station(store)
    _ = try await station.outcome(self.good)
    store.change { $0.judge = { _ in .unavailable("down") } }
    for _ in 0..<5 {
      station.time.advance(by: .milliseconds(11_800))
      #expect(station.ask(self.good).outcomeNow?.identity != nil)
    }
    // Not asked at every request, and again after a while.
    #expect((2...4).contains(store.refreshed))
    station.time.advance(by: .seconds(2))
    #expect(try await station.outcome(self.good).problem?.code == "passwordStoreUnavailable")
  }

  @Test func whatIsNoReferenceIsNotLookedAtAgain() async throws {
    let store = ScriptedStore(judge: { _ in .identified(StoredUser(username: "alice")) })
    let station = try self.station(store)
    _ = try await station.outcome(self.good)
    station.time.advance(by: .seconds(45))
    #expect(station.ask(self.good).outcomeNow?.identity != nil && store.refreshed == 0)
  }

  @Test func aStoreThatIsConfiguredAnewKnowsNothingOfTheOldOne() async throws {
    let old = try self.station(.alice(name: "old"))
    #expect(try await old.outcome(self.good).identity != nil)
    let same = try TestStation(time: old.time, memory: old.memory) { $0.passwords = [.store(ScriptedStore.alice(name: "old"))] }
    #expect(same.ask(self.good).outcomeNow?.identity != nil)
    let other = ScriptedStore.alice(name: "new")
    let new = try TestStation(time: old.time, memory: old.memory) { $0.passwords = [.store(other)] }
    _ = try await new.outcome(self.good)
    #expect(other.asked == 1)
  }

  // MARK: Files beside a directory

  @Test func filesAndDirectoriesAreAskedInTheirOrder() async throws {
    let users = "users: [{name: alice, passwordHash: \(KnownHash.correctHorse), groups: [file]}]"
    let file = try PasswordFile(content: Array(users.utf8), name: "users.yaml")
    let directory = ScriptedStore.alice("directory")
    let fileFirst = try TestStation { $0.passwords = [.file(file), .store(directory)] }
    #expect(try await fileFirst.outcome(.basic("alice", "correct horse")).identity?.groups == ["file"])
    // The file knows her, so that the directory's password is a wrong one.
    #expect(try await fileFirst.outcome(self.good).problem?.code == "credentialsRefused")
    #expect(directory.asked == 0)
    let directoryFirst = try TestStation { $0.passwords = [.store(directory), .file(file)] }
    #expect(try await directoryFirst.outcome(self.good).identity?.groups == ["directory"])
    #expect(try await directoryFirst.outcome(.basic("alice", "correct horse")).problem?.code == "credentialsRefused")
  }
}

@Suite struct StoreThreadsTests {
  private final class Owned {
    var count = 0
  }

  @Test func eachThreadHasItsOwnAndTheQueueEnds() async throws {
    let threads = StoreThreads(name: "test", count: 2, waiting: 1) { Owned() }
    let gate = Gate()
    let isBusy = (0..<3).map { _ in threads.run { _ in gate.wait() } }
    #expect(isBusy == [true, true, true])
    #expect(!threads.run { _ in })
    gate.open()
    while !threads.run({ $0.count += 1 }) { try await Task.sleep(for: .milliseconds(1)) }
  }

  @Test func whatWaitsIsDoneWhenTheStoreGoes() async throws {
    let done = Gate()
    do {
      let threads = StoreThreads(name: "test", count: 1, waiting: 10) {}
      for _ in 0..<5 { #expect(threads.run { _ in }) }
      #expect(threads.run { _ in done.open() })
    }
    done.wait()
  }
}
