public import SallyportCore
public import SallyportWire

/// What happened to one request, as one `Event` of `audit.k8s.io/v1`.
///
/// The request path opens a record when a head is read, fills in what it learns, and writes it once for each stage. The
/// record is one object of one event loop and holds references, so that filling it and handing it on copies nothing; ``encode(into:at:)`` writes it as one line of JSON.
/// `docs/AUDIT_LOG.md` explains every field to those who read the log.
public final class AuditRecord {
  /// How far the request had come. The names are those of Kubernetes' audit stages.
  public enum Stage: Sendable, Hashable, CaseIterable {
    /// Before a mutating or long-running request is forwarded.
    case requestReceived
    /// Before the head of a streamed answer or a tunnel leaves.
    case responseStarted
    /// Before the last bytes of an answer leave; the only stage of a small complete answer.
    case responseComplete
    /// The program failed on the request.
    case panic

    var name: StaticString {
      switch self {
      case .requestReceived: "RequestReceived"
      case .responseStarted: "ResponseStarted"
      case .responseComplete: "ResponseComplete"
      case .panic: "Panic"
      }
    }
  }

  /// What somebody did at the pages by which one signs in and out with a browser. The raw value stands in the record.
  public enum SignIn: String, Sendable, Hashable {
    case signedIn = "signed-in"
    case refused
    case signedOut = "signed-out"
  }

  /// What the client is answered.
  public struct Response: Sendable, Hashable {
    /// The HTTP status code.
    public var code: Int
    /// The `reason` of the `Status` object that Sallyport itself answers with, such as `Forbidden`; `nil` otherwise.
    public var reason: String?
    /// The `message` of that object.
    public var message: String?

    public init(code: Int, reason: String? = nil, message: String? = nil) {
      self.code = code
      self.reason = reason
      self.message = message
    }
  }

  public let auditID: AuditID
  /// When the request's head was read, or the connection failed.
  public let received: WallTime
  public let request: AuditedRequest
  public var stage: Stage
  /// What the policy asks for; ``AuditPolicy/Level/none`` is written as `Metadata`.
  public var level = AuditPolicy.Level.metadata

  // Where the request came in.
  public let clientAddress: ClientAddress
  /// What is known of where the request comes from once its fields were looked at.
  public var origin: RequestOrigin?
  public let listener: String
  /// What the client's connection speaks; `nil` where it came to nothing before.
  public let protocolName: String?
  /// `TLSv1.3`; `nil` without TLS.
  public let tlsVersion: String?
  /// The hash of the configuration that the request is served by.
  public var configuration: String

  // What the stations found.
  /// The request as the API server reads it; `nil` at an upstream that is none, or before the request was read so.
  public var info: RequestInfo?
  /// Who asks; `nil` while, or because, nobody was authenticated.
  public var subject: Subject?
  /// Whom the client asks to act as.
  public var impersonation: RequestedImpersonation?
  /// What the client sent as `Audit-ID`.
  public var clientAuditID: String?
  public var decision: Decision?
  /// The kind of credential that the upstream gets: ``UpstreamCredential/kind``.
  public var credential: String?
  /// What the upstream's own log can know it by: ``UpstreamCredential/identifier``.
  public var credentialID: String?
  /// What the client was given, where that was a token.
  public var issued: IssuedToken?
  /// What somebody did at the pages by which one signs in and out.
  public var signIn: SignIn?
  /// The handles of sessions that ended because their provider said so.
  public var endedSessions: [String] = []
  public var route: String?
  public var upstream: String?
  public var response: Response?
  /// The bodies, where the level has them.
  public var bodies: RecordedBodies?
  /// The protocol that the client asked to change to.
  public var upgrade: UpgradeProtocol?
  /// How a tunnel ended, or why a stream was cut.
  public var streamEnd: StreamEnd?
  /// Why the request did not get what it wanted; the detail is for this record and not for the client.
  public var problem: Problem?
  /// Bytes of the request's body that were passed on, and of the answer's body with those that wait for this record. Of a
  /// tunnel: what went each way behind the 101.
  public var bytesIn: UInt64 = 0
  public var bytesOut: UInt64 = 0

  /// Opens the record of a request.
  public init(
    _ request: AuditedRequest, of connection: ConnectionFacts, auditID: AuditID, received: WallTime, configuration: String
  ) {
    self.request = request
    self.auditID = auditID
    self.received = received
    self.stage = .responseComplete
    self.clientAddress = connection.clientAddress
    self.listener = connection.listener
    self.protocolName = connection.httpVersion.rawValue
    self.tlsVersion = connection.tlsVersion
    self.configuration = configuration
  }

  /// Opens the record of a connection that ended before it could carry a request, such as a failed handshake.
  public init(
    failedConnection problem: Problem, from address: ClientAddress, listener: String, auditID: AuditID, received: WallTime,
    configuration: String
  ) {
    self.request = .none
    self.auditID = auditID
    self.received = received
    self.stage = .responseComplete
    self.clientAddress = address
    self.listener = listener
    self.protocolName = nil
    self.tlsVersion = nil
    self.configuration = configuration
    self.problem = problem
  }

  /// The files that the record belongs to: whoever was not authenticated has only a limited share of the disk.
  public var series: AuditSeries {
    if case .identity = self.subject { .requests } else { .unauthenticated }
  }
}
