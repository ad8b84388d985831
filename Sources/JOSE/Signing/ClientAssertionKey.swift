import Crypto
import CryptoExtras
import SallyportJSON

import struct Foundation.Data

/// A private key by which a client says who it is (`private_key_jwt`: RFC 7523 section 2.2, OpenID Connect Core section 9).
///
/// The algorithm follows from the key: ES256, ES384, ES512 for the NIST curves, RS256 for RSA, which every provider has to
/// know.
public struct ClientAssertionKey: Sendable {
  private enum Material: Sendable {
    case rsa(_RSA.Signing.PrivateKey)
    case p256(P256.Signing.PrivateKey)
    case p384(P384.Signing.PrivateKey)
    case p521(P521.Signing.PrivateKey)
  }

  private let material: Material
  private let keyID: String?
  public let algorithm: SignatureAlgorithm

  /// Why a text is no such key; never a part of it.
  public struct Fault: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String
  }

  /// - Parameters:
  ///   - pem: one private key without a passphrase
  ///   - keyID: the name by which the provider knows its public half (`kid`)
  /// - Throws: ``Fault`` for everything else, and for RSA keys of less than 2048 bits
  public init(pem: String, keyID: String? = nil) throws(Fault) {
    self.keyID = keyID
    if let key = try? P256.Signing.PrivateKey(pemRepresentation: pem) {
      (self.material, self.algorithm) = (.p256(key), .es256)
    } else if let key = try? P384.Signing.PrivateKey(pemRepresentation: pem) {
      (self.material, self.algorithm) = (.p384(key), .es384)
    } else if let key = try? P521.Signing.PrivateKey(pemRepresentation: pem) {
      (self.material, self.algorithm) = (.p521(key), .es512)
    } else if let key = try? _RSA.Signing.PrivateKey(pemRepresentation: pem) {
      guard key.keySizeInBits >= 2048 else { throw Fault(description: "its RSA key has less than 2048 bits") }
      (self.material, self.algorithm) = (.rsa(key), .rs256)
    } else {
      throw Fault(description: "it is no PEM private key without a passphrase, on P-256, P-384, P-521 or for RSA")
    }
  }

  /// An assertion for one question (RFC 7523 section 3).
  ///
  /// - Parameters:
  ///   - client: who says so, `iss` and `sub`
  ///   - audience: who is told
  ///   - id: `jti`, never the same twice
  ///   - now: in seconds since 1970
  ///   - lifetime: in seconds
  public func assertion(by client: String, for audience: String, id: String, at now: Int64, lifetime: Int64) throws -> String {
    var header: [String: JSONValue] = ["alg": .string(self.algorithm.rawValue), "typ": .string("JWT")]
    header["kid"] = self.keyID.map { .string($0) }
    let claims: [String: JSONValue] = [
      "iss": .string(client), "sub": .string(client), "aud": .string(audience), "jti": .string(id), "iat": .integer(now),
      "exp": .integer(now + lifetime),
    ]
    let input = "\(Base64URL.encode(JSONWriter.write(.object(header)))).\(Base64URL.encode(JSONWriter.write(.object(claims))))"
    return "\(input).\(Base64URL.encode(try self.signature(over: Array(input.utf8))))"
  }

  private func signature(over bytes: [UInt8]) throws -> Data {
    switch self.material {
    case .rsa(let key): try key.signature(for: SHA256.hash(data: bytes), padding: .insecurePKCS1v1_5).rawRepresentation
    case .p256(let key): try key.signature(for: SHA256.hash(data: bytes)).rawRepresentation
    case .p384(let key): try key.signature(for: SHA384.hash(data: bytes)).rawRepresentation
    case .p521(let key): try key.signature(for: SHA512.hash(data: bytes)).rawRepresentation
    }
  }
}
