import Logging
import NIOCore
import SallyportCore

/// The connections of one event loop and one ``PoolKey``.
///
/// It does what ``PoolStateMachine`` says, on its event loop alone: nothing here is locked, and nothing leaves the loop.
final class ConnectionPool {
  enum Acquisition {
    case connection(UpstreamConnection)
    /// The exchange hears of its connection, or of the problem, later.
    case waiting(PoolStateMachine.Ticket)
    case problem(Problem)
  }

  let key: PoolKey
  let eventLoop: any EventLoop
  private let endpoints: [Endpoint]
  private let connectTimeout: TimeAmount
  private let connector: Connector
  private let logger: Logger
  private var machine: PoolStateMachine
  /// By the index of their ID.
  private var connections: [UpstreamConnection?] = []
  private var waiting: [PoolStateMachine.Ticket: UpstreamExchange] = [:]
  private var lastFailure = Problem.upstreamUnreachable
  private var timer: Timer?
  /// What happened here, for metrics.
  private(set) var events = PoolEvents()

  private struct Timer {
    let deadline: NIODeadline
    let scheduled: Scheduled<Void>
  }

  init(
    key: PoolKey, endpoints: [Endpoint], firstServer: Int, limits: PoolStateMachine.Limits, connectTimeout: TimeAmount,
    eventLoop: any EventLoop, logger: Logger, connector: @escaping Connector = connectByTCP
  ) {
    self.key = key
    self.endpoints = endpoints
    self.connectTimeout = connectTimeout
    self.connector = connector
    self.eventLoop = eventLoop
    self.logger = logger
    self.machine = PoolStateMachine(limits: limits, servers: endpoints.count, firstServer: firstServer)
  }

  // MARK: For exchanges

  /// Finds a connection for a request.
  ///
  /// - Parameter fresh: whether only a new connection will do
  func acquire(for exchange: UpstreamExchange, fresh: Bool) -> Acquisition {
    let now = self.eventLoop.now
    if !fresh, let id = self.machine.leaseIdle(now: now), let connection = self.connections[id.index] {
      return .connection(connection)
    }
    switch self.machine.enqueue(fresh: fresh, now: now) {
    case .wait(let ticket, let effects):
      self.waiting[ticket] = exchange
      self.perform(effects)
      return .waiting(ticket)
    case .refuse(let refusal):
      return .problem(self.problem(for: refusal))
    }
  }

  func cancel(_ ticket: PoolStateMachine.Ticket) {
    self.waiting[ticket] = nil
    self.perform(self.machine.cancel(ticket, now: self.eventLoop.now))
  }

  // MARK: For connections

  func isReady(_ connection: UpstreamConnection) {
    guard let id = connection.id else { return }
    self.events.connected += 1
    self.perform(self.machine.connected(id, now: self.eventLoop.now))
  }

  func couldNotConnect(_ id: PoolStateMachine.ConnectionID, to endpoint: Endpoint, _ error: any Error) {
    self.lastFailure = endpoint.failure.problem(error)
    self.events.connectsFailed += 1
    // Only the first failure of a row is news; while a server is out, every probe fails alike.
    self.logger.log(
      level: self.machine.isUp(serverOf: id, now: self.eventLoop.now) ? .warning : .debug, "no connection to upstream server",
      metadata: ["upstream": "\(self.key)", "server": "\(endpoint.server)", "reason": "\(self.lastFailure.detail)"])
    if self.connections.indices.contains(id.index), self.connections[id.index]?.id == id { self.connections[id.index] = nil }
    self.perform(self.machine.connectFailed(id, now: self.eventLoop.now, jitter: .random(in: 0..<1)))
  }

  /// A request is done with a connection that can carry another.
  func release(_ connection: UpstreamConnection) {
    guard let id = connection.id else { return }
    switch self.machine.release(id, now: self.eventLoop.now) {
    case .park:
      self.setTimer()
    case .serve(let ticket):
      self.serve(ticket, with: connection)
    case .close:
      self.forget(connection)
      connection.retire()
    }
  }

