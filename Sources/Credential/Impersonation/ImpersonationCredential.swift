public import NIOCore
@_spi(Credential) public import SallyportCore

/// Tells an API server who makes a request by acting as him (kubernetes.io, "User impersonation"), with a token or certificate
/// of the gateway's own: for clusters whose flags nobody can set.
///
/// The server judges the gateway's right to impersonate, and not the user's: a user's own `--as` would go out with the
/// gateway's rights. So the server is asked first whether the user himself has the right to impersonate each of the values
/// (`SubjectAccessReview`), and who it was stands in the extra attributes.
public final class ImpersonationCredential: Sendable {
  /// By what the upstream knows the gateway.
  public enum Proof: Sendable {
    case token(OwnToken)
    /// - Parameter fingerprint: SHA-256 of the client certificate, lower-case hexadecimal
    case certificate(fingerprint: String)
  }

  private static let kind = "impersonation"
  /// Extra attributes of the gateway's own: no client may ask for them.
  static let ownPrefix = "sallyport.dev/"

  public let proof: Proof
  private let names: ReservedNames
  private let clock: CredentialClock
  private let reviews: ImpersonationReviews?

  /// - Parameters:
  ///   - names: which reserved names the gateway acts as
  ///   - reviewer: asks the upstream about the rights of users; without one nobody's `--as` is possible
  public init(proof: Proof, names: ReservedNames, reviewer: (any ImpersonationReviewer)? = nil, clock: CredentialClock = .system) {
    self.proof = proof
    self.names = names
    self.clock = clock
    self.reviews = reviewer.map { ImpersonationReviews($0, clock: clock) }
  }

  /// The same at an upstream that can be asked about the rights of users.
  public func reviewed(by reviewer: any ImpersonationReviewer) -> ImpersonationCredential {
    ImpersonationCredential(proof: self.proof, names: self.names, reviewer: reviewer, clock: self.clock)
  }

  /// The fields for one request; nothing for nobody.
  ///
  /// - Throws: ``Problem``, also by the future of a later answer:
  ///   - 400 for an impersonation that cannot be written, that nobody asks for, or that asks for attributes of the gateway's;
  ///   - 403 for an identity that cannot be written, for a name that is Kubernetes' own, and for an impersonation that the user
  ///     has no right to;
  ///   - 503 where the upstream cannot be asked about it
  public func credential(
    for subject: Subject, impersonating impersonation: RequestedImpersonation?, memory: ConnectionMemory?, eventLoop: any EventLoop
  ) throws(Problem) -> Answer<UpstreamCredential> {
    guard case .identity(let identity) = subject else { return .now(try .nobody(impersonating: impersonation)) }
    guard let impersonation else { return .now(try self.credential(for: identity, memory)) }
    try self.names.check(identity)
    guard let reviews = self.reviews else { throw .impersonationNotPossible }
    guard !impersonation.extra.contains(where: { $0.key.utf8.starts(with: Self.ownPrefix.utf8) }) else { throw .impersonationOfOwn }
    let credential = self.fields(
      try self.lines(impersonation.user, impersonation.uid, impersonation.groups, impersonation.extra + Self.original(identity)))
    switch reviews.allows(impersonation, to: identity, on: eventLoop) {
    case .now(let isAllowed):
      guard isAllowed else { throw .impersonationNotAllowed }
      return .now(credential)
    case .later(let future):
      return .later(
        future.flatMapThrowing { isAllowed in
          guard isAllowed else { throw Problem.impersonationNotAllowed }
          return credential
        })
    }
  }

  /// What the upstream will believe of the gateway itself.
  public func ownCredential() -> UpstreamCredential { self.fields(ByteBuffer()) }

  private func credential(for identity: Identity, _ memory: ConnectionMemory?) throws(Problem) -> UpstreamCredential {
    // Another token in the file is another object.
    let source: AnyObject = if case .token(let token) = self.proof { token.current } else { self }
    if let last = memory?.credential, last.holds(for: identity, by: source, at: .distantPast) { return last.credential }
    try self.names.check(identity)
    let credential = self.fields(try self.lines(identity.username, identity.uid, identity.groups, identity.extra))
    memory?.credential = RememberedCredential(credential, of: identity, by: source)
    return credential
  }

  private func lines(_ user: String, _ uid: String?, _ groups: [String], _ extra: [Identity.Extra]) throws(Problem) -> ByteBuffer {
    var writer = IdentityFieldWriter(capacity: 1024)
    do {
      try writer.write(.impersonate, user: user, uid: uid, groups: groups, extra: extra)
    } catch {
      throw .identityNotWritable.with(detail: error.description)
    }
    return writer.buffer
  }

  private func fields(_ impersonation: ByteBuffer) -> UpstreamCredential {
    switch self.proof {
    case .token(let token):
      var lines = ByteBuffer.bearer(token.current.token)
      lines.writeImmutableBuffer(impersonation)
      return UpstreamCredential(fieldLines: lines, connection: .none, kind: Self.kind)
    case .certificate(let fingerprint):
      return UpstreamCredential(
        fieldLines: impersonation, connection: .init(certificateFingerprint: fingerprint), kind: Self.kind)
    }
  }

  /// Who it was that acts as somebody else.
  private static func original(_ identity: Identity) -> [Identity.Extra] {
    var extra = [Identity.Extra(key: "\(self.ownPrefix)original-user", values: [identity.username])]
    if let uid = identity.uid { extra.append(.init(key: "\(self.ownPrefix)original-uid", values: [uid])) }
    if !identity.groups.isEmpty { extra.append(.init(key: "\(self.ownPrefix)original-groups", values: identity.groups)) }
    return extra
  }
}

extension Problem {
  static let impersonationNotAllowed = Problem(
    "impersonationNotAllowed", blame: .client, status: 403, message: "You have no right to impersonate this user, group, uid or attribute.")
  static let impersonationOfOwn = Problem(
    "impersonationOfOwn", blame: .client, status: 400, message: "Attributes in sallyport.dev/ cannot be impersonated.")
}
