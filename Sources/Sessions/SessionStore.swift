public import NIOCore
public import SallyportCore

public import struct Foundation.Date

/// One session as a store keeps it. Nothing in it is of use to whoever reads the store.
public struct StoredSession: Sendable, Equatable {
  public let user: SessionUser
  public let began: Date
  /// When it is over, however much it is used.
  public let ends: Date
  /// Who it stands for, sealed by ``SessionKeys``.
  public var sealed: [UInt8]
  /// Counts the changes of ``sealed``, so that two who change it at the same time do not undo each other's work.
  public var version: UInt64

  public init(user: SessionUser, began: Date, ends: Date, sealed: [UInt8], version: UInt64 = 1) {
    self.user = user
    self.began = began
    self.ends = ends
    self.sealed = sealed
    self.version = version
  }
}

/// What becomes of a new session.
public enum SessionStart: Sendable, Equatable {
  /// - Parameter ended: sessions of the same user that made room
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
  /// Keeps a new session, used now.
  func begin(
    _ session: StoredSession, as key: SessionKey, _ limits: SessionLimits, at now: Date, on eventLoop: any EventLoop
  ) -> Answer<SessionStart>

  /// Finds a session and notes that it is used now.
  func use(_ key: SessionKey, _ limits: SessionLimits, at now: Date, on eventLoop: any EventLoop) -> Answer<SessionLookUp>

  /// Puts another sealed value in the place of one, unless somebody else did meanwhile. Its ends stay as they are.
  ///
  /// - Returns: whether it was done
  func replace(_ key: SessionKey, version: UInt64, by sealed: [UInt8], on eventLoop: any EventLoop) -> Answer<Bool>

  /// Ends a session.
  ///
  /// - Returns: whether it is certain that nobody is let in by it any more; not where the store cannot be asked
  func end(_ key: SessionKey, on eventLoop: any EventLoop) -> Answer<Bool>

  /// Ends all sessions of a user.
  ///
  /// - Returns: which they were; `nil` where the store cannot be asked
  func endAll(of user: SessionUser, on eventLoop: any EventLoop) -> Answer<[SessionKey]?>
}
