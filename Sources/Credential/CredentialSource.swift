public import NIOCore
public import SallyportCore

/// A way to be someone at an upstream, as the configuration's `credentials` name them.
public enum CredentialSource: Sendable {
  case requestHeaders(RequestHeaderCredential)
  case idToken(IDTokenCredential)
  case clientCertificate(ClientCertificateCredential)
  case impersonation(ImpersonationCredential)
  case phantomToken(PhantomTokenCredential)
  case passthrough(PassthroughCredential)
  /// The upstream is told nothing.
  case none(NoCredential)

  /// Whether the upstream can be told by it that the gateway itself asks.
  public var statesIdentity: Bool {
    switch self {
    case .requestHeaders, .idToken, .clientCertificate, .impersonation: true
    case .phantomToken(let source): source.canMint
    case .passthrough, .none: false
    }
  }

  /// The same where the upstream can be asked about the rights of users.
  public func reviewed(by reviewer: any ImpersonationReviewer) -> CredentialSource {
    if case .impersonation(let source) = self { .impersonation(source.reviewed(by: reviewer)) } else { self }
  }

  /// What the upstream will believe of a request.
  ///
  /// - Parameters:
  ///   - request: who makes it, and whom the client asks to act as
  ///   - connection: the client's, whose certificate parts may be copied from
  ///   - memory: what the client's connection remembers, where it remembers anything
  ///   - eventLoop: where a later answer arrives
  /// - Throws: ``Problem`` as the source at hand does; the future of a later answer fails with one too
  public func credential(
    for request: AuthenticatedRequest, on connection: ConnectionFacts?, memory: ConnectionMemory?, eventLoop: any EventLoop
  ) throws(Problem) -> Answer<UpstreamCredential> {
    let impersonation = request.stripped.impersonation
    switch self {
    case .requestHeaders(let source):
      return .now(try source.credential(for: request.subject, impersonating: impersonation, memory: memory))
    case .idToken(let source):
      return .now(
        try source.credential(
          for: request.subject, impersonating: impersonation, certificate: connection?.clientCertificate, memory: memory))
    case .clientCertificate(let source):
      return .now(
        try source.credential(
          for: request.subject, impersonating: impersonation, certificate: connection?.clientCertificate, memory: memory))
    case .impersonation(let source):
      return try source.credential(for: request.subject, impersonating: impersonation, memory: memory, eventLoop: eventLoop)
    case .phantomToken(let source):
      return .now(
        try source.credential(
          for: request.subject, impersonating: impersonation, certificate: connection?.clientCertificate, memory: memory))
    case .passthrough(let source):
      return .now(
        try source.credential(
          for: request.subject, presenting: request.stripped.authorization, impersonating: impersonation, memory: memory))
    case .none(let source):
      return .now(try source.credential(for: request.subject, impersonating: impersonation))
    }
  }

  /// What the upstream will believe of one of the gateway's own questions.
  public func ownCredential(of identity: Identity) throws(Problem) -> UpstreamCredential {
    switch self {
    case .requestHeaders(let source): try source.credential(for: .identity(identity), impersonating: nil)
    case .idToken(let source): try source.credential(for: .identity(identity), impersonating: nil)
    case .clientCertificate(let source): try source.credential(for: .identity(identity), impersonating: nil)
    case .impersonation(let source): source.ownCredential()
    case .phantomToken(let source): try source.credential(for: .identity(identity), impersonating: nil)
    case .passthrough(let source): try source.credential(for: .identity(identity), presenting: [], impersonating: nil)
    case .none(let source): try source.credential(for: .identity(identity), impersonating: nil)
    }
  }
}
