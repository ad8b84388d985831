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
}

/// What becomes of signing in.
public enum SessionBeginning<Opened: Sendable>: Sendable {
  /// - Parameters:
  ///   - id: what the browser gets; it is known nowhere else
  ///   - ended: sessions of the same user that made room
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
  private struct Known: Sendable {
    let version: UInt64
    let opened: Opened
  }

  private let keys: SessionKeys
  private let store: any SessionStore
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

  /// Begins a session with an ID that nobody has seen, whatever the browser presented before.
  public func begin(
    _ contents: [UInt8], for userName: String, until end: Date? = nil, _ limits: SessionLimits, at now: Date, on eventLoop: any EventLoop
  ) -> Answer<SessionBeginning<Opened>> {
    let id = SessionID.random()
    let key = self.keys.key(of: id)
    let ends = min(now.addingTimeInterval(limits.lifetime.seconds), end ?? .distantFuture)
    guard let sealed = self.keys.seal(contents, as: key) else { return .now(.unavailable("the session could not be sealed")) }
    let stored = StoredSession(user: self.keys.user(named: userName), began: now, ends: ends, sealed: sealed)
    return self.store.begin(stored, as: key, limits, at: now, on: eventLoop).map { start in
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
        if let opened = self.opened(stored, key) { return .found(opened) }
        return .none
      case .none:
        self.forget([key])
        return .none
      case .unavailable(let detail): return .unavailable(detail)
      }
    }
  }

  /// Keeps something else of a session than before.
  public func replace(_ facts: SessionFacts, by contents: [UInt8], on eventLoop: any EventLoop) -> Answer<Bool> {
    guard let sealed = self.keys.seal(contents, as: facts.key) else { return .now(false) }
    return self.store.replace(facts.key, version: facts.version, by: sealed, on: eventLoop)
  }

  public func end(_ key: SessionKey, on eventLoop: any EventLoop) -> Answer<Bool> {
    self.forget([key])
    return self.store.end(key, on: eventLoop)
  }

  public func endAll(ofUserNamed name: String, on eventLoop: any EventLoop) -> Answer<[SessionKey]?> {
    self.keys.users(named: name).reduce(Answer<[SessionKey]?>.now([])) { answer, user in
      answer.flatMap { ended in
        self.store.endAll(of: user, on: eventLoop).map { keys in
          self.forget(keys ?? [])
          return ended.flatMap { ended in keys.map { ended + $0 } }
        }
      }
    }
  }

  private func opened(_ stored: StoredSession, _ key: SessionKey) -> Opened? {
    if let known = self.known.withLockedValue({ $0[key] }), known.version == stored.version { return known.opened }
    let facts = SessionFacts(key: key, began: stored.began, ends: stored.ends, version: stored.version)
    guard let bytes = self.keys.open(stored.sealed, of: key), let opened = self.open(bytes, facts) else { return nil }
    // Two that open the same at the same time hand out the same object from here on.
    return self.known.withLockedValue { known in
      if let other = known[key], other.version == stored.version { return other.opened }
      // Sessions that ended without anybody asking for them are among these; what is still asked for is opened anew.
      if known.count >= self.capacity { known.removeAll(keepingCapacity: true) }
      known[key] = Known(version: stored.version, opened: opened)
      return opened
    }
  }

  private func forget(_ keys: [SessionKey]) {
    self.known.withLockedValue { known in for key in keys { known[key] = nil } }
  }
}
