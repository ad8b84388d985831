public import SallyportJOSE
import SallyportStrictYAML

extension GatewayConfiguration.Authentication {
  /// An endpoint that opaque tokens are asked about (RFC 7662).
  public struct Introspection: Sendable, Equatable {
    /// How the gateway says who it is (RFC 6749 section 2.3.1, RFC 7523).
    public enum ClientAuthentication: Sendable, Equatable {
      case basic(NamedFile)
      case post(NamedFile)
      /// By a key of its own, whose public half has this name at the provider; for the audience that it expects, or the default one.
      case privateKeyJWT(NamedFile, keyID: String?, audience: String?)

      /// The secret's or the key's file.
      public var file: NamedFile {
        switch self {
        case .basic(let file), .post(let file), .privateKeyJWT(let file, _, _): file
        }
      }

      fileprivate enum Name: String, CaseIterable {
        case basic, post
        case privateKeyJWT
      }
    }

    /// What the endpoint answers with.
    public enum Answer: String, Sendable, CaseIterable {
      /// JSON (RFC 7662).
      case json
      /// The token that the opaque one stands for (`application/jwt`).
      case jwt
      /// A signed answer (RFC 9701, `application/token-introspection+jwt`).
      case introspectionJWT
    }

    public let url: String
    public let clientID: String
    public let clientAuthentication: ClientAuthentication
    public let answer: Answer
    /// Where the keys of signed answers are found, and by which algorithms they are signed.
    public let discoveryURL: String?
    public let algorithms: [SignatureAlgorithm]
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
      let method = ClientAuthentication(keys)
      let signing = Signing(keys, yaml, allowsPlaintext: plaintext)
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
      guard let url, let clientID, let method, let signing, let timeout, let audiences, let mappings, let requirements, let scopes
      else { return nil }
      // What is there and wrong was reported, and is not left out.
      if let authority, authority == nil { return nil }
      if let issuer, issuer == nil { return nil }
      return Self(
        url: url, clientID: clientID, clientAuthentication: method, answer: signing.answer, discoveryURL: signing.discoveryURL,
        algorithms: signing.algorithms, certificateAuthorityFile: authority ?? nil, insecurePlaintext: plaintext, timeout: timeout,
        issuer: issuer ?? nil,
        audiences: audiences, username: mappings.username, groups: mappings.groups, uid: mappings.uid, extra: mappings.extra,
        requirements: requirements, requiredScopes: scopes)
    }
    guard let value else { return nil }
    self = value
  }

  fileprivate static func url(_ yaml: YAMLCursor, _ allowsPlaintext: Bool) -> String? {
    guard let url = yaml.parsed(IssuerURL.parse) else { return nil }
    guard allowsPlaintext || !IssuerURL.isPlaintext(url) else {
      yaml.fault("is not encrypted", "write an https URL, or set insecurePlaintext: true here")
      return nil
    }
    return url
  }
}

extension GatewayConfiguration.Authentication.Introspection.ClientAuthentication {
  init?(_ keys: YAMLMapping) {
    let written = keys.optional("clientAuthentication")
    let secretFile = keys.optional("clientSecretFile")
    let keyFile = keys.optional("clientKeyFile")
    let keyID = keys.optional("clientKeyID")
    let audience = keys.optional("clientAssertionAudience")
    guard let name = written.map({ $0.choice(of: Name.self) }) ?? .basic else { return nil }
    guard case .privateKeyJWT = name else {
      for cursor in [keyFile, keyID, audience] {
        cursor?.fault("is of no use with a secret", "remove it, or write clientAuthentication: privateKeyJWT")
      }
      guard let secret = keys.required("clientSecretFile")?.file(), keyFile == nil, keyID == nil, audience == nil else { return nil }
      self = name == .post ? .post(secret) : .basic(secret)
      return
    }
    secretFile?.fault("is of no use with privateKeyJWT", "remove it")
    let key = keys.required("clientKeyFile")?.file()
    let id = keyID.map { $0.text() }
    let aud = audience.map { $0.text() }
    guard secretFile == nil, let key else { return nil }
    if let id, id == nil { return nil }
    if let aud, aud == nil { return nil }
    self = .privateKeyJWT(key, keyID: id ?? nil, audience: aud ?? nil)
  }
}

/// How answers are signed.
private struct Signing {
  let answer: GatewayConfiguration.Authentication.Introspection.Answer
  let discoveryURL: String?
  let algorithms: [SignatureAlgorithm]

  init?(_ keys: YAMLMapping, _ yaml: YAMLCursor, allowsPlaintext: Bool) {
    let written = keys.optional("answer")
    let discovery = keys.optional("discoveryURL")
    let list = keys.optional("algorithms")
    guard let answer = written.map({ $0.choice(of: GatewayConfiguration.Authentication.Introspection.Answer.self) }) ?? .json else {
      return nil
    }
    let discoveryURL = discovery.map { GatewayConfiguration.Authentication.Introspection.url($0, allowsPlaintext) }
    let algorithms = list.map { $0.list(atLeast: 1) { $0.choice(of: SignatureAlgorithm.self) } }
    if answer == .json {
      for cursor in [discovery, list] {
        cursor?.fault("is of use for signed answers alone", "remove it, or write answer: introspectionJWT or jwt")
      }
      if discovery != nil || list != nil { return nil }
    }
    if answer != .json, keys.optional("issuer") == nil {
      written?.fault("has the answers signed by nobody", "write `issuer`, whose keys are to be found")
      return nil
    }
    // A token for whomever is a token for somebody else.
    if answer == .jwt, keys.optional("audiences") == nil {
      written?.fault("has tokens for anybody's audience", "write `audiences`, one of which must be in `aud`")
      return nil
    }
    if let discoveryURL, discoveryURL == nil { return nil }
    if let algorithms, algorithms == nil { return nil }
    self.answer = answer
    self.discoveryURL = discoveryURL ?? nil
    self.algorithms = (algorithms ?? nil) ?? SignatureAlgorithm.allCases
  }
}
