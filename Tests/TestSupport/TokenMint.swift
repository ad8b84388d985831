import Crypto
import CryptoExtras
import Foundation
public import SallyportJOSE

/// Signs tokens as an identity provider does, and as no honest one would.
public struct TokenMint: Sendable {
  /// A key pair of a provider's, with the name that it is published under.
  public struct Key: Sendable {
    enum Material: Sendable {
      case rsa(_RSA.Signing.PrivateKey)
      case p256(P256.Signing.PrivateKey)
      case p384(P384.Signing.PrivateKey)
      case p521(P521.Signing.PrivateKey)
      case ed25519(Curve25519.Signing.PrivateKey)
    }

    public var id: String?
    public let algorithm: SignatureAlgorithm
    let material: Material

    /// A new key for an algorithm. RSA keys are made once and shared: making one takes long.
    public init(_ algorithm: SignatureAlgorithm = .es256, id: String? = "key-1") throws {
      self.id = id
      self.algorithm = algorithm
      switch algorithm {
      case .es256: self.material = .p256(P256.Signing.PrivateKey())
      case .es384: self.material = .p384(P384.Signing.PrivateKey())
      case .es512: self.material = .p521(P521.Signing.PrivateKey())
      case .edDSA: self.material = .ed25519(Curve25519.Signing.PrivateKey())
      case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512: self.material = .rsa(try Self.sharedRSA.get())
      }
    }

    private static let sharedRSA = Result { try _RSA.Signing.PrivateKey(keySize: .bits2048) }

    /// The entry of a key set.
    ///
    /// - Parameter members: more of it, as JSON: `["use": "\"sig\""]`
    public func entry(_ members: [String: String] = [:]) throws -> String {
      var all: [String: String] = members
      func put(_ name: String, _ bytes: some Collection<UInt8>) { all[name] = "\"\(Base64URL.encode(bytes))\"" }
      func curve(_ name: String, _ point: Data) {
        all["kty"] = #""EC""#
        all["crv"] = "\"\(name)\""
        let half = (point.count - 1) / 2
        put("x", point.dropFirst().prefix(half))
        put("y", point.suffix(half))
      }
      switch self.material {
      case .rsa(let key):
        let parts = try key.publicKey.getKeyPrimitives()
        all["kty"] = #""RSA""#
        put("n", parts.modulus)
        put("e", parts.publicExponent)
      case .p256(let key): curve("P-256", key.publicKey.x963Representation)
      case .p384(let key): curve("P-384", key.publicKey.x963Representation)
      case .p521(let key): curve("P-521", key.publicKey.x963Representation)
      case .ed25519(let key):
        all["kty"] = #""OKP""#
        all["crv"] = #""Ed25519""#
        put("x", key.publicKey.rawRepresentation)
      }
      if let id, all["kid"] == nil { all["kid"] = "\"\(id)\"" }
      return TokenMint.object(all)
    }

    /// The public key as PEM, which a forger would use as an HMAC secret.
    public var publicPEM: String {
      switch self.material {
      case .rsa(let key): key.publicKey.pemRepresentation
      case .p256(let key): key.publicKey.pemRepresentation
      case .p384(let key): key.publicKey.pemRepresentation
      case .p521(let key): key.publicKey.pemRepresentation
      case .ed25519: ""
      }
    }

    /// The private key as PEM; `nil` for Ed25519, which swift-crypto does not write.
    public var privatePEM: String? {
      switch self.material {
      case .rsa(let key): key.pemRepresentation
      case .p256(let key): key.pemRepresentation
      case .p384(let key): key.pemRepresentation
      case .p521(let key): key.pemRepresentation
      case .ed25519: nil
      }
    }

    /// The signature over bytes by an algorithm, which need not be the key's own.
    public func signature(over bytes: [UInt8], by algorithm: SignatureAlgorithm? = nil) throws -> [UInt8] {
      switch (self.material, algorithm ?? self.algorithm) {
      case (.rsa(let key), .rs256): Array(try key.signature(for: SHA256.hash(data: bytes), padding: .insecurePKCS1v1_5).rawRepresentation)
      case (.rsa(let key), .rs384): Array(try key.signature(for: SHA384.hash(data: bytes), padding: .insecurePKCS1v1_5).rawRepresentation)
      case (.rsa(let key), .rs512): Array(try key.signature(for: SHA512.hash(data: bytes), padding: .insecurePKCS1v1_5).rawRepresentation)
      case (.rsa(let key), .ps256): Array(try key.signature(for: SHA256.hash(data: bytes), padding: .PSS).rawRepresentation)
      case (.rsa(let key), .ps384): Array(try key.signature(for: SHA384.hash(data: bytes), padding: .PSS).rawRepresentation)
      case (.rsa(let key), _): Array(try key.signature(for: SHA512.hash(data: bytes), padding: .PSS).rawRepresentation)
      case (.p256(let key), _): Array(try key.signature(for: SHA256.hash(data: bytes)).rawRepresentation)
      case (.p384(let key), _): Array(try key.signature(for: SHA384.hash(data: bytes)).rawRepresentation)
      case (.p521(let key), _): Array(try key.signature(for: SHA512.hash(data: bytes)).rawRepresentation)
      case (.ed25519(let key), _): Array(try key.signature(for: bytes))
      }
    }

    /// The same in ASN.1, as some libraries write ECDSA signatures.
    public func asn1Signature(over bytes: [UInt8]) throws -> [UInt8]? {
      guard case .p256(let key) = self.material else { return nil }
      return Array(try key.signature(for: SHA256.hash(data: bytes)).derRepresentation)
    }
  }

  public var issuer: String
  public var audience: String
  /// Seconds since 1970.
  public var now: Int

  public init(issuer: String = "https://idp.example.org", audience: String = "kubernetes", now: Int) {
    self.issuer = issuer
    self.audience = audience
    self.now = now
  }

  /// The claims of an ordinary token, as JSON by their names.
  public var claims: [String: String] {
    [
      "iss": "\"\(self.issuer)\"", "aud": "\"\(self.audience)\"", "sub": #""alice-1""#, "email": #""alice@example.org""#,
      "groups": #"["dev","ops"]"#, "iat": "\(self.now - 10)", "exp": "\(self.now + 600)", "jti": #""token-1""#,
    ]
  }

  /// A token in compact form.
  ///
  /// - Parameters:
  ///   - claims: in place of the ordinary ones, as JSON; an empty text removes a claim
  ///   - header: the same for the header
  public func token(_ key: Key, _ claims: [String: String] = [:], header: [String: String] = [:]) throws -> String {
    var fields = ["alg": "\"\(key.algorithm.rawValue)\"", "typ": #""JWT""#]
    if let id = key.id { fields["kid"] = "\"\(id)\"" }
    return try self.token(
      key, headerText: Self.object(fields.merging(header) { $1 }), payloadText: Self.object(self.claims.merging(claims) { $1 }))
  }

  /// A token of whatever text stands in it.
  public func token(_ key: Key, headerText: String, payloadText: String) throws -> String {
    let input = "\(Base64URL.encode(headerText.utf8)).\(Base64URL.encode(payloadText.utf8))"
    return "\(input).\(Base64URL.encode(try key.signature(over: Array(input.utf8))))"
  }

  /// A document with the public halves of these keys.
  public static func keySet(_ keys: Key...) throws -> String { try self.keySet(keys.map { try $0.entry() }) }

  public static func keySet(_ entries: [String]) -> String { #"{"keys":[\#(entries.joined(separator: ","))]}"# }

  static func object(_ members: [String: String]) -> String {
    "{" + members.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
  }
}
