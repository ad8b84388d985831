import Crypto
import CryptoExtras
import Foundation

/// A signed token as a client sends it, read and not yet verified.
///
/// Written from RFC 7515 and RFC 7519 without any of the gateway's code, so that what the gateway signs is read by somebody
/// else's reading of the standards.
struct IDToken {
  let algorithm: String
  let keyID: String?
  let claims: JSON
  private let input: [UInt8]
  private let signature: Data

  init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, let header = Self.json(parts[0]), let claims = Self.json(parts[1]), let signature = Self.bytes(parts[2]),
      let algorithm = header["alg"]?.string
    else { return nil }
    self.algorithm = algorithm
    self.keyID = header["kid"]?.string
    self.claims = claims
    self.input = Array("\(parts[0]).\(parts[1])".utf8)
    self.signature = signature
  }

  func isSigned(by key: PublicKey) -> Bool {
    switch (key.material, self.algorithm) {
    case (.p256(let key), "ES256"):
      guard let signature = try? P256.Signing.ECDSASignature(rawRepresentation: self.signature) else { return false }
      return key.isValidSignature(signature, for: SHA256.hash(data: self.input))
    case (.rsa(let key), "RS256"):
      return key.isValidSignature(
        _RSA.Signing.RSASignature(rawRepresentation: self.signature), for: SHA256.hash(data: self.input), padding: .insecurePKCS1v1_5)
    default: return false
    }
  }

  /// A key of a key set (RFC 7517).
  struct PublicKey: Sendable {
    enum Material: Sendable {
      case p256(P256.Signing.PublicKey)
      case rsa(_RSA.Signing.PublicKey)
    }

    let id: String?
    let material: Material

    init?(_ entry: JSON) {
      func bytes(_ name: String) -> Data? { entry[name]?.string.flatMap { IDToken.bytes($0[...]) } }
      guard entry["use"]?.string ?? "sig" == "sig" else { return nil }
      self.id = entry["kid"]?.string
      switch entry["kty"]?.string {
      case "EC":
        guard entry["crv"]?.string == "P-256", let x = bytes("x"), let y = bytes("y"),
          let key = try? P256.Signing.PublicKey(rawRepresentation: x + y)
        else { return nil }
        self.material = .p256(key)
      case "RSA":
        guard let n = bytes("n"), let e = bytes("e"), let key = try? _RSA.Signing.PublicKey(n: n, e: e) else { return nil }
        self.material = .rsa(key)
      default: return nil
      }
    }
  }

  private static func json(_ part: Substring) -> JSON? { self.bytes(part).flatMap { try? JSONReader.read($0) } }

  private static func bytes(_ part: Substring) -> Data? {
    guard !part.contains(where: { "+/=".contains($0) }) else { return nil }
    let padded = part.replacing("-", with: "+").replacing("_", with: "/") + String(repeating: "=", count: (4 - part.count % 4) % 4)
    return Data(base64Encoded: String(padded))
  }
}
