import NIOCore
import SallyportCore
import SallyportWire

/// A request's head as it goes upstream: everything that does not depend on the server it goes to.
struct OutgoingRequest {
  let method: Method
  let framing: BodyFraming
  /// The protocol that the server is asked to change to.
  let upgrade: UpgradeProtocol?
  private let target: ByteBuffer
  private let fields: HeaderFields
  private let credential: ByteBuffer
  private let auditID: String
  /// Where the request comes from, as the server is told.
  private let forwardedFor: String

  /// - Throws: ``Problem/upstreamRequestUnfit`` when the audit ID would not stay one field, or the body has no length.
  init(_ request: CredentialedRequest, auditID: String) throws(Problem) {
    guard !auditID.isEmpty, auditID.utf8.allSatisfy(Self.isAuditIDByte) else {
      throw .upstreamRequestUnfit.with(detail: "the audit ID holds other bytes than letters, digits, -, . and _")
    }
    let head = request.head
    guard head.framing != .untilClose else {
      throw .upstreamRequestUnfit.with(detail: "a request's body cannot be framed by the connection's end")
    }
    self.method = head.method
    self.framing = head.framing
    self.upgrade = request.permitted.authenticated.stripped.upgrade
    self.target = head.target.forwarded
    var fields = head.fields
    // The server's own authority and the front's own `100 Continue` take their places.
    fields.removeAll(known: { $0 == .host || $0 == .expect })
    self.fields = fields
    self.credential = request.credential.fieldLines
    self.auditID = auditID
    self.forwardedFor = request.permitted.authenticated.stripped.origin?.forwardedFor ?? ""
  }

  /// Whether the request may be sent a second time when a used connection swallowed it: only reads are.
  ///
  /// A PUT or DELETE promises to do the same twice, but between the two somebody may have made the object anew, and
  /// Go's HTTP client, with which kubectl talks, does not send them again either.
  var mayBeRepeated: Bool { self.method.isSafe && self.framing == .none && self.upgrade == nil }

  /// Writes the head: the client's fields, then ours, which no field before them can undo.
  ///
  /// - Parameter host: the complete `Host` line of the server
  func write(host: ByteBuffer, to buffer: inout ByteBuffer) {
    var additions = ByteBufferAllocator().buffer(capacity: host.readableBytes + self.credential.readableBytes + 96)
    additions.writeImmutableBuffer(host)
    if !self.forwardedFor.isEmpty {
      additions.writeStaticString("X-Forwarded-For: ")
      additions.writeString(self.forwardedFor)
      additions.writeStaticString("\r\n")
    }
    additions.writeImmutableBuffer(self.credential)
    additions.writeStaticString("Audit-ID: ")
    additions.writeString(self.auditID)
    additions.writeStaticString("\r\n")
    if let upgrade {
      additions.writeStaticString("Connection: Upgrade\r\nUpgrade: ")
      additions.writeString(upgrade.rawValue)
      additions.writeStaticString("\r\n")
    }
    HTTP1Writer.writeRequestHead(
      method: self.method, target: self.target, fields: self.fields, additions: additions, framing: self.framing, to: &buffer)
  }

  private static func isAuditIDByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
