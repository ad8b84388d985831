import NIOConcurrencyHelpers
import NIOCore

/// All objects, their recent history, and who watches them; one lock over everything.
///
/// Every change gets the next revision of one counter, as in etcd. A change is decided and recorded under the lock, so
/// that what a caller read is what its change is applied to.
final class ObjectStore: Sendable {
  /// What a caller decided to do with the object that it was shown.
  enum Change {
    case keep
    case put(JSON)
    case remove
  }

  private struct Shelf {
    var objects: [ObjectKey: StoredObject] = [:]
    var keys: [ObjectKey] = []
    var history = CircularBuffer<StoreEvent>()
    /// Watches can begin at any revision from here on; earlier events are forgotten.
    var oldestRevision = 0
    var watchers: [ObjectIdentifier: Watcher] = [:]

    mutating func place(_ object: StoredObject) {
      if self.objects.updateValue(object, forKey: object.key) == nil {
        self.keys.insert(object.key, at: self.position(of: object.key))
      }
    }

    mutating func take(_ key: ObjectKey) {
      guard self.objects.removeValue(forKey: key) != nil else { return }
      self.keys.remove(at: self.position(of: key))
    }

    /// The index of the first key that is not before `key`.
    func position(of key: ObjectKey) -> Int {
      var (low, high) = (0, self.keys.count)
      while low < high {
        let middle = (low + high) / 2
        if self.keys[middle] < key { low = middle + 1 } else { high = middle }
      }
      return low
    }
  }

  private struct State {
    var revision = 1
    var shelves: [ResourceType: Shelf] = [:]
  }

  /// How many events of each type are kept for watches that begin in the past.
  static let historyLimit = 1000
  private let state = NIOLockedValueBox(State())

  var revision: Int { self.state.withLockedValue { $0.revision } }

  func object(_ type: ResourceType, _ key: ObjectKey) -> StoredObject? {
    self.state.withLockedValue { $0.shelves[type]?.objects[key] }
  }

  /// The objects of a type in order, and the revision at which they stood so.
  ///
  /// - Parameters:
  ///   - namespace: only this one's; empty for all
  ///   - after: only objects behind this key
  func objects(_ type: ResourceType, namespace: String, after: ObjectKey? = nil) -> (objects: [StoredObject], revision: Int) {
    self.state.withLockedValue { state in
      guard let shelf = state.shelves[type] else { return ([], state.revision) }
      var start = namespace.isEmpty ? 0 : shelf.position(of: ObjectKey(namespace: namespace, name: ""))
      if let after {
        start = max(start, shelf.position(of: after))
        if start < shelf.keys.count, shelf.keys[start] == after { start += 1 }
      }
      let keys = namespace.isEmpty ? shelf.keys[start...] : shelf.keys[start...].prefix { $0.namespace == namespace }
      return (keys.compactMap { shelf.objects[$0] }, state.revision)
    }
  }

  /// Changes one object, or makes or removes it.
  ///
  /// - Parameters:
  ///   - isDryRun: decide and answer, but change nothing
  ///   - decide: is shown the object as it stands and says what shall become of it; runs under the store's lock
  /// - Returns: the object as it is now, or was when it was removed; `nil` where there was and is none
  @discardableResult
  func change(
    _ type: ResourceType, _ key: ObjectKey, isDryRun: Bool = false, fillerBytes: Int = 0,
    _ decide: (StoredObject?) throws(APIError) -> Change
  ) throws(APIError) -> StoredObject? {
    let result: Result<StoredObject?, APIError> = self.state.withLockedValue { state in
      let present = state.shelves[type]?.objects[key]
      do throws(APIError) {
        let change = try decide(present)
        return .success(isDryRun ? Self.preview(change, present) : Self.apply(change, present, type, fillerBytes, &state))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  private static func preview(_ change: Change, _ present: StoredObject?) -> StoredObject? {
    switch change {
    case .keep, .remove: present
    case .put(let json): StoredObject(json, revision: present?.revision ?? 0)
    }
  }

  private static func apply(
    _ change: Change, _ present: StoredObject?, _ type: ResourceType, _ fillerBytes: Int, _ state: inout State
  ) -> StoredObject? {
    switch change {
    case .keep: return present
    case .put(let json):
      state.revision += 1
      let object = StoredObject(json, revision: state.revision, fillerBytes: fillerBytes)
      state.shelves[type, default: Shelf()].place(object)
      self.record(StoreEvent(kind: present == nil ? .added : .modified, object: object, previous: present), type, &state)
      return object
    case .remove:
      guard let present else { return nil }
      state.revision += 1
      state.shelves[type]?.take(present.key)
      self.record(StoreEvent(kind: .deleted, object: present.tombstone(revision: state.revision), previous: present), type, &state)
      return present
    }
  }

  private static func record(_ event: StoreEvent, _ type: ResourceType, _ state: inout State) {
    state.shelves[type]?.history.append(event)
    if let count = state.shelves[type]?.history.count, count > self.historyLimit,
      let forgotten = state.shelves[type]?.history.removeFirst()
    {
      state.shelves[type]?.oldestRevision = forgotten.object.revision
    }
    for watcher in (state.shelves[type]?.watchers ?? [:]).values { watcher.offer(event) }
  }
}

extension ObjectStore {
  /// Where a watch begins.
  enum WatchStart: Sendable, Hashable {
    /// With an added event for each object that is there now.
    case now
    /// Behind this revision.
    case after(Int)
  }

  /// Begins a watch: fills the watcher with what it missed and tells it all that follows.
  ///
  /// - Throws: 410 where the revision is older than the history
  func begin(_ watcher: Watcher, of type: ResourceType, at start: WatchStart) throws(APIError) {
    let failure: APIError? = self.state.withLockedValue { state in
      var shelf = state.shelves[type] ?? Shelf()
      switch start {
      case .now:
        let objects = shelf.keys.compactMap { shelf.objects[$0] }
        watcher.begin(with: objects.map { StoreEvent(kind: .added, object: $0, previous: nil) }, at: state.revision)
      case .after(let revision):
        guard revision >= shelf.oldestRevision else {
          return .expired("too old resource version: \(revision) (\(shelf.oldestRevision))")
        }
        watcher.begin(with: shelf.history.filter { $0.object.revision > revision }, at: max(revision, state.revision))
      }
      shelf.watchers[ObjectIdentifier(watcher)] = watcher
      state.shelves[type] = shelf
      return nil
    }
    if let failure { throw failure }
  }

  func end(_ watcher: Watcher, of type: ResourceType) {
    self.state.withLockedValue { _ = $0.shelves[type]?.watchers.removeValue(forKey: ObjectIdentifier(watcher)) }
  }

  /// How many watches are open, for tests.
  var watcherCount: Int { self.state.withLockedValue { $0.shelves.values.reduce(0) { $0 + $1.watchers.count } } }
}
