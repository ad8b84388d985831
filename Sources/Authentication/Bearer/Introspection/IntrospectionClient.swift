import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import SallyportCore
import SallyportJOSE
import SallyportJSON

import struct Foundation.Data
import struct Foundation.Date

/// Asks somebody about a token, in a bounded time.
protocol TokenIntrospector: Sendable {
  /// - Throws: ``ProviderFault`` where there is no answer that could be read: nothing is known of the token then
  func answer(about token: Secret) async throws(ProviderFault) -> IntrospectionAnswer
}

/// Asks an endpoint as RFC 7662 section 2.1 has it: the token in a form, the gateway by its secret or its key.
struct IntrospectionClient: TokenIntrospector {
  private static let assertionType = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
  /// How long an assertion is good for, in seconds: it is made for one question.
  private static let assertionLifetime: Int64 = 60

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
    request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
    switch self.endpoint.answer {
    case .json: request.headers.add(name: "Accept", value: "application/json")
    case .introspectionJWT: request.headers.add(name: "Accept", value: "application/token-introspection+jwt")
    case .tokenJWT: request.headers.add(name: "Accept", value: "application/jwt")
    }
    var form = Array("token=".utf8) + token.withBytes(Self.formEncoded) + Array("&token_type_hint=access_token".utf8)
    let clientID = Array(self.endpoint.clientID.utf8).withUnsafeBytes(Self.formEncoded)
    switch self.endpoint.clientAuthentication {
    case .basic(let secret):
      let credential = Data(clientID + [UInt8(ascii: ":")] + secret.withBytes(Self.formEncoded)).base64EncodedString()
      request.headers.add(name: "Authorization", value: "Basic \(credential)")
    case .post(let secret):
      form += Array("&client_id=".utf8) + clientID + Array("&client_secret=".utf8) + secret.withBytes(Self.formEncoded)
    case .privateKeyJWT(let key, let audience):
      let assertion: String
      do {
        assertion = try key.assertion(
          by: self.endpoint.clientID, for: audience, id: Self.randomID(), at: Int64(self.wall().timeIntervalSince1970),
          lifetime: Self.assertionLifetime)
      } catch {
        throw ProviderFault("the gateway's key could not sign")
      }
      form += Array("&client_id=".utf8) + clientID + Array("&client_assertion_type=\(Self.assertionType)&client_assertion=".utf8)
      form += Array(assertion.utf8)
    }
    request.body = .bytes(ByteBuffer(bytes: form))
    return request
  }

  /// 128 random bits, so that no two assertions are the same.
  private static func randomID() -> String {
    var random = SystemRandomNumberGenerator()
    return (0..<2).map { _ in String(random.next() as UInt64, radix: 36) }.joined(separator: "-")
  }

  /// `application/x-www-form-urlencoded`: everything but letters, digits and a few signs is escaped.
  private static func formEncoded(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    let digits = Array("0123456789ABCDEF".utf8)
    return bytes.reduce(into: []) { encoded, byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "*"):
        encoded.append(byte)
      default: encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
  }
}
