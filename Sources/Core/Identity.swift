public import struct Foundation.Date

/// How somebody proved who they are; the raw value stands in the audit record.
public enum AuthenticationMethod: String, Sendable, Hashable, CaseIterable {
  case clientCertificate, passwordFile, ldap, pam
  case jwt, introspection, tokenReview
  /// By an OpenID provider that a browser was led to; what is presented afterwards is a ``session``.
  case oidc
  /// By a token of the gateway's own issuer, however whoever got it had signed in.
  case issuedToken
  /// A browser's session; ``Identity/session`` says what it was begun by.
  case session
  /// The gateway itself, where it asks an upstream something of its own.
  case gateway
}

/// Somebody who was authenticated: what Kubernetes calls `user.Info`, and where it comes from.
///
/// One object is made for one verified credential and shared by all requests that present it, so that a cache hit costs
/// a reference. Only authenticators make one: the initialiser is behind `@_spi(Authenticator)`.
public final class Identity: Sendable, CustomStringConvertible {
  public let username: String
  public let uid: String?
  public let groups: [String]
  /// The extra attributes in a fixed order; the keys are lower case, as Kubernetes demands them.
  public let extra: [Extra]
  public let method: AuthenticationMethod
  /// Facts of the original credential for the audit record: `subject`, `serial`, `fingerprint`, …
  public let origin: [Fact]
  /// When the credential itself ends; `nil` for one that does not (a password).
  public let expires: Date?
  /// A digest of what the credential was verified against, a password's hash, so that it shows when that is another; empty
  /// where nothing is kept.
  public let verifier: [UInt8]
  /// What the token says that proved the identity; `nil` for an identity that no token proved.
  public let token: TokenClaims?
  /// The signed token that an endpoint answered with when it was asked about an opaque one (RFC 9701); `nil` for all others.
  public let phantomToken: Secret?

  /// The browser's session that stands for the identity; `nil` where the credential itself was presented.
  public let session: Session?
  /// How its password store finds the user again; `nil` where it cannot without the password.
  public let account: Account?

  /// A browser's session.
  public struct Session: Sendable, Hashable {
    /// What the session is kept under: a hash of the ID that only its browser has.
    public let key: [UInt8]
    /// What the user signed in by.
    public let signedInBy: AuthenticationMethod
    /// When that was.
    public let began: Date

    public init(key: [UInt8], signedInBy: AuthenticationMethod, began: Date) {
      self.key = key
      self.signedInBy = signedInBy
      self.began = began
    }

    /// What records and operators call it: the beginning of ``key`` in hexadecimal. Nobody gets in by it.
    public var handle: String { Self.handle(of: self.key) }

    public static func handle(of key: [UInt8]) -> String {
      key.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
  }

  /// An account of a password store.
  public struct Account: Sendable, Hashable, Codable {
    /// A digest of the store and of everything that its judgements depend on.
    public let store: [UInt8]
    /// The account: a distinguished name, a user name.
    public let name: String
    /// What was typed when the user signed in.
    public let typedName: String

    public init(store: [UInt8], name: String, typedName: String) {
      self.store = store
      self.name = name
      self.typedName = typedName
    }
  }

  /// The claims of a token that routes may ask for.
  public struct TokenClaims: Sendable, Hashable, Codable {
    public let issuer: String
    public let audiences: [String]
    public let scopes: [String]
    /// `exp`, without the leeway that a verifier's clock gets.
    public let expires: Date?
    /// `auth_time`: when the user was authenticated; `nil` where the token does not say.
    public let authenticated: Date?
    /// `amr`: how, in the words of RFC 8176.
    public let methods: [String]
    /// `email`, unless the token says that nobody has verified it.
    public let email: String?
    /// The upstream that vouches for the token, where it is a cluster's own: no other cluster knows whom it names. `nil` for
    /// a token of an identity provider.
    public let cluster: String?
    /// The claims that header templates of the configuration name, by their paths; the others are not kept.
    public let stated: [String: StatedClaim]

    public init(
      issuer: String, audiences: [String], scopes: [String], expires: Date? = nil, authenticated: Date? = nil, methods: [String] = [],
      email: String? = nil, cluster: String? = nil, stated: [String: StatedClaim] = [:]
    ) {
      self.issuer = issuer
      self.audiences = audiences
      self.scopes = scopes
      self.expires = expires
      self.authenticated = authenticated
      self.methods = methods
      self.email = email
      self.cluster = cluster
      self.stated = stated
    }
  }

  /// A claim's value; numbers, and booleans in a list, as JSON writes them.
  public enum StatedClaim: Sendable, Hashable, Codable {
    case text(String)
    case flag(Bool)
    case list([String])
  }

  public struct Extra: Sendable, Hashable {
    public let key: String
    public let values: [String]
    public init(key: String, values: [String]) {
      self.key = key
      self.values = values
    }
  }

  public struct Fact: Sendable, Hashable {
    public let name: String
    public let value: String
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  @_spi(Authenticator)
  public init(
    username: String, uid: String? = nil, groups: [String], extra: [Extra] = [], method: AuthenticationMethod, origin: [Fact] = [],
    expires: Date? = nil, verifier: [UInt8] = [], token: TokenClaims? = nil, phantomToken: Secret? = nil,
    session: Session? = nil, account: Account? = nil
  ) {
    self.username = username
    self.uid = uid
    self.groups = groups
    self.extra = extra
    self.method = method
    self.origin = origin
    self.expires = expires
    self.verifier = verifier
    self.token = token
    self.phantomToken = phantomToken
    self.session = session
    self.account = account
  }

  /// When what proved the identity ends, without any leeway: what is made of the identity does not outlast it.
  public var proofEnds: Date? { self.token?.expires ?? self.expires }

  public var description: String { "\(self.username) (\(self.method.rawValue))" }
}

extension Problem {
  /// What proved the identity ends this second, so that nothing can be made of it any more.
  public static let proofEnds = Problem(
    "credentialEnds", blame: .client, status: 401, message: "The credential has ended; present a new one.")
}
