import Crypto
import SallyportCore
import SallyportWire

extension AuditRecord {
  /// Writes `annotations`: what Sallyport knows of the request beyond the fields of Kubernetes' event.
  ///
  /// The listener is always there, so that the object is never empty.
  func encodeAnnotations(into line: inout LineBytes, cutURI: RequestURI.Cut?, cut: CutFields, notes: RecordedBodies.Notes?) {
    var writer = AnnotationWriter(isCut: cut.contains(.annotations))
    line.write(#","annotations":{"sallyport.dev/listener":""#)
    writer.writeValue(self.listener, limit: RecordLimits.name, to: &line)
    writer.write("sallyport.dev/protocol", self.protocolName, to: &line)
    writer.write("sallyport.dev/tls", self.tlsVersion, to: &line)
    writer.write("sallyport.dev/config", self.configuration, to: &line)
    self.encodeAuthentication(into: &line, &writer)
    writer.write("sallyport.dev/sign-in", self.signIn?.rawValue, to: &line)
    if !self.endedSessions.isEmpty { writer.write("sallyport.dev/ended-sessions", self.endedSessions.joined(separator: ","), to: &line) }
    self.encodeDecision(into: &line, &writer)
    writer.write("sallyport.dev/route", self.route, to: &line)
    writer.write("sallyport.dev/upstream", self.upstream, to: &line)
    writer.write("sallyport.dev/credential", self.credential, to: &line)
    writer.write("sallyport.dev/credential-id", self.credentialID, to: &line)
    if let issued = self.issued {
      writer.write("sallyport.dev/issued", issued.act.rawValue, to: &line)
      writer.write("sallyport.dev/issued-token", issued.id, to: &line)
      writer.write("sallyport.dev/issued-audience", issued.audience, to: &line)
      writer.write("sallyport.dev/issued-client", issued.client, to: &line)
    }
    writer.write("sallyport.dev/upgrade", self.upgrade?.rawValue, to: &line)
    self.encodeByteCounts(into: &line)
    writer.write("sallyport.dev/request-body", notes?.request, to: &line)
    writer.write("sallyport.dev/response-body", notes?.response, to: &line)
    self.encodeStreamEnd(into: &line)
    if let problem = self.problem {
      writer.write("sallyport.dev/error", problem.description, limit: RecordLimits.message, to: &line)
    }
    writer.write("sallyport.dev/client-audit-id", self.clientAuditID, limit: RecordLimits.clientAuditID, to: &line)
    if let cutURI {
      line.write(#","sallyport.dev/request-uri-length":""#)
      line.writeDecimal(UInt64(cutURI.length))
      line.write(#"","sallyport.dev/request-uri-sha256":""#)
      for byte in cutURI.sha256 {
        line.write(Hexadecimal.digit(byte >> 4))
        line.write(Hexadecimal.digit(byte & 0xF))
      }
      line.write("\"")
    }
    Self.encodeTruncated(writer.isCut ? cut.union(.annotations) : cut, into: &line)
    line.write("}")
  }

  private func encodeAuthentication(into line: inout LineBytes, _ writer: inout AnnotationWriter) {
    switch self.subject {
    case .identity(let identity):
      writer.write("sallyport.dev/authentication", identity.method.rawValue, to: &line)
      if !identity.origin.isEmpty {
        line.write(#","sallyport.dev/original-identity":"{"#)
        writer.writeFacts(identity.origin, to: &line)
        line.write(#"}""#)
      }
    case .anonymous:
      line.write(#","sallyport.dev/authentication":"anonymous""#)
    case nil:
      break
    }
  }

  private func encodeDecision(into line: inout LineBytes, _ writer: inout AnnotationWriter) {
    switch self.decision {
    case .allow(let rule):
      line.write(#","sallyport.dev/decision":"allow""#)
      writer.write("sallyport.dev/rule", rule, to: &line)
    case .deny(let rule, let message):
      // The last two are what the API server's own authorisation writes (k8s.io/apiserver, endpoints/filters).
      line.write(#","sallyport.dev/decision":"deny""#)
      writer.write("sallyport.dev/rule", rule, to: &line)
      line.write(#","authorization.k8s.io/decision":"forbid""#)
      writer.write("authorization.k8s.io/reason", message, limit: RecordLimits.message, to: &line)
    case nil:
      break
    }
  }

  /// The counts are known when the request ends, and mean nothing where there was none.
  private func encodeByteCounts(into line: inout LineBytes) {
    if case .none = self.request.line { return }
    guard self.stage == .responseComplete || self.stage == .panic else { return }
    line.write(#","sallyport.dev/bytes-in":""#)
    line.writeDecimal(self.bytesIn)
    line.write(#"","sallyport.dev/bytes-out":""#)
    line.writeDecimal(self.bytesOut)
    line.write("\"")
  }

  /// The duration is in seconds, with three digits of a fraction.
  private func encodeStreamEnd(into line: inout LineBytes) {
    guard let end = self.streamEnd else { return }
    let milliseconds = UInt64(clamping: end.nanoseconds / 1_000_000)
    line.write(#","sallyport.dev/ended":""#)
    line.writeText(end.reason.rawValue, limit: RecordLimits.name)
    line.write(#"","sallyport.dev/duration":""#)
    line.writeDecimal(milliseconds / 1_000)
    line.write(".")
    let fraction = milliseconds % 1_000
    if fraction < 100 { line.write("0") }
    if fraction < 10 { line.write("0") }
    line.writeDecimal(fraction)
    line.write("\"")
  }

  private static func encodeTruncated(_ cut: CutFields, into line: inout LineBytes) {
    guard !cut.isEmpty else { return }
    line.write(#","sallyport.dev/truncated":""#)
    var isFirst = true
    for (field, name) in CutFields.names where cut.contains(field) {
      if !isFirst { line.write(",") }
      line.write(name)
      isFirst = false
    }
    line.write("\"")
  }
}

/// Writes annotations behind the first and remembers whether one was cut.
private struct AnnotationWriter {
  private(set) var isCut: Bool

  init(isCut: Bool) { self.isCut = isCut }

  /// Writes nothing for a value that is not there.
  mutating func write(_ key: StaticString, _ value: String?, limit: Int = RecordLimits.name, to line: inout LineBytes) {
    guard let value else { return }
    line.write(",\"")
    line.write(key)
    line.write("\":\"")
    self.writeValue(value, limit: limit, to: &line)
  }

  /// Writes a value and the quote behind it.
  mutating func writeValue(_ value: String, limit: Int, to line: inout LineBytes) {
    if line.writeText(value, limit: limit) { self.isCut = true }
    line.write("\"")
  }

  /// Writes the members of a JSON object that is itself the text of a string: an annotation's value must be one, and a
  /// list that is only joined by commas could be forged by a subject that has them.
  mutating func writeFacts(_ facts: [Identity.Fact], to line: inout LineBytes) {
    if facts.count > RecordLimits.originFacts { self.isCut = true }
    for (index, fact) in facts.prefix(RecordLimits.originFacts).enumerated() {
      line.write(index == 0 ? #"\""# : #",\""#)
      if line.writeText(fact.name, limit: RecordLimits.name, .nested) { self.isCut = true }
      // A name that comes again is numbered, because a JSON reader keeps one member of each name.
      let earlier = facts[..<index].count { $0.name == fact.name }
      if earlier > 0 {
        line.write("-")
        line.writeDecimal(UInt64(earlier + 1))
      }
      line.write(#"\":\""#)
      if line.writeText(fact.value, limit: RecordLimits.name, .nested) { self.isCut = true }
      line.write(#"\""#)
    }
  }
}
