public import NIOCore
public import SallyportCore
import SallyportSessions

public import struct Foundation.Date

/// Which sessions an operator means.
public enum SessionSelection: Sendable, Equatable, CustomStringConvertible {
  case user(String)
  /// The one that is called so in the audit log (``Identity/Session/handle``).
  case handle(String)
  case all

  public var description: String {
    switch self {
    case .user(let name): "user \(name)"
    case .handle(let handle): "session \(handle)"
    case .all: "all"
    }
  }
}

/// A session as an operator sees it. Nobody gets in by it.
public struct SessionOverview: Sendable, Equatable {
  public let handle: String
  public let username: String
  public let signedInBy: AuthenticationMethod
  /// Where the user signed in from; `nil` where that is not known.
  public let address: String?
  public let began: Date
  public let used: Date
  /// When it ends, however much it is used.
  public let ends: Date
}

/// What sessions there are.
public struct SessionOverviews: Sendable, Equatable {
  public let sessions: [SessionOverview]
  /// Whether there are more than are listed.
  public let isCut: Bool
}

/// For operators: who is signed in, and an end to it.
extension Authenticator {
  /// The sessions of a user, or all of them: by user, the oldest first.
  ///
  /// - Returns: `nil` where the place that they are kept in cannot be asked
  public func listSessions(of username: String?, on eventLoop: any EventLoop) -> Answer<SessionOverviews?> {
    guard let sessions = self.sessions else { return .now(SessionOverviews(sessions: [], isCut: false)) }
    return sessions.keeper.list(ofUserNamed: username, sessions.rules.limits, at: self.clock.wall(), on: eventLoop).map { list in
      list.map { list in
        let overviews = list.sessions.map { session in
          SessionOverview(
            handle: Identity.Session.handle(of: session.key.bytes), username: session.opened.identity.username,
            signedInBy: session.opened.identity.session?.signedInBy ?? .session, address: session.opened.signedIn.address,
            began: session.facts.began, used: session.used, ends: session.facts.ends)
        }
        return SessionOverviews(
          sessions: overviews.sorted { ($0.username, $0.began, $0.handle) < ($1.username, $1.began, $1.handle) }, isCut: list.isCut)
      }
    }
  }

  /// Ends the sessions that an operator means.
  ///
  /// - Returns: the keys of what ended; `nil` where the place that they are kept in cannot be asked: some may have ended then
  public func endSessions(_ selection: SessionSelection, on eventLoop: any EventLoop) -> Answer<[[UInt8]]?> {
    guard let sessions = self.sessions else { return .now([]) }
    let ended: Answer<[SessionKey]?>
    switch selection {
    case .user(let name): ended = sessions.keeper.endAll(ofUserNamed: name, on: eventLoop)
    case .handle(let handle):
      ended = sessions.keeper.endAll(
        where: { Identity.Session.handle(of: $0.bytes) == handle }, sessions.rules.limits, at: self.clock.wall(), on: eventLoop)
    case .all:
      ended = sessions.keeper.endAll(where: { _ in true }, sessions.rules.limits, at: self.clock.wall(), on: eventLoop)
    }
    return ended.map { $0?.map(\.bytes) }
  }
}
