import NIOCore
import SallyportJOSE
import TestSupport
import Testing

@testable import SallyportAuthentication

@Suite struct KeySetStateMachineTests {
  private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
  private let keys: KeySet

  init() throws { self.keys = try KeySet(of: TokenMint.Key()) }

  @Test func keysAreFetchedAtTheStartAndFromTimeToTime() {
    var machine = KeySetStateMachine()
    #expect(machine.tick(at: self.start) == .fetch)
    #expect(machine.tick(at: self.start + .seconds(3600)) == .none)
    machine.fetched(self.keys, at: self.start)
    #expect(machine.tick(at: self.start + .seconds(599)) == .none)
    #expect(machine.tick(at: self.start + .seconds(600)) == .fetch)
  }

  @Test func failuresWaitLongerAndLongerAndKeepTheKeys() {
    var machine = KeySetStateMachine()
    var now = self.start
    #expect(machine.tick(at: now) == .fetch)
    machine.fetched(self.keys, at: now)
    now = now + .seconds(600)
    #expect(machine.tick(at: now) == .fetch)
    for wait in [1, 2, 4, 4, 4, 4] {
      machine.failed(at: now)
      #expect(machine.keys != nil)
      #expect(machine.tick(at: now + .seconds(Int64(wait)) - .milliseconds(1)) == .none)
      now = now + .seconds(Int64(wait))
      #expect(machine.tick(at: now) == .fetch)
    }
    machine.fetched(self.keys, at: now)
    #expect(machine.tick(at: now + .seconds(61)) == .none)
  }

  @Test func anUnknownKeyFetchesOnceInAWhile() {
    var machine = KeySetStateMachine()
    #expect(machine.tick(at: self.start) == .fetch)
    #expect(machine.unknownKey(at: self.start) == .wait)
    machine.fetched(self.keys, at: self.start)
    #expect(machine.unknownKey(at: self.start) == .fetch)
    #expect(machine.unknownKey(at: self.start) == .wait)
    machine.fetched(self.keys, at: self.start)
    #expect(machine.unknownKey(at: self.start + .seconds(9)) == .refuse)
    #expect(machine.unknownKey(at: self.start + .seconds(10)) == .fetch)
    machine.failed(at: self.start + .seconds(10))
    #expect(machine.unknownKey(at: self.start + .seconds(10)) == .refuse)
  }
}
