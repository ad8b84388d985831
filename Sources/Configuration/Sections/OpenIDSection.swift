public import SallyportJOSE
public import SallyportStrictYAML

extension GatewayConfiguration.Authentication {
  /// An OpenID provider that people sign in to the pages by (OpenID Connect Core 1.0, the code flow).
  public struct OpenID: Sendable, Equatable {
    /// Where the groups stand.
    public enum GroupSource: String, Sendable, CaseIterable {
      case idToken, userinfo
    }

    /// The last part of the provider's own callback path; `nil` for the path without one, which one provider alone can have.
    public let id: String?
    /// "Continue with …".
    public let name: String
    public let issuer: String
    public let discoveryURL: String?
    public let certificateAuthorityFile: NamedFile?
    public let insecurePlaintext: Bool
    public let clientID: String
    /// `nil`: a public client, whom nothing but PKCE protects.
    public let clientAuthentication: Introspection.ClientAuthentication?
    public let scopes: [String]
    public let algorithms: [SignatureAlgorithm]
    public let username: JWT.Mapping
    public let groups: JWT.Mapping?
    public let uid: String?
    public let extra: [JWT.Extra]
    public let requirements: [JWT.Requirement]
    public let groupsFrom: GroupSource
    /// Whether the provider's refresh token is used to ask again who somebody is.
    public let refresh: Bool
    /// Whether signing out here signs out there.
    public let logout: Bool
    /// Where the issuer is named.
    public let place: FilePlace

    /// Where it stands makes no difference to what it says.
    public static func == (left: Self, right: Self) -> Bool {
      left.id == right.id && left.name == right.name && left.issuer == right.issuer && left.discoveryURL == right.discoveryURL
        && left.certificateAuthorityFile == right.certificateAuthorityFile && left.insecurePlaintext == right.insecurePlaintext
        && left.clientID == right.clientID && left.clientAuthentication == right.clientAuthentication && left.scopes == right.scopes
        && left.algorithms == right.algorithms && left.username == right.username && left.groups == right.groups && left.uid == right.uid
        && left.extra == right.extra && left.requirements == right.requirements && left.groupsFrom == right.groupsFrom
        && left.refresh == right.refresh && left.logout == right.logout
    }
  }
}

extension GatewayConfiguration.Authentication.OpenID {
  /// One provider, or a list of them.
  static func providers(_ yaml: YAMLCursor) -> [Self] {
    guard yaml.itemCount != nil else { return Self(yaml).map { [$0] } ?? [] }
    return yaml.list(atLeast: 1) { Self($0) } ?? []
  }

