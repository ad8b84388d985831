public import NIOCore

/// The version in a request line or status line. Every other version is refused.
public enum HTTPVersion: Sendable, Hashable {
  case http10, http11
}

/// How long a message's body is (RFC 9112 section 6.3).
public enum BodyFraming: Sendable, Hashable {
  /// There is no body.
  case none
  /// Exactly this many bytes.
  case length(UInt64)
  /// Chunks, with trailers behind the last.
  case chunked
  /// All bytes until the connection ends; only a response can be framed so.
  case untilClose

  /// Whether some byte of content may come.
  public var hasContent: Bool {
    switch self {
    case .none, .length(0): false
    case .length, .chunked, .untilClose: true
    }
  }
}

/// A request's head, read one way only.
///
/// `Content-Length` and `Transfer-Encoding` are not among the fields of a head that a reader made: they were read, once,
/// into ``framing``, and whoever passes the message on frames it anew.
public struct RequestHead: Sendable {
  public let method: Method
  public let target: RequestTarget
  public let version: HTTPVersion
  public var fields: HeaderFields
  public let framing: BodyFraming
  /// Whether the client lets the connection be used again (RFC 9112 section 9.3).
  public let keepsConnection: Bool
  /// Whether the client waits for `100 Continue` before it sends the body (RFC 9110 section 10.1.1).
  public let expectsContinue: Bool

  public init(
    method: Method, target: RequestTarget, version: HTTPVersion = .http11, fields: HeaderFields = HeaderFields(),
    framing: BodyFraming = .none, keepsConnection: Bool = true, expectsContinue: Bool = false
  ) {
    self.method = method
    self.target = target
    self.version = version
    self.fields = fields
    self.framing = framing
    self.keepsConnection = keepsConnection
    self.expectsContinue = expectsContinue
  }
}

/// A response's head: the final one or an informational one (1xx). As in ``RequestHead``, the framing fields were read
/// into ``framing`` and ``statedLength`` and are not among ``fields``.
public struct ResponseHead: Sendable {
  /// The status code, 100 to 999.
  public let status: Int
  /// The reason phrase as the server sent it; it has no meaning.
  public let reason: String
  public let version: HTTPVersion
  public var fields: HeaderFields
  /// How the body is framed, the request's method taken into account.
  public let framing: BodyFraming
  /// The length that the server stated: the body's, or for an answer without a body (HEAD, 304) what it would have been.
  public let statedLength: UInt64?
  /// Whether the server lets the connection be used again.
  public let keepsConnection: Bool
  /// What leaves as `Audit-Id` behind the fields; `nil` where they have it already, or where the head was only read. It
  /// stands apart so that the fields of the upstream's message can be passed on as they came.
  public var auditID: String?

  public init(
    status: Int, reason: String = "", version: HTTPVersion = .http11, fields: HeaderFields = HeaderFields(),
    framing: BodyFraming = .none, statedLength: UInt64? = nil, keepsConnection: Bool = true
  ) {
    self.status = status
    self.reason = reason
    self.version = version
    self.fields = fields
    self.framing = framing
    self.statedLength = statedLength
    self.keepsConnection = keepsConnection
  }

  public var isInformational: Bool { self.status < 200 }
}

/// What a reader finds in the bytes of a connection, in this order: a head, body parts, an end.
public enum RequestEvent: Sendable {
  case head(RequestHead)
  case body(ByteBuffer)
  /// The message is complete; the trailers are empty unless the body was chunked and carried some.
  case end(trailers: HeaderFields)
}

/// What a response reader finds: any number of informational heads, then a head, body parts, an end.
public enum ResponseEvent: Sendable {
  case informational(ResponseHead)
  case head(ResponseHead)
  case body(ByteBuffer)
  case end(trailers: HeaderFields)
}

/// A message that cannot be read, or can be read in more than one way. Its connection is closed behind the answer.
public struct MalformedMessage: Error, Sendable, Equatable, CustomStringConvertible {
  /// What to answer. For a request: 400, 417 for an unknown expectation, 431 for an oversized head (414 never, the
  /// request line counts as head), 505 for another version of HTTP. For a response of an upstream: 502.
  public let status: Int
  /// What is wrong, a constant sentence without anything of the message in it.
  public let reason: String
  /// The request line as far as it was read, for the audit record; at most 8 KiB.
  public var requestLine: ByteBuffer?

  public init(status: Int = 400, _ reason: String, requestLine: ByteBuffer? = nil) {
    self.status = status
    self.reason = reason
    self.requestLine = requestLine
  }

  public var description: String { "\(self.status): \(self.reason)" }

  public static func == (left: MalformedMessage, right: MalformedMessage) -> Bool {
    left.status == right.status && left.reason == right.reason
  }
}

/// How much of a message's head is read before it is refused.
public struct MessageLimits: Sendable, Hashable {
  /// The most bytes of a head, request line and fields together; more is answered 431.
  public var headBytes: Int
  /// The most fields in a head, and in a trailer section.
  public var fieldCount: Int
  /// The most bytes of a trailer section. (A chunk's size line never has more than 17.)
  public var trailerBytes: Int

  public init(headBytes: Int = 64 * 1024, fieldCount: Int = 512, trailerBytes: Int = 16 * 1024) {
    self.headBytes = headBytes
    self.fieldCount = fieldCount
    self.trailerBytes = trailerBytes
  }
}
