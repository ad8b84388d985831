public import NIOCore
public import SallyportCore

public import struct Foundation.Date

/// One session as a store keeps it. Nothing in it is of use to whoever reads the store.
public struct StoredSession: Sendable, Equatable {
  public let user: SessionUser
  /// What else it is found by.
  public let tags: [SessionTag]
  public let began: Date
  /// When it is over, however much it is used.
  public let ends: Date
  /// Who it stands for, sealed by ``SessionKeys``.
  public var sealed: [UInt8]
  /// Counts the changes of ``sealed``, so that two who change it at the same time do not undo each other's work.
  public var version: UInt64

  public init(user: SessionUser, tags: [SessionTag] = [], began: Date, ends: Date, sealed: [UInt8], version: UInt64 = 1) {
    self.user = user
    self.tags = tags
    self.began = began
    self.ends = ends
    self.sealed = sealed
    self.version = version
  }
}

extension StoredSession {
  /// Everything that is kept beside the sealed value, in one spelling. The value is sealed together with it, so that whoever can
  /// write to a store cannot prolong a session, give it to another user, or show an older value as a newer one.
  func binding(as key: SessionKey) -> [UInt8] {
    var bytes = Array("sallyport/session/binding/v1".utf8)
    func append(_ number: some FixedWidthInteger) { withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) } }
    // Each value behind its length: no two sessions are spelt alike.
    append(UInt32(self.tags.count))
    for value in [key.bytes, self.user.bytes] + self.tags.map(\.bytes) {
      append(UInt32(value.count))
      bytes.append(contentsOf: value)
    }
    append(self.began.milliseconds)
    append(self.ends.milliseconds)
    append(self.version)
    return bytes
  }

  /// Whether its end is yet to come. How long it was idle is the store's to say.
  func isCurrent(_ limits: SessionLimits, at now: Date) -> Bool {
    now < self.ends && now < self.began.addingTimeInterval(limits.lifetime.seconds)
  }

  /// Whether it is the same but for what changes while it goes on.
  func isSame(as other: StoredSession) -> Bool {
    self.user == other.user && self.tags == other.tags && self.began == other.began && self.ends == other.ends
  }
}

extension Date {
  /// Since 1970, to the nearest.
  var milliseconds: Int64 { Int64((self.timeIntervalSince1970 * 1000).rounded()) }

  init(milliseconds: Int64) { self.init(timeIntervalSince1970: Double(milliseconds) / 1000) }
}

/// What becomes of a new session.
public enum SessionStart: Sendable, Equatable {
  /// - Parameter ended: sessions that it took the place of, and those of the same user that made room
  case began(ended: [SessionKey])
  /// There are as many as there may be.
  case full
  /// The store cannot be asked; the text is for the operator. Nobody is signed in for it.
  case unavailable(String)
}

/// What a store knows of a session.
public enum SessionLookUp: Sendable, Equatable {
  case found(StoredSession)
  /// It never was, has ended, or was idle for too long: nobody can tell which.
  case none
  /// The store cannot be asked; the text is for the operator. Nobody is let in for it.
  case unavailable(String)
}

/// Where sessions are kept, by what only says that they are there: hashes, times and sealed values.
///
/// A store may be another machine, so that every answer may come later. Its futures never fail: a store that cannot be asked
/// says ``SessionLookUp/unavailable(_:)``. Ends are the store's to keep: what is idle for too long or over is not found.
public protocol SessionStore: Sendable {
  /// Keeps a new session, used now, in the place of others. It is one step: where the session cannot be kept, nothing ends for it.
  ///
  /// - Parameter replaced: what the same browser had before
  func begin(
    _ session: StoredSession, as key: SessionKey, replacing replaced: [SessionKey], _ limits: SessionLimits, at now: Date,
    on eventLoop: any EventLoop
  ) -> Answer<SessionStart>

  /// Finds a session and notes that it is used now.
  func use(_ key: SessionKey, _ limits: SessionLimits, at now: Date, on eventLoop: any EventLoop) -> Answer<SessionLookUp>

  /// Puts another sealed value in the place of one, as the version behind it, unless somebody else did meanwhile. Its ends stay as
  /// they are.
  ///
  /// - Returns: whether it was done
  func replace(_ key: SessionKey, version: UInt64, by sealed: [UInt8], on eventLoop: any EventLoop) -> Answer<Bool>

  /// Ends sessions.
  ///
  /// - Returns: whether it is certain that nobody is let in by them any more; not where the store cannot be asked
  func end(_ keys: [SessionKey], on eventLoop: any EventLoop) -> Answer<Bool>

  /// Ends all sessions of a user.
  ///
  /// - Returns: which they were; `nil` where the store cannot be asked
  func endAll(of user: SessionUser, on eventLoop: any EventLoop) -> Answer<[SessionKey]?>

  /// Ends all sessions with a tag.
  ///
  /// - Returns: which they were; `nil` where the store cannot be asked
  func endAll(tagged tag: SessionTag, on eventLoop: any EventLoop) -> Answer<[SessionKey]?>

  /// Some of the sessions there are. A session that is there from the first page to the last is on one of them, and may be on several.
  ///
  /// - Parameter cursor: 0 to begin, and then what the page before said
  /// - Returns: `nil` where the store cannot be asked
  func page(at cursor: UInt64, _ limits: SessionLimits, at now: Date, on eventLoop: any EventLoop) -> Answer<SessionPage?>
}

/// A session as a store has it now.
public struct KeptSession: Sendable, Equatable {
  public let key: SessionKey
  public let session: StoredSession
  public let used: Date

  public init(key: SessionKey, session: StoredSession, used: Date) {
    self.key = key
    self.session = session
    self.used = used
  }
}

/// Some of the sessions of a store.
public struct SessionPage: Sendable, Equatable {
  public let sessions: [KeptSession]
  /// Where others are; 0 where these were the last.
  public let next: UInt64

  public init(_ sessions: [KeptSession], next: UInt64) {
    self.sessions = sessions
    self.next = next
  }
}
