import Crypto
import Foundation
import NIOCore
import NIOEmbedded
import SallyportCore
import SallyportSessions
import TestSupport
import Testing

/// What is handed out of a session here: the bytes that it was begun with.
private final class Opened: Sendable {
  let bytes: [UInt8]
  let facts: SessionFacts

  init?(_ bytes: [UInt8], _ facts: SessionFacts) {
    guard bytes != [0xFF] else { return nil }
    self.bytes = bytes
    self.facts = facts
  }
}

/// A store that shows what is kept, and can be away.
private final class WatchedStore: SessionStore, @unchecked Sendable {
  // Used by one test on one thread.
  var kept: [SessionKey: StoredSession] = [:]
  var isAway = false
  var isEndless = false
  var change: (inout StoredSession) -> Void = { _ in }

  func begin(
    _ session: StoredSession, as key: SessionKey, replacing replaced: [SessionKey], _ limits: SessionLimits, at now: Date,
    on eventLoop: any EventLoop
  ) -> Answer<SessionStart> {
    if self.isAway { return .now(.unavailable("away")) }
    for other in replaced { self.kept[other] = nil }
    self.kept[key] = session
    return .later(eventLoop.makeSucceededFuture(.began(ended: [])))
  }

  func use(_ key: SessionKey, _ limits: SessionLimits, at now: Date, on eventLoop: any EventLoop) -> Answer<SessionLookUp> {
    if self.isAway { return .now(.unavailable("away")) }
    guard var session = self.kept[key] else { return .now(.none) }
    self.change(&session)
    return .later(eventLoop.makeSucceededFuture(.found(session)))
  }

  func replace(_ key: SessionKey, version: UInt64, by sealed: [UInt8], on eventLoop: any EventLoop) -> Answer<Bool> {
    guard !self.isAway, self.kept[key]?.version == version else { return .now(false) }
    self.kept[key]?.sealed = sealed
    self.kept[key]?.version += 1
    return .now(true)
  }

  func end(_ keys: [SessionKey], on eventLoop: any EventLoop) -> Answer<Bool> {
    if self.isAway { return .now(false) }
    for key in keys { self.kept[key] = nil }
    return .now(true)
  }

  /// A page for each session, and the first on two of them.
  func page(at cursor: UInt64, _ limits: SessionLimits, at now: Date, on eventLoop: any EventLoop) -> Answer<SessionPage?> {
    if self.isAway { return .now(nil) }
    if self.isEndless { return .now(SessionPage([], next: cursor + 1)) }
    let keys = self.kept.keys.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    let pages = keys + keys.prefix(1)
    guard cursor < pages.count, let session = self.kept[pages[Int(cursor)]] else { return .now(SessionPage([], next: 0)) }
    let next = Int(cursor) + 1 < pages.count ? cursor + 1 : 0
    let page = SessionPage([KeptSession(key: pages[Int(cursor)], session: session, used: session.began + 1)], next: next)
    return .later(eventLoop.makeSucceededFuture(page))
  }

  func endAll(of user: SessionUser, on eventLoop: any EventLoop) -> Answer<[SessionKey]?> {
    if self.isAway { return .now(nil) }
    let keys = self.kept.filter { $0.value.user == user }.map(\.key)
    for key in keys { self.kept[key] = nil }
    return .now(keys)
  }

  func endAll(tagged tag: SessionTag, on eventLoop: any EventLoop) -> Answer<[SessionKey]?> {
    if self.isAway { return .now(nil) }
    let keys = self.kept.filter { $0.value.tags.contains(tag) }.map(\.key)
    for key in keys { self.kept[key] = nil }
    return .now(keys)
  }
}

@Suite struct SessionKeeperTests {
  private let eventLoop = EmbeddedEventLoop()
  private let store = WatchedStore()
  private let limits = SessionLimits()
  private let now = Date(timeIntervalSince1970: 1_800_000_000)
  private let root = SymmetricKey(size: .bits256)

  private func keeper(root: SymmetricKey? = nil) -> SessionKeeper<Opened> {
    SessionKeeper(keys: SessionKeys(root: root ?? self.root), store: self.store, open: Opened.init)
  }

  private func value<Value: Sendable>(_ answer: Answer<Value>) throws -> Value {
    switch answer {
    case .now(let value): value
    case .later(let future): try future.wait()
    }
  }

