import Foundation
import NIOCore
import SallyportCore
import SallyportWire

/// Turns a problem into an answer: a Kubernetes `Status` for API clients, so that kubectl prints a proper message; a
/// small page for browsers; nothing but the head for gRPC, whose errors are not ours to invent.
///
/// The client reads the problem's message. Its detail never leaves: it is for the operator and the audit record.
enum ErrorResponder {
  struct Message {
    let head: ResponseHead
    let body: ByteBuffer
  }

  /// What kind of client reads the answer.
  enum Form: Sendable {
    case status, page, headOnly
  }

  static func form(for head: RequestHead) -> Form {
    if let type = head.fields.first(.contentType), type.value.lowercased().hasPrefix("application/grpc") { return .headOnly }
    return self.wantsPage(head) ? .page : .status
  }

  /// Whether the client is a browser that asks for a page.
  private static func wantsPage(_ head: RequestHead) -> Bool {
    guard let accept = head.fields.first(.accept) else { return false }
    return accept.value.split(separator: ",").contains { $0.drop { $0 == " " }.lowercased().hasPrefix("text/html") }
  }

  static func answer(
    to problem: Problem, method: SallyportWire.Method, form: Form, object: RequestInfo?, challenges: [String], auditID: String,
    pages: ErrorPages? = nil
  ) -> Message {
    let body =
      switch form {
      case .status: self.status(problem, object: object)
      case .page:
        pages?.body(of: problem, title: "\(HTTP1Writer.reasonPhrase(problem.status))", auditID: auditID)
          ?? self.page(problem, auditID: auditID)
      case .headOnly: ByteBuffer()
      }
    var fields = HeaderFields()
    do {
      if form != .headOnly { try fields.append("Content-Type", form == .page ? "text/html; charset=utf-8" : "application/json") }
      try fields.append("Cache-Control", "no-store")
      try fields.append("X-Content-Type-Options", "nosniff")
      if form == .page {
        try fields.append("Content-Security-Policy", self.contentSecurityPolicy)
      }
      for challenge in challenges { try fields.append("WWW-Authenticate", challenge) }
      if let seconds = problem.retryAfterSeconds { try fields.append("Retry-After", String(seconds)) }
      if !auditID.isEmpty { try fields.append("Audit-Id", auditID) }
    } catch {
      // Every value is a constant, a number or a UUID; a challenge that is no field value is left out with what follows.
      assertionFailure("\(error)")
    }
    let head = ResponseHead(
      status: problem.status, fields: fields, framing: method == .head ? .none : .length(UInt64(body.readableBytes)),
      statedLength: UInt64(body.readableBytes))
    return Message(head: head, body: body)
  }

  /// Styles and images of the page itself, and nothing from anywhere: neither scripts nor forms.
  private static let contentSecurityPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

  /// The `v1.Status` that says it (k8s.io/apimachinery, `meta/v1.Status`).
  private static func status(_ problem: Problem, object: RequestInfo?) -> ByteBuffer {
    var details: Status.Details?
    if let object, object.isResourceRequest || problem.retryAfterSeconds != nil {
      details = Status.Details(
        name: object.name.isEmpty ? nil : object.name, group: object.apiGroup.isEmpty ? nil : object.apiGroup,
        kind: object.resource.isEmpty ? nil : object.resource, retryAfterSeconds: problem.retryAfterSeconds)
    }
    let status = Status(message: problem.message, reason: self.reason(problem.status), details: details, code: problem.status)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // A value of strings and numbers always encodes; an answer without a body is the worst that could come of it.
    guard let data = try? encoder.encode(status) else { return ByteBuffer() }
    return ByteBuffer(bytes: data + [UInt8(ascii: "\n")])
  }

  private struct Status: Encodable {
    struct Details: Encodable {
      let name: String?
      let group: String?
      let kind: String?
      let retryAfterSeconds: Int?
    }

    let kind = "Status"
    let apiVersion = "v1"
    let metadata: [String: String] = [:]
    let status = "Failure"
    let message: String
    let reason: String
    let details: Details?
    let code: Int
  }

  /// The reason that Kubernetes gives with a status code (`meta/v1.StatusReason`).
  static func reason(_ status: Int) -> String {
    switch status {
    case 400, 417, 421, 431: "BadRequest"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "NotFound"
    case 405: "MethodNotAllowed"
    case 413: "RequestEntityTooLarge"
    case 429: "TooManyRequests"
    case 503: "ServiceUnavailable"
    case 504: "Timeout"
    default: "InternalError"
    }
  }

  private static func page(_ problem: Problem, auditID: String) -> ByteBuffer {
    let heading = "\(HTTP1Writer.reasonPhrase(problem.status))"
    return ByteBuffer(
      string: """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
        <title>\(problem.status) \(self.escaped(heading))</title>
        <style>
        :root { color-scheme: light dark }
        body { font: 1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 15vh auto; padding: 0 1.5rem }
        h1 { font-size: 1.4rem } code { opacity: .7 }
        </style></head>
        <body><main><h1>\(problem.status) \(self.escaped(heading))</h1>
        <p>\(self.escaped(problem.message))</p>
        <p><code>Audit-Id: \(self.escaped(auditID))</code></p></main></body></html>

        """)
  }

  private static func escaped(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
  }
}
