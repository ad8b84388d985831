import Logging
import NIOConcurrencyHelpers
import NIOCore
import SallyportAudit
import SallyportAuthentication
public import SallyportConfiguration
import SallyportCore
import SallyportListener
import SallyportStrictYAML

extension Gateway {
  /// Goes on with another configuration and with what its files hold now, all at once or not at all.
  ///
  /// Requests that begin from here on, also on connections that are there, see the new generation; those under way keep
  /// theirs. Streams and tunnels that the new one would not let in are cut, with the reason in their record. Connections to
  /// upstreams about which nothing changed go on.
  ///
  /// - Throws: ``StartFault`` with all that is wrong; then nothing has changed, and the gateway goes on as before
  public func reload(to configuration: GatewayConfiguration) async throws(StartFault) {
    let state = try await self.beginReload()
    defer { self.state.withLockedValue { $0.isReloading = false } }
    do throws(StartFault) {
      let taken = try await self.reload(from: state, to: configuration)
      self.reloads.succeeded()
      self.log.record(.reloaded(configuration: taken.hash, refused: nil))
      self.logger.notice(
        "the configuration was reloaded",
        metadata: [
          "generation": "\(taken.number)", "configuration": "\(taken.hash.prefix(12))", "streamsCut": "\(taken.cut)",
        ])
    } catch {
      self.reloadFailed(error)
      throw error
    }
  }

  /// Looks whether somebody moved the audit log's files away, and goes on in new ones then.
  public func reopenLog() { self.log.reopen() }

  /// Notes that a configuration could not even be read.
  func reloadFailed(_ fault: StartFault) {
    self.reloads.failed(fault)
    self.log.record(
      .reloaded(configuration: self.state.withLockedValue { $0.generation.hash }, refused: fault.messages.joined(separator: "; ")))
    for message in fault.messages {
      self.logger.error("the reload failed, and the configuration before it is kept", metadata: ["fault": "\(message)"])
    }
  }

  private func beginReload() async throws(StartFault) -> State {
    // New API descriptions are taken into use within a moment.
    while self.state.withLockedValue({ $0.isAdopting }) { try? await Task.sleep(for: .milliseconds(20)) }
    let state = self.state.withLockedValue { state -> State? in
      guard !state.isReloading, !state.isDraining else { return nil }
      state.isReloading = true
      return state
    }
    guard let state else { throw StartFault(["another reload is under way, or the gateway is shutting down"]) }
    return state
  }

  private func reload(
    from state: State, to configuration: GatewayConfiguration
  ) async throws(StartFault) -> (number: Int, hash: String, cut: Int) {
    try Self.refuseWhatTakesARestart(from: state.configuration, to: configuration)
    for fault in configuration.checkFiles() where fault.severity == .warning { self.logger.warning("\(fault)") }
    // A listener on another address is another listener, also under its old name.
    let present = Dictionary(uniqueKeysWithValues: zip(state.configuration.listeners, state.listeners).map { ($0.name, ($0.address, $1)) })
    let kept = Dictionary(
      uniqueKeysWithValues: configuration.listeners.compactMap { listener in
        present[listener.name].flatMap { $0.0 == listener.address || $0.1.listens(at: listener.address) ? (listener.name, $0.1) : nil }
      })
    var continuation = self.continuation
    continuation.generation = state.generation
    continuation.listeners = kept
    let parts = try Self.read(configuration, continuing: continuation, group: self.group, logger: self.logger)
    let prepared = try await self.continuation.catalogues.prepare(parts.generation, on: self.group.next(), logger: self.logger)
    let generation = parts.generation.knowing(prepared.catalogues)
    let started = try await self.start(parts, beside: kept)
    let admin = try await self.admin(for: configuration, parts, state, closingOnFault: Array(started.values))
    let control = try await self.control(
      for: configuration, state, closingOnFault: started.values + (admin.map { $0 === state.admin ? [] : [$0] } ?? []))

    // From here on nothing fails.
    generation.authenticator.begin()
    await self.contexts.adopt(generation)
    self.continuation.catalogues.follow(prepared)
    Self.report(generation.unknownNames, self.logger)
    for listener in parts.listeners { kept[listener.configuration.name]?.adopt(listener) }
    let listeners = parts.listeners.compactMap { kept[$0.configuration.name] ?? started[$0.configuration.name] }
    let removed = state.listeners.filter { old in !listeners.contains { $0 === old } }
    self.state.withLockedValue { state in
      state.configuration = configuration
      state.generation = generation
      state.listeners = listeners
      state.admin = admin
      state.control = control
      state.retired = state.retired.filter { $0.connectionCount > 0 } + removed
    }
    self.announce(Array(started.values))
    for listener in removed { await listener.stopAccepting() }
    if let old = state.admin, old !== admin { await old.close() }
    if let old = state.control, old !== control { await self.closeControl(old) }
    let cut = await self.contexts.reviewStreams(by: generation)
    return (generation.number, generation.hash, cut)
  }

