import NIOCore
@_spi(Credential) public import SallyportCore

/// Gives an upstream the very token that the client signed in by, which it verifies itself.
///
/// Only a token that proved the identity goes on: never a password, and nothing for whoever proved himself by a certificate.
/// An impersonation goes along as `Impersonate-*` fields: the server judges it by the rights of the token's user.
public final class PassthroughCredential: Sendable {
  private static let kind = "passthrough"

  public init() {}

  /// - Parameter authorization: the values of the client's `Authorization` fields
  /// - Throws: ``Problem``: 400 for an impersonation that cannot be written or that nobody asks for, 403 where no token proved
  ///   the identity
  public func credential(
    for subject: Subject, presenting authorization: [Secret], impersonating impersonation: RequestedImpersonation?,
    memory: ConnectionMemory? = nil
  ) throws(Problem) -> UpstreamCredential {
    guard case .identity(let identity) = subject else { return try .nobody(impersonating: impersonation) }
    let own: UpstreamCredential
    // One identity object is made for one token, so that the object stands for the token.
    if let last = memory?.credential, last.holds(for: identity, by: self, at: .distantPast) {
      own = last.credential
    } else {
      guard [.jwt, .introspection, .tokenReview].contains(identity.method), authorization.count == 1,
        let line = Self.line(authorization[0])
      else { throw .noTokenToPass.with(detail: "\(identity.method.rawValue) is no token") }
      own = UpstreamCredential(fieldLines: line, connection: .none, kind: Self.kind)
      memory?.credential = RememberedCredential(own, of: identity, by: self)
    }
    guard let impersonation else { return own }
    return UpstreamCredential(
      fieldLines: try impersonation.lines(behind: own.fieldLines), connection: own.connection, kind: own.kind)
  }

  /// `Authorization: Bearer TOKEN`, with the scheme in the one spelling that every server takes.
  private static func line(_ authorization: Secret) -> ByteBuffer? {
    authorization.withBytes { bytes in
      guard let blank = bytes.firstIndex(of: 0x20), bytes[..<blank].map({ $0 | 0x20 }) == Array("bearer".utf8) else { return nil }
      let token = bytes[blank...].drop { $0 == 0x20 }
      guard !token.isEmpty, token.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
      return .bearer(Secret(token))
    }
  }
}
