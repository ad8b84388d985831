public import SallyportCore

/// Why somebody whom an earlier generation let in would not be let in as the same by this one.
public enum IdentityObjection: Sendable, Hashable {
  /// The route does not take such a credential.
  case methodNotAccepted
  /// The user is gone, or disabled.
  case userRemoved
  /// The password is another now, or tokens are judged by other rules.
  case credentialChanged
  /// The user's name, groups or other attributes are not what they were.
  case identityChanged
}

extension Authenticator {
  /// Says whether this generation would know somebody as the same whom an earlier one knew.
  ///
  /// Nothing is verified anew: what counts is whether what was verified then still holds. Who is known by now with other
  /// groups is not the same: the upstream was told the old ones. That a certificate's authority is still trusted is the
  /// listener's to say, that nothing has expired or was revoked, the deadlines of streams and the revocation lists.
  ///
  /// - Parameters:
  ///   - certificate: what the connection showed
  ///   - accepting: what the route accepts now
  /// - Returns: the first thing that speaks against it; `nil` if nothing does
  public func objection(
    to identity: Identity, certificate: VerifiedCertificate?, accepting: AcceptedMethods
  ) -> IdentityObjection? {
    switch identity.method {
    case .clientCertificate:
      guard accepting.contains(.clientCertificate) else { return .methodNotAccepted }
      guard let certificate, let now = self.certificates.identity(of: certificate) else { return .userRemoved }
      return now.isSame(as: identity) ? nil : .identityChanged
    case .passwordFile:
      guard accepting.contains(.password) else { return .methodNotAccepted }
      guard let user = self.passwords.user(named: identity.username), !user.isDisabled else { return .userRemoved }
      guard user.identity.verifier == identity.verifier else { return .credentialChanged }
      return user.identity.isSame(as: identity) ? nil : .identityChanged
    case .ldap, .pam:
      guard accepting.contains(.password) else { return .methodNotAccepted }
      // Who is still in the directory is not known without asking it, which nothing here may wait for: new requests learn
      // of it within the cache's lifetime, and streams end with what bounds them.
      return self.passwords.asks(identity.method) ? nil : .userRemoved
    case .jwt:
      guard accepting.contains(.token), let issuer = identity.token?.issuer, let verifier = self.tokens.verifier(ofIssuer: issuer)
      else { return .methodNotAccepted }
      // The token is not kept, so that it cannot be judged by other rules: whoever has it presents it again.
      return verifier == identity.verifier ? nil : .credentialChanged
    case .issuedToken:
      // Whether the gateway would still sign it is not asked: it holds until it ends, as it does for new requests.
      guard accepting.contains(.token), let own = self.tokens.own else { return .methodNotAccepted }
      return own.verifier == identity.verifier ? nil : .credentialChanged
    case .introspection, .tokenReview:
      guard accepting.contains(.token), !self.tokens.judges.isEmpty else { return .methodNotAccepted }
      return self.tokens.judges.contains { $0.verifier == identity.verifier } ? nil : .credentialChanged
    case .session:
      // Whom it stands for is looked at again by itself, streams included: see `Authenticator.review`.
      return accepting.contains(.session) && self.sessions != nil ? nil : .methodNotAccepted
    case .oidc:
      // Nobody presents it: it begins a session.
      return .methodNotAccepted
    case .gateway:
      // The gateway's own requests are no stream of anybody's.
      return nil
    }
  }
}

extension Identity {
  /// Whether an upstream would be told the same of both. By bytes, as upstreams compare.
  func isSame(as other: Identity) -> Bool {
    func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
    return bytes(self.username) == bytes(other.username) && self.uid.map(bytes) == other.uid.map(bytes)
      && self.groups.map(bytes) == other.groups.map(bytes)
      && self.extra.map { [bytes($0.key)] + $0.values.map(bytes) } == other.extra.map { [bytes($0.key)] + $0.values.map(bytes) }
  }
}
