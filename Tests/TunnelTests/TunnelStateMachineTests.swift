import SallyportTunnel
import Testing

@Suite struct TunnelStateMachineTests {
  private typealias Side = TunnelStateMachine.Side

  @Test(arguments: [TunnelStateMachine.Side.client, .upstream])
  func anEndIsPassedOnAndTheOtherDirectionGoesOn(side: TunnelStateMachine.Side) {
    var machine = TunnelStateMachine()
    #expect(machine.received(from: side))
    let first = machine.inputEnded(side)
    #expect(first == .end(side.other))
    #expect(!machine.received(from: side))
    #expect(machine.received(from: side.other))
    let again = machine.inputEnded(side)
    #expect(again == .none)
  }

  @Test(arguments: [TunnelStateMachine.Side.client, .upstream])
  func whenBothAreDoneTheEndsCloseAndTheTunnelIsComplete(first: TunnelStateMachine.Side) {
    var machine = TunnelStateMachine()
    _ = machine.inputEnded(first)
    let last = machine.inputEnded(first.other)
    #expect(last == .endAndClose(first))
    let oneClosed = machine.closed(first, isClean: true)
    #expect(oneClosed == .none)
    #expect(!machine.isOver)
    let bothClosed = machine.closed(first.other, isClean: true)
    #expect(bothClosed == .finish(.complete))
    #expect(machine.isOver)
  }

  @Test(arguments: [TunnelStateMachine.Side.client, .upstream], [true, false])
  func aSideThatClosesEarlyTakesTheOtherWithIt(side: TunnelStateMachine.Side, isClean: Bool) {
    var open = TunnelStateMachine()
    let whileOpen = open.closed(side, isClean: isClean)
    #expect(whileOpen == .cutAndFinish(side.other, .broken(side)))

    var half = TunnelStateMachine()
    _ = half.inputEnded(side.other)
    let whileHalf = half.closed(side, isClean: isClean)
    #expect(whileHalf == .cutAndFinish(side.other, .broken(side)))
    #expect(!half.received(from: side))
    let afterwards = half.closed(side.other, isClean: false)
    #expect(afterwards == .none)
  }

  @Test func aSideThatDoesNotTakeItsRestIsBroken() {
    var machine = TunnelStateMachine()
    _ = machine.inputEnded(.client)
    _ = machine.inputEnded(.upstream)
    let upstream = machine.closed(.upstream, isClean: true)
    #expect(upstream == .none)
    let client = machine.closed(.client, isClean: false)
    #expect(client == .cutAndFinish(.upstream, .broken(.client)))
  }

  @Test func aSideThatTakesNoMoreStopsTheReadingOfTheOther() {
    var machine = TunnelStateMachine()
    #expect(machine.writabilityChanged(of: .client, false) == .setReading(.upstream, paused: true))
    #expect(machine.writabilityChanged(of: .upstream, true) == .setReading(.client, paused: false))
    _ = machine.inputEnded(.client)
    #expect(machine.writabilityChanged(of: .client, false) == .setReading(.upstream, paused: true))
    _ = machine.inputEnded(.upstream)
    #expect(machine.writabilityChanged(of: .client, true) == .none)
  }

  @Test func onlySidesThatAreDoneCanRunOutOfTime() {
    var machine = TunnelStateMachine()
    _ = machine.inputEnded(.client)
    let early = machine.closingTimedOut()
    #expect(!early)
    _ = machine.inputEnded(.upstream)
    let late = machine.closingTimedOut()
    #expect(late)
    let again = machine.closingTimedOut()
    #expect(!again)
    let closed = machine.closed(.client, isClean: false)
    #expect(closed == .none)
  }

  @Test func aCutEndsTheTunnelOnce() {
    var machine = TunnelStateMachine()
    let first = machine.cut()
    let second = machine.cut()
    #expect(first)
    #expect(!second)
    #expect(!machine.received(from: .client))
    let ended = machine.inputEnded(.client)
    #expect(ended == .none)
    let closed = machine.closed(.upstream, isClean: true)
    #expect(closed == .none)
    #expect(machine.writabilityChanged(of: .client, false) == .none)
  }
}
