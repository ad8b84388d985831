import Crypto
import Foundation
import NIOConcurrencyHelpers
import NIOCore
import SallyportJOSE

/// An OpenID provider on loopback, with the code flow: honest, and strict about its client, unless a test tells it to be otherwise.
///
/// It has nobody's password: whoever is led to it is signed in as ``Settings/claims`` say.
public final class OpenIDTestProvider: Sendable {
  public struct Settings: Sendable {
    /// Of id_tokens, in place of the ordinary ones, as JSON; an empty text removes a claim.
    public var claims: [String: String] = ["sid": #""sid-1""#]
    /// The same for the header.
    public var header: [String: String] = [:]
    /// Of the discovery document, beside the ordinary ones or in place of them.
    public var metadata: [String: String] = [:]
    /// Of the token answer, likewise.
    public var answer: [String: String] = [:]
    public var givesRefreshTokens = true
    /// Whether every answer of the authorization endpoint has `iss`.
    public var namesItself = true
    public var isAway = false

    public init() {}
  }

  private struct Grant: Sendable {
    let challenge: String
    let nonce: String
    let redirectURI: String
  }

  private struct State: Sendable {
    var settings = Settings()
    var grants: [String: Grant] = [:]
    var refreshToken: String?
    var refreshes = 0
    var count = 0
    /// What a client has done wrong.
    var complaints: [String] = []
  }

  public static let clientID = "sallyport"
  public static let clientSecret = "s3cr3t of the gateway's"

  public let https: TestProvider
  public let key: TokenMint.Key
  private let state = NIOLockedValueBox(State())

  public init(certificate: TestCertificate) async throws {
    self.https = try await TestProvider(certificate: certificate)
    self.key = try TokenMint.Key()
    self.https.answerRequests { [weak self] request, channel in self?.take(request, channel) }
  }

  public var issuer: String { self.https.issuer }
  public var mint: TokenMint { TokenMint(issuer: self.issuer, audience: Self.clientID, now: Int(Date().timeIntervalSince1970)) }
  /// How often a refresh token was taken.
  public var refreshes: Int { self.state.withLockedValue { $0.refreshes } }
  /// What the client has done that a strict provider does not take: codes and refresh tokens that came twice, a wrong verifier.
  public var complaints: [String] { self.state.withLockedValue { $0.complaints } }

  public func change(_ change: @Sendable (inout Settings) -> Void) { self.state.withLockedValue { change(&$0.settings) } }

  public func close() async { await self.https.close() }

  /// What somebody is sent back with who was led to an address and signs in there: the callback, path and query.
  public func callback(for address: String) throws -> String {
    let parameters = try Self.parameters(of: address)
    guard address.hasPrefix("\(self.issuer)/auth?"), parameters["response_type"] == "code", parameters["client_id"] == Self.clientID,
      parameters["scope"]?.split(separator: " ").contains("openid") == true, parameters["code_challenge_method"] == "S256",
      let challenge = parameters["code_challenge"], let nonce = parameters["nonce"], let state = parameters["state"],
      let redirectURI = parameters["redirect_uri"]
    else { throw Refused(what: "the authorization request: \(address)") }
    let code = self.state.withLockedValue { state in
      state.count += 1
      let code = "code/\(state.count)+\(UUID().uuidString)="
      state.grants[code] = Grant(challenge: challenge, nonce: nonce, redirectURI: redirectURI)
      return code
    }
    var query = [("code", code), ("state", state)]
    if self.state.withLockedValue({ $0.settings.namesItself }) { query.append(("iss", self.issuer)) }
    return "\(try Self.path(of: redirectURI))?\(Self.encoded(query))"
  }

  public struct Refused: Error, CustomStringConvertible {
    public let what: String
    public var description: String { "the provider refuses \(self.what)" }
  }

  /// Of an address, its parameters; none may come twice.
  public static func parameters(of address: String) throws -> [String: String] {
    let items = URLComponents(string: address)?.queryItems ?? []
    guard Set(items.map(\.name)).count == items.count else { throw Refused(what: "a parameter that comes twice: \(address)") }
    return Dictionary(uniqueKeysWithValues: items.map { ($0.name, $0.value ?? "") })
  }

  private static func path(of address: String) throws -> String {
    guard let url = URL(string: address), url.scheme == "https" else { throw Refused(what: "the redirect_uri \(address)") }
    return url.path
  }

