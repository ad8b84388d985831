public import NIOCore
public import SallyportWire

/// What an upstream will believe of a request's sender: field lines to add, and the client certificate to come with.
///
/// It depends on the sender alone, so that one object may serve many requests.
public final class UpstreamCredential: Sendable {
  /// The connection identity that the request must travel on.
  ///
  /// Connections are pooled by it: one made with this certificate carries no request that belongs to another.
  public struct ConnectionIdentity: Hashable, Sendable {
    /// SHA-256 of the client certificate, lower-case hexadecimal; empty where the connection presents none.
    public let certificateFingerprint: String
    public init(certificateFingerprint: String) { self.certificateFingerprint = certificateFingerprint }
    public static let none = ConnectionIdentity(certificateFingerprint: "")
  }

  /// Complete field lines, each ended by CRLF, written behind all fields of the client.
  public let fieldLines: ByteBuffer
  public let connection: ConnectionIdentity
  /// The kind of credential for the audit record: `requestHeaders`, `idToken`, `none`.
  public let kind: String
  /// What the upstream's own log can know it by: a token's `jti`, a certificate's serial number; `nil` where there is none.
  public let identifier: String?
  /// From when on it is used for no new request.
  public let ends: NIODeadline
  /// What ``connection`` presents, where that is a certificate made for this identity; `nil` for one that the upstream is
  /// configured with, and for none.
  public let certificate: PresentedCertificate?

  @_spi(Credential)
  public init(
    fieldLines: ByteBuffer, connection: ConnectionIdentity, kind: String, identifier: String? = nil, ends: NIODeadline = .distantFuture,
    certificate: PresentedCertificate? = nil
  ) {
    self.fieldLines = fieldLines
    self.connection = connection
    self.kind = kind
    self.identifier = identifier
    self.ends = ends
    self.certificate = certificate
  }
}

/// What a route says in fields of its own choice, and which fields of a client it says it in place of.
///
/// Like a credential it may serve many requests of one sender.
public final class RouteFields: Sendable {
  /// Complete field lines, each ended by CRLF.
  public let lines: ByteBuffer
  /// The fields that go no further where a client sends them: those of the lines, those that are missing this time, and those
  /// that the route removes.
  public let names: RouteFieldNames

  @_spi(Credential)
  public init(lines: ByteBuffer, names: RouteFieldNames) {
    self.lines = lines
    self.names = names
  }
}

/// A request that carries what the upstream will believe: the last proof, and the only thing that `Upstream` sends.
public struct CredentialedRequest: Sendable {
  public let permitted: PermittedRequest
  public let credential: UpstreamCredential
  /// `nil` where the route neither sets nor removes fields.
  public let routeFields: RouteFields?
  /// `nil` where the client has sent none of the fields that the route sets or removes.
  private let amended: AmendedHead?

  private final class AmendedHead: Sendable {
    let head: RequestHead
    init(_ head: RequestHead) { self.head = head }
  }

  /// Joins a permitted request and its credential.
  ///
  /// - Throws: ``Problem`` when an identity field is still among the client's: that cannot be, and so is not sent.
  public init(_ permitted: PermittedRequest, credential: UpstreamCredential, routeFields: RouteFields? = nil) throws(Problem) {
    guard permitted.authenticated.stripped.head.fields.kinds.isDisjoint(with: Self.refusedKinds) else {
      throw Problem("identityFieldLeft", blame: .ourselves, status: 500, message: "The request could not be prepared for the upstream.")
    }
    self.permitted = permitted
    self.credential = credential
    self.routeFields = routeFields
    self.amended = routeFields.flatMap { route in
      var head = permitted.authenticated.stripped.head
      guard let fields = route.names.removed(from: head.fields) else { return nil }
      head.fields = fields
      return AmendedHead(head)
    }
  }

  private static let refusedKinds: KnownFields = .identity.subtracting(KnownFields(.xForwarded))

  /// The client's head, without what the route says in its place.
  public var head: RequestHead { self.amended?.head ?? self.permitted.authenticated.stripped.head }

  /// What of a client's trailers goes on: some servers merge them into the header.
  public func forwarded(trailers: HeaderFields) -> HeaderFields {
    guard let routeFields, !trailers.isEmpty else { return trailers }
    return routeFields.names.removed(from: trailers) ?? trailers
  }
}
