public import SallyportWire

/// Who makes a request.
public enum Subject: Sendable {
  case identity(Identity)
  /// Nobody, on a path that the configuration lists as open; the upstream is told no identity.
  case anonymous
}

/// How the target reads at the upstream that the request goes to.
public struct RequestReading: Sendable {
  /// The API server's reading; `nil` at an upstream that is none.
  public let info: RequestInfo?

  /// Reads the request.
  ///
  /// - Throws: ``MalformedMessage`` (400) for a spelling that is ambiguous at such an upstream.
  public init(_ request: StrippedRequest, as reading: PathReading) throws(MalformedMessage) {
    if let ambiguity = request.head.target.ambiguity(for: reading) { throw ambiguity }
    self.info = reading == .kubernetes ? RequestInfo(method: request.head.method, target: request.head.target) : nil
  }
}

/// A request whose sender is known, or which is open to nobody in particular: the second proof.
public final class AuthenticatedRequest: Sendable {
  public let stripped: StrippedRequest
  public let reading: RequestReading
  public let subject: Subject

  public init(_ stripped: StrippedRequest, reading: RequestReading, subject: Subject) {
    self.stripped = stripped
    self.reading = reading
    self.subject = subject
  }

  /// The same without what proved the sender, to be kept as long as a stream lasts.
  public var withoutCredentials: AuthenticatedRequest {
    AuthenticatedRequest(self.stripped.withoutCredentials, reading: self.reading, subject: self.subject)
  }
}
