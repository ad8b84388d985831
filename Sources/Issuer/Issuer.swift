public import SallyportCore
import SallyportJSON

public import struct Foundation.Date

/// The gateway as an OpenID provider: signs id_tokens that say who somebody is (OpenID Connect Core 1.0 section 2), and
/// publishes the keys by which they are verified (OpenID Connect Discovery 1.0).
public final class Issuer: Sendable {
  /// `iss`, as verifiers are configured with it.
  public let url: String
  public let keys: KeyRing
  /// How long a token for an upstream lasts at most, in seconds.
  public let tokenLifetime: Double
  /// How long a token that a client holds lasts at most, in seconds; `nil` where clients get none.
  public let clientTokenLifetime: Double?

  /// - Parameters:
  ///   - keys: at least one; its own lifetime of tokens is that of the longest of this issuer's
  ///   - tokenLifetime: the keys' own unless given
  public init(url: String, keys: KeyRing, tokenLifetime: Double? = nil, clientTokenLifetime: Double? = nil) {
    self.url = url
    self.keys = keys
    self.tokenLifetime = min(tokenLifetime ?? keys.tokenLifetime, keys.tokenLifetime)
    self.clientTokenLifetime = clientTokenLifetime.map { min($0, keys.tokenLifetime) }
  }

  /// Whether another would sign the same.
  public func isSame(as other: Issuer) -> Bool {
    self.url == other.url && self.tokenLifetime == other.tokenLifetime && self.clientTokenLifetime == other.clientTokenLifetime
      && self.keys.entries.map(\.key.id) == other.keys.entries.map(\.key.id)
      && self.keys.entries.map(\.begins) == other.keys.entries.map(\.begins)
  }

  /// Clocks differ: a token is valid this much before it is made, in seconds.
  private static let backdating = 30.0

  /// A token of this issuer's.
  public struct Token: Sendable {
    /// In compact form.
    public let text: Secret
    /// `jti`: 128 random bits, lower-case hexadecimal.
    public let id: String
    /// `exp`
    public let ends: Date
    /// Whether a later token would end no later: what proved the identity ends then.
    public let endsWithProof: Bool
  }

  /// Who holds a token (RFC 8693 sections 4.2 and 4.3).
  public struct Client: Sendable {
    public let id: String
    public let scopes: [String]

    public init(id: String, scopes: [String]) {
      self.id = id
      self.scopes = scopes
    }
  }

  /// Signs a token for somebody.
  ///
  /// It ends with what proved the identity at the latest.
  ///
  /// - Parameters:
  ///   - audience: whom the token is for, and who must take it alone
  ///   - email: the user's address, where something that was verified says it
  ///   - client: who gets the token, and with which scopes; `nil` for one that goes to an upstream alone
  /// - Throws: ``Problem/proofEnds`` (401) where less than a second is left; ``Problem/issuerUnable``
  public func token(
    for identity: Identity, audience: String, email: String?, client: Client? = nil, at now: Date
  ) throws(Problem) -> Token {
    // Whole seconds, as the claims have them, rounded to the safe side.
    let seconds = now.timeIntervalSince1970.rounded(.down)
    let latest = seconds + (client == nil ? self.tokenLifetime : self.clientTokenLifetime ?? self.tokenLifetime)
    let proofEnds = identity.proofEnds?.timeIntervalSince1970.rounded(.down)
    let ends = min(latest, proofEnds ?? latest)
    guard ends > now.timeIntervalSince1970 + 1 else { throw .proofEnds }
    guard let key = self.keys.signer(at: now) else { throw .issuerUnable.with(detail: "\(self.url): there is no signing key") }
    let id = Self.randomID()
    var claims: [String: JSONValue] = [
      "iss": .string(self.url), "sub": .string(identity.username), "aud": .string(audience), "exp": .integer(Int64(ends)),
      "nbf": .integer(Int64(seconds - Self.backdating)), "iat": .integer(Int64(seconds)), "jti": .string(id),
      "preferred_username": .string(identity.username), "groups": .array(identity.groups.map { .string($0) }),
    ]
    if let client {
      claims["client_id"] = .string(client.id)
      if !client.scopes.isEmpty { claims["scope"] = .string(client.scopes.joined(separator: " ")) }
    }
    claims["uid"] = identity.uid.map { .string($0) }
    claims["email"] = (identity.token?.email ?? email).map { .string($0) }
    let (authenticated, methods) = Self.authentication(of: identity, at: seconds)
    claims["auth_time"] = authenticated.map { .integer($0) }
    if !methods.isEmpty { claims["amr"] = .array(methods.map { .string($0) }) }
    do throws(IssuerFault) {
      let text = try key.token(claims)
      return Token(text: Secret(text.utf8), id: id, ends: Date(timeIntervalSince1970: ends), endsWithProof: proofEnds == ends)
    } catch {
      throw .issuerUnable.with(detail: "\(self.url): \(error)")
    }
  }

