import NIOConcurrencyHelpers
public import NIOCore
public import SallyportCore

public import struct Foundation.Date

/// Sessions that end with the process; every answer is there at once.
public final class MemorySessionStore: SessionStore {
  private let table = NIOLockedValueBox(SessionTable())

  public init() {}

  public var count: Int { self.table.withLockedValue { $0.count } }

  public func begin(
    _ session: StoredSession, as key: SessionKey, replacing replaced: [SessionKey], _ limits: SessionLimits, at now: Date,
    on eventLoop: any EventLoop
  ) -> Answer<SessionStart> {
    .now(self.table.withLockedValue { $0.begin(session, as: key, replacing: replaced, limits, at: now) })
  }

  public func use(_ key: SessionKey, _ limits: SessionLimits, at now: Date, on eventLoop: any EventLoop) -> Answer<SessionLookUp> {
    .now(self.table.withLockedValue { $0.use(key, limits, at: now) }.map { .found($0) } ?? .none)
  }

  public func replace(_ key: SessionKey, version: UInt64, by sealed: [UInt8], on eventLoop: any EventLoop) -> Answer<Bool> {
    .now(self.table.withLockedValue { $0.replace(key, version: version, by: sealed) })
  }

  public func end(_ keys: [SessionKey], on eventLoop: any EventLoop) -> Answer<Bool> {
    self.table.withLockedValue { table in for key in keys { table.end(key) } }
    return .now(true)
  }

  public func endAll(of user: SessionUser, on eventLoop: any EventLoop) -> Answer<[SessionKey]?> {
    .now(self.table.withLockedValue { $0.endAll(of: user) })
  }

  public func endAll(tagged tag: SessionTag, on eventLoop: any EventLoop) -> Answer<[SessionKey]?> {
    .now(self.table.withLockedValue { $0.endAll(tagged: tag) })
  }

  /// All of them are on one page.
  public func page(
    at cursor: UInt64, _ limits: SessionLimits, at now: Date, on eventLoop: any EventLoop
  ) -> Answer<SessionPage?> {
    .now(SessionPage(self.table.withLockedValue { $0.all(limits, at: now) }, next: 0))
  }
}
