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
    var line = LineBytes()
    self.encode(into: &line, at: time)
    line.withBytes { _ = buffer.writeBytes($0) }
  }

  private func encode(into line: inout LineBytes, at time: WallTime) {
    var cut: CutFields = []
    line.write(#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":""#)
    line.write(self.level.name)
    line.write(#"","auditID":""#)
    self.auditID.write(to: &line)
    line.write(#"","stage":""#)
    line.write(self.stage.name)
    let cutURI = self.encodeRequestLine(into: &line, cut: &cut)
    self.encodeUsers(into: &line, cut: &cut)
    self.encodeClient(into: &line, cut: &cut)
    self.encodeObject(into: &line, cut: &cut)
    self.encodeResponse(into: &line, cut: &cut)
    // Only at the end of a request they are whole.
    let notes = self.stage == .responseComplete ? self.bodies?.encode(into: &line) : nil
    line.write(#","requestReceivedTimestamp":""#)
    self.received.write(to: &line)
    line.write(#"","stageTimestamp":""#)
    time.write(to: &line)
    line.write("\"")
    self.encodeAnnotations(into: &line, cutURI: cutURI, cut: cut, notes: notes)
    line.write("}\n")
  }

  /// Begins behind the open string of `stage` and ends behind `verb`.
  private func encodeRequestLine(into line: inout LineBytes, cut: inout CutFields) -> RequestURI.Cut? {
    line.write(#"","requestURI":""#)
    var cutURI: RequestURI.Cut?
    switch self.request.line {
    case .read(let method, let uri):
      cutURI = uri.withUnsafeReadableBytes { RequestURI.write($0, to: &line) }
      line.write(#"","verb":""#)
      // The API server has no verb for some methods on a resource; the record still says what was asked.
      let verb = self.info.flatMap { $0.verb.isEmpty ? nil : $0.verb } ?? method.lowercased
      if line.writeText(verb, limit: RecordLimits.method) { cut.insert(.verb) }
    case .unreadable(let bytes):
      bytes.withUnsafeReadableBytes { bytes in
        let parts = UnreadableLine(bytes)
        cutURI = RequestURI.write(parts.rest, to: &line)
        line.write(#"","verb":""#)
        let verb = String(decoding: parts.method, as: UTF8.self).lowercased()
        if line.writeText(verb, limit: RecordLimits.method) { cut.insert(.verb) }
      }
    case .none:
      line.write(#"","verb":""#)
    }
    line.write("\"")
    if cutURI != nil { cut.insert(.requestURI) }
    return cutURI
  }

  private func encodeUsers(into line: inout LineBytes, cut: inout CutFields) {
    line.write(#","user":"#)
    switch self.subject {
    case .identity(let identity):
      let user = AuditedUser(username: identity.username, uid: identity.uid, groups: identity.groups, extra: identity.extra)
      if user.encode(into: &line) { cut.insert(.user) }
    case .anonymous:
      // As the API server names a request without an identity (k8s.io/apiserver, pkg/authentication/user).
      line.write(#"{"username":"system:anonymous","groups":["system:unauthenticated"]}"#)
    case nil:
      line.write("{}")
    }
    if let asked = self.impersonation {
      line.write(#","impersonatedUser":"#)
      let user = AuditedUser(username: asked.user, uid: asked.uid, groups: asked.groups, extra: asked.extra)
      if user.encode(into: &line) { cut.insert(.impersonatedUser) }
    }
  }

  private func encodeClient(into line: inout LineBytes, cut: inout CutFields) {
    if !self.clientAddress.ip.isEmpty {
      line.write(#","sourceIPs":[""#)
      // As the API server lists them (apimachinery's net.SourceIPs): what was claimed, then the peer.
      if let claimed = self.origin?.claimed, let last = claimed.last {
        for address in last == self.clientAddress.ip ? claimed.dropLast() : claimed[...] {
          line.writeText(address, limit: RecordLimits.name)
          line.write(#"",""#)
        }
      }
      line.writeText(self.clientAddress.ip, limit: RecordLimits.name)
      line.write(#""]"#)
    }
    if let userAgent = self.request.userAgent {
      line.write(#","userAgent":""#)
      if userAgent.withValue({ line.writeText($0, limit: RecordLimits.userAgent) }) { cut.insert(.userAgent) }
      line.write("\"")
    }
  }

  private func encodeObject(into line: inout LineBytes, cut: inout CutFields) {
    guard let info = self.info, info.isResourceRequest else { return }
    line.write(#","objectRef":{"resource":""#)
    var isCut = line.writeText(info.resource, limit: RecordLimits.name)
    isCut = line.writeMember(#"","namespace":""#, info.namespace) || isCut
    isCut = line.writeMember(#"","name":""#, info.name) || isCut
    isCut = line.writeMember(#"","apiGroup":""#, info.apiGroup) || isCut
    isCut = line.writeMember(#"","apiVersion":""#, info.apiVersion) || isCut
    isCut = line.writeMember(#"","subresource":""#, info.subresource) || isCut
    line.write(#""}"#)
    if isCut { cut.insert(.objectRef) }
  }

  private func encodeResponse(into line: inout LineBytes, cut: inout CutFields) {
    guard let response = self.response else { return }
    line.write(#","responseStatus":{"metadata":{}"#)
    if response.reason != nil || response.message != nil {
      line.write(#","status":"Failure""#)
    }
    if let message = response.message {
      line.write(#","message":""#)
      if line.writeText(message, limit: RecordLimits.message) { cut.insert(.responseStatus) }
      line.write("\"")
    }
    if let reason = response.reason {
      line.write(#","reason":""#)
      if line.writeText(reason, limit: RecordLimits.name) { cut.insert(.responseStatus) }
      line.write("\"")
    }
    line.write(#","code":"#)
    line.writeDecimal(UInt64(clamping: response.code))
    line.write("}")
  }
}

extension AuditPolicy.Level {
  fileprivate var name: StaticString {
    switch self {
    case .none, .metadata: "Metadata"
    case .request: "Request"
    case .requestResponse: "RequestResponse"
    }
  }
}

extension LineBytes {
  /// Writes `key` and the value, or nothing for an empty value; `key` closes the string before and opens the value's.
  fileprivate mutating func writeMember(_ key: StaticString, _ value: String) -> Bool {
    guard !value.isEmpty else { return false }
    self.write(key)
    return self.writeText(value, limit: RecordLimits.name)
  }
}
