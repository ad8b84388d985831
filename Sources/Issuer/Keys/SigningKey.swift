import Crypto
import CryptoExtras
public import SallyportJOSE
public import SallyportJSON

/// A private key that signs tokens.
public struct SigningKey: Sendable {
  /// The algorithms that keys are made for.
  public enum Algorithm: String, Sendable, CaseIterable {
    /// ECDSA with P-256: a signature costs some twenty microseconds.
    case es256 = "ES256"
    /// For verifiers that know nothing else, as kube-apiserver without `--oidc-signing-algs`; a signature costs half a
    /// millisecond.
    case rs256 = "RS256"

    public var signature: SignatureAlgorithm { self == .es256 ? .es256 : .rs256 }
  }

  private enum Material: Sendable {
    case p256(P256.Signing.PrivateKey)
    case rsa(_RSA.Signing.PrivateKey)
  }

  /// `kid`: the thumbprint of the public key (RFC 7638), so that every replica gives it the same name.
  public let id: String
  public let algorithm: Algorithm
  /// The entry of a key set, with the public half alone (RFC 7517).
  public let publicEntry: JSONValue
  private let material: Material

  /// A new key.
  public init(_ algorithm: Algorithm) throws(IssuerFault) {
    switch algorithm {
    case .es256: self.init(.p256(P256.Signing.PrivateKey()), algorithm)
    case .rs256:
      guard let key = try? _RSA.Signing.PrivateKey(keySize: .bits2048) else { throw IssuerFault("a key could not be made") }
      try self.init(rsa: key)
    }
  }

  /// Reads a key.
  ///
  /// - Throws: ``IssuerFault`` for anything but one private key, P-256 or RSA with 2048 bits at least, without a password
  public init(pem: String) throws(IssuerFault) {
    if let key = try? P256.Signing.PrivateKey(pemRepresentation: pem) {
      self.init(.p256(key), .es256)
    } else if let key = try? _RSA.Signing.PrivateKey(pemRepresentation: pem) {
      try self.init(rsa: key)
    } else {
      throw IssuerFault("holds no private key, P-256 or RSA with 2048 bits at least, without a password")
    }
  }

  private init(rsa key: _RSA.Signing.PrivateKey) throws(IssuerFault) {
    guard let parts = try? key.publicKey.getKeyPrimitives() else { throw IssuerFault("holds a key that cannot be used") }
    self.init(
      .rsa(key), .rs256,
      members: [
        "kty": "RSA", "n": Base64URL.encode(parts.modulus.drop { $0 == 0 }), "e": Base64URL.encode(parts.publicExponent.drop { $0 == 0 }),
      ])
  }

  private init(_ material: Material, _ algorithm: Algorithm, members: [String: String] = [:]) {
    var members = members
    if case .p256(let key) = material {
      let point = Array(key.publicKey.x963Representation.dropFirst())
      members = ["kty": "EC", "crv": "P-256", "x": Base64URL.encode(point.prefix(32)), "y": Base64URL.encode(point.suffix(32))]
    }
    // The members that RFC 7638 section 3.2 requires, in the order of their names, are the ones above and no others.
    let thumbprint = SHA256.hash(data: JSONWriter.write(.object(members.mapValues { .string($0) })))
    self.id = Base64URL.encode(Array(thumbprint))
    self.algorithm = algorithm
    self.material = material
    members["kid"] = self.id
    members["use"] = "sig"
    members["alg"] = algorithm.rawValue
    self.publicEntry = .object(members.mapValues { .string($0) })
  }

  /// PKCS #8, unencrypted.
  public var pem: String {
    switch self.material {
    case .p256(let key): key.pemRepresentation + "\n"
    case .rsa(let key): key.pkcs8PEMRepresentation + "\n"
    }
  }

  /// A token in compact form (RFC 7515 section 7.1) with these claims.
  public func token(_ claims: [String: JSONValue]) throws(IssuerFault) -> String {
    let header: JSONValue = .object(["alg": .string(self.algorithm.rawValue), "kid": .string(self.id), "typ": .string("JWT")])
    let input = "\(Base64URL.encode(JSONWriter.write(header))).\(Base64URL.encode(JSONWriter.write(.object(claims))))"
    return "\(input).\(Base64URL.encode(try self.signature(over: Array(input.utf8))))"
  }

  private func signature(over bytes: [UInt8]) throws(IssuerFault) -> [UInt8] {
    do {
      switch self.material {
      case .p256(let key): return Array(try key.signature(for: SHA256.hash(data: bytes)).rawRepresentation)
      case .rsa(let key):
        return Array(try key.signature(for: SHA256.hash(data: bytes), padding: .insecurePKCS1v1_5).rawRepresentation)
      }
    } catch {
      throw IssuerFault("a token could not be signed")
    }
  }
}
