/// Something that happened to the gateway as a whole, and belongs in the log of requests.
public enum GatewayEvent: Sendable, Hashable {
  /// The gateway serves.
  ///
  /// - Parameter configuration: the configuration's hash, as it stands in the records of requests
  case started(configuration: String)
  /// A configuration was read anew.
  ///
  /// - Parameter refused: why it was not taken over; `configuration` is then the one that stays
  case reloaded(configuration: String, refused: String?)
  /// The gateway serves no more.
  case stopped(reason: String)
  /// An operator ended sessions.
  ///
  /// - Parameters:
  ///   - by: who asked, as the operating system knows them
  ///   - asked: whose sessions they wanted to end
  ///   - handles: what the sessions are called that ended; where there are many, several events name some each
  case sessionsRevoked(by: String, asked: String, handles: [String])

  var kind: LogEvent.Kind {
    switch self {
    case .started: .started
    case .reloaded: .reloaded
    case .stopped: .stopped
    case .sessionsRevoked: .sessionsRevoked
    }
  }

  var facts: [(name: StaticString, value: String)] {
    switch self {
    case .started(let configuration): [("config", configuration)]
    case .reloaded(let configuration, nil): [("config", configuration)]
    case .reloaded(let configuration, let refused?): [("config", configuration), ("error", refused)]
    case .stopped(let reason): [("reason", reason)]
    case .sessionsRevoked(let by, let asked, let handles):
      [("revoked-by", by), ("revoked", asked), ("sessions", handles.joined(separator: ","))]
    }
  }
}
