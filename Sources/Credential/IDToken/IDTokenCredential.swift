import NIOCore
@_spi(Credential) public import SallyportCore
public import SallyportIssuer

import struct Foundation.Date

/// Tells an upstream who makes a request by an id_token of the gateway's own, in place of whatever the client sent as
/// `Authorization`.
///
/// kube-apiserver believes it by `--oidc-issuer-url` or an AuthenticationConfiguration (kubernetes.io, "OpenID Connect Tokens").
/// A token is made once for an identity and used until shortly before it ends. It is signed on the event loop that asks, which
/// with ES256 costs less than to hand it to a thread and back. An impersonation goes along as `Impersonate-*` fields: the
/// server judges it by the rights of the user whom the token names.
public final class IDTokenCredential: Sendable {
  private let issuer: Issuer
  private let audience: String
  private let names: ReservedNames
  private let clock: CredentialClock
  private let minted: MintedCredentials<IdentityObject>
  private let kind: String

  /// An identity as the object that it is: two of the same name may differ in anything else.
  private struct IdentityObject: Hashable, Sendable {
    let identity: Identity
    static func == (left: Self, right: Self) -> Bool { left.identity === right.identity }
    func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self.identity)) }
  }

  /// A token is made anew this long before it ends, in seconds, or at three quarters of its time where that is later: what
  /// is on its way must arrive.
  private static let margin = 60.0

  /// - Parameters:
  ///   - audience: whom the tokens are for
  ///   - names: which reserved names may stand in one
  ///   - kind: what the audit record calls it
  ///   - capacity: the most tokens that are kept
  public init(
    issuer: Issuer, audience: String, names: ReservedNames, kind: String = "idToken", clock: CredentialClock = .system,
    capacity: Int = 8192
  ) {
    self.issuer = issuer
    self.audience = audience
    self.names = names
    self.kind = kind
    self.clock = clock
    self.minted = MintedCredentials(capacity: capacity)
  }

  /// The `Authorization` line for one request; nothing for nobody.
  ///
  /// - Parameter certificate: what the client's connection showed: its only e-mail address goes into the token of whoever it
  ///   proves
  /// - Throws: ``Problem``
  ///   - 400 for an impersonation that cannot be written, or that nobody asks for;
  ///   - 401 where what proved the identity ends this second;
  ///   - 403 for a name that is Kubernetes' own; for a cluster's own token, where the token would be for the gateway itself.
  public func credential(
    for subject: Subject, impersonating impersonation: RequestedImpersonation?, certificate: VerifiedCertificate? = nil,
    memory: ConnectionMemory? = nil
  ) throws(Problem) -> UpstreamCredential {
    guard case .identity(let identity) = subject else { return try .nobody(impersonating: impersonation) }
    let now = self.clock.monotonic()
    let own: UpstreamCredential
    if let last = memory?.credential, last.holds(for: identity, by: self, at: now) {
      own = last.credential
    } else {
      own = try self.minted.credential(for: IdentityObject(identity: identity), at: now) { () throws(Problem) in
        try self.mint(for: identity, certificate, at: now)
      }
      memory?.credential = RememberedCredential(own, of: identity, by: self)
    }
    guard let impersonation else { return own }
    return UpstreamCredential(
      fieldLines: try impersonation.lines(behind: own.fieldLines), connection: own.connection, kind: own.kind,
      identifier: own.identifier, ends: own.ends)
  }

  private func mint(
    for identity: Identity, _ certificate: VerifiedCertificate?, at now: NIODeadline
  ) throws(Problem) -> UpstreamCredential {
    try self.names.check(identity)
    // As this gateway's own token it would be believed for every cluster behind it.
    guard identity.token?.cluster == nil || self.audience != OwnAudience.name else { throw .clusterIdentity }
    let emails = identity.method == .clientCertificate ? certificate?.alternativeNames.emails ?? [] : []
    let wall = self.clock.wall()
    let token = try self.issuer.token(for: identity, audience: self.audience, email: emails.count == 1 ? emails[0] : nil, at: wall)
    // Where the proof ends with the token, another one would end no later.
    let margin = token.endsWithProof ? 1 : min(Self.margin, self.issuer.tokenLifetime / 4)
    return UpstreamCredential(
      fieldLines: .bearer(token.text), connection: .none, kind: self.kind, identifier: token.id,
      ends: self.clock.deadline(of: token.ends.addingTimeInterval(-margin), at: now, wall))
  }
}

extension Problem {
  static let clusterIdentity = Problem(
    "clusterIdentity", blame: .client, status: 403,
    message: "A cluster's own token names somebody whom that cluster alone knows; it is not accepted here.")
}

extension UpstreamCredential {
  /// What is told about nobody: nothing.
  ///
  /// - Throws: ``Problem/impersonationNotPossible``
  static func nobody(impersonating impersonation: RequestedImpersonation?) throws(Problem) -> UpstreamCredential {
    guard impersonation == nil else { throw .impersonationNotPossible }
    return UpstreamCredential(fieldLines: ByteBuffer(), connection: .none, kind: "none")
  }
}

extension ByteBuffer {
  /// `Authorization: Bearer TOKEN` as a line.
  static func bearer(_ token: Secret) -> ByteBuffer {
    var line = ByteBufferAllocator().buffer(capacity: token.count + 32)
    line.writeStaticString("Authorization: Bearer ")
    token.withBytes { _ = line.writeBytes($0) }
    line.writeStaticString("\r\n")
    return line
  }
}
