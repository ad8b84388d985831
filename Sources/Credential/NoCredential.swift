import NIOCore
@_spi(Credential) public import SallyportCore

/// Tells the upstream nothing: for one that knows no identities, or that finds them out itself.
public struct NoCredential: Sendable {
  public init() {}

  /// - Throws: ``Problem`` (400) for an impersonation, which such an upstream would not learn of
  public func credential(
    for subject: Subject, impersonating impersonation: RequestedImpersonation?
  ) throws(Problem) -> UpstreamCredential {
    guard impersonation == nil else { throw .impersonationNotPossible }
    return UpstreamCredential(fieldLines: ByteBuffer(), connection: .none, kind: "none")
  }
}
