import Foundation
import SallyportAuthentication
import SallyportCore
import SallyportJSON
import SallyportPortal
import SallyportWire

/// What is asked at the control socket. A value without I/O.
///
/// | | |
/// |---|---|
/// | `GET /sessions` | the sessions there are; `?user=NAME`: that user's |
/// | `POST /sessions/revoke` | `{"user": NAME}`, `{"session": HANDLE}` or `{"all": true}`: ends them |
enum ControlRequest: Equatable {
  case list(user: String?)
  case revoke(SessionSelection)

  /// - Throws: ``ControlReply`` that says what is wrong
  init(_ head: RequestHead, body: [UInt8]) throws(ControlReply) {
    switch (head.target.path, head.method) {
    case ("/sessions", .get): self = .list(user: try Self.user(head.target.query))
    case ("/sessions/revoke", .post): self = .revoke(try Self.selection(body))
    case ("/sessions", _), ("/sessions/revoke", _): throw ControlReply(405, error: "This is done by another method.")
    default: throw ControlReply(404, error: "There is nothing at this path.")
    }
  }

  private static func user(_ query: String?) throws(ControlReply) -> String? {
    guard let query else { return nil }
    guard let fields = FormFields(query: query.utf8), let user = fields.text("user") else {
      throw ControlReply(400, error: "The query is not user=NAME.")
    }
    return user
  }

  /// Exactly one of the three: nobody ends everybody's sessions by a word that is misspelt.
  private static func selection(_ body: [UInt8]) throws(ControlReply) -> SessionSelection {
    let members = (try? JSONReader.read(body))?.object ?? [:]
    if members.count == 1 {
      if let name = members["user"]?.string { return .user(name) }
      if let handle = members["session"]?.string { return .handle(handle) }
      if members["all"]?.bool == true { return .all }
    }
    throw ControlReply(400, error: #"The body is none of {"user": NAME}, {"session": HANDLE} and {"all": true}."#)
  }
}

/// What is answered at the control socket: JSON.
struct ControlReply: Error, Equatable {
  let status: Int
  let body: [UInt8]

  init(_ status: Int, _ body: JSONValue) {
    self.status = status
    self.body = JSONWriter.write(body)
  }

  init(_ status: Int, error: String) { self.init(status, .object(["error": .string(error)])) }

  init(_ outcome: SessionControl.Outcome) {
    switch outcome {
    case .listed(let list):
      self.init(200, .object(["sessions": .array(list.sessions.map(Self.json)), "isCut": .bool(list.isCut)]))
    case .ended(let handles): self.init(200, .object(["ended": .array(handles.map { .string($0) })]))
    case .unavailable: self.init(503, error: "Where sessions are kept cannot be asked; nothing is certain to have ended.")
    case .unrecorded: self.init(503, error: "The audit log cannot be written, so that nothing is done.")
    }
  }

  private static func json(_ session: SessionOverview) -> JSONValue {
    .object([
      "session": .string(session.handle), "user": .string(session.username), "signedInBy": .string(session.signedInBy.rawValue),
      "address": session.address.map { .string($0) } ?? .null, "began": self.json(session.began), "used": self.json(session.used),
      "ends": self.json(session.ends),
    ])
  }

  private static func json(_ time: Date) -> JSONValue { .string(time.formatted(.iso8601)) }

  /// - Parameter isHead: whether HEAD was asked, which is answered without the body
  func head(isHead: Bool) -> ResponseHead {
    var fields = HeaderFields()
    do {
      try fields.append("Content-Type", "application/json")
      try fields.append("Cache-Control", "no-store")
    } catch {
      assertionFailure("constants are fields: \(error)")
    }
    let length = UInt64(self.body.count)
    return ResponseHead(status: self.status, fields: fields, framing: isHead ? .none : .length(length), statedLength: length)
  }
}
