import Testing

@testable import SallyportRedis

@Suite struct RedisConnectionStateMachineTests {
  @Test func commandsWaitForTheGreeting() {
    var machine = RedisConnectionStateMachine(greeting: 2)
    #expect(machine.send() == false)
    #expect(machine.received(.text("OK")) == .nothing)
    #expect(machine.send() == false)
    #expect(machine.received(.text("OK")) == .becomeReady)
    #expect(machine.send() == true)
    #expect(machine.received(.integer(1)) == .deliver)
    #expect(machine.waiting == 0)
  }

  @Test func aRefusedGreetingEndsIt() {
    var machine = RedisConnectionStateMachine(greeting: 2)
    #expect(machine.received(.error("WRONGPASS hunter2 is invalid")) == .close(RedisFault("the server lets nobody in: WRONGPASS")))
    #expect(machine.send() == false)
    #expect(machine.received(.text("OK")) == .nothing)
    #expect(machine.close() == false)
  }

  /// A reply too many: from here on nobody knows which reply is whose.
  @Test func anAnswerThatNobodyAskedForEndsIt() {
    var machine = RedisConnectionStateMachine(greeting: 0)
    #expect(machine.send() == true)
    #expect(machine.received(.error("ERR")) == .deliver)
    guard case .close = machine.received(.text("OK")) else { return #expect(Bool(false), "the connection goes on") }
    #expect(machine.send() == false)
  }

  @Test func onlySoManyWait() {
    var machine = RedisConnectionStateMachine(greeting: 0)
    for _ in 0..<RedisConnectionStateMachine.mostWaiting { #expect(machine.send() == true) }
    #expect(machine.send() == false)
    #expect(machine.received(.integer(1)) == .deliver)
    #expect(machine.send() == true)
  }

  @Test func itClosesOnce() {
    var machine = RedisConnectionStateMachine(greeting: 0)
    #expect(machine.close() == true)
    #expect(machine.close() == false)
    #expect(machine.send() == false)
  }
}
