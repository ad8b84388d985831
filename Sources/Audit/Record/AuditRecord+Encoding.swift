public import NIOCore
import SallyportCore
import SallyportWire

extension AuditRecord {
  /// Appends the record as one line of JSON, with the newline that ends it.
  ///
  /// The keys stand in the order of Kubernetes' own `Event`, `annotations` last and never empty, so that a writer which
  /// numbers or chains records can add an annotation of its own before the two braces that end every line.
  ///
  /// - Parameter time: when the stage was reached
  public func encode(into buffer: inout ByteBuffer, at time: WallTime) {
    var cut: CutFields = []
    buffer.writeStaticString(#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":""#)
    self.auditID.write(to: &buffer)
    buffer.writeStaticString(#"","stage":""#)
    buffer.writeStaticString(self.stage.name)
    let cutURI = self.encodeRequestLine(into: &buffer, cut: &cut)
    self.encodeUsers(into: &buffer, cut: &cut)
    self.encodeClient(into: &buffer, cut: &cut)
    self.encodeObject(into: &buffer, cut: &cut)
    self.encodeResponse(into: &buffer, cut: &cut)
    buffer.writeStaticString(#","requestReceivedTimestamp":""#)
    self.received.write(to: &buffer)
    buffer.writeStaticString(#"","stageTimestamp":""#)
    time.write(to: &buffer)
    buffer.writeStaticString("\"")
    self.encodeAnnotations(into: &buffer, cutURI: cutURI, cut: cut)
    buffer.writeStaticString("}\n")
  }

  /// Begins behind the open string of `stage` and ends behind `verb`.
  private func encodeRequestLine(into buffer: inout ByteBuffer, cut: inout CutFields) -> RequestURI.Cut? {
    buffer.writeStaticString(#"","requestURI":""#)
    var cutURI: RequestURI.Cut?
    switch self.request.line {
    case .read(let method, let uri):
      cutURI = uri.withUnsafeReadableBytes { RequestURI.write($0, to: &buffer) }
      buffer.writeStaticString(#"","verb":""#)
      // The API server has no verb for some methods on a resource; the record still says what was asked.
      let verb = self.info.flatMap { $0.verb.isEmpty ? nil : $0.verb } ?? method.verb
      if buffer.writeText(verb, limit: RecordLimits.method) { cut.insert(.verb) }
    case .unreadable(let line):
      line.withUnsafeReadableBytes { bytes in
        let parts = UnreadableLine(bytes)
        cutURI = RequestURI.write(parts.rest, to: &buffer)
        buffer.writeStaticString(#"","verb":""#)
        let verb = String(decoding: parts.method, as: UTF8.self).lowercased()
        if buffer.writeText(verb, limit: RecordLimits.method) { cut.insert(.verb) }
      }
    case .none:
      buffer.writeStaticString(#"","verb":""#)
    }
    buffer.writeStaticString("\"")
    if cutURI != nil { cut.insert(.requestURI) }
    return cutURI
  }

  private func encodeUsers(into buffer: inout ByteBuffer, cut: inout CutFields) {
    buffer.writeStaticString(#","user":"#)
    switch self.subject {
    case .identity(let identity):
      let user = AuditedUser(username: identity.username, uid: identity.uid, groups: identity.groups, extra: identity.extra)
      if user.encode(into: &buffer) { cut.insert(.user) }
    case .anonymous:
      // As the API server names a request without an identity (k8s.io/apiserver, pkg/authentication/user).
      buffer.writeStaticString(#"{"username":"system:anonymous","groups":["system:unauthenticated"]}"#)
    case nil:
      buffer.writeStaticString("{}")
    }
    if let asked = self.impersonation {
      buffer.writeStaticString(#","impersonatedUser":"#)
      let user = AuditedUser(username: asked.user, uid: asked.uid, groups: asked.groups, extra: asked.extra)
      if user.encode(into: &buffer) { cut.insert(.impersonatedUser) }
    }
  }

  private func encodeClient(into buffer: inout ByteBuffer, cut: inout CutFields) {
    if !self.clientAddress.ip.isEmpty {
      buffer.writeStaticString(#","sourceIPs":[""#)
      buffer.writeText(self.clientAddress.ip, limit: RecordLimits.name)
      buffer.writeStaticString(#""]"#)
    }
    if let userAgent = self.request.userAgent {
      buffer.writeStaticString(#","userAgent":""#)
      if userAgent.withValue({ buffer.writeText($0, limit: RecordLimits.userAgent) }) { cut.insert(.userAgent) }
      buffer.writeStaticString("\"")
    }
  }

  private func encodeObject(into buffer: inout ByteBuffer, cut: inout CutFields) {
    guard let info = self.info, info.isResourceRequest else { return }
    buffer.writeStaticString(#","objectRef":{"resource":""#)
    var isCut = buffer.writeText(info.resource, limit: RecordLimits.name)
    isCut = buffer.writeMember(#"","namespace":""#, info.namespace) || isCut
    isCut = buffer.writeMember(#"","name":""#, info.name) || isCut
    isCut = buffer.writeMember(#"","apiGroup":""#, info.apiGroup) || isCut
    isCut = buffer.writeMember(#"","apiVersion":""#, info.apiVersion) || isCut
    isCut = buffer.writeMember(#"","subresource":""#, info.subresource) || isCut
    buffer.writeStaticString(#""}"#)
    if isCut { cut.insert(.objectRef) }
  }

  private func encodeResponse(into buffer: inout ByteBuffer, cut: inout CutFields) {
    guard let response = self.response else { return }
    buffer.writeStaticString(#","responseStatus":{"metadata":{}"#)
    if response.reason != nil || response.message != nil {
      buffer.writeStaticString(#","status":"Failure""#)
    }
    if let message = response.message {
      buffer.writeStaticString(#","message":""#)
      if buffer.writeText(message, limit: RecordLimits.message) { cut.insert(.responseStatus) }
      buffer.writeStaticString("\"")
    }
    if let reason = response.reason {
      buffer.writeStaticString(#","reason":""#)
      if buffer.writeText(reason, limit: RecordLimits.name) { cut.insert(.responseStatus) }
      buffer.writeStaticString("\"")
    }
    buffer.writeStaticString(#","code":"#)
    buffer.writeDecimal(UInt64(clamping: response.code))
    buffer.writeStaticString("}")
  }
}

extension ByteBuffer {
  /// Writes `key` and the value, or nothing for an empty value; `key` closes the string before and opens the value's.
  fileprivate mutating func writeMember(_ key: StaticString, _ value: String) -> Bool {
    guard !value.isEmpty else { return false }
    self.writeStaticString(key)
    return self.writeText(value, limit: RecordLimits.name)
  }
}
