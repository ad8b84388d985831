public import SallyportRevocation

/// What an ``Authenticator`` goes by; one value of one configuration generation.
public struct AuthenticatorConfiguration: Sendable {
  /// How long a judgement on a password holds without the password being verified again.
  public struct Cache: Sendable, Hashable {
    /// How long a good password is believed; 60 s unless configured. Groups and account of a directory's user are looked at
    /// again at half of it. A user removed from a password file is out at once: a reloaded file makes a new generation, and
    /// no entry outlives its own.
    public var lifetime: Duration
    /// How long a bad password is refused without a look at it; 5 s unless configured.
    public var negativeLifetime: Duration

    public init(lifetime: Duration = .seconds(60), negativeLifetime: Duration = .seconds(5)) {
      self.lifetime = lifetime
      self.negativeLifetime = negativeLifetime
    }
  }

  /// How many failed attempts are looked at. See ``FailureThrottle`` for what is counted.
  public struct Throttle: Sendable, Hashable {
    /// How many wrong passwords for one user from one network are looked at within ``per``; the next is refused.
    public var failures: Int
    public var per: Duration
    /// How long attempts are refused then.
    public var lockout: Duration

    public init(failures: Int = 5, per: Duration = .seconds(60), lockout: Duration = .seconds(300)) {
      self.failures = failures
      self.per = per
      self.lockout = lockout
    }
  }

  /// Who has passwords.
  public enum Holders: String, Sendable {
    case users
    /// Programs with a secret of their own (OAuth 2.0 clients).
    case clients
  }

  /// Where passwords are verified.
  public enum PasswordSource: Sendable {
    case file(PasswordFile)
    case store(any PasswordStore)
  }

  /// In the order in which they are asked: the first that knows a user decides about it. See ``PasswordStore``.
  public var passwords: [PasswordSource]
  /// Whose certificates count, and whom they name.
  public var certificates: CertificateRules
  /// The revocation lists that certificates are judged by; `nil`: none is looked at.
  public var revocation: RevocationStore?
  /// The users and groups beginning with `system:` that a credential may name, exactly as written. Kubernetes gives such
  /// names power (`system:masters` is above every rule), so that no other is ever taken from a certificate or a file.
  public var allowSystemNames: Set<String>
  /// What a client may show as the place that asks for the password (RFC 7617 section 2).
  public var realm: String
  public var cache: Cache
  public var throttle: Throttle
  /// What has the names that passwords are for: failures of a client are counted apart from those of a user of the same name.
  public var holders = Holders.users
  /// How people sign in with a browser; `nil`: nobody does.
  public var sessions: SessionRules?
  /// Where their sessions are, if several gateways share them.
  public var sharedSessions: SharedSessions?
  /// The OpenID providers that people sign in by. No two have one issuer.
  public var openIDProviders: [OpenIDProvider] = []
  /// Whose signed tokens are believed. No two have one issuer.
  public var tokens: [TokenIssuer] = []
  /// Who is asked, in this order, about tokens that are of none of these issuers.
  public var tokenEndpoints: [TokenEndpoint] = []
  /// The gateway's own issuer, whose tokens for the gateway itself are believed; `nil` where there is none.
  public var ownIssuer: OwnIssuer?
  /// The claims of tokens that are kept with identities, by their paths: see ``TokenRules/keptClaims``.
  public var keptClaims: [String] = []
  /// Hears what becomes of the fetching of issuers' keys, on any thread.
  public var issuerNews: @Sendable (IssuerNews) -> Void = { _ in }

  /// Somebody who is asked about tokens.
  public enum TokenEndpoint: Sendable {
    case introspection(IntrospectionEndpoint)
    case tokenReview(TokenReviewSource)
  }

  public init(
    passwords: [PasswordSource] = [], certificates: CertificateRules = CertificateRules(), revocation: RevocationStore? = nil,
    allowSystemNames: Set<String> = [], realm: String = "sallyport", cache: Cache = Cache(),
    throttle: Throttle = Throttle()
  ) {
    self.passwords = passwords
    self.certificates = certificates
    self.revocation = revocation
    self.allowSystemNames = allowSystemNames
    self.realm = realm
    self.cache = cache
    self.throttle = throttle
  }
}
