public import Foundation
import SallyportJSON

/// A gateway that gives tokens to those who sign in (`POST /.sallyport/token`).
public struct TokenGateway: Sendable {
  let address: GatewayAddress
  let clientID: String
  private let connection: SecureConnection

  /// - Parameters:
  ///   - authorities: who signed the gateway's certificate, PEM; `nil` for the system's authorities
  ///   - certificate: by which the user signs in, where that is by one
  /// - Throws: ``CommandFailure`` for PEM that cannot be read
  public init(
    _ address: GatewayAddress, clientID: String, authorities: [UInt8]?, certificate: ClientCertificate? = nil
  ) throws(CommandFailure) {
    self.address = address
    self.clientID = clientID
    self.connection = try SecureConnection(authorities: authorities, certificate: certificate)
  }

  /// A token for whoever signs in: by this name and password, or by the certificate.
  ///
  /// - Throws: ``CommandFailure`` with what the gateway says, and nothing of what it was told
  public func signIn(username: String?, password: String?, at now: Date = Date()) async throws(CommandFailure) -> SignedIn.Token {
    let authorization = username.map { "Basic " + Data("\($0):\(password ?? "")".utf8).base64EncodedString() }
    return try await self.ask([("grant_type", "client_credentials"), ("client_id", self.clientID)], authorization, at: now)
  }

  /// A token for whoever another token stands for (RFC 8693).
  func exchange(_ token: String, at now: Date = Date()) async throws(CommandFailure) -> SignedIn.Token {
    try await self.ask(
      [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), ("client_id", self.clientID), ("subject_token", token),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
      ], nil, at: now)
  }

  private func ask(
    _ form: [(name: String, value: String)], _ authorization: String?, at now: Date
  ) async throws(CommandFailure) -> SignedIn.Token {
    let answer = try await self.connection.post(form, to: self.address.tokenEndpoint, authorization: authorization)
    guard answer.status == 200 else { throw CommandFailure("\(self.address): \(Self.complaint(answer))") }
    return try SignedIn.Token(answer.document, member: "access_token", at: now, from: self.address.description)
  }

  private static func complaint(_ answer: SecureConnection.Answer) -> String {
    if answer.status == 404 { return "the gateway gives no tokens at this host; ask its operator about issuer.tokenExchange" }
    let text = answer.document["error_description"]?.string ?? answer.document["message"]?.string ?? answer.document["error"]?.string
    return text.map { String($0.prefix(300)) } ?? "status \(answer.status)"
  }
}
