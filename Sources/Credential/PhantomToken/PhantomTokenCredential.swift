import NIOCore
@_spi(Credential) public import SallyportCore

/// Gives an upstream the signed token behind an opaque one: opaque outside, signed inside.
///
/// The signed token is what the introspection endpoint answered with. Whoever signed in by anything else gets an id_token of
/// the gateway's own, where one can be made.
public final class PhantomTokenCredential: Sendable {
  private static let kind = "phantomToken"

  private let minted: IDTokenCredential?
  private let clock: CredentialClock

  /// Whether whoever has no such token gets one of the gateway's own.
  var canMint: Bool { self.minted != nil }

  /// - Parameter minted: for whoever has no such token; `nil`: nobody else gets in
  public init(minted: IDTokenCredential?, clock: CredentialClock = .system) {
    self.minted = minted
    self.clock = clock
  }

  /// - Throws: ``Problem``: 400 for an impersonation that cannot be written or that nobody asks for, 403 where there is no token
  ///   and none can be made, and as ``IDTokenCredential`` does
  public func credential(
    for subject: Subject, impersonating impersonation: RequestedImpersonation?, certificate: VerifiedCertificate? = nil,
    memory: ConnectionMemory? = nil
  ) throws(Problem) -> UpstreamCredential {
    guard case .identity(let identity) = subject else { return try .nobody(impersonating: impersonation) }
    guard let token = identity.phantomToken else {
      guard let minted else {
        throw .noTokenToPass.with(detail: "\(identity.method.rawValue) left no signed token, and no audience is configured")
      }
      return try minted.credential(for: subject, impersonating: impersonation, certificate: certificate, memory: memory)
    }
    let own: UpstreamCredential
    let now = self.clock.monotonic()
    if let last = memory?.credential, last.holds(for: identity, by: self, at: now) {
      own = last.credential
    } else {
      let wall = self.clock.wall()
      own = UpstreamCredential(
        fieldLines: .bearer(token), connection: .none, kind: Self.kind,
        ends: identity.proofEnds.map { self.clock.deadline(of: $0, at: now, wall) } ?? .distantFuture)
      memory?.credential = RememberedCredential(own, of: identity, by: self)
    }
    guard let impersonation else { return own }
    return UpstreamCredential(
      fieldLines: try impersonation.lines(behind: own.fieldLines), connection: own.connection, kind: own.kind, ends: own.ends)
  }
}

extension Problem {
  static let noTokenToPass = Problem(
    "noTokenToPass", blame: .client, status: 403, message: "This route is for those who sign in by a token that it can pass on.")
}
