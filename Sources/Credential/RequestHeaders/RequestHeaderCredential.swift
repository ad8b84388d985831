import NIOCore
@_spi(Credential) public import SallyportCore

/// Tells a Kubernetes API server who makes a request by `X-Remote-*` fields (kubernetes.io, "Authenticating proxy").
///
/// The server believes them on a connection whose client certificate its request-header CA signed; the certificate is
/// part of every credential, so that the request can travel on no other. An impersonation goes along as `Impersonate-*`
/// fields, typed anew: the server judges it by the rights of the identity in front of it.
public struct RequestHeaderCredential: Sendable {
  private let connection: UpstreamCredential.ConnectionIdentity
  private static let kind = "requestHeaders"

  /// - Parameter certificateFingerprint: SHA-256 of the client certificate that the server believes, lower-case hexadecimal
  public init(certificateFingerprint: String) {
    self.connection = UpstreamCredential.ConnectionIdentity(certificateFingerprint: certificateFingerprint)
  }

  /// The fields for one request.
  ///
  /// An anonymous subject gets no field and no certificate either: the server must not be led to believe anything.
  /// They depend on the identity and the impersonation alone, so that a connection's next request of the same identity has
  /// the same.
  ///
  /// - Throws: ``Problem``
  ///   - 400 for an anonymous impersonation, and for one that cannot be written as fields;
  ///   - 403 for an identity that cannot: a name that is empty or holds a control character or outer blanks. Nothing is
  ///     left out to make it fit, since a name without one of its groups is another identity.
  public func credential(
    for subject: Subject, impersonating impersonation: RequestedImpersonation?, memory: ConnectionMemory? = nil
  ) throws(Problem) -> UpstreamCredential {
    guard case .identity(let identity) = subject else {
      guard impersonation == nil else { throw .impersonationNotPossible }
      return UpstreamCredential(fieldLines: ByteBuffer(), connection: .none, kind: "none")
    }
    if impersonation == nil, let last = memory?.credential, last.holds(for: identity, kind: Self.kind, on: self.connection) {
      return last.credential
    }
    var lines = IdentityFieldWriter(capacity: Self.usualSize)
    do {
      try lines.write(
        .remote, user: identity.username, uid: identity.uid, groups: identity.groups, extra: identity.extra)
    } catch {
      throw .identityNotWritable.with(detail: error.description)
    }
    if let impersonation {
      do {
        try lines.write(
          .impersonate, user: impersonation.user, uid: impersonation.uid, groups: impersonation.groups, extra: impersonation.extra)
      } catch {
        throw .impersonationNotWritable.with(detail: error.description)
      }
    }
    let credential = UpstreamCredential(fieldLines: lines.buffer, connection: self.connection, kind: Self.kind)
    if impersonation == nil { memory?.credential = RememberedCredential(credential, of: identity) }
    return credential
  }

  /// In bytes: a user with a handful of groups fits without the buffer growing.
  private static let usualSize = 512
}