  private func begun(_ keeper: SessionKeeper<Opened>, _ bytes: [UInt8] = [1, 2, 3], for user: String = "bob") throws -> (SessionID, Opened)
  {
    let beginning = try self.value(keeper.begin(bytes, for: user, self.limits, at: self.now, on: self.eventLoop))
    guard case .began(let id, let opened, _) = beginning else { throw NotBegun() }
    return (id, opened)
  }

  private struct NotBegun: Error {}

  private func found(_ keeper: SessionKeeper<Opened>, _ id: SessionID) throws -> Opened? {
    let finding = try self.value(keeper.find(keeper.key(of: id), self.limits, at: self.now, on: self.eventLoop))
    if case .found(let opened) = finding { return opened }
    return nil
  }

  @Test func aSessionIsFoundByItsIDAsOneObject() throws {
    let keeper = self.keeper()
    let (id, opened) = try self.begun(keeper)
    #expect(try self.found(keeper, id) === opened)
    #expect(opened.bytes == [1, 2, 3] && opened.facts.ends == self.now + 43_200)
    #expect(try self.found(keeper, .random()) == nil)
  }

  /// What is kept holds neither the ID nor the name nor the contents.
  @Test func aStoreLearnsNothingThatCanBeUsed() throws {
    let contents = Array("somebody's groups".utf8)
    let (id, _) = try self.begun(self.keeper(), contents, for: "bob")
    let (key, session) = try #require(self.store.kept.first)
    let everything = key.bytes + session.user.bytes + session.sealed
    let identifier = id.text.withBytes { Array($0) }
    for secret in [identifier, contents, Array("bob".utf8)] {
      #expect(!everything.indices.contains { everything[$0...].starts(with: secret) })
    }
    #expect("\(id)" == "<session>")
  }

  @Test func aValueOpensOnlyAsItsOwnSessionsAndByItsOwnKeys() throws {
    let keeper = self.keeper()
    let (bob, _) = try self.begun(keeper, [1])
    let (alice, _) = try self.begun(keeper, [2], for: "alice")
    // A keeper that has opened nothing yet, as behind a restart.
    #expect(try self.found(self.keeper(), bob)?.bytes == [1])
    #expect(try self.found(self.keeper(root: SymmetricKey(size: .bits256)), bob) == nil)
    let swapped = try #require(self.store.kept[keeper.key(of: alice)]).sealed
    self.store.kept[keeper.key(of: bob)]?.sealed = swapped
    #expect(try self.found(self.keeper(), bob) == nil)
    for index in swapped.indices {
      var broken = swapped
      broken[index] ^= 1
      self.store.kept[keeper.key(of: alice)]?.sealed = broken
      #expect(try self.found(self.keeper(), alice) == nil, "byte \(index)")
    }
    self.store.kept[keeper.key(of: alice)]?.sealed = Array(swapped.dropLast())
    #expect(try self.found(self.keeper(), alice) == nil)
  }

  /// A store that somebody else writes to can end a session, and change nothing else about it.
  @Test func whatIsKeptBesideAValueCannotBeChanged() throws {
    let keeper = self.keeper()
    let (id, _) = try self.begun(keeper)
    let key = keeper.key(of: id)
    let kept = try #require(self.store.kept[key])
    let changes: [(String, StoredSession)] = [
      ("user", StoredSession(user: SessionUser(bytes: [1]), began: kept.began, ends: kept.ends, sealed: kept.sealed)),
      ("tags", StoredSession(user: kept.user, tags: [SessionTag(bytes: [1])], began: kept.began, ends: kept.ends, sealed: kept.sealed)),
      ("began", StoredSession(user: kept.user, began: kept.began - 1, ends: kept.ends, sealed: kept.sealed)),
      ("ends", StoredSession(user: kept.user, began: kept.began, ends: kept.ends + 0.001, sealed: kept.sealed)),
      ("version", StoredSession(user: kept.user, began: kept.began, ends: kept.ends, sealed: kept.sealed, version: 2)),
      ("version 0", StoredSession(user: kept.user, began: kept.began - 1, ends: kept.ends, sealed: kept.sealed, version: 0)),
    ]
    for (name, changed) in changes {
      self.store.kept[key] = changed
      #expect(try self.found(keeper, id) == nil, "\(name), where the session is known")
      #expect(try self.found(self.keeper(), id) == nil, "\(name), where it is not")
    }
    self.store.kept[key] = kept
    #expect(try self.found(keeper, id) != nil && self.found(self.keeper(), id) != nil)
  }

