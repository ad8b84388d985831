import NIOCore
import Testing

@testable import SallyportUpstream

@Suite struct PoolStateMachineTests {
  private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

  private func machine(connections: Int = 8, waiters: Int = 8, servers: Int = 1) -> PoolStateMachine {
    PoolStateMachine(
      limits: .init(connections: connections, waiters: waiters, idleTimeout: .seconds(30), waitLimit: .seconds(10)), servers: servers)
  }

  /// Lets a request wait and returns its ticket and what is to be done.
  private func wait(
    _ machine: inout PoolStateMachine, fresh: Bool = false, after: TimeAmount = .zero
  ) throws -> (PoolStateMachine.Ticket, PoolStateMachine.Effects) {
    switch machine.enqueue(fresh: fresh, now: self.start + after) {
    case .wait(let ticket, let effects): return (ticket, effects)
    case .refuse(let refusal):
      Issue.record("refused: \(refusal)")
      throw CancellationError()
    }
  }

  /// A connection in use.
  private func connect(_ machine: inout PoolStateMachine) throws -> PoolStateMachine.ConnectionID {
    let (ticket, effects) = try self.wait(&machine)
    let id = try #require(effects.connect.first?.connection)
    #expect(machine.connected(id, now: self.start).serve == [.init(ticket: ticket, connection: id)])
    return id
  }

  @Test func theFirstRequestMakesAConnectionAndGetsIt() throws {
    var machine = self.machine()
    #expect(machine.leaseIdle(now: self.start) == nil)
    let (ticket, effects) = try self.wait(&machine)
    #expect(effects.connect.map(\.server) == [0])
    let id = effects.connect[0].connection
    #expect(machine.connected(id, now: self.start) == .init(serve: [.init(ticket: ticket, connection: id)]))
    #expect(machine.connectionCount == 1)
    #expect(machine.waiterCount == 0)
  }

  @Test func aReleasedConnectionIsUsedAgain() throws {
    var machine = self.machine()
    let id = try self.connect(&machine)
    #expect(machine.release(id, now: self.start) == .park)
    #expect(machine.idleCount == 1)
    #expect(machine.leaseIdle(now: self.start) == id)
    #expect(machine.idleCount == 0)
    #expect(machine.leaseIdle(now: self.start) == nil)
  }

  @Test func theConnectionUsedLastIsUsedNext() throws {
    var machine = self.machine()
    let first = try self.connect(&machine)
    let second = try self.connect(&machine)
    #expect(machine.release(first, now: self.start) == .park)
    #expect(machine.release(second, now: self.start) == .park)
    #expect(machine.leaseIdle(now: self.start) == second)
    #expect(machine.leaseIdle(now: self.start) == first)
  }

  @Test func idleConnectionsEndWhenTheirTimeIsOver() throws {
    var machine = self.machine()
    let first = try self.connect(&machine)
    let second = try self.connect(&machine)
    #expect(machine.nextTick == nil)
    _ = machine.release(first, now: self.start)
    _ = machine.release(second, now: self.start + .seconds(10))
    #expect(machine.nextTick == self.start + .seconds(30))
    #expect(machine.tick(now: self.start + .seconds(30)) == .init(close: [first]))
    #expect(machine.nextTick == self.start + .seconds(40))
    #expect(machine.tick(now: self.start + .seconds(40)) == .init(close: [second]))
    #expect(machine.connectionCount == 0)
    #expect(machine.nextTick == nil)
  }

  @Test func aConnectionWhoseTimeIsOverIsNotLeasedEvenIfTheTimerIsLate() throws {
    var machine = self.machine()
    let id = try self.connect(&machine)
    _ = machine.release(id, now: self.start)
    #expect(machine.leaseIdle(now: self.start + .seconds(30)) == nil)
    let (_, effects) = try self.wait(&machine, after: .seconds(30))
    #expect(effects.close == [id])
    #expect(effects.connect.count == 1)
  }

