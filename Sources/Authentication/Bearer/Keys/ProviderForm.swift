import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import SallyportCore
import SallyportJOSE

import struct Foundation.Data
import struct Foundation.Date

/// A form that the gateway sends to an identity provider, and by which it says who it is.
struct ProviderForm {
  private static let assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
  /// How long an assertion is good for, in seconds: it is made for one question.
  private static let assertionLifetime: Int64 = 60

  private var bytes: [UInt8] = []

  init(_ fields: [(name: String, value: Secret)]) {
    for field in fields { self.append(field.name, field.value) }
  }

  var body: ByteBuffer { ByteBuffer(bytes: self.bytes) }

  mutating func append(_ name: String, _ value: Secret) {
    if !self.bytes.isEmpty { self.bytes.append(UInt8(ascii: "&")) }
    self.bytes += Array(name.utf8) + [UInt8(ascii: "=")] + value.withBytes(Self.encoded)
  }

  /// Makes a request for the form, and adds by what the client proves itself (RFC 6749 section 2.3.1, RFC 7523 section 2.2).
  ///
  /// - Parameter authentication: `nil` for a public client, which only names itself
  /// - Throws: ``ProviderFault`` where the gateway's key cannot sign
  mutating func authenticate(
    _ clientID: String, by authentication: IntrospectionEndpoint.ClientAuthentication?, in request: inout HTTPClientRequest, at now: Date
  ) throws(ProviderFault) {
    request.method = .POST
    request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
    let id = Secret(clientID.utf8)
    switch authentication {
    case nil: self.append("client_id", id)
    case .basic(let secret):
      let pair = id.withBytes(Self.encoded) + [UInt8(ascii: ":")] + secret.withBytes(Self.encoded)
      request.headers.add(name: "Authorization", value: "Basic \(Data(pair).base64EncodedString())")
    case .post(let secret):
      self.append("client_id", id)
      self.append("client_secret", secret)
    case .privateKeyJWT(let key, let audience):
      let assertion: String
      do {
        assertion = try key.assertion(
          by: clientID, for: audience, id: Self.randomID(), at: Int64(now.timeIntervalSince1970), lifetime: Self.assertionLifetime)
      } catch {
        throw ProviderFault("the gateway's key could not sign")
      }
      self.append("client_id", id)
      self.append("client_assertion_type", Secret(Self.assertionType.utf8))
      self.append("client_assertion", Secret(assertion.utf8))
    }
  }

  /// 128 random bits, so that no two assertions are the same.
  private static func randomID() -> String {
    var random = SystemRandomNumberGenerator()
    return (0..<2).map { _ in String(random.next() as UInt64, radix: 36) }.joined(separator: "-")
  }

  /// `application/x-www-form-urlencoded`: everything but letters, digits and a few signs is escaped.
  private static func encoded(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
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