  private init?(_ yaml: YAMLCursor) {
    let value: Self? = yaml.mapping { keys in
      let plaintext = keys.optional("insecurePlaintext")?.boolean() ?? false
      let id = keys.optional("id").map { $0.parsed(Self.pathSegment) }
      let issuer = keys.required("issuer").flatMap { Self.url($0, plaintext) }
      let written = keys.optional("name").map { $0.parsed(GatewayConfiguration.Authentication.SignIn.displayName) }
      let discoveryURL = keys.optional("discoveryURL").map { Self.url($0, plaintext) }
      let authority = keys.optional("certificateAuthorityFile").map { $0.file() }
      let clientID = keys.required("clientID")?.text()
      let client = Client(keys)
      let scopes = keys.optional("scopes").map(Self.scopes) ?? ["openid"]
      let algorithms = keys.optional("algorithms").map { $0.list(atLeast: 1) { $0.choice(of: SignatureAlgorithm.self) } }
      let mappings = keys.required("claimMappings").flatMap { MappingKeys($0, issuer: issuer) }
      let requirements =
        keys.optional("claimValidationRules").map { $0.list(GatewayConfiguration.Authentication.JWT.Requirement.init) } ?? []
      let groupsFrom = keys.optional("groupsFrom").map { $0.choice(of: GroupSource.self) } ?? .idToken
      let refresh = keys.optional("refresh").map { $0.boolean() } ?? true
      let logout = keys.optional("logout").map { $0.boolean() } ?? false
      // Rules in CEL: to leave one out would let in whom it keeps out.
      keys.notInThisVersion("userValidationRules")
      if plaintext, let issuer, !IssuerURL.isPlaintext(issuer) {
        yaml["insecurePlaintext"].fault("is true while the issuer is https", "remove it")
      }
      if groupsFrom == .userinfo, let mappings, mappings.groups == nil {
        yaml["groupsFrom"].fault("has no effect without groups", "add claimMappings.groups, or remove it")
      }
      guard let issuer, let name = written ?? Self.host(of: issuer), let clientID, let client, let scopes, let mappings, let requirements,
        let groupsFrom, let refresh,
        let logout
      else { return nil }
      // What is there and wrong was reported, and is not left out.
      if let id, id == nil { return nil }
      if let discoveryURL, discoveryURL == nil { return nil }
      if let authority, authority == nil { return nil }
      if let algorithms, algorithms == nil { return nil }
      return Self(
        id: id ?? nil, name: name, issuer: issuer, discoveryURL: discoveryURL ?? nil, certificateAuthorityFile: authority ?? nil,
        insecurePlaintext: plaintext, clientID: clientID, clientAuthentication: client.authentication, scopes: scopes,
        algorithms: (algorithms ?? nil) ?? SignatureAlgorithm.allCases, username: mappings.username, groups: mappings.groups,
        uid: mappings.uid, extra: mappings.extra, requirements: requirements, groupsFrom: groupsFrom, refresh: refresh, logout: logout,
        place: yaml["issuer"].place)
    }
    guard let value else { return nil }
    self = value
  }

  /// A client without any authentication has to be one on purpose.
  private struct Client {
    let authentication: GatewayConfiguration.Authentication.Introspection.ClientAuthentication?

    init?(_ keys: YAMLMapping) {
      guard let isPublic = keys.optional("publicClient").map({ $0.boolean() }) ?? false else { return nil }
      guard isPublic else {
        guard let authentication = GatewayConfiguration.Authentication.Introspection.ClientAuthentication(keys) else { return nil }
        self.authentication = authentication
        return
      }
      let others = ["clientAuthentication", "clientSecretFile", "clientKeyFile", "clientKeyID", "clientAssertionAudience"].compactMap {
        keys.optional($0)
      }
      for other in others { other.fault("is of no use with a public client", "remove it, or remove publicClient") }
      guard others.isEmpty else { return nil }
      self.authentication = nil
    }
  }

  private static func url(_ yaml: YAMLCursor, _ allowsPlaintext: Bool) -> String? {
    guard let url = yaml.parsed(IssuerURL.parse) else { return nil }
    guard allowsPlaintext || !IssuerURL.isPlaintext(url) else {
      yaml.fault("is not encrypted", "write an https URL, or set insecurePlaintext: true here")
      return nil
    }
    return url
  }

  private static func host(of issuer: String) -> String {
    let rest = issuer[(issuer.firstRange(of: "//")?.upperBound ?? issuer.startIndex)...]
    return String(rest.prefix { $0 != "/" && $0 != ":" })
  }

  private static func scopes(_ yaml: YAMLCursor) -> [String]? {
    guard let scopes = yaml.list(atLeast: 1, { $0.parsed(GatewayConfiguration.Issuer.Client.scope) }) else { return nil }
    guard scopes.contains("openid") else {
      yaml.fault("has no `openid`, without which there is no id_token", "add it")
      return nil
    }
    return scopes
  }

  private static func pathSegment(_ text: String) throws(ValueFault) -> String {
    guard !text.isEmpty, text.utf8.count <= 63,
      text.utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") })
    else { throw ValueFault("is no part of a path", "use up to 63 lower-case letters, digits and `-`") }
    return text
  }
}
