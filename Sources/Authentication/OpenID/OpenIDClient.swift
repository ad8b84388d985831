import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import SallyportCore
import SallyportJSON

import struct Foundation.Date

/// Asks a provider as its client, in a bounded time.
protocol OpenIDClient: Sendable {
  func metadata() async throws(ProviderFault) -> ProviderMetadata
  /// - Returns: an error where the provider says by a word that it does not give any
  func tokens(for grant: OpenIDGrant, at endpoint: String) async throws(ProviderFault) -> Result<OpenIDTokens, OAuthError>
  /// The claims of the userinfo endpoint (OpenID Connect Core section 5.3).
  func userinfo(by accessToken: Secret, at endpoint: String) async throws(ProviderFault) -> [String: JSONValue]
}

/// By what tokens are asked for.
enum OpenIDGrant: Sendable {
  case code(AuthorizationCode)
  case refresh(Secret)
}

/// What a token endpoint gives (OpenID Connect Core sections 3.1.3.3 and 12.2).
struct OpenIDTokens: Sendable {
  let idToken: Secret?
  let accessToken: Secret?
  let refreshToken: Secret?

  /// A longer one does not come back in a form.
  private static let mostBytes = 16 * 1024

  /// - Throws: ``ProviderFault`` for what is no answer with tokens; nothing of one is in it
  init(_ answer: JSONValue) throws(ProviderFault) {
    guard let members = answer.object else { throw ProviderFault("the token answer is no object") }
    func token(_ name: String) throws(ProviderFault) -> Secret? {
      guard let value = members[name], value != .null else { return nil }
      guard let text = value.string, !text.isEmpty, text.utf8.count <= Self.mostBytes, text.utf8.allSatisfy({ 0x20...0x7E ~= $0 }) else {
        throw ProviderFault("the token answer's \(name) is empty, too long, or no text")
      }
      return Secret(text.utf8)
    }
    guard members["token_type"]?.string?.lowercased() == "bearer" else {
      throw ProviderFault("the token answer's token_type is not Bearer")
    }
    self.idToken = try token("id_token")
    self.accessToken = try token("access_token")
    self.refreshToken = try token("refresh_token")
  }
}

/// The same over HTTPS.
struct OpenIDConnection: OpenIDClient {
  private let settings: OpenIDProvider
  private let connection: ProviderConnection
  private let discoveryURL: String
  private let wall: @Sendable () -> Date

  /// For one question.
  private static let timeLimit = Duration.seconds(10)

  /// - Throws: ``ProviderFault`` for authorities that are no PEM
  init(_ settings: OpenIDProvider, wall: @escaping @Sendable () -> Date) throws(ProviderFault) {
    self.settings = settings
    self.wall = wall
    self.discoveryURL = settings.provider.discoveryURL ?? ProviderFetcher.wellKnown(settings.issuer)
    self.connection = try ProviderConnection(
      certificateAuthority: settings.provider.certificateAuthority, insecurePlaintext: settings.provider.insecurePlaintext)
  }

  func metadata() async throws(ProviderFault) -> ProviderMetadata {
    try await ProviderConnection.within(Self.timeLimit) { () async throws(ProviderFault) in
      var request = HTTPClientRequest(url: self.discoveryURL)
      request.headers.add(name: "Accept", value: "application/json")
      let document = try await self.connection.document("the discovery document", request)
      return try ProviderMetadata(document, issuer: self.settings.issuer, mayAsk: self.connection.mayAsk)
    }
  }

  func tokens(for grant: OpenIDGrant, at endpoint: String) async throws(ProviderFault) -> Result<OpenIDTokens, OAuthError> {
    try await ProviderConnection.within(Self.timeLimit) { () async throws(ProviderFault) in
      var request = HTTPClientRequest(url: endpoint)
      request.headers.add(name: "Accept", value: "application/json")
      var form = ProviderForm(Self.fields(of: grant))
      try form.authenticate(self.settings.clientID, by: self.settings.clientAuthentication, in: &request, at: self.wall())
      request.body = .bytes(form.body)
      switch try await self.connection.documentOrError("the token endpoint", request) {
      case .success(let answer): return .success(try OpenIDTokens(answer))
      case .failure(let error): return .failure(error)
      }
    }
  }

  private static func fields(of grant: OpenIDGrant) -> [(name: String, value: Secret)] {
    switch grant {
    case .code(let code):
      [
        ("grant_type", Secret("authorization_code".utf8)), ("code", code.code), ("redirect_uri", Secret(code.redirectURI.utf8)),
        ("code_verifier", code.verifier),
      ]
    case .refresh(let token): [("grant_type", Secret("refresh_token".utf8)), ("refresh_token", token)]
    }
  }

  func userinfo(by accessToken: Secret, at endpoint: String) async throws(ProviderFault) -> [String: JSONValue] {
    try await ProviderConnection.within(Self.timeLimit) { () async throws(ProviderFault) in
      var request = HTTPClientRequest(url: endpoint)
      request.headers.add(name: "Accept", value: "application/json")
      request.headers.add(name: "Authorization", value: "Bearer \(accessToken.withBytes { String(decoding: $0, as: UTF8.self) })")
      guard let claims = try await self.connection.document("the userinfo endpoint", request).object else {
        throw ProviderFault("the userinfo endpoint answers with no object")
      }
      return claims
    }
  }
}

/// A provider whose authorities cannot be read is never asked: they were read when the configuration was.
struct BrokenOpenIDClient: OpenIDClient {
  let fault: ProviderFault
  func metadata() async throws(ProviderFault) -> ProviderMetadata { throw self.fault }
  func tokens(for grant: OpenIDGrant, at endpoint: String) async throws(ProviderFault) -> Result<OpenIDTokens, OAuthError> {
    throw self.fault
  }
  func userinfo(by accessToken: Secret, at endpoint: String) async throws(ProviderFault) -> [String: JSONValue] { throw self.fault }
}
