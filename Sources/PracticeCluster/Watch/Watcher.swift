import NIOConcurrencyHelpers
import NIOCore

/// One open watch: takes events from the store, and gives those that it is about to its connection.
///
/// The buffer is bounded: a watch whose client does not keep up is ended, as the API server does, and the client begins
/// anew from the revision that it saw last. The events at the start are kept apart and encoded only when they are sent.
final class Watcher: BodyStream {
  struct Scope: Sendable {
    let type: ResourceType
    /// Empty for all.
    let namespace: String
    let labels: LabelSelector
    let fields: FieldSelector
    let representation: Representation
    /// How long the watch lasts.
    let timeout: TimeAmount
    /// How often the watch tells its revision, where the client asked for it.
    let bookmarks: TimeAmount?
    /// Whether the end of the initial events is told by a bookmark (`sendInitialEvents`).
    let marksInitialEnd: Bool
  }

  private struct State {
    var initial = ArraySlice<StoreEvent>()
    var waiting = CircularBuffer<StoreEvent>()
    /// Lines that are no events: bookmarks.
    var lines: [[UInt8]] = []
    var revision = 0
    var wake: (@Sendable () -> Void)?
    var isAsleep = false
    var isOver = false
    var timers: [Timer] = []
    var initialEndIsDue = false
  }

  private enum Timer: Sendable {
    case once(Scheduled<Void>)
    case repeated(RepeatedTask)

    func cancel() {
      switch self {
      case .once(let task): task.cancel()
      case .repeated(let task): task.cancel()
      }
    }
  }

  static let bufferLimit = 1000
  /// A piece of the answer is closed at this size, in bytes.
  private static let pieceSize = 32 * 1024

  private let scope: Scope
  private let store: ObjectStore
  private let state = NIOLockedValueBox(State())

  init(_ scope: Scope, store: ObjectStore) {
    self.scope = scope
    self.store = store
  }

  // MARK: The store's side, under the store's lock

  func begin(with events: some Sequence<StoreEvent>, at revision: Int) {
    self.state.withLockedValue { state in
      state.initial = ArraySlice(events.filter(self.concerns))
      state.revision = revision
      state.initialEndIsDue = self.scope.marksInitialEnd
    }
  }

  func offer(_ event: StoreEvent) {
    guard self.concerns(event) else { return }
    let wake: (@Sendable () -> Void)? = self.state.withLockedValue { state in
      guard !state.isOver, event.object.revision > state.revision else { return nil }
      state.waiting.append(event)
      if state.waiting.count > Self.bufferLimit { state.isOver = true }
      guard state.isAsleep else { return nil }
      state.isAsleep = false
      return state.wake
    }
    wake?()
  }

  /// Cheap sorting out before an event is kept: only what can never be this watch's.
  private func concerns(_ event: StoreEvent) -> Bool {
    self.scope.namespace.isEmpty || event.object.key.namespace == self.scope.namespace
  }

  // MARK: The connection's side

  func start(on eventLoop: any EventLoop, wake: @escaping @Sendable () -> Void) {
    var timers: [Timer] = []
    timers.append(.once(eventLoop.scheduleTask(in: self.scope.timeout) { self.finish() }))
    if let interval = self.scope.bookmarks {
      timers.append(
        .repeated(eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in self.addBookmark() }))
    }
    self.state.withLockedValue { state in
      state.wake = wake
      state.timers = timers
    }
  }

  func next() -> BodyPiece {
    var piece: [UInt8] = []
    while piece.count < Self.pieceSize {
      let step: Step = self.state.withLockedValue { state in
        if let event = state.initial.popFirst() { return .event(event) }
        if state.initialEndIsDue {
          state.initialEndIsDue = false
          return .initialEnd(state.revision)
        }
        if state.waiting.count > Self.bufferLimit { return .end }
        if let event = state.waiting.popFirst() { return .event(event) }
        if !state.lines.isEmpty { return .line(state.lines.removeFirst()) }
        if state.isOver { return .end }
        state.isAsleep = piece.isEmpty
        return .later
      }
      switch step {
      case .event(let event):
        if let line = self.line(of: event) { piece += line }
      case .line(let line): piece += line
      case .initialEnd(let revision): piece += self.bookmark(revision: revision, endsInitial: true)
      case .later: return piece.isEmpty ? .later : .bytes(piece)
      case .end: return piece.isEmpty ? .end : .bytes(piece)
      }
    }
    return .bytes(piece)
  }

  private enum Step {
    case event(StoreEvent), line([UInt8]), initialEnd(Int), later, end
  }

  func stop() {
    self.store.end(self, of: self.scope.type)
    let timers = self.state.withLockedValue { state in
      state.isOver = true
      state.wake = nil
      defer { state.timers = [] }
      return state.timers
    }
    for timer in timers { timer.cancel() }
  }

  /// The watch's time is over: what waits is still sent.
  private func finish() {
    if self.scope.bookmarks != nil { self.addBookmark() }
    let wake = self.state.withLockedValue { state in
      state.isOver = true
      state.isAsleep = false
      return state.wake
    }
    wake?()
  }

  /// Tells the store's revision once nothing older waits: every event up to it was offered before it was read.
  private func addBookmark() {
    let revision = self.store.revision
    let wake: (@Sendable () -> Void)? = self.state.withLockedValue { state in
      guard !state.isOver, state.initial.isEmpty, state.waiting.isEmpty, state.lines.isEmpty else { return nil }
      state.lines.append(self.bookmark(revision: revision, endsInitial: false))
      guard state.isAsleep else { return nil }
      state.isAsleep = false
      return state.wake
    }
    wake?()
  }

  private func bookmark(revision: Int, endsInitial: Bool) -> [UInt8] {
    var metadata: JSON = ["resourceVersion": .string(String(revision)), "creationTimestamp": .null]
    if endsInitial { metadata.set("true", at: "annotations", "k8s.io/initial-events-end") }
    return WatchLine.bytes(
      "BOOKMARK", ["kind": .string(self.scope.type.kind), "apiVersion": .string(self.scope.type.groupVersion), "metadata": metadata])
  }

  /// The event as this watch sees it: an object that comes into the selection is added, one that leaves it deleted.
  private func line(of event: StoreEvent) -> [UInt8]? {
    let isSelected = self.selects(event.object)
    let wasSelected = event.previous.map(self.selects) ?? false
    let kind: StoreEvent.Kind
    switch event.kind {
    case .added where isSelected: kind = .added
    case .modified where isSelected: kind = wasSelected ? .modified : .added
    case .modified where wasSelected: kind = .deleted
    case .deleted where wasSelected: kind = .deleted
    default: return nil
    }
    return event.line(kind, self.scope.type, self.scope.representation)
  }

  private func selects(_ object: StoredObject) -> Bool {
    self.scope.labels.matches(object.labels) && self.scope.fields.matches(object)
  }
}

/// A watch that tells only why it cannot be: the error travels as an event, behind a 200.
struct FailedWatch: BodyStream {
  private let error: APIError
  private let isTold = NIOLockedValueBox(false)

  init(_ error: APIError) { self.error = error }

  func start(on eventLoop: any EventLoop, wake: @escaping @Sendable () -> Void) {}

  func next() -> BodyPiece {
    let wasTold = self.isTold.withLockedValue { told in
      defer { told = true }
      return told
    }
    return wasTold ? .end : .bytes(WatchLine.bytes("ERROR", self.error.json))
  }

  func stop() {}
}
