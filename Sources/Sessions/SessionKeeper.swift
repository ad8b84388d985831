import NIOConcurrencyHelpers
public import NIOCore
public import SallyportCore

public import struct Foundation.Date

/// What is known of a session beside whom it stands for.
public struct SessionFacts: Sendable, Equatable {
  public let key: SessionKey
  public let began: Date
  public let ends: Date
  public let version: UInt64
  let user: SessionUser
  let tags: [SessionTag]

  init(_ session: StoredSession, _ key: SessionKey) {
    self.key = key
    self.began = session.began
    self.ends = session.ends
    self.version = session.version
    self.user = session.user
    self.tags = session.tags
  }
}

/// What becomes of signing in.
public enum SessionBeginning<Opened: Sendable>: Sendable {
  /// - Parameters:
  ///   - id: what the browser gets; it is known nowhere else
  ///   - ended: sessions that it took the place of, and those of the same user that made room
  case began(id: SessionID, Opened, ended: [SessionKey])
  case full
  case unavailable(String)
}

/// What there is to an ID that somebody presents.
public enum SessionFinding<Opened: Sendable>: Sendable {
  case found(Opened)
  case none
  case unavailable(String)
}

/// Begins, finds and ends sessions: makes their IDs, seals what is kept of them, and remembers what it has opened, so that a
/// session's next request costs a hash and two look-ups.
///
/// It does not know what a session stands for. Whoever uses it says how bytes become that, once for each sealed value.
public final class SessionKeeper<Opened: Sendable>: Sendable {
  /// What was opened, and so is known to be what was sealed.
  private struct Known: Sendable {
    let session: StoredSession
    let opened: Opened

    /// Whether it is what a store shows now. What is older than what was seen before is an answer that comes late, or an old
    /// value that somebody has put back: the newer one holds.
    func covers(_ stored: StoredSession) -> Bool {
      stored.version < self.session.version ? stored.isSame(as: self.session) : stored == self.session
    }
  }

  let keys: SessionKeys
  let store: any SessionStore
  private let capacity: Int
  private let open: @Sendable ([UInt8], SessionFacts) -> Opened?
  private let known = NIOLockedValueBox<[SessionKey: Known]>([:])

  /// - Parameters:
  ///   - capacity: how many opened sessions are remembered
  ///   - open: makes of what was sealed what is handed out; `nil` for bytes that it cannot read, whose session is none
  public init(
    keys: SessionKeys, store: any SessionStore, capacity: Int = 16_384, open: @escaping @Sendable ([UInt8], SessionFacts) -> Opened?
  ) {
    self.keys = keys
    self.store = store
    self.capacity = max(1, capacity)
    self.open = open
  }

  public func key(of id: SessionID) -> SessionKey { self.keys.key(of: id) }

  /// What lies under the values of a session's cookie; a value that was never given out is none's.
  public func keys(of presented: [Secret]) -> [SessionKey] { presented.compactMap(SessionID.init(reading:)).map(self.keys.key(of:)) }

  /// Begins a session with an ID that nobody has seen, whatever the browser presented before.
  ///
  /// - Parameters:
  ///   - tags: names that it can be found and ended by beside the user's, as ``endAll(tagged:on:)`` is told them
  ///   - replaced: what the browser presented; it ends in the same step, and not if no session begins
  public func begin(
    _ contents: [UInt8], for userName: String, tags: [String] = [], replacing replaced: [SessionKey] = [], until end: Date? = nil,
    _ limits: SessionLimits, at now: Date, on eventLoop: any EventLoop
  ) -> Answer<SessionBeginning<Opened>> {
    let id = SessionID.random()
    let key = self.keys.key(of: id)
    let ends = min(now.addingTimeInterval(limits.lifetime.seconds), end ?? .distantFuture)
    // In whole milliseconds, as every store keeps them.
    let session = StoredSession(
      user: self.keys.user(named: userName), tags: tags.map(self.keys.tag(named:)), began: Date(milliseconds: now.milliseconds),
      ends: Date(milliseconds: ends.milliseconds), sealed: [])
    guard let stored = self.sealed(contents, for: session, as: key) else {
      return .now(.unavailable("the session could not be sealed"))
    }
    return self.store.begin(stored, as: key, replacing: replaced, limits, at: now, on: eventLoop).map { start in
      switch start {
      case .began(let ended):
        self.forget(ended)
        guard let opened = self.opened(stored, key) else { return .unavailable("the session could not be opened") }
        return .began(id: id, opened, ended: ended)
      case .full: return .full
      case .unavailable(let detail): return .unavailable(detail)
      }
    }
  }