  /// Starts the listeners that are not there yet.
  private func start(_ parts: Parts, beside kept: [String: Listener]) async throws(StartFault) -> [String: Listener] {
    var started: [String: Listener] = [:]
    do throws(Problem) {
      for listener in parts.listeners where kept[listener.configuration.name] == nil {
        started[listener.configuration.name] = try await Listener.start(
          listener, receiver: self.receiver, group: self.group, logger: self.logger)
      }
      return started
    } catch {
      for listener in started.values { await listener.close() }
      throw Self.unbindable(error)
    }
  }

  /// The admin listener that the configuration asks for: the present one, another, or none.
  private func admin(
    for configuration: GatewayConfiguration, _ parts: Parts, _ state: State, closingOnFault started: [Listener]
  ) async throws(StartFault) -> Listener? {
    if configuration.admin == state.configuration.admin { return state.admin }
    guard let prepared = parts.admin else { return nil }
    do throws(Problem) {
      return try await self.adminListener(prepared)
    } catch {
      for listener in started { await listener.close() }
      throw Self.unbindable(error)
    }
  }

  /// The control socket that the configuration asks for: the present one, another, or none.
  private func control(
    for configuration: GatewayConfiguration, _ state: State, closingOnFault started: [Listener]
  ) async throws(StartFault) -> UnixListener? {
    if configuration.control == state.configuration.control { return state.control }
    do throws(StartFault) {
      if let control = configuration.control { return try await self.openControl(control) }
      return nil
    } catch {
      for listener in started { await listener.close() }
      throw error
    }
  }

  /// An address may be in use by ourselves: a listener that moves within one port, or two that change places.
  private static func unbindable(_ problem: Problem) -> StartFault {
    StartFault(["\(problem.detail.isEmpty ? problem.message : problem.detail); where it is this gateway's own, the change takes a restart"])
  }

  /// Refuses what cannot change under a running process.
  private static func refuseWhatTakesARestart(
    from old: GatewayConfiguration, to new: GatewayConfiguration
  ) throws(StartFault) {
    let remedy = "was changed, which takes a restart; restart the gateway, or change it back"
    var faults = FaultCollector()
    // Records that wait, and the lock on the directory, belong to the log that is open.
    if old.audit != new.audit {
      let place = new.audit.directory.place
      faults.add("\(place.file):\(place.line):\(place.column): audit: \(remedy)")
    }
    if old.eventLoops != new.eventLoops { faults.add("\(new.audit.directory.place.file): server.eventLoops: \(remedy)") }
    guard faults.isEmpty else { throw faults.fault }
  }
}

extension Listener {
  /// Whether this is where it listens already: port 0 in the configuration that it was started with became some port, and
  /// an address with that port is no other place.
  fileprivate func listens(at address: HostAndPort) -> Bool {
    self.localAddress.ipAddress == address.host && self.localAddress.port == address.port
  }
}