  /// A connection carries no further request.
  func hasEnded(_ connection: UpstreamConnection) {
    guard let id = connection.id else { return }
    self.forget(connection)
    self.perform(self.machine.closed(id, now: self.eventLoop.now))
  }

  /// A request is sent a second time because the connection of the first was lost.
  func countRetry() { self.events.retries += 1 }

  /// How many connections there are, and how many of them idle; how many requests wait for one.
  var occupancy: (connections: Int, idle: Int, waiting: Int) {
    (self.machine.connectionCount, self.machine.idleCount, self.machine.waiterCount)
  }

  /// Lets those finish who use the pool; nobody else will come.
  func retire() {
    self.perform(self.machine.retire())
  }

  /// Gives the pool up: idle connections end, those in use end behind their request, new requests are refused.
  func close() {
    self.perform(self.machine.close())
  }

  // MARK: Effects

  private func perform(_ effects: PoolStateMachine.Effects) {
    for id in effects.close {
      guard let connection = self.connections[id.index], connection.id == id else { continue }
      self.connections[id.index] = nil
      connection.retire()
    }
    for attempt in effects.connect {
      // Put off, so that nobody hears of a connection, or of its failure, before the call that asked for it has returned.
      self.eventLoop.assumeIsolated().execute { self.connect(attempt) }
    }
    for service in effects.serve {
      if let connection = self.connections[service.connection.index] { self.serve(service.ticket, with: connection) }
    }
    for denial in effects.refuse {
      self.waiting.removeValue(forKey: denial.ticket)?.fail(self.problem(for: denial.refusal))
    }
    self.setTimer()
  }

  private func serve(_ ticket: PoolStateMachine.Ticket, with connection: UpstreamConnection) {
    // Whoever cancels leaves the machine's queue too, so that somebody is there; if not, the connection must not be lost.
    guard let exchange = self.waiting.removeValue(forKey: ticket) else { return self.release(connection) }
    exchange.attach(to: connection)
  }

  private func connect(_ attempt: PoolStateMachine.Attempt) {
    let endpoint = self.endpoints[attempt.server]
    let deadline = self.eventLoop.now + self.connectTimeout
    self.connector(endpoint, self.connectTimeout, self.eventLoop).assumeIsolated().whenComplete { result in
      do {
        let connection = try result.get().pipeline.syncOperations.handler(type: UpstreamConnection.self)
        self.keep(connection, at: attempt.connection)
        connection.adopt(by: self, id: attempt.connection, deadline: deadline)
      } catch {
        self.couldNotConnect(attempt.connection, to: endpoint, error)
      }
    }
  }

  private func keep(_ connection: UpstreamConnection, at id: PoolStateMachine.ConnectionID) {
    while self.connections.count <= id.index { self.connections.append(nil) }
    self.connections[id.index] = connection
  }

  private func forget(_ connection: UpstreamConnection) {
    guard let id = connection.id, self.connections[id.index] === connection else { return }
    self.connections[id.index] = nil
  }

  /// One timer serves all: it is set to the next moment at which something is due, and not moved while that only recedes.
  private func setTimer() {
    guard let next = self.machine.nextTick else { return }
    if let timer {
      guard next < timer.deadline else { return }
      timer.scheduled.cancel()
    }
    let scheduled = self.eventLoop.assumeIsolated().scheduleTask(deadline: next) { [weak self] in
      guard let self else { return }
      self.timer = nil
      self.perform(self.machine.tick(now: self.eventLoop.now))
    }
    self.timer = Timer(deadline: next, scheduled: scheduled)
  }

  private func problem(for refusal: PoolStateMachine.Refusal) -> Problem {
    switch refusal {
    case .queueFull: .upstreamBusy.with(detail: "\(self.key): too many requests wait for a connection")
    case .waitedTooLong: .upstreamBusy.with(detail: "\(self.key): no connection became free in time")
    case .connectingTooLong: .upstreamTimeout.with(detail: "\(self.key): no server could be connected to in time")
    case .unreachable: self.lastFailure
    case .closing: .upstreamBusy.with(detail: "\(self.key): the upstream is being taken out of service")
    }
  }
}
