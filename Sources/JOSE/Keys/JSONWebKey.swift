import Crypto
import CryptoExtras
public import SallyportJSON

/// One entry of a JSON Web Key Set (RFC 7517 section 4) that can verify signatures.
public struct JSONWebKey: Sendable {
  /// `kid`; `nil` where the key has none.
  public let keyID: String?
  public let key: VerificationKey

  /// Why an entry cannot be used: it is left out, and the others of its set are used.
  public struct Unusable: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
  }

  /// Shorter moduli are refused by every current guideline (RFC 7518 section 3.3); longer ones cost a verifier more than
  /// any owner needs.
  private static let modulusBytes = 256...1024

  /// Reads an entry.
  ///
  /// - Throws: ``Unusable`` for a key of another use or type, on an unknown curve, with a private part, of a bad length
  public init(_ entry: JSONValue) throws(Unusable) {
    guard let members = entry.object else { throw Unusable("it is no object") }
    if let use = members["use"], use.string != "sig" { throw Unusable("its use is not sig") }
    if let operations = members["key_ops"], operations.strings?.contains("verify") != true { throw Unusable("its key_ops lack verify") }
    // Whoever publishes a private part has published the key.
    guard members["d"] == nil, members["k"] == nil else { throw Unusable("it holds a private or symmetric key") }
    var declared: SignatureAlgorithm?
    if let algorithm = members["alg"] {
      guard let known = algorithm.string.flatMap(SignatureAlgorithm.init) else {
        throw Unusable("its alg is unknown or not for signatures")
      }
      declared = known
    }
    let key = VerificationKey(material: try Self.material(members), declared: declared)
    if let declared, !key.fits(declared) { throw Unusable("its alg is not one of its kty and crv") }
    self.key = key
    if let keyID = members["kid"] {
      guard let keyID = keyID.string else { throw Unusable("its kid is no string") }
      self.keyID = keyID
    } else {
      self.keyID = nil
    }
  }

  private static func material(_ members: [String: JSONValue]) throws(Unusable) -> VerificationKey.Material {
    do {
      switch members["kty"]?.string {
      case "RSA":
        let modulus = try self.bytes(members, "n")
        let exponent = try self.bytes(members, "e")
        guard self.modulusBytes.contains(modulus.drop { $0 == 0 }.count) else { throw Unusable("its modulus has no 2048 to 8192 bits") }
        guard let last = exponent.last, last & 1 == 1, exponent.count <= 4, !exponent.drop(while: { $0 == 0 }).elementsEqual([1]) else {
          throw Unusable("its exponent is bad")
        }
        return .rsa(try _RSA.Signing.PublicKey(n: modulus, e: exponent))
      case "EC":
        let point = try [0x04] + self.bytes(members, "x") + self.bytes(members, "y")
        switch members["crv"]?.string {
        case "P-256": return .p256(try P256.Signing.PublicKey(x963Representation: point))
        case "P-384": return .p384(try P384.Signing.PublicKey(x963Representation: point))
        case "P-521": return .p521(try P521.Signing.PublicKey(x963Representation: point))
        default: throw Unusable("its crv is unknown")
        }
      case "OKP":
        guard members["crv"]?.string == "Ed25519" else { throw Unusable("its crv is unknown") }
        return .ed25519(try Curve25519.Signing.PublicKey(rawRepresentation: try self.bytes(members, "x")))
      default: throw Unusable("its kty is unknown")
      }
    } catch let error as Unusable {
      throw error
    } catch {
      throw Unusable("it is no valid key of its kty")
    }
  }

  private static func bytes(_ members: [String: JSONValue], _ name: String) throws(Unusable) -> [UInt8] {
    guard let text = members[name]?.string, let bytes = Base64URL.decode(text.utf8), !bytes.isEmpty else {
      throw Unusable("its \(name) is no base64url")
    }
    return bytes
  }
}
