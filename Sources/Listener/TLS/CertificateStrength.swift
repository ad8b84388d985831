import SwiftASN1
import X509

/// What of a certificate's cryptography is good enough.
///
/// RSA from 2048 bits (NIST SP 800-131A), signatures with SHA-2 or Ed25519. The library reads SHA-1 too, for roots of old;
/// a collision in it is bought for the price of a car. MD5 and everything else it does not verify at all.
enum CertificateStrength {
  /// Larger keys only cost time, each signature of theirs.
  static let rsaBits = 2048...8192

  private static let signatures: [Certificate.SignatureAlgorithm] = [
    .ecdsaWithSHA256, .ecdsaWithSHA384, .ecdsaWithSHA512, .sha256WithRSAEncryption, .sha384WithRSAEncryption, .sha512WithRSAEncryption,
    .ed25519,
  ]

  /// What is wrong with the signature, as the predicate of a sentence.
  static func fault(ofSignature certificate: Certificate) -> String? {
    guard !self.signatures.contains(certificate.signatureAlgorithm) else { return nil }
    return "is signed with \(certificate.signatureAlgorithm); SHA-256, SHA-384 or SHA-512 with RSA or ECDSA, or Ed25519, is needed"
  }

  /// What is wrong with the key. What is not RSA is on one of the curves that the library knows, all of them strong.
  static func fault(ofKey key: Certificate.PublicKey) -> String? {
    guard let bits = self.rsaBits(of: key), !self.rsaBits.contains(bits) else { return nil }
    return "has an RSA key of \(bits) bits; from \(self.rsaBits.lowerBound) to \(self.rsaBits.upperBound) are accepted"
  }

  /// The length of the modulus; `nil` for a key that is not RSA, and 0 for one that cannot be read.
  private static func rsaBits(of key: Certificate.PublicKey) -> Int? {
    do {
      guard let modulus = try self.modulus(of: key) else { return nil }
      let magnitude = modulus.drop { $0 == 0 }
      return magnitude.first.map { magnitude.count * 8 - $0.leadingZeroBitCount } ?? 0
    } catch {
      return 0
    }
  }

  /// ```
  /// SubjectPublicKeyInfo ::= SEQUENCE { SEQUENCE { algorithm OID, parameters }, BIT STRING }  (RFC 5280 section 4.1.2.7)
  /// RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }                     (RFC 8017 appendix A.1.1)
  /// ```
  private static func modulus(of key: Certificate.PublicKey) throws -> ArraySlice<UInt8>? {
    var serializer = DER.Serializer()
    try serializer.serialize(key)
    return try DER.sequence(try DER.parse(serializer.serializedBytes), identifier: .sequence) { nodes in
      guard let algorithm = nodes.next(), let bits = nodes.next() else { return [] }
      let identifier = try DER.sequence(algorithm, identifier: .sequence) { parts in
        defer { while parts.next() != nil {} }
        return try ASN1ObjectIdentifier(derEncoded: &parts)
      }
      guard identifier == .AlgorithmIdentifier.rsaEncryption else { return nil }
      return try DER.sequence(try DER.parse(try ASN1BitString(derEncoded: bits).bytes), identifier: .sequence) { numbers in
        defer { while numbers.next() != nil {} }
        return try ArraySlice<UInt8>(derEncoded: &numbers)
      }
    }
  }
}