  @Test func waitersAreServedInTheirOrder() throws {
    var machine = self.machine(connections: 1)
    let id = try self.connect(&machine)
    let (first, effects) = try self.wait(&machine)
    #expect(effects == .init())
    let (second, _) = try self.wait(&machine)
    #expect(machine.release(id, now: self.start) == .serve(first))
    #expect(machine.release(id, now: self.start) == .serve(second))
    #expect(machine.release(id, now: self.start) == .park)
  }

  @Test func connectionsAreBounded() throws {
    var machine = self.machine(connections: 2)
    let connects = try (0..<5).map { _ in try self.wait(&machine).1.connect.count }
    #expect(connects == [1, 1, 0, 0, 0])
    #expect(machine.connectionCount == 2)
  }

  @Test func theQueueIsBounded() throws {
    var machine = self.machine(connections: 1, waiters: 2)
    _ = try self.wait(&machine)
    _ = try self.wait(&machine)
    #expect(machine.enqueue(fresh: false, now: self.start) == .refuse(.queueFull))
  }

  @Test func whoWaitsTooLongIsRefusedWithTheReason() throws {
    var machine = self.machine(connections: 1)
    let (connecting, _) = try self.wait(&machine)
    let (queued, _) = try self.wait(&machine, after: .seconds(1))
    #expect(machine.nextTick == self.start + .seconds(10))
    #expect(machine.tick(now: self.start + .seconds(10)).refuse == [.init(ticket: connecting, refusal: .connectingTooLong)])
    // The connection that is being made is now for the other.
    #expect(machine.tick(now: self.start + .seconds(11)).refuse == [.init(ticket: queued, refusal: .connectingTooLong)])

    var busy = self.machine(connections: 1)
    _ = try self.connect(&busy)
    let (waiting, _) = try self.wait(&busy)
    #expect(busy.tick(now: self.start + .seconds(10)).refuse == [.init(ticket: waiting, refusal: .waitedTooLong)])
  }

  @Test func aClosedConnectionMakesRoomForAnother() throws {
    var machine = self.machine(connections: 1)
    let id = try self.connect(&machine)
    let (ticket, _) = try self.wait(&machine)
    let effects = machine.closed(id, now: self.start)
    let replacement = try #require(effects.connect.first?.connection)
    #expect(replacement != id)
    #expect(machine.connected(replacement, now: self.start).serve == [.init(ticket: ticket, connection: replacement)])
  }

  @Test func aLateCallForAnEarlierConnectionInTheSamePlaceDoesNothing() throws {
    var machine = self.machine()
    let old = try self.connect(&machine)
    _ = machine.closed(old, now: self.start)
    let new = try self.connect(&machine)
    #expect(new.index == old.index)
    #expect(machine.release(old, now: self.start) == .close)
    #expect(machine.closed(old, now: self.start) == .init())
    #expect(machine.connectionCount == 1)
    #expect(machine.idleCount == 0)
  }

  @Test func aConnectionGoesToWhoWaitsLongestAndTheOtherInherits() throws {
    var machine = self.machine()
    let (first, firstEffects) = try self.wait(&machine)
    let (second, secondEffects) = try self.wait(&machine)
    let firstID = firstEffects.connect[0].connection
    let secondID = secondEffects.connect[0].connection
    // The second one's connection is ready before.
    #expect(machine.connected(secondID, now: self.start) == .init(serve: [.init(ticket: first, connection: secondID)]))
    #expect(machine.connected(firstID, now: self.start) == .init(serve: [.init(ticket: second, connection: firstID)]))
    #expect(machine.connectionCount == 2)
  }

  @Test func aConnectionThatNobodyWaitsForAnyMoreLiesIdle() throws {
    var machine = self.machine()
    let (ticket, effects) = try self.wait(&machine)
    #expect(machine.cancel(ticket, now: self.start) == .init())
    #expect(machine.connected(effects.connect[0].connection, now: self.start) == .init())
    #expect(machine.idleCount == 1)
  }

