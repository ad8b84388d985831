public import SallyportJOSE
public import SallyportStrictYAML

extension GatewayConfiguration.Authentication {
  /// Whose tokens are believed.
  public enum TokenSource: Sendable, Equatable {
    case jwt(JWT)
    case introspection(Introspection)
    case tokenReview(TokenReview)
    /// A file of Kubernetes' kind `AuthenticationConfiguration`, whose `jwt` is read as if it stood here.
    case authenticationConfiguration(NamedFile)
  }

  /// An issuer of signed tokens, in the words of Kubernetes' `AuthenticationConfiguration` (apiserver.config.k8s.io/v1).
  public struct JWT: Sendable, Equatable {
    public enum CertificateAuthority: Sendable, Equatable {
      case file(NamedFile)
      case pem(String)
    }

    public struct Mapping: Sendable, Equatable {
      public let claim: String
      public let prefix: String
    }

    public struct Extra: Sendable, Equatable {
      public let key: String
      public let claim: String
    }

    public struct Requirement: Sendable, Equatable {
      public let claim: String
      public let requiredValue: String
    }

    public let url: String
    public let discoveryURL: String?
    public let audiences: [String]
    public let certificateAuthority: CertificateAuthority?
    public let insecurePlaintext: Bool
    public let algorithms: [SignatureAlgorithm]
    public let username: Mapping
    public let groups: Mapping?
    public let uid: String?
    public let extra: [Extra]
    public let requirements: [Requirement]
    public let requiredScopes: [String]
    /// Where the issuer is named.
    public let place: FilePlace

    /// Where it stands makes no difference to what it says.
    public static func == (left: Self, right: Self) -> Bool {
      left.url == right.url && left.discoveryURL == right.discoveryURL && left.audiences == right.audiences
        && left.certificateAuthority == right.certificateAuthority && left.insecurePlaintext == right.insecurePlaintext
        && left.algorithms == right.algorithms && left.username == right.username && left.groups == right.groups
        && left.uid == right.uid && left.extra == right.extra && left.requirements == right.requirements
        && left.requiredScopes == right.requiredScopes
    }
  }
}

extension GatewayConfiguration.Authentication.TokenSource {
  init?(_ yaml: YAMLCursor) {
    let source: Self? = yaml.mapping { keys in
      keys.exactlyOne(of: [
        "jwt": { GatewayConfiguration.Authentication.JWT($0).map(Self.jwt) },
        "introspection": { GatewayConfiguration.Authentication.Introspection($0).map(Self.introspection) },
        "tokenReview": { GatewayConfiguration.Authentication.TokenReview($0).map(Self.tokenReview) },
        "authenticationConfigurationFile": { $0.file().map(Self.authenticationConfiguration) },
      ])
    }
    guard let source else { return nil }
    self = source
  }
}

extension GatewayConfiguration.Authentication.JWT {
  init?(_ yaml: YAMLCursor) {
    let value: Self? = yaml.mapping { keys in
      let issuer = keys.required("issuer").flatMap(IssuerKeys.init)
      let algorithms = keys.optional("algorithms").map { $0.list(atLeast: 1) { $0.choice(of: SignatureAlgorithm.self) } }
      let mappings = keys.required("claimMappings").flatMap { MappingKeys($0, issuer: issuer?.url) }
      let requirements = keys.optional("claimValidationRules").map { $0.list(Requirement.init) } ?? []
      let scopes = keys.optional("requiredScopes").map { $0.list { $0.text() } } ?? []
      // Rules in CEL: to leave one out would let in whom it keeps out.
      keys.notInThisVersion("userValidationRules")
      guard let issuer, let mappings, let requirements, let scopes else { return nil }
      return Self(
        url: issuer.url, discoveryURL: issuer.discoveryURL, audiences: issuer.audiences,
        certificateAuthority: issuer.certificateAuthority, insecurePlaintext: issuer.insecurePlaintext,
        algorithms: (algorithms ?? nil) ?? SignatureAlgorithm.allCases, username: mappings.username, groups: mappings.groups,
        uid: mappings.uid, extra: mappings.extra, requirements: requirements, requiredScopes: scopes, place: yaml["issuer"]["url"].place)
    }
    guard let value else { return nil }
    self = value
  }
}

private struct IssuerKeys {
  let url: String
  let discoveryURL: String?
  let audiences: [String]
  let certificateAuthority: GatewayConfiguration.Authentication.JWT.CertificateAuthority?
  let insecurePlaintext: Bool

  private enum MatchPolicy: String, CaseIterable { case matchAny = "MatchAny" }

