import SallyportConfiguration
import SallyportCore
import SallyportIssuer

extension Generation.ServedIssuer {
  /// The client whose tokens are for this gateway, and whose users sign in as somebody has; of several the one that
  /// `sallyport credential` takes by itself.
  ///
  /// - Returns: its id; `nil` where tokens are not to be had so, or not at this host
  func clientOfKubectl(signingInBy method: AuthenticationMethod, at host: HostName?) -> String? {
    guard host?.text == self.host, let clients = self.exchange?.clients.values else { return nil }
    let ids = clients.filter { client in
      guard case .none(let signIn) = client.authentication, client.audiences.contains(OwnAudience.name) else {
        return false
      }
      switch method {
      case .passwordFile, .ldap, .pam: return signIn.password
      case .clientCertificate: return signIn.clientCertificate
      case .jwt, .introspection, .tokenReview, .oidc, .issuedToken, .session, .gateway: return false
      }
    }.map(\.id)
    return ids.contains("kubectl") ? "kubectl" : ids.min()
  }
}
