import NIOCore

/// Decides which connection of one pool serves which request, and when connections are made and ended.
///
/// One machine stands for one event loop and one ``PoolKey``. Connections that nobody uses are a stack: the one used last
/// is used next, so that those not needed grow old and go. Requests that must wait are a queue. A connection is made for
/// the request that asked first, and given to whoever waits longest when it is there.
///
/// Every waiting request has at most one connection being made on its behalf; a failed one is tried again at the next
/// server as often as there are servers, plus once. When no server is up, one connection at a time is tried for everybody,
/// and when it fails everybody hears it.
struct PoolStateMachine {
  struct Limits: Sendable {
    /// The most connections, those being made included.
    var connections: Int
    /// The most requests that wait for one.
    var waiters: Int
    /// How long a connection may lie unused.
    var idleTimeout: TimeAmount
    /// How long a request may wait for a connection, the time to make one included.
    var waitLimit: TimeAmount
  }

  /// A connection's place in the pool; the serial number tells it from an earlier one in the same place.
  struct ConnectionID: Hashable {
    let index: Int
    fileprivate let serial: UInt64
  }

  /// A waiting request's number.
  struct Ticket: Hashable {
    fileprivate let number: UInt64
  }

  struct Attempt: Equatable {
    let connection: ConnectionID
    let server: Int
  }

  /// Why a request gets no connection.
  enum Refusal: Equatable {
    /// As many requests wait as may.
    case queueFull
    /// No connection became free in time.
    case waitedTooLong
    /// A connection was being made all the time.
    case connectingTooLong
    /// No server could be connected to; the driver knows the last failure.
    case unreachable
    /// The pool is being given up.
    case closing
  }

  /// What the driver has to do, in this order.
  struct Effects: Equatable {
    var close: [ConnectionID] = []
    var connect: [Attempt] = []
    var serve: [Service] = []
    var refuse: [Denial] = []

    struct Service: Equatable {
      let ticket: Ticket
      let connection: ConnectionID
    }

    struct Denial: Equatable {
      let ticket: Ticket
      let refusal: Refusal
    }
  }

  enum EnqueueAction: Equatable {
    case wait(Ticket, Effects)
    case refuse(Refusal)
  }

  enum ReleaseAction: Equatable {
    /// The connection lies idle; the timer may have to be set.
    case park
    case serve(Ticket)
    /// The connection has no place here (any more).
    case close
  }

  private enum Connection {
    case connecting(server: Int, owner: Ticket?)
    case leased(server: Int)
    case idle(server: Int)
  }

  private struct Slot {
    var serial: UInt64 = 0
    var connection: Connection?
  }

  private struct Idle {
    let id: ConnectionID
    let since: NIODeadline
  }

  private struct Waiter {
    let ticket: Ticket
    /// Whether only a new connection will do: a used one has just failed this request.
    let fresh: Bool
    let deadline: NIODeadline
    var failures = 0
    /// Whether a connection is being made on its behalf.
    var isConnecting = false
  }

  private let limits: Limits
  private var selection: ServerSelection
  private var slots: [Slot] = []
  private var freeSlots: [Int] = []
  /// Ascending by `since`: the last was used last.
  private var idle: [Idle] = []
  /// Ascending by deadline, since all may wait equally long.
  private var waiters = CircularBuffer<Waiter>()
  private var lastTicket: UInt64 = 0
  private var connectingCount = 0
  /// Connections being made that nobody waits for any more; the next who must wait gets one of them.
  private var spare: [ConnectionID] = []
  private var isClosing = false
  /// Whether no request comes any more but those that hold on to the pool already.
  private var isRetiring = false

  init(limits: Limits, servers: Int, firstServer: Int = 0) {
    self.limits = limits
    self.selection = ServerSelection(count: servers, first: firstServer)
  }

  /// All connections: idle, in use and being made.
  var connectionCount: Int { self.slots.count - self.freeSlots.count }
  var idleCount: Int { self.idle.count }
  var waiterCount: Int { self.waiters.count }

  /// When ``tick(now:)`` has something to do; `nil` while nothing waits and nothing lies idle.
  var nextTick: NIODeadline? {
    let expiry = self.idle.first.map { $0.since + self.limits.idleTimeout }
    let deadline = self.waiters.first?.deadline
    guard let expiry, let deadline else { return expiry ?? deadline }
    return min(expiry, deadline)
  }

  /// Whether the server that a connection is being made to was last known to be well.
  func isUp(serverOf id: ConnectionID, now: NIODeadline) -> Bool {
    guard case .connecting(let server, _) = self.connection(id) else { return false }
    return self.selection.isUp(server, now: now)
  }

  // MARK: Requests

  /// The way of almost every request: the connection that was used last, if it is not too old.
  mutating func leaseIdle(now: NIODeadline) -> ConnectionID? {
    // The last is the youngest: if it is too old, all are, and the next tick ends them.
    guard let top = self.idle.last, top.since + self.limits.idleTimeout > now, !self.isClosing else { return nil }
    self.idle.removeLast()
    if case .idle(let server) = self.slots[top.id.index].connection {
      self.slots[top.id.index].connection = .leased(server: server)
    }
    return top.id
  }

