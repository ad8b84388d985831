import Foundation
import SallyportJSON

/// An identity provider at which a user signs in by a browser, as kept with what he has signed in to.
public struct Provider: Sendable, Equatable, Codable {
  let issuer: String
  let clientID: String
  let scopes: [String]
  /// PEM; `nil` for the system's.
  let authorities: [UInt8]?
  /// Whether the gateway gives a token of its own for the provider's, or takes that as it is.
  let exchanges: Bool

  public init(issuer: String, clientID: String, scopes: [String], authorities: [UInt8]?, exchanges: Bool) {
    self.issuer = issuer
    self.clientID = clientID
    self.scopes = scopes
    self.authorities = authorities
    self.exchanges = exchanges
  }

  /// Where the provider is asked (OpenID Connect Discovery 1.0 section 3).
  struct Endpoints: Sendable {
    let authorization: String
    let token: String
    /// Whether the provider says who it is in its answers by the browser (RFC 9207).
    let namesIssuer: Bool
  }

  func endpoints(by connection: SecureConnection) async throws(CommandFailure) -> Endpoints {
    let base = self.issuer.hasSuffix("/") ? String(self.issuer.dropLast()) : self.issuer
    let answer = try await connection.get("\(base)/.well-known/openid-configuration")
    let document = answer.document
    guard answer.status == 200, document["issuer"]?.string == self.issuer, let authorization = document["authorization_endpoint"]?.string,
      let token = document["token_endpoint"]?.string
    else { throw CommandFailure("\(self.issuer): the discovery document is another issuer's, or has no endpoints") }
    for url in [authorization, token] where !url.lowercased().hasPrefix("https://") {
      throw CommandFailure("\(self.issuer): \(url) is not an https URL")
    }
    return Endpoints(
      authorization: authorization, token: token,
      namesIssuer: document["authorization_response_iss_parameter_supported"]?.bool ?? false)
  }

  /// What the provider gave: an id_token for this client, and perhaps a refresh token.
  struct Given: Sendable {
    let token: SignedIn.Token
    let refreshToken: String?
  }

  /// - Parameter nonce: what the token must say, where it is the answer to a request that had one
  /// - Throws: ``CommandFailure`` for a refusal, and for a token of somebody else or for somebody else (OpenID Connect Core section 3.1.3.7)
  func given(
    by answer: SecureConnection.Answer, nonce: String?, at now: Date = Date()
  ) throws(CommandFailure) -> Given {
    guard answer.status == 200 else {
      let text = answer.document["error_description"]?.string ?? answer.document["error"]?.string ?? "status \(answer.status)"
      throw CommandFailure("\(self.issuer): \(text.prefix(300))")
    }
    let token = try SignedIn.Token(answer.document, member: "id_token", at: now, from: self.issuer)
    guard let claims = JWTClaims.read(token.text), claims["iss"]?.string == self.issuer,
      (claims["aud"]?.string.map { [$0] } ?? claims["aud"]?.strings ?? []).contains(self.clientID),
      nonce == nil || claims["nonce"]?.string == nonce
    else { throw CommandFailure("\(self.issuer) gave a token that is not the answer to this sign-in") }
    return Given(token: token, refreshToken: answer.document["refresh_token"]?.string)
  }

  /// A new token for a refresh token (RFC 6749 section 6).
  func refresh(_ refreshToken: String) async throws(CommandFailure) -> Given {
    let connection = try SecureConnection(authorities: self.authorities)
    let endpoints = try await self.endpoints(by: connection)
    let answer = try await connection.post(
      [("grant_type", "refresh_token"), ("refresh_token", refreshToken), ("client_id", self.clientID)], to: endpoints.token)
    return try self.given(by: answer, nonce: nil)
  }
}
