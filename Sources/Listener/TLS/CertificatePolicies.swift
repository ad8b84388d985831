import SwiftASN1
import X509

/// The certificate policies of a chain: under which rules the certificate was issued (RFC 5280 section 4.2.1.4).
///
/// ```
/// CertificatePolicies ::= SEQUENCE SIZE (1..MAX) OF SEQUENCE { policyIdentifier OID, policyQualifiers … OPTIONAL }
/// ```
/// A policy holds for a chain if the leaf names it and every authority between names it or `anyPolicy`. That is section
/// 6.1 without policy mappings, which only ever let more through; a critical extension that would let less through
/// (policyConstraints, inhibitAnyPolicy) is not understood, and refuses the certificate.
enum CertificatePolicies {
  static let identifier: ASN1ObjectIdentifier = [2, 5, 29, 32]
  private static let anyPolicy: ASN1ObjectIdentifier = [2, 5, 29, 32, 0]

  /// The policies that hold for a path from the leaf to the trusted authority, which is not asked.
  static func allowed(in path: [Certificate]) throws -> [String] {
    guard let leaf = path.first else { return [] }
    var allowed = try self.policies(of: leaf).filter { $0 != self.anyPolicy }
    for issuer in path.dropFirst().dropLast() where !allowed.isEmpty {
      let policies = try self.policies(of: issuer)
      if !policies.contains(self.anyPolicy) { allowed.removeAll { !policies.contains($0) } }
    }
    return allowed.map { $0.description }
  }

  private static func policies(of certificate: Certificate) throws -> [ASN1ObjectIdentifier] {
    guard let item = certificate.extensions.first(where: { $0.oid == self.identifier }) else { return [] }
    return try DER.sequence(try DER.parse(item.value), identifier: .sequence) { nodes in
      var policies: [ASN1ObjectIdentifier] = []
      while let node = nodes.next() {
        policies.append(
          try DER.sequence(node, identifier: .sequence) { parts in
            defer { while parts.next() != nil {} }
            return try ASN1ObjectIdentifier(derEncoded: &parts)
          })
      }
      return policies
    }
  }
}
