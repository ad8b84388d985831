import NIOCore
import SallyportCore
import SallyportWire

/// An answer of an own path that is for the one who asked alone: JSON that nobody keeps.
struct OwnResponse {
  let status: Int
  let body: [UInt8]
  var challenges: [String] = []
  var retryAfterSeconds: Int?

  func head(for method: SallyportWire.Method, auditID: String) -> ResponseHead {
    var fields = HeaderFields()
    do {
      try fields.append("Content-Type", "application/json")
      // RFC 6749 section 5.1 asks for both.
      try fields.append("Cache-Control", "no-store")
      try fields.append("Pragma", "no-cache")
      try fields.append("X-Content-Type-Options", "nosniff")
      for challenge in self.challenges { try fields.append("WWW-Authenticate", challenge) }
      if let seconds = self.retryAfterSeconds { try fields.append("Retry-After", String(seconds)) }
      if !auditID.isEmpty { try fields.append("Audit-Id", auditID) }
    } catch {
      // Every value is a constant, a number or a UUID, or a challenge of the authenticator's.
      assertionFailure("\(error)")
    }
    let length = UInt64(self.body.count)
    return ResponseHead(status: self.status, fields: fields, framing: method == .head ? .none : .length(length), statedLength: length)
  }
}
