import Crypto
import Foundation
import Glibc
import NIOCore
import NIOPosix
import SallyportCore
import SallyportRedis
import TestSupport
import Testing

@testable import SallyportSessions

/// Sessions on a real Redis server: what two gateways see of each other's, and what becomes of a server that is away.
@Suite struct RedisSessionStoreTests {
  private let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
  private static let limits = SessionLimits(idle: .seconds(60), lifetime: .seconds(600), perUser: 2, total: 4)

  private static func key(_ number: UInt8) -> SessionKey { SessionKey(bytes: [number, 0xAF]) }

  private static func session(of user: UInt8 = 1, at time: Date, lasting seconds: Double = 600) -> StoredSession {
    StoredSession(
      user: SessionUser(bytes: [user]), began: time, ends: time.addingTimeInterval(seconds), sealed: [user, 0, 13, 10, 255])
  }

  /// One gateway's store; each has its own connection and remembers for itself.
  private func store(_ server: RedisServer) -> RedisSessionStore {
    var configuration = RedisConfiguration(
      host: "127.0.0.1", port: server.port, username: RedisServer.user, password: Secret(RedisServer.password.utf8))
    configuration.timeout = .seconds(1)
    configuration.pause = .milliseconds(50)
    return RedisSessionStore(RedisClient(configuration, on: MultiThreadedEventLoopGroup.singleton.next()))
  }

  /// Times as Redis keeps them: whole milliseconds.
  private var now: Date { Date(timeIntervalSince1970: (Date().timeIntervalSince1970 * 1000).rounded() / 1000) }

  @Test func whatOneBeginsTheOtherFindsAndEnds() async throws {
    let server = try await RedisServer(pki: TestPKI())
    let (one, other) = (self.store(server), self.store(server))
    let now = self.now
    let session = Self.session(at: now)
    #expect(try await one.begin(session, as: Self.key(1), Self.limits, at: now, on: self.eventLoop).value == .began(ended: []))
    #expect(try await other.use(Self.key(1), Self.limits, at: now + 1, on: self.eventLoop).value == .found(session))
    #expect(try await other.use(Self.key(2), Self.limits, at: now + 1, on: self.eventLoop).value == SessionLookUp.none)
    #expect(try await other.end(Self.key(1), on: self.eventLoop).value)
    #expect(try await other.use(Self.key(1), Self.limits, at: now + 1, on: self.eventLoop).value == SessionLookUp.none)
    // The one that had not looked for it lately learns it now, and one that had within a second.
    #expect(try await one.use(Self.key(1), Self.limits, at: now + 2, on: self.eventLoop).value == SessionLookUp.none)
  }

  @Test func anotherGatewaysEndIsSeenWithinASecond() async throws {
    let server = try await RedisServer(pki: TestPKI())
    let (one, other) = (self.store(server), self.store(server))
    let now = self.now
    let session = Self.session(at: now)
    _ = try await one.begin(session, as: Self.key(1), Self.limits, at: now, on: self.eventLoop).value
    #expect(try await one.use(Self.key(1), Self.limits, at: now, on: self.eventLoop).value == .found(session))
    #expect(try await other.end(Self.key(1), on: self.eventLoop).value)
    // Not asked again, and said here so that nobody wonders.
    #expect(try await one.use(Self.key(1), Self.limits, at: now + 0.9, on: self.eventLoop).value == .found(session))
    #expect(try await one.use(Self.key(1), Self.limits, at: now + 1, on: self.eventLoop).value == SessionLookUp.none)
  }

