import Crypto
import NIOCore
import SallyportCore
import SallyportWire

extension AuditRecord {
  /// Writes `annotations`: what Sallyport knows of the request beyond the fields of Kubernetes' event.
  ///
  /// The listener is always there, so that the object is never empty.
  func encodeAnnotations(into buffer: inout ByteBuffer, cutURI: RequestURI.Cut?, cut: CutFields) {
    var writer = AnnotationWriter(isCut: cut.contains(.annotations))
    buffer.writeStaticString(#","annotations":{"sallyport.dev/listener":""#)
    writer.writeValue(self.listener, limit: RecordLimits.name, to: &buffer)
    writer.write("sallyport.dev/tls", self.tlsVersion, to: &buffer)
    writer.write("sallyport.dev/config", self.configuration, to: &buffer)
    self.encodeAuthentication(into: &buffer, &writer)
    self.encodeDecision(into: &buffer, &writer)
    writer.write("sallyport.dev/route", self.route, to: &buffer)
    writer.write("sallyport.dev/upstream", self.upstream, to: &buffer)
    writer.write("sallyport.dev/credential", self.credential, to: &buffer)
    writer.write("sallyport.dev/upgrade", self.upgrade?.rawValue, to: &buffer)
    self.encodeByteCounts(into: &buffer)
    self.encodeStreamEnd(into: &buffer)
    if let problem = self.problem {
      writer.write("sallyport.dev/error", problem.description, limit: RecordLimits.message, to: &buffer)
    }
    writer.write("sallyport.dev/client-audit-id", self.clientAuditID, limit: RecordLimits.clientAuditID, to: &buffer)
    if let cutURI {
      buffer.writeStaticString(#","sallyport.dev/request-uri-length":""#)
      buffer.writeDecimal(UInt64(cutURI.length))
      buffer.writeStaticString(#"","sallyport.dev/request-uri-sha256":""#)
      for byte in cutURI.sha256 {
        buffer.writeInteger(Hexadecimal.digit(byte >> 4))
        buffer.writeInteger(Hexadecimal.digit(byte & 0xF))
      }
      buffer.writeStaticString("\"")
    }
    Self.encodeTruncated(writer.isCut ? cut.union(.annotations) : cut, into: &buffer)
    buffer.writeStaticString("}")
  }

  private func encodeAuthentication(into buffer: inout ByteBuffer, _ writer: inout AnnotationWriter) {
    switch self.subject {
    case .identity(let identity):
      writer.write("sallyport.dev/authentication", identity.method.rawValue, to: &buffer)
      if !identity.origin.isEmpty {
        buffer.writeStaticString(#","sallyport.dev/original-identity":"{"#)
        writer.writeFacts(identity.origin, to: &buffer)
        buffer.writeStaticString(#"}""#)
      }
    case .anonymous:
      buffer.writeStaticString(#","sallyport.dev/authentication":"anonymous""#)
    case nil:
      break
    }
  }

  private func encodeDecision(into buffer: inout ByteBuffer, _ writer: inout AnnotationWriter) {
    switch self.decision {
    case .allow(let rule):
      buffer.writeStaticString(#","sallyport.dev/decision":"allow""#)
      writer.write("sallyport.dev/rule", rule, to: &buffer)
    case .deny(let rule, let message):
      // The last two are what the API server's own authorisation writes (k8s.io/apiserver, endpoints/filters).
      buffer.writeStaticString(#","sallyport.dev/decision":"deny""#)
      writer.write("sallyport.dev/rule", rule, to: &buffer)
      buffer.writeStaticString(#","authorization.k8s.io/decision":"forbid""#)
      writer.write("authorization.k8s.io/reason", message, limit: RecordLimits.message, to: &buffer)
    case nil:
      break
    }
  }

  /// The counts are known when the request ends, and mean nothing where there was none.
  private func encodeByteCounts(into buffer: inout ByteBuffer) {
    if case .none = self.request.line { return }
    guard self.stage == .responseComplete || self.stage == .panic else { return }
    buffer.writeStaticString(#","sallyport.dev/bytes-in":""#)
    buffer.writeDecimal(self.bytesIn)
    buffer.writeStaticString(#"","sallyport.dev/bytes-out":""#)
    buffer.writeDecimal(self.bytesOut)
    buffer.writeStaticString("\"")
  }

  /// The duration is in seconds, with three digits of a fraction.
  private func encodeStreamEnd(into buffer: inout ByteBuffer) {
    guard let end = self.streamEnd else { return }
    let milliseconds = UInt64(clamping: end.nanoseconds / 1_000_000)
    buffer.writeStaticString(#","sallyport.dev/ended":""#)
    buffer.writeString(end.reason.rawValue)
    buffer.writeStaticString(#"","sallyport.dev/duration":""#)
    buffer.writeDecimal(milliseconds / 1_000)
    buffer.writeStaticString(".")
    let fraction = milliseconds % 1_000
    if fraction < 100 { buffer.writeStaticString("0") }
    if fraction < 10 { buffer.writeStaticString("0") }
    buffer.writeDecimal(fraction)
    buffer.writeStaticString("\"")
  }

  private static func encodeTruncated(_ cut: CutFields, into buffer: inout ByteBuffer) {
    guard !cut.isEmpty else { return }
    buffer.writeStaticString(#","sallyport.dev/truncated":""#)
    var isFirst = true
    for (field, name) in CutFields.names where cut.contains(field) {
      if !isFirst { buffer.writeStaticString(",") }
      buffer.writeStaticString(name)
      isFirst = false
    }
    buffer.writeStaticString("\"")
  }
}

/// Writes annotations behind the first and remembers whether one was cut.
private struct AnnotationWriter {
  private(set) var isCut: Bool

  init(isCut: Bool) { self.isCut = isCut }

  /// Writes nothing for a value that is not there.
  mutating func write(_ key: StaticString, _ value: String?, limit: Int = RecordLimits.name, to buffer: inout ByteBuffer) {
    guard let value else { return }
    buffer.writeStaticString(",\"")
    buffer.writeStaticString(key)
    buffer.writeStaticString("\":\"")
    self.writeValue(value, limit: limit, to: &buffer)
  }

  /// Writes a value and the quote behind it.
  mutating func writeValue(_ value: String, limit: Int, to buffer: inout ByteBuffer) {
    if buffer.writeText(value, limit: limit) { self.isCut = true }
    buffer.writeStaticString("\"")
  }

  /// Writes the members of a JSON object that is itself the text of a string: an annotation's value must be one, and a
  /// list that is only joined by commas could be forged by a subject that has them.
  mutating func writeFacts(_ facts: [Identity.Fact], to buffer: inout ByteBuffer) {
    if facts.count > RecordLimits.originFacts { self.isCut = true }
    for (index, fact) in facts.prefix(RecordLimits.originFacts).enumerated() {
      buffer.writeStaticString(index == 0 ? #"\""# : #",\""#)
      if buffer.writeText(fact.name, limit: RecordLimits.name, .nested) { self.isCut = true }
      // A name that comes again is numbered, because a JSON reader keeps one member of each name.
      let earlier = facts[..<index].count { $0.name.utf8.elementsEqual(fact.name.utf8) }
      if earlier > 0 {
        buffer.writeStaticString("-")
        buffer.writeDecimal(UInt64(earlier + 1))
      }
      buffer.writeStaticString(#"\":\""#)
      if buffer.writeText(fact.value, limit: RecordLimits.name, .nested) { self.isCut = true }
      buffer.writeStaticString(#"\""#)
    }
  }
}
