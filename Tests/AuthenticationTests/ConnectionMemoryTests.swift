import NIOCore
import SallyportCore
import Testing

@testable import SallyportAuthentication

/// What a connection remembers of the last `Authorization` value: a short cut to the cache's answer, and never more than that.
@Suite struct ConnectionMemoryTests {
  private let good = Secret.basic("alice", "correct horse")
  private let other = Secret.basic("bob", "battery staple")

  private func ask(_ station: TestStation, _ value: Secret, _ memory: ConnectionMemory) -> Answer<AuthenticationOutcome> {
    station.authenticator.authenticate(
      authorization: [value], certificate: nil, from: .home, accepting: [.password], memory: memory, eventLoop: station.eventLoop)
  }

  @Test func theConnectionsNextRequestOfTheSameUserIsAnsweredFromIt() async throws {
    let station = try TestStation()
    let memory = ConnectionMemory()
    let first = try #require(try await self.ask(station, self.good, memory).value.identity)
    #expect(memory.authentication == nil, "what had to be waited for is remembered by the next request")
    #expect(self.ask(station, self.good, memory).outcomeNow?.identity === first)
    #expect(memory.authentication?.identity === first)
    let hits = station.memory.statistics.acceptedHits
    #expect(self.ask(station, self.good, memory).outcomeNow?.identity === first)
    #expect(station.memory.statistics.acceptedHits == hits, "the cache is not asked again")
  }

  @Test func anotherValueIsJudgedByItself() async throws {
    let station = try TestStation()
    let memory = ConnectionMemory()
    _ = try await station.outcome(self.good)
    _ = self.ask(station, self.good, memory)
    let wrong = Secret.basic("alice", "correct horsf")
    #expect(try await self.ask(station, wrong, memory).value.problem == AuthenticationProblem.credentialsRefused)
    #expect(memory.authentication == nil, "what was presented before is wiped")
    #expect(try await self.ask(station, self.other, memory).value.identity?.username == "bob")
    #expect(self.ask(station, self.other, memory).outcomeNow?.identity?.username == "bob")
    #expect(self.ask(station, self.good, memory).outcomeNow?.identity?.username == "alice")
  }

  @Test func itEndsWithTheCachesEntryAndIsNotPutOff() async throws {
    let station = try TestStation { $0.cache.lifetime = .seconds(60) }
    let memory = ConnectionMemory()
    _ = try await station.outcome(self.good)
    for _ in 0..<3 {
      station.time.advance(by: .seconds(19))
      #expect(self.ask(station, self.good, memory).outcomeNow?.identity != nil)
    }
    station.time.advance(by: .seconds(3))
    #expect(self.ask(station, self.good, memory).outcomeNow == nil, "60 s are over: the password is verified again")
  }

  @Test func anotherGenerationDoesNotBelieveIt() async throws {
    let old = try TestStation()
    let memory = ConnectionMemory()
    _ = try await old.outcome(self.good)
    _ = self.ask(old, self.good, memory)
    let users = TestStation.users.replacing("- name: alice", with: "- name: alice\n  disabled: true")
    let new = try TestStation(users: users, time: old.time, memory: old.memory)
    #expect(self.ask(new, self.good, memory).outcomeNow == nil)
    #expect(try await self.ask(new, self.good, memory).value.problem == AuthenticationProblem.credentialsRefused)
  }

  @Test func whatADirectoryMayYetTakeBackIsNotRemembered() async throws {
    let store = ScriptedStore.alice("old")
    let station = try TestStation { $0.passwords = [.store(store)] }
    let memory = ConnectionMemory()
    let good = Secret.basic("alice", "good")
    _ = try await self.ask(station, good, memory).value
    #expect(self.ask(station, good, memory).outcomeNow?.identity?.groups == ["old"])
    #expect(memory.authentication == nil)
    store.change { $0.refresh = { user in .current(StoredUser(username: user.username, groups: ["new"], reference: user.reference)) } }
    station.time.advance(by: .seconds(30))
    _ = self.ask(station, good, memory)
    for _ in 0..<3 { #expect(self.ask(station, good, memory).outcomeNow?.identity?.groups == ["new"]) }
    station.time.advance(by: .seconds(30))
    store.change { $0.judge = { _ in .refused("gone") } }
    #expect(try await self.ask(station, good, memory).value.problem == AuthenticationProblem.credentialsRefused)
  }

  @Test func aRouteThatTakesNoPasswordDoesNotAskIt() async throws {
    let station = try TestStation()
    let memory = ConnectionMemory()
    _ = try await station.outcome(self.good)
    _ = self.ask(station, self.good, memory)
    let answer = station.authenticator.authenticate(
      authorization: [self.good], certificate: nil, from: .home, accepting: [.clientCertificate], memory: memory,
      eventLoop: station.eventLoop)
    #expect(answer.outcomeNow?.problem == AuthenticationProblem.credentialsRefused)
  }
}