  /// A store that does not keep the ends of sessions prolongs none.
  @Test func anEndHoldsWhateverTheStoreSays() throws {
    let keeper = self.keeper()
    let (id, _) = try self.begun(keeper)
    func found(_ limits: SessionLimits, at time: Date) throws -> Bool {
      guard case .found = try self.value(keeper.find(keeper.key(of: id), limits, at: time, on: self.eventLoop)) else { return false }
      return true
    }
    #expect(try found(self.limits, at: self.now + 43_199))
    #expect(try !found(self.limits, at: self.now + 43_200))
    #expect(try !found(SessionLimits(lifetime: .seconds(60)), at: self.now + 60))
  }

  /// What comes late, or was put back, does not undo what was seen since.
  @Test func anOlderVersionBringsNothingBack() throws {
    let keeper = self.keeper()
    let (id, opened) = try self.begun(keeper)
    let key = keeper.key(of: id)
    let old = try #require(self.store.kept[key])
    #expect(try self.value(keeper.replace(opened.facts, by: [9], on: self.eventLoop)))
    let new = try #require(try self.found(keeper, id))
    self.store.kept[key] = old
    #expect(try self.found(keeper, id) === new)
    // The old value as a version that it never was.
    self.store.kept[key]?.version = 3
    #expect(try self.found(keeper, id) == nil)
  }

  @Test func aTagEndsWhatWasBegunWithIt() throws {
    let keeper = self.keeper(root: self.root)
    func begin(_ tags: [String], _ keeper: SessionKeeper<Opened>) throws -> SessionID {
      let beginning = try self.value(
        keeper.begin([1], for: "bob", tags: tags, self.limits, at: self.now, on: self.eventLoop))
      guard case .began(let id, _, _) = beginning else { throw NotBegun() }
      return id
    }
    let tagged = try begin(["sid one", "sub bob"], keeper)
    let other = try begin(["sid two", "sub bob"], keeper)
    #expect(try self.found(keeper, tagged) != nil)
    #expect(try self.value(keeper.endAll(tagged: "sid one", on: self.eventLoop)) == [keeper.key(of: tagged)])
    #expect(try self.found(keeper, tagged) == nil && self.found(keeper, other) != nil)
    // A tag is no user, and a key that has followed another finds what the other tagged.
    #expect(try self.value(keeper.endAll(tagged: "bob", on: self.eventLoop)) == [])
    let next = SessionKeeper(
      keys: SessionKeys(root: SymmetricKey(size: .bits256), earlier: [self.root]), store: self.store, open: Opened.init)
    #expect(try self.value(next.endAll(tagged: "sub bob", on: self.eventLoop)) == [keeper.key(of: other)])
    self.store.isAway = true
    #expect(try self.value(next.endAll(tagged: "sub bob", on: self.eventLoop)) == nil)
  }

  @Test func anotherValueIsAnotherObject() throws {
    let keeper = self.keeper()
    let (id, opened) = try self.begun(keeper)
    #expect(try self.value(keeper.replace(opened.facts, by: [9], on: self.eventLoop)))
    #expect(try self.found(keeper, id)?.bytes == [9])
    #expect(try !self.value(keeper.replace(opened.facts, by: [8], on: self.eventLoop)), "that version is over")
    #expect(try self.found(keeper, id)?.bytes == [9])
  }

  @Test func whatCannotBeReadIsNoSession() throws {
    let keeper = self.keeper()
    let (id, opened) = try self.begun(keeper)
    _ = keeper.replace(opened.facts, by: [0xFF], on: self.eventLoop)
    #expect(try self.found(keeper, id) == nil)
  }

  @Test func anEndedSessionIsGoneAlsoWhereItWasKnown() throws {
    let keeper = self.keeper()
    let (first, _) = try self.begun(keeper)
    let (second, _) = try self.begun(keeper)
    let (other, _) = try self.begun(keeper, for: "alice")
    #expect(try self.value(keeper.end([keeper.key(of: first)], on: self.eventLoop)))
    #expect(try self.found(keeper, first) == nil)
    #expect(try self.value(keeper.endAll(ofUserNamed: "bob", on: self.eventLoop))?.count == 1)
    #expect(try self.found(keeper, second) == nil && self.found(keeper, other) != nil)
  }

