import NIOCore
import SallyportCore
import SallyportPortal
import SallyportWire

/// An answer of the pages by which people sign in and out: for the one who asked alone.
struct OwnPage {
  var status = 200
  var fields: [(name: String, value: String)] = []
  var body = ByteBuffer()
  /// Why the answer is none that was hoped for; the client reads the page, the operator this.
  var problem: Problem?

  static func page(_ page: PortalPage, status: Int = 200, problem: Problem? = nil) -> OwnPage {
    OwnPage(status: status, fields: page.fields, body: ByteBuffer(string: page.html), problem: problem)
  }

  static func json(_ body: [UInt8]) -> OwnPage {
    OwnPage(
      fields: [("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")],
      body: ByteBuffer(bytes: body))
  }

  /// Leads a browser on to a path of this host.
  ///
  /// - Parameter target: a path that ``ReturnTarget`` has checked or made
  static func redirect(to target: String, problem: Problem? = nil) -> OwnPage {
    OwnPage(
      status: 303,
      fields: [
        ("Location", target), ("Cache-Control", "no-store"), ("Referrer-Policy", "same-origin"), ("X-Content-Type-Options", "nosniff"),
      ],
      problem: problem)
  }

  /// Has the browser keep a cookie of ours until it is closed. When it ends is the gateway's to say, and not the browser's.
  ///
  /// - Parameter seconds: when it is of no use any more, so that it does not travel with every request
  func setting(_ name: String, to value: Secret, forSeconds seconds: Int? = nil) -> OwnPage {
    var copy = self
    let text = value.withBytes { String(decoding: $0, as: UTF8.self) }
    let age = seconds.map { "; Max-Age=\($0)" } ?? ""
    copy.fields.append(("Set-Cookie", "\(name)=\(text); Path=/; Secure; HttpOnly; SameSite=Lax\(age)"))
    return copy
  }

  /// Has the browser forget a cookie of ours.
  func removing(_ name: String) -> OwnPage {
    var copy = self
    copy.fields.append(("Set-Cookie", "\(name)=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"))
    return copy
  }

  func head(for method: SallyportWire.Method, auditID: String) -> ResponseHead {
    var fields = HeaderFields()
    do {
      for field in self.fields { try fields.append(field.name, field.value) }
      if let seconds = self.problem?.retryAfterSeconds { try fields.append("Retry-After", String(seconds)) }
      if !auditID.isEmpty { try fields.append("Audit-Id", auditID) }
    } catch {
      // Every value is a constant, a number, base64url or a path in visible ASCII.
      assertionFailure("\(error)")
    }
    let length = UInt64(self.body.readableBytes)
    return ResponseHead(status: self.status, fields: fields, framing: method == .head ? .none : .length(length), statedLength: length)
  }
}
