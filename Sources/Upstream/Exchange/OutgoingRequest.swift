import NIOCore
import SallyportCore
import SallyportWire

/// A request's head as it goes upstream: everything that does not depend on the server it goes to.
struct OutgoingRequest {
  let method: Method
  let framing: BodyFraming
  /// The protocol that the server is asked to change to.
  let upgrade: UpgradeProtocol?
  private let request: CredentialedRequest
  private let auditID: String
  private let tellsOrigin: Bool

  /// The server's own authority and the front's own `100 Continue` take the places of these.
  private static let replaced = KnownFields(.host).union(KnownFields(.expect))

  /// - Parameter tellsOrigin: see ``UpstreamConfiguration/tellsOrigin``
  /// - Throws: ``Problem/upstreamRequestUnfit`` when the audit ID would not stay one field, or the body has no length.
  init(_ request: CredentialedRequest, auditID: String, tellsOrigin: Bool = false) throws(Problem) {
    guard Self.isAuditID(auditID) else {
      throw .upstreamRequestUnfit.with(detail: "the audit ID holds other bytes than letters, digits, -, . and _")
    }
    let head = request.head
    guard head.framing != .untilClose else {
      throw .upstreamRequestUnfit.with(detail: "a request's body cannot be framed by the connection's end")
    }
    self.method = head.method
    self.framing = head.framing
    self.upgrade = request.permitted.authenticated.stripped.upgrade
    self.request = request
    self.auditID = auditID
    self.tellsOrigin = tellsOrigin
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
    let head = self.request.head
    let credential = self.request.credential.fieldLines
    let routeLines = self.request.routeFields?.lines
    HTTP1Writer.beginRequestHead(
      method: self.method, target: head.target.forwarded, fields: head.fields, leavingOut: Self.replaced,
      reserving: host.readableBytes + credential.readableBytes + (routeLines?.readableBytes ?? 0) + 192, to: &buffer)
    buffer.writeImmutableBuffer(host)
    if let chain = self.request.permitted.authenticated.stripped.origin?.forwardedFor, !chain.isEmpty {
      buffer.writeStaticString("X-Forwarded-For: ")
      buffer.writeString(chain)
      buffer.writeStaticString("\r\n")
    }
    if self.tellsOrigin { self.writeOrigin(to: &buffer) }
    if let routeLines { buffer.writeImmutableBuffer(routeLines) }
    buffer.writeImmutableBuffer(credential)
    buffer.writeStaticString("Audit-ID: ")
    buffer.writeString(self.auditID)
    buffer.writeStaticString("\r\n")
    if let upgrade {
      buffer.writeStaticString("Connection: Upgrade\r\nUpgrade: ")
      buffer.writeString(upgrade.rawValue)
      buffer.writeStaticString("\r\n")
    }
    HTTP1Writer.endRequestHead(method: self.method, framing: self.framing, to: &buffer)
  }

  /// What the client knows the gateway as. Such fields are still here where a trusted peer has sent them, whom clients know instead.
  private func writeOrigin(to buffer: inout ByteBuffer) {
    let head = self.request.head
    if head.fields.first(named: "X-Forwarded-Host") == nil,
      let authority = head.target.authority ?? head.fields.first(.host)?.utf8Value, !authority.isEmpty
    {
      buffer.writeStaticString("X-Forwarded-Host: ")
      buffer.writeString(authority)
      buffer.writeStaticString("\r\n")
    }
    if head.fields.first(named: "X-Forwarded-Proto") == nil { buffer.writeStaticString("X-Forwarded-Proto: https\r\n") }
  }

  private static func isAuditID(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
      for byte in bytes where !self.isAuditIDByte(byte) { return false }
      return !bytes.isEmpty
    }
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
