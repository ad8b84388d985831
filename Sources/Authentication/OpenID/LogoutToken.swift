import SallyportJOSE
import SallyportJSON

import struct Foundation.Date

/// What a provider says by a logout token: that somebody has signed out there (OpenID Connect Back-Channel Logout 1.0 section 2.4).
struct LogoutToken: Sendable, Hashable {
  /// `typ`: the standard has `logout+jwt`, which providers from before it do not send.
  static let types: [String?] = ["logout+jwt", "jwt", nil]
  private static let event = "http://schemas.openid.net/event/backchannel-logout"
  /// One that is older is somebody's recording, in seconds. For so long, and the clocks' difference, a `jti` is remembered.
  static let oldest = 600.0

  /// Whom: the session of the provider's, else all of the subject's.
  let sessionID: String?
  let subject: String?
  /// `jti`; it counts once.
  let tokenID: String

  /// - Parameters:
  ///   - token: with a good signature
  ///   - rules: the issuer's, whose audience is the client
  /// - Throws: ``TokenRefusal`` with the first claim that is not as it must be
  init(_ token: SignedToken, rules: TokenRules, at now: Date) throws(TokenRefusal) {
    let claims = token.claims
    let reader = ClaimsReader(claims, rules: rules, at: now)
    // The standard had no `exp` until December 2023; `iat` and `jti` bound a token as well.
    _ = try reader.envelope(isEndless: true)
    guard let issued = try reader.time("iat") else { throw TokenRefusal("iat is missing") }
    guard issued > now.timeIntervalSince1970 - Self.oldest else { throw TokenRefusal("the token is not of now (iat)") }
    guard claims["events"]?[Self.event]?.object != nil else { throw TokenRefusal("events has no back-channel logout") }
    // An id_token with an event in it would be both.
    guard claims["nonce"] == nil else { throw TokenRefusal("nonce stands in no logout token") }
    guard let tokenID = claims["jti"]?.string, !tokenID.isEmpty, tokenID.utf8.count <= 256 else { throw TokenRefusal("jti is missing") }
    func text(_ name: String) throws(TokenRefusal) -> String? {
      guard let value = claims[name] else { return nil }
      guard let text = value.string, !text.isEmpty else { throw TokenRefusal("\(name) is no text") }
      return text
    }
    let (sessionID, subject) = (try text("sid"), try text("sub"))
    guard sessionID != nil || subject != nil else { throw TokenRefusal("there is neither sid nor sub") }
    self.sessionID = sessionID
    self.subject = subject
    self.tokenID = tokenID
  }
}

/// What a session is found by when its provider ends it.
enum ProviderTag {
  static func session(_ id: String, of issuer: String) -> String { "oidc/sid/\(issuer.utf8.count)/\(issuer)/\(id)" }
  static func subject(_ id: String, of issuer: String) -> String { "oidc/sub/\(issuer.utf8.count)/\(issuer)/\(id)" }
}
