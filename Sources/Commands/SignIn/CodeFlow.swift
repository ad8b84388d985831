import Crypto
import Foundation
import SallyportJOSE

/// Signs a user in at a provider by a browser: the code flow with PKCE (RFC 7636, method S256) and a redirect to this machine
/// (RFC 8252 section 7.3).
public struct CodeFlow: Sendable {
  let provider: Provider
  /// How long the user may take.
  let timeout: Duration

  public init(_ provider: Provider, timeout: Duration = .seconds(300)) {
    self.provider = provider
    self.timeout = timeout
  }

  /// Who began the flow, which nobody else can know.
  struct Attempt: Sendable {
    let state = Self.random()
    let nonce = Self.random()
    let verifier = Self.random()

    /// 256 random bits.
    private static func random() -> String {
      var generator = SystemRandomNumberGenerator()
      return Base64URL.encode((0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) })
    }

    var challenge: String { CodeFlow.challenge(self.verifier) }
  }

  /// `code_challenge = BASE64URL(SHA256(ASCII(code_verifier)))`
  static func challenge(_ verifier: String) -> String { Base64URL.encode(Array(SHA256.hash(data: Data(verifier.utf8)))) }

  /// - Parameter show: gets the URL that the user's browser must open
  /// - Throws: ``CommandFailure`` where the provider refuses, the user takes too long, or an answer is to another request
  func signIn(show: @Sendable (String) -> Void) async throws(CommandFailure) -> Provider.Given {
    let connection = try SecureConnection(authorities: self.provider.authorities)
    let endpoints = try await self.provider.endpoints(by: connection)
    let attempt = Attempt()
    let receiver = try await LoopbackReceiver.start(state: attempt.state)
    let result: Result<Provider.Given, CommandFailure>
    do throws(CommandFailure) {
      show(self.address(endpoints, attempt, receiver.redirectURI))
      let answer = try await receiver.answer(within: self.timeout)
      let code = try self.code(in: answer, endpoints)
      let given = try await connection.post(
        [
          ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", receiver.redirectURI),
          ("client_id", self.provider.clientID),
          ("code_verifier", attempt.verifier),
        ], to: endpoints.token)
      result = .success(try self.provider.given(by: given, nonce: attempt.nonce))
    } catch {
      result = .failure(error)
    }
    await receiver.close()
    return try result.get()
  }

  private func address(_ endpoints: Provider.Endpoints, _ attempt: Attempt, _ redirectURI: String) -> String {
    let query = SecureConnection.encode([
      ("response_type", "code"), ("client_id", self.provider.clientID), ("redirect_uri", redirectURI),
      ("scope", self.provider.scopes.joined(separator: " ")), ("state", attempt.state), ("nonce", attempt.nonce),
      ("code_challenge", attempt.challenge), ("code_challenge_method", "S256"),
    ])
    return endpoints.authorization + (endpoints.authorization.contains("?") ? "&" : "?") + query
  }

  private func code(in answer: [String: String], _ endpoints: Provider.Endpoints) throws(CommandFailure) -> String {
    // Whose answer it is: another provider's, mixed in, would get the code (RFC 9207).
    if let issuer = answer["iss"] {
      guard issuer == self.provider.issuer else { throw CommandFailure("the browser brought another provider's answer") }
    } else if endpoints.namesIssuer {
      throw CommandFailure("the browser brought an answer that does not say whose it is")
    }
    if let error = answer["error"] {
      throw CommandFailure("\(self.provider.issuer): \((answer["error_description"] ?? error).prefix(300))")
    }
    guard let code = answer["code"], !code.isEmpty else { throw CommandFailure("the browser brought no code") }
    return code
  }
}
