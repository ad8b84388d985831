import SallyportStrictYAML

extension GatewayConfiguration.Authentication {
  /// An endpoint that opaque tokens are asked about (RFC 7662).
  public struct Introspection: Sendable, Equatable {
    /// How the gateway says who it is (RFC 6749 section 2.3.1).
    public enum ClientAuthentication: String, Sendable, CaseIterable {
      case basic, post
    }

    public let url: String
    public let clientID: String
    public let clientSecretFile: NamedFile
    public let clientAuthentication: ClientAuthentication
    public let certificateAuthorityFile: NamedFile?
    public let insecurePlaintext: Bool
    public let timeout: Duration
    /// What `iss` must be; `nil`: it is not judged.
    public let issuer: String?
    /// One of them must be in `aud`; empty: it is not judged.
    public let audiences: [String]
    public let username: JWT.Mapping
    public let groups: JWT.Mapping?
    public let uid: String?
    public let extra: [JWT.Extra]
    public let requirements: [JWT.Requirement]
    public let requiredScopes: [String]
  }
}

extension GatewayConfiguration.Authentication.Introspection {
  init?(_ yaml: YAMLCursor) {
    let value: Self? = yaml.mapping { keys in
      let plaintext = keys.optional("insecurePlaintext")?.boolean() ?? false
      let url = keys.required("url").flatMap { Self.url($0, plaintext) }
      let clientID = keys.required("clientID")?.text()
      let secret = keys.required("clientSecretFile")?.file()
      let method = keys.optional("clientAuthentication").map { $0.choice(of: ClientAuthentication.self) } ?? .basic
      let authority = keys.optional("certificateAuthorityFile").map { $0.file() }
      let timeout = keys.optional("timeout").map { $0.duration(in: .milliseconds(100)...(.seconds(60))) } ?? .seconds(5)
      let issuer = keys.optional("issuer").map { $0.parsed(IssuerURL.parse) }
      let audiences = keys.optional("audiences").map { $0.list(atLeast: 1) { $0.text() } } ?? []
      let mappings = keys.required("claimMappings").flatMap { MappingKeys($0, issuer: url) }
      let requirements =
        keys.optional("claimValidationRules").map { $0.list(GatewayConfiguration.Authentication.JWT.Requirement.init) } ?? []
      let scopes = keys.optional("requiredScopes").map { $0.list { $0.text() } } ?? []
      if plaintext, let url, !IssuerURL.isPlaintext(url) {
        yaml["insecurePlaintext"].fault("is true while the url is https", "remove it")
      }
      guard let url, let clientID, let secret, let method, let timeout, let audiences, let mappings, let requirements, let scopes
      else { return nil }
      // What is there and wrong was reported, and is not left out.
      if let authority, authority == nil { return nil }
      if let issuer, issuer == nil { return nil }
      return Self(
        url: url, clientID: clientID, clientSecretFile: secret, clientAuthentication: method,
        certificateAuthorityFile: authority ?? nil, insecurePlaintext: plaintext, timeout: timeout, issuer: issuer ?? nil,
        audiences: audiences, username: mappings.username, groups: mappings.groups, uid: mappings.uid, extra: mappings.extra,
        requirements: requirements, requiredScopes: scopes)
    }
    guard let value else { return nil }
    self = value
  }

  private static func url(_ yaml: YAMLCursor, _ allowsPlaintext: Bool) -> String? {
    guard let url = yaml.parsed(IssuerURL.parse) else { return nil }
    guard allowsPlaintext || !IssuerURL.isPlaintext(url) else {
      yaml.fault("is not encrypted", "write an https URL, or set insecurePlaintext: true here")
      return nil
    }
    return url
  }
}
