public import SallyportCore
import SallyportJSON

public import struct Foundation.Date

/// The gateway as an OpenID provider: signs id_tokens that say who somebody is (OpenID Connect Core 1.0 section 2), and
/// publishes the keys by which they are verified (OpenID Connect Discovery 1.0).
public final class Issuer: Sendable {
  /// `iss`, as verifiers are configured with it.
  public let url: String
  public let keys: KeyRing
  /// How long a token lasts at most, in seconds.
  public let tokenLifetime: Double

  /// - Parameter keys: at least one; its own lifetime of tokens is this issuer's
  public init(url: String, keys: KeyRing) {
    self.url = url
    self.keys = keys
    self.tokenLifetime = keys.tokenLifetime
  }

  /// Whether another would sign the same.
  public func isSame(as other: Issuer) -> Bool {
    self.url == other.url && self.tokenLifetime == other.tokenLifetime
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

  /// Signs a token for somebody.
  ///
  /// It ends with what proved the identity at the latest.
  ///
  /// - Parameters:
  ///   - audience: whom the token is for, and who must take it alone
  ///   - email: the user's address, where something that was verified says it
  /// - Throws: ``Problem/proofEnds`` (401) where less than a second is left; ``Problem/issuerUnable``
  public func token(for identity: Identity, audience: String, email: String?, at now: Date) throws(Problem) -> Token {
    // Whole seconds, as the claims have them, rounded to the safe side.
    let seconds = now.timeIntervalSince1970.rounded(.down)
    let latest = seconds + self.tokenLifetime
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
    case .jwt, .introspection, .tokenReview, .session, .gateway:
      (identity.token?.authenticated.flatMap { Int64(exactly: $0.timeIntervalSince1970.rounded(.down)) }, identity.token?.methods ?? [])
    }
  }

  private static func randomID() -> String {
    let digits = Array("0123456789abcdef".utf8)
    var generator = SystemRandomNumberGenerator()
    return String(decoding: (0..<32).map { _ in digits[Int.random(in: 0..<16, using: &generator)] }, as: UTF8.self)
  }

  // MARK: - What verifiers read

  /// `…/.well-known/openid-configuration`: where the keys are. There is no endpoint that a browser could sign in at, and no
  /// grant; what the standard requires of those who have them is left out, as kube-apiserver does for its own tokens.
  public func discoveryDocument(at now: Date) -> [UInt8] {
    let algorithms = Set(self.keys.published(at: now).map(\.algorithm.rawValue)).sorted()
    return JSONWriter.write(
      .object([
        "issuer": .string(self.url), "jwks_uri": .string("\(self.url)/keys"), "response_types_supported": .array([.string("id_token")]),
        "subject_types_supported": .array([.string("public")]),
        "id_token_signing_alg_values_supported": .array(algorithms.map { .string($0) }),
        "claims_supported": .array(Self.claims.map { .string($0) }),
      ]))
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
