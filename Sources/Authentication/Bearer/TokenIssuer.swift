public import SallyportCore

/// An identity provider whose signed tokens are believed: its rules, and where its keys are.
public struct TokenIssuer: Sendable {
  /// How the keys are found (OpenID Connect Discovery 1.0).
  public struct Provider: Sendable, Hashable {
    /// Where the discovery document is; `nil` for `.well-known/openid-configuration` below the issuer's URL.
    public var discoveryURL: String?
    /// PEM, the authorities of the provider's certificate; `nil` for the system's.
    public var certificateAuthority: String?
    /// Whether keys may be fetched without TLS, by whoever can write to the network.
    public var insecurePlaintext: Bool

    public init(discoveryURL: String? = nil, certificateAuthority: String? = nil, insecurePlaintext: Bool = false) {
      self.discoveryURL = discoveryURL
      self.certificateAuthority = certificateAuthority
      self.insecurePlaintext = insecurePlaintext
    }
  }

  public var rules: TokenRules
  public var provider: Provider

  public init(rules: TokenRules, provider: Provider = Provider()) {
    self.rules = rules
    self.provider = provider
  }

  /// - Throws: ``Problem`` where the provider's authorities cannot be read
  public func check() throws(Problem) {
    do throws(ProviderFault) {
      _ = try ProviderFetcher(issuer: self.rules.issuer, provider: self.provider)
    } catch {
      throw Problem(
        "tokenIssuerBroken", blame: .operator, status: 500, message: "The gateway is not configured rightly.",
        detail: "issuer \(self.rules.issuer): \(error)")
    }
  }
}

/// What an operator may want to know of an issuer's keys.
public enum IssuerNews: Sendable, Hashable {
  /// Keys came, for the first time or behind a failure, or other entries of the set cannot be used.
  case keysFetched(issuer: String, count: Int, unusable: [String])
  /// The last good keys, if there are any, stay in use.
  case fetchFailed(issuer: String, reason: String)
}
