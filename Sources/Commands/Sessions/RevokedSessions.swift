import SallyportJSON

/// Which sessions are to end.
public enum RevokedSessions: Sendable, Equatable {
  case user(String)
  case session(String)
  case all

  var question: JSONValue {
    switch self {
    case .user(let name): .object(["user": .string(name)])
    case .session(let handle): .object(["session": .string(handle)])
    case .all: .object(["all": .bool(true)])
    }
  }
}

/// The sessions that ended.
public struct EndedSessions: Sendable, Equatable {
  /// What they are called in the audit log.
  let handles: [String]

  public var isEmpty: Bool { self.handles.isEmpty }
  /// An array of texts.
  public var json: String { String(decoding: JSONWriter.write(.array(self.handles.map { .string($0) })), as: UTF8.self) }
  /// A line for each.
  public var text: String {
    self.isEmpty ? "no session has ended" : self.handles.map { "\($0) has ended" }.joined(separator: "\n")
  }
}