  /// When and how somebody was authenticated (`auth_time`, `amr`; RFC 8176).
  ///
  /// Who presents a certificate or a password does so with every request, so that this is the time; whom a session stands for
  /// did when it began; of whom a token proves only the token knows.
  private static func authentication(of identity: Identity, at seconds: Double) -> (time: Int64?, methods: [String]) {
    let time = Int64(identity.session?.began.timeIntervalSince1970.rounded(.down) ?? seconds)
    return switch identity.session?.signedInBy ?? identity.method {
    case .clientCertificate: (time, ["pop"])
    case .passwordFile, .ldap, .pam: (time, ["pwd"])
    case .jwt, .introspection, .tokenReview, .oidc, .issuedToken, .session, .gateway:
      (identity.token?.authenticated.flatMap { Int64(exactly: $0.timeIntervalSince1970.rounded(.down)) }, identity.token?.methods ?? [])
    }
  }

  private static func randomID() -> String {
    let digits = Array("0123456789abcdef".utf8)
    var generator = SystemRandomNumberGenerator()
    return String(decoding: (0..<32).map { _ in digits[Int.random(in: 0..<16, using: &generator)] }, as: UTF8.self)
  }

  // MARK: - What verifiers read

  /// `…/.well-known/openid-configuration`: where the keys are, and the token endpoint where clients get tokens. There is no
  /// endpoint that a browser could sign in at; what the standard requires of those who have one is left out, as kube-apiserver
  /// does for its own tokens.
  public func discoveryDocument(at now: Date) -> [UInt8] {
    func list(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }
    var members: [String: JSONValue] = [
      "issuer": .string(self.url), "jwks_uri": .string("\(self.url)/keys"), "response_types_supported": list(["id_token"]),
      "subject_types_supported": list(["public"]),
      "id_token_signing_alg_values_supported": list(Set(self.keys.published(at: now).map(\.algorithm.rawValue)).sorted()),
      "claims_supported": list(Self.claims),
    ]
    if self.clientTokenLifetime != nil {
      members["token_endpoint"] = .string("\(self.url)/token")
      members["grant_types_supported"] = list([TokenRequest.exchangeGrant, TokenRequest.signInGrant])
      members["token_endpoint_auth_methods_supported"] = list(["client_secret_basic", "tls_client_auth", "none"])
    }
    return JSONWriter.write(.object(members))
  }

  /// `…/keys`: the public halves of the keys that sign, will sign soon, or have signed what has not ended yet.
  public func keySet(at now: Date) -> [UInt8] {
    JSONWriter.write(.object(["keys": .array(self.keys.published(at: now).map(\.publicEntry))]))
  }

  private static let claims = [
    "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "auth_time", "amr", "groups", "preferred_username", "email", "uid",
  ]
}

extension Problem {
  public static let issuerUnable = Problem(
    "issuerUnable", blame: .ourselves, status: 500, message: "The gateway could not say to the upstream who you are.")
}
