public import Foundation
import NIOConcurrencyHelpers
public import NIOCore
public import SallyportCore
public import SallyportRedis

/// Sessions on a Redis server, which several gateways share. A server that cannot be asked lets nobody in.
///
/// What was found is believed for ``freshness`` without another question: a dashboard's page asks for dozens of things at once.
/// For so long a session may go on here that another gateway has ended.
public final class RedisSessionStore: SessionStore {
  /// How long a session that was found is not looked for again.
  static let freshness = 1.0
  /// A user's list of sessions is kept for as long as any session may last.
  private static let longestLife = Duration.seconds(7 * 86_400)
  private static let mostFresh = 65_536

  private struct Fresh: Sendable {
    let session: StoredSession
    let until: Date
  }

  /// What is known to be over: a question that was asked before, and is answered behind it, does not bring it back.
  private struct Past: Sendable {
    /// The oldest version that may be believed without another question.
    var oldest: UInt64
    var until: NIODeadline
  }

  private struct Known: Sendable {
    var fresh: [SessionKey: Fresh] = [:]
    var past: [SessionKey: Past] = [:]
  }

  /// Longer than any answer is waited for.
  private static let memoryOfThePast = TimeAmount.seconds(60)

  private let client: RedisClient
  private let known = NIOLockedValueBox(Known())

  public init(_ client: RedisClient) { self.client = client }

  deinit { self.client.close() }

  // MARK: - The store

  public func begin(
    _ session: StoredSession, as key: SessionKey, replacing replaced: [SessionKey], _ limits: SessionLimits, at now: Date,
    on eventLoop: any EventLoop
  ) -> Answer<SessionStart> {
    var arguments = [
      Self.hex(key.bytes), Self.hex(session.user.bytes), Self.milliseconds(now), Self.milliseconds(session.began),
      Self.milliseconds(session.ends), Self.milliseconds(limits.idle), session.sealed, Self.text(max(1, limits.perUser)),
      Self.text(limits.total), Self.milliseconds(Self.longestLife), Self.words(session.tags),
    ]
    arguments += replaced.map { Self.hex($0.bytes) }
    return self.run(SessionScripts.begin, arguments, on: eventLoop, failure: { .unavailable($0) }) { reply in
      guard case .list(let words?) = reply, case .bytes(let first?)? = words.first else { return nil }
      if first == Array("full".utf8) { return .full }
      let ended = words.dropFirst().compactMap(Self.key(reading:))
      self.bury(ended)
      return .began(ended: ended)
    }
  }

  public func use(_ key: SessionKey, _ limits: SessionLimits, at now: Date, on eventLoop: any EventLoop) -> Answer<SessionLookUp> {
    if let fresh = self.known.withLockedValue({ $0.fresh[key] }), now < fresh.until, now < fresh.session.ends {
      return .now(.found(fresh.session))
    }
    let arguments = [
      Self.hex(key.bytes), Self.milliseconds(now), Self.milliseconds(limits.idle), Self.milliseconds(limits.lifetime),
    ]
    return self.run(SessionScripts.use, arguments, on: eventLoop, failure: { .unavailable($0) }) { reply in
      switch reply {
      case .bytes(nil), .list(nil):
        self.forget([key])
        return SessionLookUp.none
      case .list(let fields?):
        guard let session = Self.session(reading: fields) else {
          // What cannot be read is nobody's session: it is of an earlier build, or somebody else's work.
          self.forget([key])
          return SessionLookUp.none
        }
        self.remember(session, key, at: now)
        return .found(session)
      default: return nil
      }
    }
  }

  public func replace(_ key: SessionKey, version: UInt64, by sealed: [UInt8], on eventLoop: any EventLoop) -> Answer<Bool> {
    // Also where it fails: somebody else was faster, or nobody knows.
    self.bury([key], before: version + 1)
    let arguments = [Self.hex(key.bytes), Self.text(version), sealed]
    return self.run(SessionScripts.replace, arguments, on: eventLoop, failure: { _ in false }) { $0 == .integer(1) }
  }

  public func end(_ keys: [SessionKey], on eventLoop: any EventLoop) -> Answer<Bool> {
    self.bury(keys)
    return self.run(SessionScripts.end, keys.map { Self.hex($0.bytes) }, on: eventLoop, failure: { _ in false }) { $0 == .integer(1) }
  }

  public func endAll(of user: SessionUser, on eventLoop: any EventLoop) -> Answer<[SessionKey]?> {
    self.endAll(SessionScripts.endAllOfUser, user.bytes, on: eventLoop)
  }

  public func endAll(tagged tag: SessionTag, on eventLoop: any EventLoop) -> Answer<[SessionKey]?> {
    self.endAll(SessionScripts.endAllTagged, tag.bytes, on: eventLoop)
  }

  private func endAll(_ script: String, _ group: [UInt8], on eventLoop: any EventLoop) -> Answer<[SessionKey]?> {
    self.run(script, [Self.hex(group)], on: eventLoop, failure: { _ in nil }) { reply -> [SessionKey]?? in
      guard case .list(let words?) = reply else { return nil }
      let ended = words.compactMap(Self.key(reading:))
      self.bury(ended)
      return .some(ended)
    }
  }

