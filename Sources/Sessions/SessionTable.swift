public import struct Foundation.Date

/// The sessions of a process. A value without I/O: the time is told.
///
/// A session ends when it is signed out, at its end, or when it was idle for too long; at either time it is gone. Entries that
/// are over are taken out when they are met, when room is needed, and when somebody signs in a minute after the last time.
public struct SessionTable: Sendable {
  private struct Entry: Sendable {
    var session: StoredSession
    var used: Date
  }

  private var entries: [SessionKey: Entry] = [:]
  private var users: [SessionUser: Set<SessionKey>] = [:]
  private var tags: [SessionTag: Set<SessionKey>] = [:]
  private var swept = Date.distantPast

  public init() {}

  /// How many there are, those included that are over and were not met since.
  public var count: Int { self.entries.count }

  /// Enters a session in the place of others. One too many of a user's takes the place of the one that was used the longest time
  /// ago; one too many at all is refused, so that nobody signs others out by signing in. Who is refused has lost nothing by it.
  public mutating func begin(
    _ session: StoredSession, as key: SessionKey, replacing replaced: [SessionKey] = [], _ limits: SessionLimits, at now: Date
  ) -> SessionStart {
    // An ID is random: one that is there already would be somebody else's.
    guard self.entries[key] == nil else { return .full }
    for other in self.users[session.user] ?? [] where self.isOver(other, limits, at: now) { self.remove(other) }
    if self.entries.count >= limits.total || now >= self.swept.addingTimeInterval(60) { _ = self.sweep(limits, at: now) }
    var ended = Set(replaced).filter { self.entries[$0] != nil }
    let own = (self.users[session.user] ?? []).subtracting(ended)
    ended.formUnion(self.leastUsed(among: own, own.count - max(1, limits.perUser) + 1))
    guard self.entries.count - ended.count < limits.total else { return .full }
    for other in ended { self.remove(other) }
    self.entries[key] = Entry(session: session, used: now)
    self.users[session.user, default: []].insert(key)
    for tag in session.tags { self.tags[tag, default: []].insert(key) }
    return .began(ended: Array(ended))
  }

  /// Finds a session that is not over, and notes that it is used.
  public mutating func use(_ key: SessionKey, _ limits: SessionLimits, at now: Date) -> StoredSession? {
    guard let entry = self.entries[key] else { return nil }
    guard !self.isOver(key, limits, at: now) else {
      self.remove(key)
      return nil
    }
    // A clock that was set back does not make a session older.
    self.entries[key]?.used = max(now, entry.used)
    return entry.session
  }

  public mutating func replace(_ key: SessionKey, version: UInt64, by sealed: [UInt8]) -> Bool {
    guard self.entries[key]?.session.version == version else { return false }
    self.entries[key]?.session.sealed = sealed
    self.entries[key]?.session.version += 1
    return true
  }

  public mutating func end(_ key: SessionKey) { self.remove(key) }

  public mutating func endAll(of user: SessionUser) -> [SessionKey] {
    let keys = Array(self.users[user] ?? [])
    for key in keys { self.remove(key) }
    return keys
  }

  public mutating func endAll(tagged tag: SessionTag) -> [SessionKey] {
    let keys = Array(self.tags[tag] ?? [])
    for key in keys { self.remove(key) }
    return keys
  }

  /// Those that are not over, in no order.
  public func all(_ limits: SessionLimits, at now: Date) -> [KeptSession] {
    self.entries.compactMap { key, entry in
      self.isOver(key, limits, at: now) ? nil : KeptSession(key: key, session: entry.session, used: entry.used)
    }
  }

  /// Takes out all that are over.
  public mutating func sweep(_ limits: SessionLimits, at now: Date) -> [SessionKey] {
    self.swept = now
    let over = self.entries.keys.filter { self.isOver($0, limits, at: now) }
    for key in over { self.remove(key) }
    return over
  }

  private func isOver(_ key: SessionKey, _ limits: SessionLimits, at now: Date) -> Bool {
    guard let entry = self.entries[key] else { return true }
    // A reload that shortens the lifetime holds for the sessions that are there, too.
    let end = min(entry.session.ends, entry.session.began.addingTimeInterval(limits.lifetime.seconds))
    return now >= end || now >= entry.used.addingTimeInterval(limits.idle.seconds)
  }

  private func leastUsed(among keys: Set<SessionKey>, _ count: Int) -> ArraySlice<SessionKey> {
    guard count > 0 else { return [] }
    return keys.sorted { (self.entries[$0]?.used ?? .distantPast) < (self.entries[$1]?.used ?? .distantPast) }.prefix(count)
  }

  private mutating func remove(_ key: SessionKey) {
    guard let session = self.entries.removeValue(forKey: key)?.session else { return }
    self.users[session.user]?.remove(key)
    if self.users[session.user]?.isEmpty == true { self.users[session.user] = nil }
    for tag in session.tags {
      self.tags[tag]?.remove(key)
      if self.tags[tag]?.isEmpty == true { self.tags[tag] = nil }
    }
  }
}
