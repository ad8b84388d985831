import SallyportJSON

/// Where a provider's endpoints are, and what they do (OpenID Connect Discovery 1.0 section 3, RFC 8414, RFC 9207, RP-Initiated
/// Logout 1.0 section 2.1).
public struct ProviderMetadata: Sendable, Hashable {
  public let authorizationEndpoint: String
  public let tokenEndpoint: String
  public let userinfoEndpoint: String?
  public let endSessionEndpoint: String?
  /// Whether every answer of the authorization endpoint has `iss`.
  public let namesItself: Bool
  /// `nil` where the provider does not say.
  public let challengeMethods: [String]?
  public let clientAuthentications: [String]?

  /// - Parameter mayAsk: whether a text is a URL that may be asked, or led to
  /// - Throws: ``ProviderFault`` for another issuer's, and for one by which nobody could sign in
  init(_ document: JSONValue, issuer: String, mayAsk: (String) -> Bool) throws(ProviderFault) {
    guard let stated = document["issuer"]?.string, stated.utf8.elementsEqual(issuer.utf8) else {
      throw ProviderFault("the discovery document is another issuer's: its `issuer` is not the configured URL")
    }
    func endpoint(_ name: String) throws(ProviderFault) -> String? {
      guard let value = document[name] else { return nil }
      guard let text = value.string, mayAsk(text), !text.contains("#") else {
        throw ProviderFault("the discovery document's \(name) is no https URL")
      }
      return text
    }
    guard let authorization = try endpoint("authorization_endpoint") else {
      throw ProviderFault("the discovery document has no authorization_endpoint: the provider has no code flow")
    }
    guard let token = try endpoint("token_endpoint") else {
      throw ProviderFault("the discovery document has no token_endpoint: the provider has no code flow")
    }
    self.authorizationEndpoint = authorization
    self.tokenEndpoint = token
    self.userinfoEndpoint = try endpoint("userinfo_endpoint")
    self.endSessionEndpoint = try endpoint("end_session_endpoint")
    self.namesItself = document["authorization_response_iss_parameter_supported"]?.bool == true
    self.challengeMethods = document["code_challenge_methods_supported"]?.strings
    self.clientAuthentications = document["token_endpoint_auth_methods_supported"]?.strings
  }
}

extension ProviderMetadata {
  /// What a provider does not say that it does, and this client wants of it; for an operator.
  func missing(for client: OpenIDProvider) -> [String] {
    var missing: [String] = []
    if self.challengeMethods?.contains("S256") != true {
      missing.append("it does not say that it takes PKCE with S256 (code_challenge_methods_supported)")
    }
    if client.groupsFrom == .userinfo, self.userinfoEndpoint == nil {
      missing.append("it has no userinfo_endpoint, for groupsFrom: userinfo")
    }
    if client.signsOut, self.endSessionEndpoint == nil { missing.append("it has no end_session_endpoint, for logout: true") }
    let wanted =
      switch client.clientAuthentication {
      case nil: "none"
      case .basic: "client_secret_basic"
      case .post: "client_secret_post"
      case .privateKeyJWT: "private_key_jwt"
      }
    // Without the list it is client_secret_basic (section 3 of Discovery).
    if !(self.clientAuthentications ?? ["client_secret_basic"]).contains(wanted) {
      missing.append("it does not say that it takes \(wanted) (token_endpoint_auth_methods_supported)")
    }
    return missing
  }
}