  @Test func aConnectionThatNobodyWaitsForAnyMoreIsForTheNext() throws {
    var machine = self.machine()
    let (ticket, effects) = try self.wait(&machine)
    _ = machine.cancel(ticket, now: self.start)
    let (next, nextEffects) = try self.wait(&machine)
    #expect(nextEffects.connect.isEmpty)
    let id = effects.connect[0].connection
    #expect(machine.connected(id, now: self.start).serve == [.init(ticket: next, connection: id)])
  }

  @Test func whenAReleasedConnectionServesAWaiterItsOwnServesTheNext() throws {
    var machine = self.machine(connections: 2)
    let used = try self.connect(&machine)
    let (first, effects) = try self.wait(&machine)
    let (second, none) = try self.wait(&machine)
    #expect(none.connect.isEmpty)
    #expect(machine.release(used, now: self.start) == .serve(first))
    let id = effects.connect[0].connection
    #expect(machine.connected(id, now: self.start).serve == [.init(ticket: second, connection: id)])
  }

  // MARK: Failures

  @Test func aFailedConnectionIsTriedAtTheNextServer() throws {
    var machine = self.machine(servers: 2)
    let (ticket, effects) = try self.wait(&machine)
    #expect(effects.connect[0].server == 0)
    let retry = machine.connectFailed(effects.connect[0].connection, now: self.start, jitter: 0)
    #expect(retry.refuse.isEmpty)
    #expect(retry.connect.map(\.server) == [1])
    let id = retry.connect[0].connection
    #expect(machine.connected(id, now: self.start).serve == [.init(ticket: ticket, connection: id)])
  }

  @Test func whenAllServersFailTheRequestFailsAtOnce() throws {
    var machine = self.machine(servers: 2)
    let (ticket, effects) = try self.wait(&machine)
    let retry = machine.connectFailed(effects.connect[0].connection, now: self.start, jitter: 0)
    let end = machine.connectFailed(retry.connect[0].connection, now: self.start, jitter: 0)
    #expect(end == .init(refuse: [.init(ticket: ticket, refusal: .unreachable)]))
    #expect(machine.connectionCount == 0)
  }

