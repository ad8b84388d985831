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
  var change: (inout StoredSession) -> Void = { _ in }

  func begin(
    _ session: StoredSession, as key: SessionKey, _ limits: SessionLimits, at now: Date, on eventLoop: any EventLoop
  ) -> Answer<SessionStart> {
    if self.isAway { return .now(.unavailable("away")) }
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

  func end(_ key: SessionKey, on eventLoop: any EventLoop) -> Answer<Bool> {
    if self.isAway { return .now(false) }
    self.kept[key] = nil
    return .now(true)
  }

  func endAll(of user: SessionUser, on eventLoop: any EventLoop) -> Answer<[SessionKey]?> {
    if self.isAway { return .now(nil) }
    let keys = self.kept.filter { $0.value.user == user }.map(\.key)
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
    #expect(try self.value(keeper.end(keeper.key(of: first), on: self.eventLoop)))
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
    #expect(try !self.value(keeper.end(keeper.key(of: id), on: self.eventLoop)))
    #expect(try self.value(keeper.endAll(ofUserNamed: "bob", on: self.eventLoop)) == nil)
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