  @Test func whatIsKeptIsOfNoUseAndGoesByItself() async throws {
    let server = try await RedisServer(pki: TestPKI())
    let store = self.store(server)
    let keys = SessionKeys.random()
    let keeper = SessionKeeper<Data>(keys: keys, store: store) { bytes, _ in Data(bytes) }
    let now = self.now
    let beginning = try await keeper.begin(Array("alice's groups".utf8), for: "alice", Self.limits, at: now, on: self.eventLoop).value
    guard case .began(let id, let opened, _) = beginning else { return #expect(Bool(false), "\(beginning)") }
    #expect(opened == Data("alice's groups".utf8))
    let names = try await server.ask("KEYS", "*").split(separator: "\n")
    #expect(names.count == 3)
    var everything = ""
    for name in names {
      let kind = try await server.ask("TYPE", String(name)).trimmingCharacters(in: .whitespacesAndNewlines)
      everything += try await kind == "hash" ? server.ask("HGETALL", String(name)) : server.ask("ZRANGE", String(name), "0", "-1")
    }
    let text = id.text.withBytes { String(decoding: $0, as: UTF8.self) }
    #expect(!everything.contains("alice") && !everything.contains(text) && !names.joined().contains(text))
    let key = String(decoding: RedisSessionStore.hex(keys.key(of: id).bytes), as: UTF8.self)
    let left = try #require(Int(try await server.ask("PTTL", "sallyport:session:\(key)").trimmingCharacters(in: .whitespacesAndNewlines)))
    #expect((1...60_000).contains(left))
    // Other keys open nothing of it, and neither do the same behind a rotation that has forgotten them.
    let stranger = SessionKeeper<Data>(keys: .random(), store: store) { bytes, _ in Data(bytes) }
    guard case .none = try await stranger.find(keys.key(of: id), Self.limits, at: now, on: self.eventLoop).value else {
      return #expect(Bool(false), "opened by a stranger")
    }
  }

  @Test func theOrderOfUseDecidesWhoMakesRoom() async throws {
    let server = try await RedisServer(pki: TestPKI())
    let store = self.store(server)
    let now = self.now
    func begin(_ number: UInt8, of user: UInt8 = 1, at time: Date) async throws -> SessionStart {
      try await store.begin(Self.session(of: user, at: time), as: Self.key(number), Self.limits, at: time, on: self.eventLoop).value
    }
    #expect(try await begin(1, at: now) == .began(ended: []))
    #expect(try await begin(2, at: now + 1) == .began(ended: []))
    #expect(try await begin(1, at: now + 1) == .full, "a key that is there is somebody else's")
    _ = try await store.use(Self.key(1), Self.limits, at: now + 2, on: self.eventLoop).value
    #expect(try await begin(3, at: now + 3) == .began(ended: [Self.key(2)]))
    #expect(try await store.use(Self.key(2), Self.limits, at: now + 3, on: self.eventLoop).value == SessionLookUp.none)
    #expect(try await begin(4, of: 2, at: now + 3) == .began(ended: []))
    #expect(try await begin(5, of: 3, at: now + 3) == .began(ended: []))
    #expect(try await begin(6, of: 4, at: now + 3) == .full)
    let ended = try await store.endAll(of: SessionUser(bytes: [1]), on: self.eventLoop).value
    #expect(Set(ended ?? []) == [Self.key(1), Self.key(3)])
    #expect(try await begin(6, of: 4, at: now + 3) == .began(ended: []))
  }

  @Test func idleAndOverAreGone() async throws {
    let server = try await RedisServer(pki: TestPKI())
    let (one, other) = (self.store(server), self.store(server))
    let now = self.now
    var short = Self.limits
    short.idle = .milliseconds(300)
    _ = try await one.begin(Self.session(at: now), as: Self.key(1), short, at: now, on: self.eventLoop).value
    _ = try await one.begin(Self.session(of: 2, at: now, lasting: 0.3), as: Self.key(2), Self.limits, at: now, on: self.eventLoop).value
    try await Task.sleep(for: .milliseconds(600))
    for key in [Self.key(1), Self.key(2)] {
      #expect(try await other.use(key, Self.limits, at: self.now, on: self.eventLoop).value == SessionLookUp.none)
    }
    // A lifetime that a reload has shortened holds for what is there.
    let later = self.now
    _ = try await one.begin(Self.session(at: later), as: Self.key(3), Self.limits, at: later, on: self.eventLoop).value
    var brief = Self.limits
    brief.lifetime = .seconds(5)
    #expect(try await other.use(Self.key(3), brief, at: later + 5, on: self.eventLoop).value == SessionLookUp.none)
  }

  @Test func twoWhoChangeTheSameDoNotUndoEachOther() async throws {
    let server = try await RedisServer(pki: TestPKI())
    let (one, other) = (self.store(server), self.store(server))
    let now = self.now
    _ = try await one.begin(Self.session(at: now), as: Self.key(1), Self.limits, at: now, on: self.eventLoop).value
    #expect(try await one.replace(Self.key(1), version: 1, by: [7, 0, 10], on: self.eventLoop).value)
    #expect(try await !other.replace(Self.key(1), version: 1, by: [8], on: self.eventLoop).value)
    guard case .found(let found) = try await other.use(Self.key(1), Self.limits, at: now, on: self.eventLoop).value else {
      return #expect(Bool(false), "not found")
    }
    #expect(found.sealed == [7, 0, 10] && found.version == 2)
    #expect(try await !one.replace(Self.key(9), version: 1, by: [8], on: self.eventLoop).value)
  }

  /// An answer that was on its way while the session changed is not believed behind the change.
  @Test func anOlderAnswerThatComesLateIsNotKept() async throws {
    let server = try await RedisServer(pki: TestPKI())
    let store = self.store(server)
    let now = self.now
    _ = try await store.begin(Self.session(at: now), as: Self.key(1), Self.limits, at: now, on: self.eventLoop).value
    let early = store.use(Self.key(1), Self.limits, at: now, on: self.eventLoop)
    let replaced = store.replace(Self.key(1), version: 1, by: [7], on: self.eventLoop)
    #expect(try await early.value == .found(Self.session(at: now)))
    #expect(try await replaced.value)
    guard case .found(let found) = try await store.use(Self.key(1), Self.limits, at: now, on: self.eventLoop).value else {
      return #expect(Bool(false), "not found")
    }
    #expect(found.version == 2 && found.sealed == [7])
    // And of two answers behind the end of the session none.
    let late = store.use(Self.key(1), Self.limits, at: now + 2, on: self.eventLoop)
    let ended = store.end(Self.key(1), on: self.eventLoop)
    _ = try await (late.value, ended.value)
    #expect(try await store.use(Self.key(1), Self.limits, at: now + 2, on: self.eventLoop).value == SessionLookUp.none)
  }

  /// Whoever can write to the server can end a session. They cannot prolong it, give it to another user or take it out of what
  /// finds it, and an old value does not come back as a newer one.
  @Test func whatSomebodyElseWritesThereLetsNobodyIn() async throws {
    let server = try await RedisServer(pki: TestPKI())
    let keys = SessionKeys.random()
    func gateway() -> SessionKeeper<Seen> { SessionKeeper(keys: keys, store: self.store(server), open: Seen.init) }
    let one = gateway()
    let now = self.now
    var limits = Self.limits
    limits.idle = limits.lifetime
    let alice = try await Self.begun(one.begin([1], for: "alice", tags: ["sid"], limits, at: now, on: self.eventLoop).value)
    let bob = try await Self.begun(one.begin([2], for: "bob", limits, at: now, on: self.eventLoop).value)
    let (name, other) = (Self.name(of: alice), Self.name(of: bob))
    var time = now
    /// What a gateway that knows the session finds, and what one does that has never seen it. Both ask: it is later than when
    /// they asked last.
    func found() async throws -> [Seen?] {
      var found: [Seen?] = []
      time += 2
      for gateway in [one, gateway()] {
        let finding = try await gateway.find(alice.facts.key, limits, at: time, on: self.eventLoop).value
        if case .found(let seen) = finding { found.append(seen) } else { found.append(nil) }
      }
      return found
    }
    func copy(_ from: String, to: String) async throws {
      #expect(try await server.ask("COPY", from, to, "REPLACE").hasPrefix("1"))
    }
    try await copy(name, to: "sallyport:first")
    let field = "return redis.call('HSET', ARGV[1], ARGV[3], redis.call('HGET', ARGV[2], ARGV[3]))"
    let milliseconds = Int64((now.timeIntervalSince1970 * 1000).rounded())
    let changes: [(field: String, values: [String])] = [
      ("user", ["", "00", "x"]), ("tags", ["", "00", "x"]),
      ("began", ["\(milliseconds - 1)", "\(milliseconds + 60_000)", "", "x", "-9223372036854775808"]),
      ("ends", ["\(milliseconds + 600_001)", "99999999999999", "9223372036854775807", "1", "", "x"]),
      ("version", ["2", "", "x", "99999999999999999999"]),
      ("sealed", ["", "x"]),
    ]
    for (field, values) in changes {
      for value in values {
        _ = try await server.ask("HSET", name, field, value)
        #expect(try await found() == [nil, nil], "\(field) = \(value)")
        try await copy("sallyport:first", to: name)
      }
      _ = try await server.ask("HDEL", name, field)
      #expect(try await found() == [nil, nil], "without \(field)")
      try await copy("sallyport:first", to: name)
    }
    for part in ["user", "sealed"] {
      _ = try await server.ask("EVAL", field, "0", name, other, part)
      #expect(try await found() == [nil, nil], "another's \(part)")
      try await copy("sallyport:first", to: name)
    }
    #expect(try await found() == [alice, alice])
    // The whole of another's in its place.
    try await copy(other, to: name)
    #expect(try await found() == [nil, nil])
    try await copy("sallyport:first", to: name)

    #expect(try await one.replace(alice.facts, by: [3], on: self.eventLoop).value)
    #expect(try await found().map { $0?.bytes } == [[3], [3]])
    try await copy(name, to: "sallyport:second")
    // Put back as it was: whoever has seen more goes by that. There is no older one than the first.
    try await copy("sallyport:first", to: name)
    #expect(try await found().map { $0?.bytes } == [[3], [1]])
    _ = try await server.ask("HSET", name, "version", "0")
    #expect(try await found().map { $0?.bytes } == [[3], nil])
    // An old value as a newer one.
    for version in ["2", "3"] {
      _ = try await server.ask("HSET", name, "version", version)
      #expect(try await found() == [nil, nil], "the first value as version \(version)")
    }
    try await copy("sallyport:second", to: name)
    #expect(try await found().map { $0?.bytes } == [[3], [3]])
  }

  private struct Seen: Sendable, Equatable {
    let bytes: [UInt8]
    let facts: SessionFacts

    init?(_ bytes: [UInt8], _ facts: SessionFacts) {
      self.bytes = bytes
      self.facts = facts
    }
  }

  private static func begun(_ beginning: SessionBeginning<Seen>) throws -> Seen {
    guard case .began(_, let seen, _) = beginning else { throw ToolFailure("no session began: \(beginning)") }
    return seen
  }

  private static func name(of session: Seen) -> String {
    "sallyport:session:" + String(decoding: RedisSessionStore.hex(session.facts.key.bytes), as: UTF8.self)
  }

  /// Away, hung and back: nobody is let in for it, nobody waits long, and it is used again by itself.
  @Test func aServerThatIsAwayLetsNobodyIn() async throws {
    let pki = try TestPKI()
    let server = try await RedisServer(pki: pki)
    let store = self.store(server)
    let now = self.now
    _ = try await store.begin(Self.session(at: now), as: Self.key(1), Self.limits, at: now, on: self.eventLoop).value
    server.signal(SIGSTOP)
    guard case .unavailable = try await store.use(Self.key(1), Self.limits, at: now + 2, on: self.eventLoop).value else {
      return #expect(Bool(false), "found on a server that hangs")
    }
    server.signal(SIGCONT)
    try await server.stop()
    guard case .unavailable = try await store.begin(Self.session(at: now), as: Self.key(2), Self.limits, at: now, on: self.eventLoop).value
    else { return #expect(Bool(false), "begun on a server that is gone") }
    #expect(try await !store.end(Self.key(1), on: self.eventLoop).value)
    #expect(try await store.endAll(of: SessionUser(bytes: [1]), on: self.eventLoop).value == nil)
    let again = try await RedisServer(pki: pki, ports: (server.port, server.tlsPort))
    let end = ContinuousClock.now + .seconds(30)
    while ContinuousClock.now < end {
      // It comes back empty, since nothing was saved: what it had is nobody's session any more.
      if try await store.use(Self.key(1), Self.limits, at: self.now, on: self.eventLoop).value == SessionLookUp.none { break }
      try await Task.sleep(for: .milliseconds(50))
    }
    #expect(
      try await store.begin(Self.session(at: now), as: Self.key(3), Self.limits, at: now, on: self.eventLoop).value == .began(ended: []))
    try await again.stop()
  }

  @Test func keysThatFollowEachOtherOpenBoth() throws {
    let (old, new) = (SymmetricKey(size: .bits256), SymmetricKey(size: .bits256))
    let before = SessionKeys(root: old)
    let after = SessionKeys(root: new, earlier: [old])
    let key = Self.key(1)
    var session = Self.session(at: self.now)
    session.sealed = try #require(before.seal([1, 2, 3], for: session, as: key))
    #expect(after.open(session, of: key) == [1, 2, 3])
    #expect(SessionKeys(root: new).open(session, of: key) == nil)
    #expect(after.open(session, of: Self.key(2)) == nil, "another session's")
    session.sealed = try #require(after.seal([4], for: session, as: key))
    #expect(before.open(session, of: key) == nil)
    #expect(after.users(named: "alice").contains(before.user(named: "alice")))
    #expect(after.tags(named: "alice").contains(before.tag(named: "alice")))
    #expect(before.tag(named: "alice").bytes != before.user(named: "alice").bytes)
  }

  /// Gateways and their users are many; a tag's sessions are found at all of them, and are forgotten with the sessions.
  @Test func aTagFindsItsSessionsAndNoOthers() async throws {
    let server = try await RedisServer(pki: TestPKI())
    let (one, other) = (self.store(server), self.store(server))
    let now = self.now
    func session(of user: UInt8, _ tags: UInt8...) -> StoredSession {
      StoredSession(
        user: SessionUser(bytes: [user]), tags: tags.map { SessionTag(bytes: [$0]) }, began: now, ends: now + 600, sealed: [user])
    }
    let sessions = [session(of: 1, 0xA0, 0xA1), session(of: 2, 0xA0), session(of: 3, 0xA1), session(of: 4)]
    for (number, session) in zip(UInt8(1)..., sessions) {
      #expect(try await one.begin(session, as: Self.key(number), Self.limits, at: now, on: self.eventLoop).value == .began(ended: []))
    }
    #expect(try await other.use(Self.key(1), Self.limits, at: now, on: self.eventLoop).value == .found(sessions[0]))
    let ended = try await other.endAll(tagged: SessionTag(bytes: [0xA0]), on: self.eventLoop).value
    #expect(Set(ended ?? []) == [Self.key(1), Self.key(2)])
    for (number, session) in zip(UInt8(1)..., sessions) {
      let lookUp = try await one.use(Self.key(number), Self.limits, at: now, on: self.eventLoop).value
      #expect(lookUp == (number > 2 ? .found(session) : SessionLookUp.none), "\(number)")
    }
    #expect(try await other.endAll(tagged: SessionTag(bytes: [0xA0]), on: self.eventLoop).value == [])
    // Ending a session by itself takes it out of its tags.
    #expect(try await one.end(Self.key(3), on: self.eventLoop).value)
    #expect(try await other.endAll(tagged: SessionTag(bytes: [0xA1]), on: self.eventLoop).value == [])
    #expect(try await server.ask("KEYS", "sallyport:tag:*").trimmingCharacters(in: .whitespacesAndNewlines) == "")
  }

  /// More than the server gives at once; each is listed once, with when it was used, and can be ended with the others.
  @Test func operatorsSeeAllSessionsAndEndThem() async throws {
    let server = try await RedisServer(pki: TestPKI())
    let keys = SessionKeys.random()
    func gateway() -> SessionKeeper<Seen> { SessionKeeper(keys: keys, store: self.store(server), open: Seen.init) }
    let (one, other) = (gateway(), gateway())
    let now = self.now
    let limits = SessionLimits(idle: .seconds(600), lifetime: .seconds(600), perUser: 300, total: 1000)
    var begun: Set<SessionKey> = []
    for number in 0..<250 {
      let name = number < 10 ? "alice" : "bob"
      begun.insert(
        try await Self.begun(one.begin([UInt8(number)], for: name, limits, at: now, on: self.eventLoop).value).facts.key)
    }
    #expect(begun.count == 250)
    // What somebody else has written there hides nobody.
    _ = try await server.ask("ZADD", "sallyport:sessions", "99999999999999", "00", "99999999999999", "x")
    _ = try await server.ask("HSET", "sallyport:session:00", "user", "x", "sealed", "x")
    let all = try #require(try await other.list(limits, at: now, on: self.eventLoop).value)
    #expect(Set(all.sessions.map(\.key)) == begun && all.sessions.count == 250 && !all.isCut)
    #expect(all.sessions.allSatisfy { $0.used == now && $0.opened.facts == $0.facts })
    let alice = try #require(try await other.list(ofUserNamed: "alice", limits, at: now, on: self.eventLoop).value)
    #expect(Set(alice.sessions.map(\.opened.bytes)) == Set((0..<10).map { [UInt8($0)] }))
    let used = try #require(alice.sessions.first?.key)
    guard case .found = try await one.find(used, limits, at: now + 7, on: self.eventLoop).value else {
      return #expect(Bool(false), "not found")
    }
    let again = try #require(try await other.list(ofUserNamed: "alice", limits, at: now + 8, on: self.eventLoop).value)
    #expect(again.sessions.filter { $0.used == now + 7 }.map(\.key) == [used])

    let ended = try await other.endAll(where: { $0 == used }, limits, at: now, on: self.eventLoop).value
    #expect(ended == [used])
    let rest = try #require(try await other.endAll(where: { $0.bytes.count == 32 }, limits, at: now, on: self.eventLoop).value)
    #expect(Set(rest) == begun.subtracting([used]))
    #expect(try await one.list(limits, at: now, on: self.eventLoop).value?.sessions.isEmpty == true)
    try await server.stop()
    #expect(try await one.list(limits, at: now, on: self.eventLoop).value == nil)
  }

  /// Signing in anew takes the place of what the browser had; where nobody can be let in, what there is stays.
  @Test func whoIsRefusedHasLostNothing() async throws {
    let server = try await RedisServer(pki: TestPKI())
    let store = self.store(server)
    let now = self.now
    func begin(_ number: UInt8, of user: UInt8, replacing replaced: [SessionKey] = [], total: Int = 3) async throws -> SessionStart {
      var limits = Self.limits
      limits.total = total
      return try await store.begin(
        Self.session(of: user, at: now), as: Self.key(number), replacing: replaced, limits, at: now, on: self.eventLoop
      ).value
    }
    for (number, user): (UInt8, UInt8) in [(1, 1), (2, 1), (3, 2)] { #expect(try await begin(number, of: user) == .began(ended: [])) }
    // Fewer are allowed by now than there are.
    #expect(try await begin(4, of: 1, replacing: [Self.key(1)], total: 2) == .full)
    #expect(try await begin(4, of: 3, replacing: [Self.key(9)]) == .full)
    for number: UInt8 in 1...3 {
      guard case .found = try await store.use(Self.key(number), Self.limits, at: now + 2, on: self.eventLoop).value else {
        return #expect(Bool(false), "\(number) was lost")
      }
    }
    // What it takes the place of makes room, among the user's own, too.
    #expect(try await begin(4, of: 1, replacing: [Self.key(1), Self.key(1), Self.key(9)]) == .began(ended: [Self.key(1)]))
    #expect(try await begin(5, of: 3, replacing: [Self.key(3)]) == .began(ended: [Self.key(3)]))
    #expect(try await store.use(Self.key(3), Self.limits, at: now + 2, on: self.eventLoop).value == SessionLookUp.none)
  }

  @Test func hexadecimalIsReadStrictly() {
    for bytes: [UInt8] in [[], [0], [0xFF, 0x10]] { #expect(RedisSessionStore.bytes(hex: RedisSessionStore.hex(bytes)) == bytes) }
    for text in ["0", "0g", "FF", " 0"] { #expect(RedisSessionStore.bytes(hex: Array(text.utf8)) == nil) }
  }
}
