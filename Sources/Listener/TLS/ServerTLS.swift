import NIOConcurrencyHelpers
import NIOSSL
import SallyportCore

import struct Foundation.Date

/// The one place where server contexts are made, and the generation that new connections get.
final class ServerTLS: Sendable {
  private struct State {
    var material: ServerTLSMaterial
    var generation: TLSGeneration
  }

  private let state: NIOLockedValueBox<State>

  /// What was read from files and can take the present one's place without a fault.
  struct Prepared: Sendable {
    let material: ServerTLSMaterial
    let generation: TLSGeneration
  }

  init(_ prepared: Prepared) {
    self.state = NIOLockedValueBox(State(material: prepared.material, generation: prepared.generation))
  }

  /// Reads the files.
  ///
  /// - Parameter previous: what goes on where the files still hold the same, so that a client keeps its connection
  /// - Throws: ``Problem`` for files that cannot be read or do not fit together
  static func prepare(_ configuration: ServerTLSConfiguration, previous: ServerTLS? = nil) throws(Problem) -> Prepared {
    let current = previous?.state.withLockedValue { $0 }
    let material = try ServerTLSMaterial.load(configuration, previous: current?.material.trust)
    if let current, current.material.isSame(as: material) { return Prepared(material: current.material, generation: current.generation) }
    return Prepared(material: material, generation: try self.generation(of: material))
  }

  /// Begins the prepared generation.
  ///
  /// - Returns: whether the trust in client certificates is another, so that who was let in by the old one has to go
  func adopt(_ prepared: Prepared) -> Bool {
    self.state.withLockedValue { state in
      // The hourly renewal of tickets may have come in between, and must not be taken back.
      guard !state.material.isSame(as: prepared.material) else { return false }
      let previous = state.material.trust
      state = State(material: prepared.material, generation: prepared.generation)
      return prepared.material.trust !== previous
    }
  }

  var current: TLSGeneration { self.state.withLockedValue { $0.generation } }
  /// When the server's own certificate ends.
  var certificateExpires: Date { self.state.withLockedValue { $0.material.expires } }

  /// Reads the files anew and begins a generation with them; on a fault the present one goes on.
  ///
  /// - Returns: whether the trust in client certificates is another, so that who was let in by the old one has to go
  func replace(with configuration: ServerTLSConfiguration) throws(Problem) -> Bool {
    let previous = self.current.trust
    let material = try ServerTLSMaterial.load(configuration, previous: previous)
    let generation = try Self.generation(of: material)
    self.state.withLockedValue { $0 = State(material: material, generation: generation) }
    return material.trust !== previous
  }

  /// Begins a generation with the same files, which ends the life of all tickets.
  func refresh() throws(Problem) {
    let material = self.state.withLockedValue { $0.material }
    let generation = try Self.generation(of: material)
    self.state.withLockedValue { state in
      // A replacement that came in between has newer files, and new tickets anyway.
      if state.material.trust === material.trust, state.material.chain == material.chain { state.generation = generation }
    }
  }

  private static func generation(of material: ServerTLSMaterial) throws(Problem) -> TLSGeneration {
    do {
      return TLSGeneration(context: try material.makeContext(), trust: material.trust)
    } catch {
      throw ListenerProblem.certificateUnusable.with(detail: "\(error)")
    }
  }
}