  /// Lets a request wait for a connection, and makes one if that may be.
  ///
  /// - Parameter fresh: whether only a new connection will do
  mutating func enqueue(fresh: Bool, now: NIODeadline) -> EnqueueAction {
    guard !self.isClosing else { return .refuse(.closing) }
    guard self.waiters.count < self.limits.waiters else { return .refuse(.queueFull) }
    self.lastTicket += 1
    let ticket = Ticket(number: self.lastTicket)
    var effects = Effects()
    self.expireIdle(now: now, &effects)
    self.waiters.append(Waiter(ticket: ticket, fresh: fresh, deadline: now + self.limits.waitLimit))
    self.connectForWaiters(now: now, &effects)
    return .wait(ticket, effects)
  }

  /// A waiting request is no longer wanted. A connection that is being made for it serves another, or lies idle.
  mutating func cancel(_ ticket: Ticket, now: NIODeadline) -> Effects {
    var effects = Effects()
    self.removeWaiter(ticket)
    self.connectForWaiters(now: now, &effects)
    return effects
  }

  // MARK: Connections

  /// A connection that was being made is there, its handshake done.
  mutating func connected(_ id: ConnectionID, now: NIODeadline) -> Effects {
    var effects = Effects()
    guard case .connecting(let server, let owner) = self.connection(id) else {
      effects.close.append(id)
      return effects
    }
    self.stopConnecting(id)
    self.selection.succeeded(server)
    guard !self.isClosing else {
      self.vacate(id)
      effects.close.append(id)
      return effects
    }
    guard let first = self.waiters.popFirst() else {
      guard !self.isRetiring else {
        self.vacate(id)
        effects.close.append(id)
        return effects
      }
      self.park(id, server: server, now: now)
      return effects
    }
    self.slots[id.index].connection = .leased(server: server)
    effects.serve.append(.init(ticket: first.ticket, connection: id))
    if owner != first.ticket {
      // The connection was made for somebody further back: who now inherits the one that was being made for the first.
      self.changeOwner(of: first.ticket, to: owner)
    }
    self.connectForWaiters(now: now, &effects)
    return effects
  }

  /// No connection could be made.
  ///
  /// - Parameter jitter: a random number from 0 up to 1
  mutating func connectFailed(_ id: ConnectionID, now: NIODeadline, jitter: Double) -> Effects {
    var effects = Effects()
    guard case .connecting(let server, let owner) = self.connection(id) else { return effects }
    self.stopConnecting(id)
    self.vacate(id)
    self.selection.failed(server, now: now, jitter: jitter)

    if let owner, let index = self.waiters.firstIndex(where: { $0.ticket == owner }) {
      self.waiters[index].isConnecting = false
      self.waiters[index].failures += 1
      if self.waiters[index].failures > self.selection.count {
        self.waiters.remove(at: index)
        effects.refuse.append(.init(ticket: owner, refusal: .unreachable))
      }
    }
    if self.connectingCount == 0, self.selection.allAreDown(now: now) {
      effects.refuse += self.waiters.map { .init(ticket: $0.ticket, refusal: .unreachable) }
      self.waiters.removeAll()
    }
    self.connectForWaiters(now: now, &effects)
    return effects
  }

  /// A request is done with a connection that can carry another.
  mutating func release(_ id: ConnectionID, now: NIODeadline) -> ReleaseAction {
    guard case .leased(let server) = self.connection(id) else { return .close }
    guard !self.isClosing else {
      self.vacate(id)
      return .close
    }
    guard let index = self.waiters.firstIndex(where: { !$0.fresh }) else {
      guard !self.isRetiring else {
        self.vacate(id)
        return .close
      }
      self.park(id, server: server, now: now)
      return .park
    }
    let waiter = self.waiters.remove(at: index)
    // What is being made for this one serves another who waits, or lies idle when it is there.
    if waiter.isConnecting { self.changeOwner(of: waiter.ticket, to: self.firstWithoutAttempt()) }
    return .serve(waiter.ticket)
  }

  /// A connection ended, or is being ended, in use or idle.
  mutating func closed(_ id: ConnectionID, now: NIODeadline) -> Effects {
    var effects = Effects()
    switch self.connection(id) {
    case .none: return effects
    case .connecting: return self.connectFailed(id, now: now, jitter: 0)
    case .idle:
      if let index = self.idle.lastIndex(where: { $0.id == id }) { self.idle.remove(at: index) }
    case .leased: break
    }
    self.vacate(id)
    self.connectForWaiters(now: now, &effects)
    return effects
  }

  // MARK: Time