  @Test func aStoreThatIsAwayLetsNobodyIn() throws {
    let keeper = self.keeper()
    let (id, _) = try self.begun(keeper)
    self.store.isAway = true
    guard case .unavailable = try self.value(keeper.find(keeper.key(of: id), self.limits, at: self.now, on: self.eventLoop)) else {
      Issue.record("a session that was known counted without its store")
      return
    }
    guard case .unavailable = try self.value(keeper.begin([1], for: "bob", self.limits, at: self.now, on: self.eventLoop)) else {
      Issue.record("a session began that nobody keeps")
      return
    }
    #expect(try !self.value(keeper.end([keeper.key(of: id)], on: self.eventLoop)))
    #expect(try self.value(keeper.endAll(ofUserNamed: "bob", on: self.eventLoop)) == nil)
    #expect(try self.value(keeper.list(self.limits, at: self.now, on: self.eventLoop)) == nil)
    #expect(try self.value(keeper.endAll(where: { _ in true }, self.limits, at: self.now, on: self.eventLoop)) == nil)
  }

  @Test func anOperatorSeesWhichSessionsThereAre() throws {
    let keeper = self.keeper()
    let (bob, _) = try self.begun(keeper, [1])
    let (alice, _) = try self.begun(keeper, [2], for: "alice")
    let (broken, _) = try self.begun(keeper, [3])
    self.store.kept[keeper.key(of: broken)]?.sealed = [1, 2, 3]
    func listed(_ keeper: SessionKeeper<Opened>, _ name: String? = nil, at time: Date) throws -> [SessionKey: [UInt8]] {
      let list = try #require(try self.value(keeper.list(ofUserNamed: name, self.limits, at: time, on: self.eventLoop)))
      #expect(!list.isCut && list.sessions.allSatisfy { $0.used == self.now + 1 && $0.facts.ends == self.now + 43_200 })
      return Dictionary(uniqueKeysWithValues: list.sessions.map { ($0.key, $0.opened.bytes) })
    }
    let next = SessionKeeper(
      keys: SessionKeys(root: SymmetricKey(size: .bits256), earlier: [self.root]), store: self.store, open: Opened.init)
    for keeper in [keeper, self.keeper(), next] {
      #expect(try listed(keeper, at: self.now) == [keeper.key(of: bob): [1], keeper.key(of: alice): [2]])
      #expect(try listed(keeper, "alice", at: self.now) == [keeper.key(of: alice): [2]])
      #expect(try listed(keeper, "nobody", at: self.now) == [:])
      #expect(try listed(keeper, at: self.now + 43_200) == [:])
    }
    let key = keeper.key(of: bob)
    let ended = try self.value(keeper.endAll(where: { $0 == key }, self.limits, at: self.now, on: self.eventLoop))
    #expect(try ended == [key] && self.found(keeper, bob) == nil && self.found(keeper, alice) != nil)
    let all = try #require(try self.value(keeper.endAll(where: { _ in true }, self.limits, at: self.now, on: self.eventLoop)))
    #expect(Set(all) == [keeper.key(of: alice), keeper.key(of: broken)] && self.store.kept.isEmpty)
  }

  @Test func aStoreThatAlwaysHasMoreIsNotWalkedWithoutEnd() throws {
    let keeper = self.keeper()
    self.store.isEndless = true
    #expect(try self.value(keeper.list(self.limits, at: self.now, on: self.eventLoop)) == nil)
    #expect(try self.value(keeper.endAll(where: { _ in true }, self.limits, at: self.now, on: self.eventLoop)) == nil)
  }

  @Test func noSessionOutlastsWhatItWasBegunBy() throws {
    let keeper = self.keeper()
    let beginning = try self.value(
      keeper.begin([1], for: "alice", until: self.now + 60, self.limits, at: self.now, on: self.eventLoop))
    guard case .began(_, let opened, _) = beginning else { throw NotBegun() }
    #expect(opened.facts.ends == self.now + 60)
  }

  @Test func anIDIsReadInOneSpelling() throws {
    let id = SessionID.random()
    let text = id.text.withBytes { String(decoding: $0, as: UTF8.self) }
    #expect(text.utf8.count == 43)
    #expect(SessionID(reading: Secret(text.utf8)) == id)
    #expect(SessionID.random() != id)
    // The last character has two bits that stand for nothing: three other characters spell the same bytes.
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    let spellings = alphabet.map { String(text.dropLast()) + String($0) }.filter { SessionID(reading: Secret($0.utf8)) == id }
    #expect(spellings == [text])
    for broken in [
      "", String(text.dropLast()), text + "A", text + "=", " " + text.dropFirst(), "+" + text.dropFirst(), "é" + text.dropFirst(2),
    ] {
      #expect(SessionID(reading: Secret(broken.utf8)) == nil, "\(broken)")
    }
  }
}
