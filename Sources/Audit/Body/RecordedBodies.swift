public import NIOCore
public import SallyportWire

/// The bodies of a request and its answer, for a record at level `Request` or `RequestResponse`.
///
/// They are recorded as the API server does it: of requests for resources, with the record of their end.
public struct RecordedBodies: Sendable {
  public var request: BodyCapture
  /// `nil` where it is not asked for, or is not the upstream's.
  public private(set) var response: BodyCapture?
  private let takesResponse: Bool
  private let limit: Int
  private let redaction: BodyRedaction

  /// - Parameters:
  ///   - outcome: what the policy says of the request
  ///   - request: the fields of its head
  ///   - info: the API server's reading of it
  /// - Returns: `nil` where no body is to be recorded
  public init?(_ outcome: AuditPolicy.Outcome, _ request: HeaderFields, for info: RequestInfo?) {
    guard outcome.level > .metadata, let info, info.isResourceRequest else { return nil }
    self.request = BodyCapture(of: request, limit: outcome.bodyLimit)
    self.takesResponse = outcome.level == .requestResponse
    self.limit = outcome.bodyLimit
    self.redaction = BodyRedaction(
      hidesAll: BodyRedaction.holdsSecrets(info), isOff: outcome.namesResource && BodyRedaction.holdsSecrets(info),
      omitsManagedFields: outcome.omitsManagedFields)
  }

  /// The answer begins; one that began before is forgotten.
  public mutating func beginResponse(_ fields: HeaderFields) {
    self.response = self.takesResponse ? BodyCapture(of: fields, limit: self.limit) : nil
  }

  public mutating func appendToResponse(_ part: ByteBuffer) { self.response?.append(part) }
  public mutating func endResponse() { self.response?.end() }

  /// It is the gateway that answers.
  public mutating func dropResponse() { self.response = nil }

  /// What is said of the bodies in the annotations.
  struct Notes {
    var request: String?
    var response: String?
  }

  /// Writes the members `requestObject` and `responseObject`, each with a comma in front of it.
  func encode(into line: inout LineBytes) -> Notes {
    var notes = Notes()
    notes.request = self.encode(self.request, #","requestObject":"#, into: &line)
    if let response { notes.response = self.encode(response, #","responseObject":"#, into: &line) }
    return notes
  }

  private func encode(_ body: BodyCapture, _ key: StaticString, into line: inout LineBytes) -> String? {
    switch body.content {
    case nil: return nil
    case .failure(let omission): return omission.description
    case .success(let bytes):
      return bytes.withUnsafeReadableBytes { bytes in
        var rewriter = BodyRewriter(bytes, self.redaction)
        guard rewriter.read() else { return BodyCapture.Omission.notJSON.description }
        line.write(key)
        return rewriter.write(to: &line) ? "redacted" : nil
      }
    }
  }
}