  /// Ends what lay idle too long and refuses who waited too long.
  mutating func tick(now: NIODeadline) -> Effects {
    var effects = Effects()
    self.expireIdle(now: now, &effects)
    while let first = self.waiters.first, first.deadline <= now {
      self.removeWaiter(first.ticket)
      effects.refuse.append(.init(ticket: first.ticket, refusal: first.isConnecting ? .connectingTooLong : .waitedTooLong))
    }
    self.connectForWaiters(now: now, &effects)
    return effects
  }

  /// Nobody will come any more but those who are here: what lies idle ends now, and everything else once nobody needs it.
  mutating func retire() -> Effects {
    var effects = Effects()
    self.isRetiring = true
    effects.close = self.idle.map(\.id)
    effects.close.forEach { self.vacate($0) }
    self.idle.removeAll()
    return effects
  }

  /// Gives the pool up: idle connections end now, those in use behind their request, and nobody gets a new one.
  mutating func close() -> Effects {
    var effects = Effects()
    self.isClosing = true
    effects.close = self.idle.map(\.id)
    effects.close.forEach { self.vacate($0) }
    self.idle.removeAll()
    effects.refuse = self.waiters.map { .init(ticket: $0.ticket, refusal: .closing) }
    self.waiters.removeAll()
    return effects
  }

  // MARK: Parts

  private mutating func connectForWaiters(now: NIODeadline, _ effects: inout Effects) {
    for index in self.waiters.indices where !self.waiters[index].isConnecting {
      if let spare = self.spare.popLast() {
        self.setOwner(of: spare, to: self.waiters[index].ticket)
        self.waiters[index].isConnecting = true
        continue
      }
      if self.connectionCount >= self.limits.connections {
        // A request that a used connection failed must not be kept waiting by other unused ones.
        guard self.waiters[index].fresh, let oldest = self.idle.first else { continue }
        self.idle.removeFirst()
        self.vacate(oldest.id)
        effects.close.append(oldest.id)
      }
      let server: Int
      switch self.selection.choose(now: now) {
      case .up(let choice): server = choice
      case .lastResort(let choice):
        guard self.connectingCount == 0 else { return }
        server = choice
      }
      let id = self.occupy(.connecting(server: server, owner: self.waiters[index].ticket))
      self.connectingCount += 1
      self.waiters[index].isConnecting = true
      effects.connect.append(Attempt(connection: id, server: server))
    }
  }

  private mutating func stopConnecting(_ id: ConnectionID) {
    self.connectingCount -= 1
    self.spare.removeAll { $0 == id }
  }

  private mutating func setOwner(of id: ConnectionID, to owner: Ticket?) {
    guard case .connecting(let server, _) = self.connection(id) else { return }
    self.slots[id.index].connection = .connecting(server: server, owner: owner)
    if owner == nil { self.spare.append(id) }
  }

  /// Lets `heir` have what is being made for `ticket`: a connection, or nothing.
  private mutating func changeOwner(of ticket: Ticket, to heir: Ticket?) {
    let index = self.slots.firstIndex { slot in
      guard case .connecting(_, let owner) = slot.connection else { return false }
      return owner == ticket
    }
    if let index { self.setOwner(of: ConnectionID(index: index, serial: self.slots[index].serial), to: heir) }
    if let heir, let waiter = self.waiters.firstIndex(where: { $0.ticket == heir }) { self.waiters[waiter].isConnecting = index != nil }
  }

  private func firstWithoutAttempt() -> Ticket? {
    self.waiters.first { !$0.isConnecting }?.ticket
  }

  private mutating func removeWaiter(_ ticket: Ticket) {
    guard let index = self.waiters.firstIndex(where: { $0.ticket == ticket }) else { return }
    let waiter = self.waiters.remove(at: index)
    if waiter.isConnecting { self.changeOwner(of: ticket, to: self.firstWithoutAttempt()) }
  }

  private mutating func expireIdle(now: NIODeadline, _ effects: inout Effects) {
    let expired = self.idle.prefix { $0.since + self.limits.idleTimeout <= now }
    guard !expired.isEmpty else { return }
    for entry in expired {
      self.vacate(entry.id)
      effects.close.append(entry.id)
    }
    self.idle.removeFirst(expired.count)
  }

  private mutating func park(_ id: ConnectionID, server: Int, now: NIODeadline) {
    self.slots[id.index].connection = .idle(server: server)
    self.idle.append(Idle(id: id, since: now))
  }

  private func connection(_ id: ConnectionID) -> Connection? {
    guard self.slots.indices.contains(id.index), self.slots[id.index].serial == id.serial else { return nil }
    return self.slots[id.index].connection
  }

  private mutating func occupy(_ connection: Connection) -> ConnectionID {
    let index: Int
    if let free = self.freeSlots.popLast() {
      index = free
    } else {
      index = self.slots.count
      self.slots.append(Slot())
    }
    self.slots[index].serial += 1
    self.slots[index].connection = connection
    return ConnectionID(index: index, serial: self.slots[index].serial)
  }

  private mutating func vacate(_ id: ConnectionID) {
    self.slots[id.index].connection = nil
    self.freeSlots.append(id.index)
  }
}
