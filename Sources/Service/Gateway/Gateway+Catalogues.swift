import Logging
import NIOConcurrencyHelpers
import NIOCore
import SallyportMetrics

// The API descriptions that upstreams give of themselves.
extension Gateway {
  /// Takes the new catalogues into use: the policies of the routes are compiled anew, away from the event loops, and each
  /// loop gets the generation that holds them, for the requests that begin from then on. Streams that the rules now deny are
  /// cut as they are at a reload.
  func adoptCatalogues() async {
    guard await self.beginAdopting() else { return }
    defer { self.state.withLockedValue { $0.isAdopting = false } }
    let generation = self.state.withLockedValue { $0.generation }.knowing(self.continuation.catalogues.catalogues)
    await self.contexts.adopt(generation)
    let before = self.state.withLockedValue { state in
      defer { state.generation = generation }
      return state.generation
    }
    let cut = await self.contexts.reviewStreams(by: generation)
    self.logger.notice(
      "the policies were compiled against a new API description",
      metadata: ["unknownNames": "\(generation.unknownNames.count)", "streamsCut": "\(cut)"])
    Self.report(generation.unknownNames.filter { !before.unknownNames.contains($0) }, self.logger)
  }

  static func report(_ unknownNames: [String], _ logger: Logger) {
    for name in unknownNames {
      logger.warning("a rule names what the upstream's API description does not have", metadata: ["rule": "\(name)"])
    }
  }

  /// Waits for a reload that is under way; `false` where there is no use in going on.
  private func beginAdopting() async -> Bool {
    while !Task.isCancelled {
      let began = self.state.withLockedValue { state -> Bool? in
        if state.isDraining { return nil }
        guard !state.isReloading, !state.isAdopting else { return false }
        state.isAdopting = true
        return true
      }
      guard let began else { return false }
      if began { return true }
      try? await Task.sleep(for: .milliseconds(20))
    }
    return false
  }

  // MARK: - For the operator

  func addCatalogueState() {
    let keeper = self.continuation.catalogues
    self.readiness.add("catalogue") { [weak self] in
      guard let generation = self?.state.withLockedValue({ $0.generation }) else { return .ok }
      return Self.readiness(keeper.statuses, lateness: keeper.lateness) { generation.policies.needsCatalogue(of: $0) }
    }
    self.metrics.add { [weak self] in
      guard let generation = self?.state.withLockedValue({ $0.generation }) else { return [] }
      return CatalogueMetrics.families(keeper.statuses, unknownNames: generation.unknownNames.count, at: .now())
    }
  }

  /// Without a catalogue that a policy needs every request for a resource is denied: no place to send requests to, least of all
  /// in the middle of a roll-out. With an old one the gateway is as good as its replicas.
  static func readiness(
    _ statuses: [CatalogueStatus], lateness: TimeAmount, at now: NIODeadline = .now(), isNeeded: (String) -> Bool
  ) -> ReadinessState {
    var notes: [String] = []
    var isLate = false
    for status in statuses {
      guard let age = status.age(at: now) else {
        let reason = "the API description of \(status.upstream) was never read: \(status.fault ?? "it was not asked yet")"
        if isNeeded(status.upstream) { return .failed("\(reason); policies deny what they cannot decide") }
        isLate = true
        notes.append(reason)
        continue
      }
      var note = "\(status.upstream) was confirmed \(age.nanoseconds / 1_000_000_000) s ago"
      if let fault = status.fault { note += ", and what was read last is kept: \(fault)" }
      if age > lateness { isLate = true }
      notes.append(note)
    }
    guard !notes.isEmpty else { return .ok }
    return isLate ? .warning(notes.joined(separator: "; ")) : .noted(notes.joined(separator: "; "))
  }
}
