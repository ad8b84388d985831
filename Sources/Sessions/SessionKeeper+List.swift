public import NIOCore
public import SallyportCore

public import struct Foundation.Date

/// A session as an operator sees it.
public struct ListedSession<Opened: Sendable>: Sendable {
  public let key: SessionKey
  public let opened: Opened
  public let facts: SessionFacts
  public let used: Date
}

/// The sessions that there are.
public struct SessionList<Opened: Sendable>: Sendable {
  public var sessions: [ListedSession<Opened>] = []
  /// Whether there were more than are listed.
  public var isCut = false
}

/// Looking through all sessions is for operators: it takes a step for each that there is.
extension SessionKeeper {
  /// How many are listed at the most.
  public static var longestList: Int { 10_000 }

  /// A store that always has another page is none.
  private static var mostPages: Int { 65_536 }

  /// How many are ended by one question to the store.
  private static var mostAtOnce: Int { 500 }

  /// The sessions of a user, or all of them; what cannot be opened is none and not listed.
  ///
  /// - Returns: `nil` where the store cannot be asked
  public func list(
    ofUserNamed name: String? = nil, _ limits: SessionLimits, at now: Date, on eventLoop: any EventLoop
  ) -> Answer<SessionList<Opened>?> {
    let users = name.map { Set(self.keys.users(named: $0)) }
    let seen = Listing<[SessionKey: ListedSession<Opened>]>([:]) { found, kept in
      guard users?.contains(kept.session.user) ?? true, found.count <= Self.longestList, kept.session.isCurrent(limits, at: now),
        let opened = self.peek(kept.session, kept.key)
      else { return }
      found[kept.key] = ListedSession(
        key: kept.key, opened: opened, facts: SessionFacts(kept.session, kept.key), used: kept.used)
    }
    return self.walk(seen, from: 0, atMost: Self.mostPages, limits, at: now, on: eventLoop).map { found in
      found.map { SessionList(sessions: Array($0.values.prefix(Self.longestList)), isCut: $0.count > Self.longestList) }
    }
  }

  /// Ends the sessions that fit, whoever's they are; those that begin meanwhile may be left.
  ///
  /// - Returns: which they were; `nil` where the store cannot be asked, and some may have ended
  public func endAll(
    where isMeant: @escaping @Sendable (SessionKey) -> Bool, _ limits: SessionLimits, at now: Date, on eventLoop: any EventLoop
  ) -> Answer<[SessionKey]?> {
    let seen = Listing<Set<SessionKey>>([]) { found, kept in if isMeant(kept.key) { found.insert(kept.key) } }
    return self.walk(seen, from: 0, atMost: Self.mostPages, limits, at: now, on: eventLoop).flatMap { found in
      guard let found else { return .now(nil) }
      return self.end(Array(found)[...], on: eventLoop).map { $0 ? Array(found) : nil }
    }
  }

  private func end(_ keys: ArraySlice<SessionKey>, on eventLoop: any EventLoop) -> Answer<Bool> {
    self.end(Array(keys.prefix(Self.mostAtOnce)), on: eventLoop).flatMap { isCertain in
      let rest = keys.dropFirst(Self.mostAtOnce)
      return isCertain && !rest.isEmpty ? self.end(rest, on: eventLoop) : .now(isCertain)
    }
  }

  /// Pages that are there are taken one after the other, and not one within the other: a store may have thousands.
  private func walk<Found: Sendable>(
    _ listing: Listing<Found>, from cursor: UInt64, atMost pages: Int, _ limits: SessionLimits, at now: Date, on eventLoop: any EventLoop
  ) -> Answer<Found?> {
    var (listing, cursor) = (listing, cursor)
    for left in stride(from: pages - 1, through: 0, by: -1) {
      switch self.store.page(at: cursor, limits, at: now, on: eventLoop) {
      case .now(nil): return .now(nil)
      case .now(let page?):
        listing = listing.with(page)
        if page.next == 0 { return .now(listing.found) }
        cursor = page.next
      case .later(let future):
        return Answer.later(future).flatMap { [listing] page in
          guard let page else { return .now(nil) }
          let next = listing.with(page)
          if page.next == 0 { return .now(next.found) }
          return self.walk(next, from: page.next, atMost: left, limits, at: now, on: eventLoop)
        }
      }
    }
    return .now(nil)
  }
}

/// What was found on the pages so far. A session that is on two pages counts once: what is found is a set, or goes by the key.
private struct Listing<Found: Sendable>: Sendable {
  private(set) var found: Found
  private let take: @Sendable (inout Found, KeptSession) -> Void

  init(_ found: Found, _ take: @escaping @Sendable (inout Found, KeptSession) -> Void) {
    self.found = found
    self.take = take
  }

  func with(_ page: SessionPage) -> Self {
    var copy = self
    for kept in page.sessions { self.take(&copy.found, kept) }
    return copy
  }
}