  public func page(
    at cursor: UInt64, _ limits: SessionLimits, at now: Date, on eventLoop: any EventLoop
  ) -> Answer<SessionPage?> {
    self.run(SessionScripts.page, [Self.text(cursor)], on: eventLoop, failure: { _ in nil }) { reply -> SessionPage?? in
      guard case .list(let words?) = reply, case .bytes(let next?)? = words.first, let next = UInt64(String(decoding: next, as: UTF8.self))
      else { return nil }
      // What cannot be read is nobody's session, and keeps nobody from seeing the others.
      return .some(SessionPage(words.dropFirst().compactMap(Self.kept(reading:)), next: next))
    }
  }

  // MARK: - Asking

  /// - Parameter read: what a reply means; `nil` for one that no script gives
  private func run<Value: Sendable>(
    _ script: String, _ arguments: [[UInt8]], on eventLoop: any EventLoop, failure: @escaping @Sendable (String) -> Value,
    _ read: @escaping @Sendable (RESPValue) -> Value?
  ) -> Answer<Value> {
    let command = RedisCommand("EVAL", [Array(script.utf8), Array("0".utf8)] + arguments)
    return .later(
      self.client.send(command, on: eventLoop).map { read($0) ?? failure("the Redis server answers what no script of ours does") }
        .recover { failure(($0 as? RedisFault)?.reason ?? "the Redis server could not be asked") })
  }

  // MARK: - What is fresh

  private func remember(_ session: StoredSession, _ key: SessionKey, at now: Date) {
    self.known.withLockedValue { known in
      if let past = known.past[key], session.version < past.oldest { return }
      if known.fresh.count >= Self.mostFresh { known.fresh = known.fresh.filter { now < $0.value.until } }
      if known.fresh.count >= Self.mostFresh { known.fresh.removeAll() }
      known.fresh[key] = Fresh(session: session, until: now.addingTimeInterval(Self.freshness))
    }
  }

  private func forget(_ keys: [SessionKey]) {
    self.known.withLockedValue { known in for key in keys { known.fresh[key] = nil } }
  }

  /// - Parameter oldest: the version from which on it may be believed again; none where it has ended
  private func bury(_ keys: [SessionKey], before oldest: UInt64 = .max) {
    let now = NIODeadline.now()
    self.known.withLockedValue { known in
      known.past = known.past.filter { now < $0.value.until }
      for key in keys {
        known.fresh[key] = nil
        known.past[key] = Past(oldest: max(oldest, known.past[key]?.oldest ?? 0), until: now + Self.memoryOfThePast)
      }
    }
  }

  // MARK: - Words

  private static func text(_ number: some BinaryInteger) -> [UInt8] { Array(String(number).utf8) }
  private static func milliseconds(_ time: Date) -> [UInt8] { self.text(time.milliseconds) }
  private static func milliseconds(_ duration: Duration) -> [UInt8] { self.text(Int64(duration.seconds * 1000)) }

  private static func words(_ tags: [SessionTag]) -> [UInt8] { Array(tags.map { self.hex($0.bytes) }.joined(separator: [32])) }

  private static let digits = Array("0123456789abcdef".utf8)

  static func hex(_ bytes: [UInt8]) -> [UInt8] { bytes.flatMap { [self.digits[Int($0 >> 4)], self.digits[Int($0 & 15)]] } }

  static func bytes(hex text: [UInt8]) -> [UInt8]? {
    guard text.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: text.count, by: 2) {
      guard let high = self.digits.firstIndex(of: text[index]), let low = self.digits.firstIndex(of: text[index + 1]) else { return nil }
      bytes.append(UInt8(high << 4 | low))
    }
    return bytes
  }

  private static func key(reading word: RESPValue) -> SessionKey? {
    guard case .bytes(let text?) = word else { return nil }
    return self.bytes(hex: text).map(SessionKey.init)
  }

  private static func kept(reading entry: RESPValue) -> KeptSession? {
    guard case .list(let fields?) = entry, fields.count == 8, let key = self.key(reading: fields[0]), case .bytes(let used?) = fields[1],
      let used = self.date(used), let session = self.session(reading: Array(fields[2...]))
    else { return nil }
    return KeptSession(key: key, session: session, used: used)
  }

  private static func session(reading fields: [RESPValue]) -> StoredSession? {
    let values = fields.compactMap { field -> [UInt8]? in if case .bytes(let bytes) = field { bytes } else { nil } }
    guard values.count == 6, let user = self.bytes(hex: values[0]), let tags = self.tags(values[1]), let began = self.date(values[2]),
      let ends = self.date(values[3]), let version = UInt64(String(decoding: values[4], as: UTF8.self))
    else { return nil }
    return StoredSession(user: SessionUser(bytes: user), tags: tags, began: began, ends: ends, sealed: values[5], version: version)
  }

  private static func tags(_ words: [UInt8]) -> [SessionTag]? {
    let words = words.split(separator: 32)
    let tags = words.compactMap { self.bytes(hex: Array($0)).map(SessionTag.init) }
    return tags.count == words.count ? tags : nil
  }

  /// Until the year 9999: what lies beyond is nobody's session, and would not come back as the number that it was.
  private static let times: ClosedRange<Int64> = 0...253_402_300_799_999

  private static func date(_ text: [UInt8]) -> Date? {
    guard let number = Int64(String(decoding: text, as: UTF8.self)), self.times.contains(number) else { return nil }
    return Date(milliseconds: number)
  }
}
