import Logging
import NIOConcurrencyHelpers
import NIOCore
import SallyportPolicy

/// The descriptions that upstreams give of themselves (`openapi: upstream`), kept over generations for as long as the
/// gateway runs.
///
/// A generation is prepared for before it is in force, and followed from then on: each upstream is asked every few minutes,
/// and whoever holds the generation hears of every new catalogue.
final class CatalogueKeeper: Sendable {
  /// How long a start or a reload waits for an upstream that has not said anything yet.
  static let patience: Duration = .seconds(10)

  fileprivate struct Kept: Sendable {
    let source: CatalogueSource
    let discovery: Discovery
    /// Asks until it is cancelled.
    var task: Task<Void, Never>?
  }

  /// What was prepared for a generation and is not in force yet.
  struct Preparation: Sendable {
    fileprivate let kept: [String: Kept]

    /// What the upstreams have said, by their names.
    var catalogues: [String: Catalogue] { self.kept.compactMapValues(\.source.catalogue) }
  }

  private let limits: CatalogueSource.Limits
  private let kept = NIOLockedValueBox<[String: Kept]>([:])
  private let changes: AsyncStream<Void>
  private let changed: AsyncStream<Void>.Continuation
  private let listener = NIOLockedValueBox<Task<Void, Never>?>(nil)

  init(limits: CatalogueSource.Limits = .init()) {
    self.limits = limits
    (self.changes, self.changed) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  deinit { self.stop() }

  /// The last good catalogues, by the upstream's name.
  var catalogues: [String: Catalogue] { self.kept.withLockedValue { $0 }.compactMapValues(\.source.catalogue) }

  /// How things stand, in the order of the upstreams' names.
  var statuses: [CatalogueStatus] {
    self.kept.withLockedValue { $0 }.sorted { $0.key < $1.key }.map { $0.value.source.status }
  }

  /// How long after its last confirmation a catalogue is late.
  var lateness: TimeAmount { TimeAmount(self.limits.every) * 3 }

  /// Gets the catalogues of a generation ready: those of upstreams that stay are there, the others are asked, all at once
  /// and for no longer than ``patience``. What they do not say in time they may say later.
  func prepare(_ generation: Generation, on eventLoop: any EventLoop, logger: Logger) async throws(StartFault) -> Preparation {
    let before = self.kept.withLockedValue { $0 }
    var kept: [String: Kept] = [:]
    for (name, discovery) in generation.discoveries {
      // Another server under the old name is another cluster until it says otherwise.
      let previous = before[name].flatMap { $0.discovery.section == discovery.section ? $0.source : nil }
      kept[name] = Kept(
        source: try CatalogueSource.asking(
          discovery.upstream, credential: discovery.credential, limits: self.limits, eventLoop: eventLoop, logger: logger,
          continuing: previous, onChange: { [changed] _ in changed.yield() }),
        discovery: discovery)
    }
    let sources = kept.values.map(\.source).filter { $0.catalogue == nil }
    await withTaskGroup(of: Void.self) { group in
      for source in sources { group.addTask { await source.refresh(within: Self.patience) } }
    }
    return Preparation(kept: kept)
  }

  /// Follows what was prepared, in place of what was followed before.
  func follow(_ preparation: Preparation) {
    var kept = preparation.kept
    for (name, entry) in kept {
      let source = entry.source
      // Who has just been asked is asked again when it is time; who stays from before may have been due.
      kept[name]?.task = Task { await source.run(first: source.status.wasJustAsked) }
    }
    let following = kept
    let before = self.kept.withLockedValue { kept in
      defer { kept = following }
      return kept
    }
    for entry in before.values { entry.task?.cancel() }
  }

  /// Calls `body` after new catalogues, one call at a time, until ``stop()``.
  func onChange(_ body: @escaping @Sendable () async -> Void) {
    let changes = self.changes
    let task = Task {
      for await _ in changes { await body() }
    }
    self.listener.withLockedValue { $0 = task }
  }

  /// Asks nobody any more.
  func stop() {
    for entry in self.kept.withLockedValue({ $0 }).values { entry.task?.cancel() }
    self.listener.withLockedValue { $0 }?.cancel()
    self.changed.finish()
  }
}
