public import SallyportCore

/// An OpenID provider that people sign in to the pages by, and the gateway as its client.
public struct OpenIDProvider: Sendable {
  /// Where the groups stand.
  public enum GroupSource: String, Sendable, Hashable {
    case idToken, userinfo
  }

  /// The last part of its own callback path; `nil` for the path without one.
  public var id: String?
  /// What the pages call it.
  public var name: String
  public var clientID: String
  /// `nil`: a public client.
  public var clientAuthentication: IntrospectionEndpoint.ClientAuthentication?
  public var scopes: [String]
  public var groupsFrom: GroupSource
  /// Whether its refresh tokens are used to ask again who somebody is.
  public var refreshes: Bool
  /// Whether signing out here signs out there.
  public var signsOut: Bool
  /// What its id_tokens must say; their one audience is the client.
  public var rules: TokenRules
  /// Where its metadata and keys are.
  public var provider: TokenIssuer.Provider

  public init(
    id: String? = nil, name: String, clientID: String, clientAuthentication: IntrospectionEndpoint.ClientAuthentication?,
    scopes: [String] = ["openid"], groupsFrom: GroupSource = .idToken, refreshes: Bool = true, signsOut: Bool = false, rules: TokenRules,
    provider: TokenIssuer.Provider
  ) {
    self.id = id
    self.name = name
    self.clientID = clientID
    self.clientAuthentication = clientAuthentication
    self.scopes = scopes
    self.groupsFrom = groupsFrom
    self.refreshes = refreshes
    self.signsOut = signsOut
    self.rules = rules
    self.provider = provider
  }

  public var issuer: String { self.rules.issuer }

  var tokenIssuer: TokenIssuer { TokenIssuer(rules: self.rules, provider: self.provider) }

  /// - Throws: ``Problem`` where the provider's authorities cannot be read
  public func check() throws(Problem) { try self.tokenIssuer.check() }

  /// A digest of everything that says who somebody is, without a secret: by another provider or other rules the same person may be
  /// somebody else.
  func verifier(allowing names: Set<String>) -> [UInt8] {
    var digest = PartsDigest()
    digest.add(["oidc", self.clientID, self.groupsFrom.rawValue, self.refreshes ? "refreshes" : "does not"])
    digest.add([self.rules.fingerprint])
    digest.add(names.sorted())
    return digest.finalize()
  }
}

/// What a browser has brought back from a provider, and what belongs to it.
public struct AuthorizationCode: Sendable {
  public let code: Secret
  /// The browser's sign-in; it counts once.
  public let state: Secret
  public let nonce: Secret
  public let verifier: Secret
  public let redirectURI: String

  public init(code: Secret, state: Secret, nonce: Secret, verifier: Secret, redirectURI: String) {
    self.code = code
    self.state = state
    self.nonce = nonce
    self.verifier = verifier
    self.redirectURI = redirectURI
  }
}
