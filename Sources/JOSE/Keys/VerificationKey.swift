import Crypto
import CryptoExtras

/// A public key that verifies signatures, by the algorithms that its type is for and no others.
public struct VerificationKey: Sendable {
  enum Material: Sendable {
    case rsa(_RSA.Signing.PublicKey)
    case p256(P256.Signing.PublicKey)
    case p384(P384.Signing.PublicKey)
    case p521(P521.Signing.PublicKey)
    case ed25519(Curve25519.Signing.PublicKey)
  }

  let material: Material
  /// The one algorithm that the key's owner uses it with; `nil` where the owner does not say.
  let declared: SignatureAlgorithm?

  /// Whether a signature by this algorithm can be this key's.
  public func fits(_ algorithm: SignatureAlgorithm) -> Bool {
    if let declared, declared != algorithm { return false }
    return switch (self.material, algorithm) {
    case (.rsa, .rs256), (.rsa, .rs384), (.rsa, .rs512), (.rsa, .ps256), (.rsa, .ps384), (.rsa, .ps512): true
    case (.p256, .es256), (.p384, .es384), (.p521, .es512), (.ed25519, .edDSA): true
    default: false
    }
  }

  /// Whether the signature is this key's over these bytes. Never true for an algorithm that does not fit.
  public func verifies(_ signature: [UInt8], over input: some Sequence<UInt8>, by algorithm: SignatureAlgorithm) -> Bool {
    guard self.fits(algorithm) else { return false }
    let input = Array(input)
    switch self.material {
    case .rsa(let key):
      let rsa = _RSA.Signing.RSASignature(rawRepresentation: signature)
      switch algorithm {
      case .rs256: return key.isValidSignature(rsa, for: SHA256.hash(data: input), padding: .insecurePKCS1v1_5)
      case .rs384: return key.isValidSignature(rsa, for: SHA384.hash(data: input), padding: .insecurePKCS1v1_5)
      case .rs512: return key.isValidSignature(rsa, for: SHA512.hash(data: input), padding: .insecurePKCS1v1_5)
      case .ps256: return key.isValidSignature(rsa, for: SHA256.hash(data: input), padding: .PSS)
      case .ps384: return key.isValidSignature(rsa, for: SHA384.hash(data: input), padding: .PSS)
      case .ps512: return key.isValidSignature(rsa, for: SHA512.hash(data: input), padding: .PSS)
      case .es256, .es384, .es512, .edDSA: return false
      }
    case .p256(let key):
      guard let ecdsa = try? P256.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
      return key.isValidSignature(ecdsa, for: SHA256.hash(data: input))
    case .p384(let key):
      guard let ecdsa = try? P384.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
      return key.isValidSignature(ecdsa, for: SHA384.hash(data: input))
    case .p521(let key):
      guard let ecdsa = try? P521.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
      return key.isValidSignature(ecdsa, for: SHA512.hash(data: input))
    case .ed25519(let key):
      return key.isValidSignature(signature, for: input)
    }
  }
}
