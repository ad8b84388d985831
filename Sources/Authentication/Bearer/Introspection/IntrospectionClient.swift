import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import SallyportCore
import SallyportJSON

import struct Foundation.Data

/// Asks somebody about a token, in a bounded time.
protocol TokenIntrospector: Sendable {
  /// - Throws: ``ProviderFault`` where there is no answer that could be read: nothing is known of the token then
  func answer(about token: Secret) async throws(ProviderFault) -> JSONValue
}

/// Asks an endpoint as RFC 7662 section 2.1 has it: the token in a form, the gateway by its secret.
struct IntrospectionClient: TokenIntrospector {
  private let endpoint: IntrospectionEndpoint
  private let connection: ProviderConnection

  init(_ endpoint: IntrospectionEndpoint) throws(ProviderFault) {
    self.endpoint = endpoint
    self.connection = try ProviderConnection(
      certificateAuthority: endpoint.certificateAuthority, insecurePlaintext: endpoint.insecurePlaintext)
  }

  func answer(about token: Secret) async throws(ProviderFault) -> JSONValue {
    try await ProviderConnection.within(self.endpoint.timeout) { () async throws(ProviderFault) in
      try await self.connection.document("the introspection answer", self.request(about: token))
    }
  }

  private func request(about token: Secret) -> HTTPClientRequest {
    var request = HTTPClientRequest(url: self.endpoint.url)
    request.method = .POST
    request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
    request.headers.add(name: "Accept", value: "application/json")
    var form = Array("token=".utf8) + token.withBytes(Self.formEncoded) + Array("&token_type_hint=access_token".utf8)
    let clientID = Array(self.endpoint.clientID.utf8).withUnsafeBytes(Self.formEncoded)
    let secret = self.endpoint.clientSecret.withBytes(Self.formEncoded)
    switch self.endpoint.clientAuthentication {
    case .basic:
      let credential = Data(clientID + [UInt8(ascii: ":")] + secret).base64EncodedString()
      request.headers.add(name: "Authorization", value: "Basic \(credential)")
    case .post:
      form += Array("&client_id=".utf8) + clientID + Array("&client_secret=".utf8) + secret
    }
    request.body = .bytes(ByteBuffer(bytes: form))
    return request
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
