public import SallyportJOSE
import SallyportJSON

/// What an issuer's tokens must say to be believed, and how their claims become an identity.
///
/// The names are those of Kubernetes' `AuthenticationConfiguration` (apiserver.config.k8s.io/v1, `jwt`).
public struct TokenRules: Sendable {
  /// A claim that becomes a name, behind a prefix that keeps this issuer's names apart from all others.
  public struct Mapping: Sendable, Hashable {
    public var claim: ClaimPath
    public var prefix: String

    public init(claim: ClaimPath, prefix: String) {
      self.claim = claim
      self.prefix = prefix
    }
  }

  /// A claim that becomes an extra attribute.
  public struct ExtraMapping: Sendable, Hashable {
    /// Lower case, as Kubernetes demands.
    public var key: String
    public var claim: ClaimPath

    public init(key: String, claim: ClaimPath) {
      self.key = key
      self.claim = claim
    }
  }

  /// A claim that must have one value.
  public struct Requirement: Sendable, Hashable {
    public var claim: ClaimPath
    public var requiredValue: String

    public init(claim: ClaimPath, requiredValue: String) {
      self.claim = claim
      self.requiredValue = requiredValue
    }
  }

  /// `iss`, compared byte for byte (OpenID Connect Core section 3.1.3.7). Empty for introspection answers of any.
  public var issuer: String
  /// One of them must be in `aud`. Empty for introspection answers alone, whose endpoint knows who asks: a signed token for
  /// somebody else's audience is somebody else's.
  public var audiences: [String]
  /// The algorithms that the issuer signs with.
  public var algorithms: Set<SignatureAlgorithm>
  public var username: Mapping
  public var groups: Mapping?
  public var uid: ClaimPath?
  /// Whether a token may be without that claim: who signed in by something that has no UID has none.
  public var isUIDOptional = false
  public var extra: [ExtraMapping]
  public var requirements: [Requirement]
  /// All of them must be in `scope` (RFC 9068 section 2.2.3) or `scp`.
  public var requiredScopes: [String]
  /// Claims that are kept with the identity, for those who pass them on. No judgement depends on them.
  var keptClaims: [ClaimPath] = []

  public init(
    issuer: String, audiences: [String], algorithms: Set<SignatureAlgorithm> = [.rs256, .es256], username: Mapping, groups: Mapping? = nil,
    uid: ClaimPath? = nil, extra: [ExtraMapping] = [], requirements: [Requirement] = [], requiredScopes: [String] = []
  ) {
    self.issuer = issuer
    self.audiences = audiences
    self.algorithms = algorithms
    self.username = username
    self.groups = groups
    self.uid = uid
    self.extra = extra
    self.requirements = requirements
    self.requiredScopes = requiredScopes
  }

  /// The same, with claims that are kept.
  func keeping(_ claims: [String]) -> TokenRules {
    var rules = self
    rules.keptClaims = claims.map { ClaimPath($0) }
    return rules
  }
}

extension IntrospectionEndpoint {
  /// The same, with claims that are kept.
  func keeping(_ claims: [String]) -> IntrospectionEndpoint {
    var endpoint = self
    endpoint.rules = endpoint.rules.keeping(claims)
    return endpoint
  }
}

extension TokenReviewSource {
  /// The same, with claims that are kept.
  func keeping(_ claims: [String]) -> TokenReviewSource {
    var source = self
    source.keptClaims = claims.map { ClaimPath($0) }
    return source
  }
}