  init?(_ yaml: YAMLCursor) {
    let value: Self? = yaml.mapping { keys in
      let plaintext = keys.optional("insecurePlaintext")?.boolean() ?? false
      let url = keys.required("url").flatMap { Self.url($0, plaintext) }
      let discoveryURL = keys.optional("discoveryURL").map { Self.url($0, plaintext) }
      let audiences = keys.required("audiences")?.list(atLeast: 1) { $0.text() }
      _ = keys.optional("audienceMatchPolicy")?.choice(of: MatchPolicy.self)
      let file = keys.optional("certificateAuthorityFile")
      let text = keys.optional("certificateAuthority")
      if file != nil { text?.fault("stands beside `certificateAuthorityFile`", "keep one of the two") }
      let authority: GatewayConfiguration.Authentication.JWT.CertificateAuthority? =
        file?.file().map { .file($0) } ?? text?.text().map { .pem($0) }
      keys.notInThisVersion("egressSelectorType")
      if plaintext, let url, !IssuerURL.isPlaintext(url) {
        yaml["insecurePlaintext"].fault("is true while the issuer's url is https", "remove it")
      }
      guard let url, let audiences, !audiences.isEmpty else { return nil }
      if let discoveryURL, discoveryURL == nil { return nil }
      return Self(
        url: url, discoveryURL: discoveryURL ?? nil, audiences: audiences, certificateAuthority: authority, insecurePlaintext: plaintext)
    }
    guard let value else { return nil }
    self = value
  }

  private init(
    url: String, discoveryURL: String?, audiences: [String],
    certificateAuthority: GatewayConfiguration.Authentication.JWT.CertificateAuthority?, insecurePlaintext: Bool
  ) {
    self.url = url
    self.discoveryURL = discoveryURL
    self.audiences = audiences
    self.certificateAuthority = certificateAuthority
    self.insecurePlaintext = insecurePlaintext
  }

  private static func url(_ yaml: YAMLCursor, _ allowsPlaintext: Bool) -> String? {
    guard let url = yaml.parsed(IssuerURL.parse) else { return nil }
    guard allowsPlaintext || !IssuerURL.isPlaintext(url) else {
      yaml.fault("is not encrypted", "write an https URL, or set insecurePlaintext: true on this issuer")
      return nil
    }
    return url
  }
}

struct MappingKeys {
  let username: GatewayConfiguration.Authentication.JWT.Mapping
  let groups: GatewayConfiguration.Authentication.JWT.Mapping?
  let uid: String?
  let extra: [GatewayConfiguration.Authentication.JWT.Extra]

  /// - Parameter issuer: what the names of this issuer begin with unless a prefix is written, as at kube-apiserver
  init?(_ yaml: YAMLCursor, issuer: String?) {
    let prefix = issuer.map { "\($0)#" } ?? ""
    var username: GatewayConfiguration.Authentication.JWT.Mapping?
    var groups: GatewayConfiguration.Authentication.JWT.Mapping??
    var uid: String??
    var extra: [GatewayConfiguration.Authentication.JWT.Extra]?
    _ = yaml.mapping { keys in
      username = keys.required("username").flatMap { Self.mapping($0, prefix) }
      groups = keys.optional("groups").map { Self.mapping($0, prefix) } ?? .some(nil)
      uid = keys.optional("uid").map(Self.claim) ?? .some(nil)
      extra = keys.optional("extra").map { $0.list(Self.extra) } ?? []
      return ()
    }
    guard let username, let groups, let uid, let extra else { return nil }
    self.username = username
    self.groups = groups
    self.uid = uid
    self.extra = extra
  }

  private static func mapping(_ yaml: YAMLCursor, _ prefix: String) -> GatewayConfiguration.Authentication.JWT.Mapping? {
    yaml.mapping { keys in
      if keys.notInThisVersion("expression") { return nil }
      let claim = keys.required("claim")?.text()
      let written = keys.optional("prefix").map { $0.parsed { text throws(ValueFault) in text } }
      if let written, written == nil { return nil }
      return claim.map { .init(claim: $0, prefix: (written ?? nil) ?? prefix) }
    }
  }

  private static func claim(_ yaml: YAMLCursor) -> String? {
    yaml.mapping { keys in keys.notInThisVersion("expression") ? nil : keys.required("claim")?.text() }
  }

  private static func extra(_ yaml: YAMLCursor) -> GatewayConfiguration.Authentication.JWT.Extra? {
    yaml.mapping { keys in
      let key = keys.required("key")?.parsed(Self.key)
      if keys.notInThisVersion("valueExpression") { return nil }
      let claim = keys.required("claim")?.text()
      guard let key, let claim else { return nil }
      return .init(key: key, claim: claim)
    }
  }

  private static func key(_ text: String) throws(ValueFault) -> String {
    let isKey = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !($0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z")) }
    guard isKey, !text.isEmpty, text.utf8.count <= 128 else {
      throw ValueFault("is no key of an extra attribute", "write lower-case ASCII, as in example.org/department")
    }
    return text
  }
}

extension GatewayConfiguration.Authentication.JWT.Requirement {
  init?(_ yaml: YAMLCursor) {
    let value: Self? = yaml.mapping { keys in
      if keys.notInThisVersion("expression", "message") { return nil }
      let claim = keys.required("claim")?.text()
      let wanted = keys.required("requiredValue")?.text()
      guard let claim, let wanted else { return nil }
      return Self(claim: claim, requiredValue: wanted)
    }
    guard let value else { return nil }
    self = value
  }
}
