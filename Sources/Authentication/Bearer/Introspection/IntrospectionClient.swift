import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import SallyportCore
import SallyportJSON

import struct Foundation.Date

/// Asks somebody about a token, in a bounded time.
protocol TokenIntrospector: Sendable {
  /// - Throws: ``ProviderFault`` where there is no answer that could be read: nothing is known of the token then
  func answer(about token: Secret) async throws(ProviderFault) -> IntrospectionAnswer
}

/// Asks an endpoint as RFC 7662 section 2.1 has it: the token in a form, the gateway by its secret or its key.
struct IntrospectionClient: TokenIntrospector {
  private let endpoint: IntrospectionEndpoint
  private let connection: ProviderConnection
  private let wall: @Sendable () -> Date

  init(_ endpoint: IntrospectionEndpoint, wall: @escaping @Sendable () -> Date = { Date() }) throws(ProviderFault) {
    self.endpoint = endpoint
    self.wall = wall
    self.connection = try ProviderConnection(
      certificateAuthority: endpoint.certificateAuthority, insecurePlaintext: endpoint.insecurePlaintext)
  }

  func answer(about token: Secret) async throws(ProviderFault) -> IntrospectionAnswer {
    try await ProviderConnection.within(self.endpoint.timeout) { () async throws(ProviderFault) in
      let request = try self.request(about: token)
      let name = "the introspection answer"
      switch self.endpoint.answer {
      case .json: return .json(try await self.connection.document(name, request))
      case .introspectionJWT:
        return .signed(try await self.connection.text(name, request, type: "application/token-introspection+jwt"))
      case .tokenJWT:
        guard let text = try await self.connection.textOrNothing(name, request, type: "application/jwt") else { return .nothing }
        return .signed(text)
      }
    }
  }

  private func request(about token: Secret) throws(ProviderFault) -> HTTPClientRequest {
    var request = HTTPClientRequest(url: self.endpoint.url)
    request.method = .POST
    switch self.endpoint.answer {
    case .json: request.headers.add(name: "Accept", value: "application/json")
    case .introspectionJWT: request.headers.add(name: "Accept", value: "application/token-introspection+jwt")
    case .tokenJWT: request.headers.add(name: "Accept", value: "application/jwt")
    }
    var form = ProviderForm([("token", token), ("token_type_hint", Secret("access_token".utf8))])
    try form.authenticate(self.endpoint.clientID, by: self.endpoint.clientAuthentication, in: &request, at: self.wall())
    request.body = .bytes(form.body)
    return request
  }
}
