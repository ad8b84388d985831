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

/// A request that carries what the upstream will believe: the last proof, and the only thing that `Upstream` sends.
public struct CredentialedRequest: Sendable {
  public let permitted: PermittedRequest
  public let credential: UpstreamCredential

  /// Joins a permitted request and its credential.
  ///
  /// - Throws: ``Problem`` when an identity field is still among the client's: that cannot be, and so is not sent.
  public init(_ permitted: PermittedRequest, credential: UpstreamCredential) throws(Problem) {
    guard permitted.authenticated.stripped.head.fields.kinds.isDisjoint(with: Self.refusedKinds) else {
      throw Problem("identityFieldLeft", blame: .ourselves, status: 500, message: "The request could not be prepared for the upstream.")
    }
    self.permitted = permitted
    self.credential = credential
  }

  private static let refusedKinds: KnownFields = .identity.subtracting(KnownFields(.xForwarded))

  public var head: RequestHead { self.permitted.authenticated.stripped.head }
}