  public static func encoded(_ form: [(String, String)]) -> String {
    let plain = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")
    return form.map { "\($0.0)=\($0.1.addingPercentEncoding(withAllowedCharacters: plain) ?? "")" }.joined(separator: "&")
  }

  /// A logout token for the session or the subject, with these claims in place of the ordinary ones.
  public func logoutToken(_ claims: [String: String] = [:]) throws -> String {
    let now = Int(Date().timeIntervalSince1970)
    let usual = [
      "email": "", "groups": "", "events": #"{"http://schemas.openid.net/event/backchannel-logout":{}}"#, "sid": #""sid-1""#,
      "jti": "\"\(UUID().uuidString)\"", "iat": "\(now)", "exp": "\(now + 120)",
    ]
    return try self.mint.token(self.key, usual.merging(claims) { $1 }, header: ["typ": #""logout+jwt""#])
  }

  // MARK: Requests

  private func take(_ request: TestProvider.Request, _ channel: any Channel) {
    let settings = self.state.withLockedValue { $0.settings }
    guard !settings.isAway else { return TestProvider.send("away", status: "503 Service Unavailable", type: "text/plain", to: channel) }
    switch request.path {
    case "/.well-known/openid-configuration": TestProvider.send(self.discovery(settings), to: channel)
    case "/keys": TestProvider.send((try? TokenMint.keySet(self.key)) ?? "", to: channel)
    case "/token":
      do {
        TestProvider.send(try self.tokens(request, settings), to: channel)
      } catch {
        self.state.withLockedValue { $0.complaints.append("\(error)") }
        TestProvider.send(#"{"error":"invalid_grant"}"#, status: "400 Bad Request", to: channel)
      }
    default: TestProvider.send("", status: "404 Not Found", to: channel)
    }
  }

  private func discovery(_ settings: Settings) -> String {
    let usual = [
      "issuer": "\"\(self.issuer)\"", "jwks_uri": "\"\(self.issuer)/keys\"", "authorization_endpoint": "\"\(self.issuer)/auth\"",
      "token_endpoint": "\"\(self.issuer)/token\"", "end_session_endpoint": "\"\(self.issuer)/end\"",
      "code_challenge_methods_supported": #"["S256"]"#, "authorization_response_iss_parameter_supported": "\(settings.namesItself)",
    ]
    return TokenMint.object(usual.merging(settings.metadata) { $1 })
  }

  private func tokens(_ request: TestProvider.Request, _ settings: Settings) throws -> String {
    let form = try Self.parameters(of: "https://x/?\(request.body.replacingOccurrences(of: "+", with: "%20"))")
    let secret = Self.encoded([("x", Self.clientSecret)]).dropFirst(2)
    let credential = Data("\(Self.clientID):\(secret)".utf8).base64EncodedString()
    guard request.head.contains("Authorization: Basic \(credential)") else { throw Refused(what: "the client's secret") }
    var claims = settings.claims
    switch form["grant_type"] {
    case "authorization_code":
      let grant = self.state.withLockedValue { $0.grants.removeValue(forKey: form["code"] ?? "") }
      guard let grant else { throw Refused(what: "a code that it has not given, or that came before") }
      let challenge = Base64URL.encode(Array(SHA256.hash(data: Data((form["code_verifier"] ?? "").utf8))))
      guard challenge == grant.challenge, grant.redirectURI == form["redirect_uri"] else { throw Refused(what: "the code's verifier") }
      if claims["nonce"] == nil { claims["nonce"] = "\"\(grant.nonce)\"" }
    case "refresh_token":
      try self.state.withLockedValue { state in
        guard let known = state.refreshToken, known == form["refresh_token"] else {
          // Whoever shows one twice may have stolen it: nobody gets another.
          state.refreshToken = nil
          throw Refused(what: "a refresh token that came before")
        }
        state.refreshes += 1
      }
    default: throw Refused(what: "the grant_type")
    }
    let next = UUID().uuidString
    self.state.withLockedValue { $0.refreshToken = next }
    let usual = [
      "access_token": #""access""#, "token_type": #""Bearer""#,
      "id_token": "\"\(try self.mint.token(self.key, claims, header: settings.header))\"",
      "refresh_token": settings.givesRefreshTokens ? "\"\(next)\"" : "",
    ]
    return TokenMint.object(usual.merging(settings.answer) { $1 })
  }
}
