import SallyportCore
import SwiftASN1
import X509

import struct Foundation.Date

/// The purposes of the certificates in a client's chain, which the library's RFC 5280 policy does not judge.
///
/// - The leaf must say that it is made for client authentication; `anyExtendedKeyUsage` does not say so, and a
///   certificate without extended key usage is no client's. kube-apiserver asks for the same
///   (`x509.ExtKeyUsageClientAuth` in k8s.io/apiserver's `authentication/request/x509`), but lets `any` and none pass.
/// - Its key usage, where it has one, must allow signatures: the handshake is one (RFC 5280 section 4.2.1.3).
/// - It must not be an authority: who holds a CA's key could otherwise be anybody and nobody.
/// - The key usage of each issuer, where it has one, must allow it to sign certificates, and an issuer's extended key
///   usage, where it has one, must not exclude clients (what Go and OpenSSL do, beyond RFC 5280).
/// - Every key and every signature below the trusted authority must be strong: see ``CertificateStrength``.
struct ClientAuthenticationPolicy: VerifierPolicy {
  /// What this policy and the library's judge between them. Alternative names are understood by not being an identity here.
  private static let understood: [ASN1ObjectIdentifier] = [
    .X509ExtensionID.keyUsage, .X509ExtensionID.extendedKeyUsage, .X509ExtensionID.basicConstraints,
    .X509ExtensionID.nameConstraints, .X509ExtensionID.subjectAlternativeName, CertificatePolicies.identifier,
  ]
  let verifyingCriticalExtensions = Self.understood
  let time: Date

  func chainMeetsPolicyRequirements(chain: UnverifiedCertificateChain) -> PolicyEvaluationResult {
    if let fault = Self.fault(ofLeaf: chain.leaf, at: self.time) {
      return .failsToMeetPolicy(reason: fault.detail)
    }
    for (index, issuer) in chain.enumerated().dropFirst() {
      // The trusted authority is believed for standing in the file, not for what it signed itself with.
      let signature = index < chain.count - 1 ? CertificateStrength.fault(ofSignature: issuer) : nil
      if let fault = Self.fault(ofIssuer: issuer) ?? CertificateStrength.fault(ofKey: issuer.publicKey) ?? signature {
        return .failsToMeetPolicy(reason: "the issuer \(issuer.subject): \(fault)")
      }
    }
    return .meetsPolicy
  }

  /// What is wrong with a leaf by itself.
  static func fault(ofLeaf leaf: Certificate, at time: Date) -> Problem? {
    if time < leaf.notValidBefore {
      return ListenerProblem.certificateNotYetValid.with(detail: "is valid from \(leaf.notValidBefore)")
    }
    if time > leaf.notValidAfter {
      return ListenerProblem.certificateExpired.with(detail: "was valid until \(leaf.notValidAfter)")
    }
    // The library refuses these too, but does not say so.
    if let unknown = leaf.extensions.first(where: { $0.critical && !Self.understood.contains($0.oid) }) {
      return ListenerProblem.certificateRefused.with(detail: "has a critical extension that is not understood: \(unknown.oid)")
    }
    if let fault = CertificateStrength.fault(ofKey: leaf.publicKey) ?? CertificateStrength.fault(ofSignature: leaf) {
      return ListenerProblem.certificateWeak.with(detail: fault)
    }
    do {
      if case .isCertificateAuthority? = try leaf.extensions.basicConstraints {
        return ListenerProblem.certificateIsAuthority.with(detail: "is a certificate authority (CA:TRUE)")
      }
      if try leaf.extensions.keyUsage?.keyCertSign == true {
        return ListenerProblem.certificateIsAuthority.with(detail: "may sign certificates (key usage keyCertSign)")
      }
      guard let purposes = try leaf.extensions.extendedKeyUsage, purposes.contains(.clientAuth) else {
        return ListenerProblem.certificateWrongPurpose.with(detail: "has no extended key usage clientAuth")
      }
      if let usage = try leaf.extensions.keyUsage, !usage.digitalSignature {
        return ListenerProblem.certificateWrongPurpose.with(detail: "has a key usage without digitalSignature")
      }
    } catch {
      return ListenerProblem.certificateUnreadable.with(detail: "an extension cannot be decoded: \(error)")
    }
    return nil
  }

  private static func fault(ofIssuer issuer: Certificate) -> String? {
    do {
      if let usage = try issuer.extensions.keyUsage, !usage.keyCertSign {
        return "its key usage does not allow it to sign certificates"
      }
      if let purposes = try issuer.extensions.extendedKeyUsage, !purposes.contains(.clientAuth), !purposes.contains(.any) {
        return "its extended key usage excludes client authentication"
      }
    } catch {
      return "an extension cannot be decoded: \(error)"
    }
    return nil
  }
}