  /// Finds a session, which is used by that.
  public func find(
    _ key: SessionKey, _ limits: SessionLimits, at now: Date, on eventLoop: any EventLoop
  ) -> Answer<SessionFinding<Opened>> {
    self.store.use(key, limits, at: now, on: eventLoop).map { lookUp in
      switch lookUp {
      case .found(let stored):
        // A store keeps the ends; they are looked at here as well, since a store may be another machine.
        guard let opened = self.opened(stored, key), stored.isCurrent(limits, at: now) else { return .none }
        return .found(opened)
      case .none:
        self.forget([key])
        return .none
      case .unavailable(let detail): return .unavailable(detail)
      }
    }
  }

  /// Keeps something else of a session than before.
  public func replace(_ facts: SessionFacts, by contents: [UInt8], on eventLoop: any EventLoop) -> Answer<Bool> {
    let next = StoredSession(
      user: facts.user, tags: facts.tags, began: facts.began, ends: facts.ends, sealed: [], version: facts.version + 1)
    guard let stored = self.sealed(contents, for: next, as: facts.key) else { return .now(false) }
    return self.store.replace(facts.key, version: facts.version, by: stored.sealed, on: eventLoop)
  }

  /// - Returns: whether it is certain that nobody is let in by them any more
  public func end(_ keys: [SessionKey], on eventLoop: any EventLoop) -> Answer<Bool> {
    guard !keys.isEmpty else { return .now(true) }
    self.forget(keys)
    return self.store.end(keys, on: eventLoop)
  }

  public func endAll(ofUserNamed name: String, on eventLoop: any EventLoop) -> Answer<[SessionKey]?> {
    self.endAll(self.keys.users(named: name)) { self.store.endAll(of: $0, on: eventLoop) }
  }

  /// Ends all sessions that were begun with a tag.
  ///
  /// - Returns: which they were; `nil` where the store cannot be asked
  public func endAll(tagged name: String, on eventLoop: any EventLoop) -> Answer<[SessionKey]?> {
    self.endAll(self.keys.tags(named: name)) { self.store.endAll(tagged: $0, on: eventLoop) }
  }

  private func endAll<Group: Sendable>(
    _ groups: [Group], _ end: @escaping @Sendable (Group) -> Answer<[SessionKey]?>
  ) -> Answer<[SessionKey]?> {
    groups.reduce(Answer<[SessionKey]?>.now([])) { answer, group in
      answer.flatMap { ended in
        end(group).map { keys in
          self.forget(keys ?? [])
          return ended.flatMap { ended in keys.map { ended + $0 } }
        }
      }
    }
  }

  private func sealed(_ contents: [UInt8], for session: StoredSession, as key: SessionKey) -> StoredSession? {
    self.keys.seal(contents, for: session, as: key).map { sealed in
      var stored = session
      stored.sealed = sealed
      return stored
    }
  }

  private func opened(_ stored: StoredSession, _ key: SessionKey) -> Opened? {
    if let known = self.known.withLockedValue({ $0[key] }), known.covers(stored) { return known.opened }
    guard let bytes = self.keys.open(stored, of: key), let opened = self.open(bytes, SessionFacts(stored, key)) else { return nil }
    return self.known.withLockedValue { known in
      // Two that open the same at the same time hand out the same object from here on.
      if let other = known[key], other.covers(stored) { return other.opened }
      // Sessions that ended without anybody asking for them are among these; what is still asked for is opened anew.
      if known.count >= self.capacity { known.removeAll(keepingCapacity: true) }
      known[key] = Known(session: stored, opened: opened)
      return opened
    }
  }

  /// The same for one who looks only: nothing is remembered of it.
  func peek(_ stored: StoredSession, _ key: SessionKey) -> Opened? {
    if let known = self.known.withLockedValue({ $0[key] }), known.covers(stored) { return known.opened }
    return self.keys.open(stored, of: key).flatMap { self.open($0, SessionFacts(stored, key)) }
  }

  private func forget(_ keys: [SessionKey]) {
    self.known.withLockedValue { known in for key in keys { known[key] = nil } }
  }
}