  @Test func whenAllAreDownOneProbeStandsForEverybody() throws {
    var machine = self.machine(servers: 1)
    let (_, effects) = try self.wait(&machine)
    _ = machine.connectFailed(effects.connect[0].connection, now: self.start, jitter: 0)
    let (first, probe) = try self.wait(&machine)
    let (second, none) = try self.wait(&machine)
    #expect(probe.connect.count == 1)
    #expect(none.connect.isEmpty)
    let failed = machine.connectFailed(probe.connect[0].connection, now: self.start, jitter: 0)
    #expect(
      failed == .init(refuse: [.init(ticket: first, refusal: .unreachable), .init(ticket: second, refusal: .unreachable)]))
  }

  @Test func aProbeThatSucceedsServesEverybody() throws {
    var machine = self.machine(servers: 1)
    let (_, effects) = try self.wait(&machine)
    _ = machine.connectFailed(effects.connect[0].connection, now: self.start, jitter: 0)
    let (first, probe) = try self.wait(&machine)
    _ = try self.wait(&machine)
    let connected = machine.connected(probe.connect[0].connection, now: self.start)
    #expect(connected.serve == [.init(ticket: first, connection: probe.connect[0].connection)])
    #expect(connected.connect.count == 1)
  }

  @Test func attemptsAreBoundedEvenIfServersComeBackInBetween() throws {
    var machine = self.machine(servers: 2)
    let (ticket, effects) = try self.wait(&machine)
    var attempt = try #require(effects.connect.first)
    var attempts = 1
    var now = self.start
    while true {
      now = now + .seconds(9)
      let next = machine.connectFailed(attempt.connection, now: now, jitter: 0)
      guard let following = next.connect.first else {
        #expect(next.refuse == [.init(ticket: ticket, refusal: .unreachable)])
        break
      }
      attempt = following
      attempts += 1
      try #require(attempts < 10)
    }
    #expect(attempts == 3)
  }

  @Test func aBurstThatMeetsADeadServerIsServedByTheOther() throws {
    var machine = self.machine(servers: 2)
    let waits = try (0..<4).map { _ in try self.wait(&machine) }
    let attempts = waits.flatMap(\.1.connect)
    #expect(attempts.map(\.server) == [0, 1, 0, 1])
    var served: [PoolStateMachine.Ticket] = []
    for attempt in attempts {
      if attempt.server == 0 {
        for retry in machine.connectFailed(attempt.connection, now: self.start, jitter: 0).connect {
          #expect(retry.server == 1)
          served += machine.connected(retry.connection, now: self.start).serve.map(\.ticket)
        }
      } else {
        served += machine.connected(attempt.connection, now: self.start).serve.map(\.ticket)
      }
    }
    #expect(served == waits.map(\.0))
  }

  // MARK: Fresh connections

  @Test func aRequestThatNeedsAFreshConnectionGetsNoUsedOne() throws {
    var machine = self.machine()
    let used = try self.connect(&machine)
    let (fresh, effects) = try self.wait(&machine, fresh: true)
    #expect(machine.release(used, now: self.start) == .park)
    let id = effects.connect[0].connection
    #expect(machine.connected(id, now: self.start).serve == [.init(ticket: fresh, connection: id)])
  }

  @Test func aFullPoolGivesUpAnIdleConnectionForAFreshOne() throws {
    var machine = self.machine(connections: 2)
    let first = try self.connect(&machine)
    let second = try self.connect(&machine)
    _ = machine.release(first, now: self.start)
    _ = machine.release(second, now: self.start)
    let (_, effects) = try self.wait(&machine, fresh: true)
    #expect(effects.close == [first])
    #expect(effects.connect.count == 1)
    #expect(machine.connectionCount == 2)
  }

  // MARK: Closing

  @Test func aClosedPoolEndsIdleConnectionsAndRefusesWaiters() throws {
    var machine = self.machine(connections: 2)
    let idle = try self.connect(&machine)
    let used = try self.connect(&machine)
    _ = machine.release(idle, now: self.start)
    let (ticket, _) = try self.wait(&machine)
    #expect(machine.close() == .init(close: [idle], refuse: [.init(ticket: ticket, refusal: .closing)]))
    #expect(machine.release(used, now: self.start) == .close)
    #expect(machine.enqueue(fresh: false, now: self.start) == .refuse(.closing))
    #expect(machine.connectionCount == 0)
  }

  @Test func aRetiredPoolServesWhoIsHereAndKeepsNothing() throws {
    var machine = self.machine(connections: 2)
    let idle = try self.connect(&machine)
    let used = try self.connect(&machine)
    _ = machine.release(idle, now: self.start)
    let (ticket, _) = try self.wait(&machine)
    #expect(machine.retire() == .init(close: [idle]))
    #expect(machine.release(used, now: self.start) == .serve(ticket))
    // A request that is sent again still gets its connection.
    let (_, effects) = try self.wait(&machine)
    let id = try #require(effects.connect.first?.connection)
    #expect(machine.connected(id, now: self.start).serve.count == 1)
    #expect(machine.release(id, now: self.start) == .close)
    #expect(machine.release(used, now: self.start) == .close)
    #expect(machine.connectionCount == 0)
  }

  @Test func aConnectionThatIsReadyAfterTheClosingEnds() throws {
    var machine = self.machine()
    let (_, effects) = try self.wait(&machine)
    _ = machine.close()
    let id = effects.connect[0].connection
    #expect(machine.connected(id, now: self.start) == .init(close: [id]))
    #expect(machine.connectionCount == 0)
  }
}
