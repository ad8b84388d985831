public import SallyportCore

/// A way to be someone at an upstream, as the configuration's `credentials` name them.
public enum CredentialSource: Sendable {
  case requestHeaders(RequestHeaderCredential)
  /// The upstream is told nothing.
  case none(NoCredential)

  /// Whether the upstream is told who asks.
  public var statesIdentity: Bool {
    switch self {
    case .requestHeaders: true
    case .none: false
    }
  }

  /// What the upstream will believe of a request.
  ///
  /// - Parameters:
  ///   - subject: who makes the request
  ///   - impersonation: whom the client asks to act as
  ///   - memory: what the client's connection remembers, where it remembers anything
  /// - Throws: ``Problem`` as the source at hand does
  public func credential(
    for subject: Subject, impersonating impersonation: RequestedImpersonation?, memory: ConnectionMemory? = nil
  ) throws(Problem) -> UpstreamCredential {
    switch self {
    case .requestHeaders(let source): try source.credential(for: subject, impersonating: impersonation, memory: memory)
    case .none(let source): try source.credential(for: subject, impersonating: impersonation)
    }
  }
}
