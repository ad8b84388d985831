import NIOCore
import SallyportAudit
import SallyportAuthentication
import SallyportCore

/// What an operator does about sessions: looks at them and ends them. What is ended is recorded, and its streams are cut.
struct SessionControl: Sendable {
  /// How many sessions one record names: as many as fit its longest value.
  private static let mostInARecord = 100

  /// The one of the present generation.
  let authenticator: @Sendable () -> Authenticator
  let endings: SessionEndings
  let log: AuditLog

  enum Outcome: Sendable, Equatable {
    case listed(SessionOverviews)
    /// - Parameter handles: what ended
    case ended(handles: [String])
    /// Where sessions are kept cannot be asked.
    case unavailable
    /// What is done cannot be recorded, so that nothing is.
    case unrecorded
  }

  func list(of username: String?, on eventLoop: any EventLoop) -> Answer<Outcome> {
    self.authenticator().listSessions(of: username, on: eventLoop).map { $0.map(Outcome.listed) ?? .unavailable }
  }

  /// - Parameter peer: who asks
  func revoke(_ selection: SessionSelection, by peer: LocalPeer, on eventLoop: any EventLoop) -> Answer<Outcome> {
    // A log that cannot be written keeps everybody out, sessions included: nothing is lost by waiting for it.
    guard self.log.state == .writable else { return .now(.unrecorded) }
    return self.authenticator().endSessions(selection, on: eventLoop).map { keys in
      let ended = keys ?? []
      self.endings.tell(ended)
      let handles = ended.map { Identity.Session.handle(of: $0) }
      for start in stride(from: 0, to: max(1, handles.count), by: Self.mostInARecord) {
        let some = Array(handles.dropFirst(start).prefix(Self.mostInARecord))
        self.log.record(.sessionsRevoked(by: peer.description, asked: selection.description, handles: some))
      }
      return keys == nil ? .unavailable : .ended(handles: handles)
    }
  }
}
