import NIOSSL
import SallyportCore
import SwiftASN1
@_spi(FixedExpiryValidationTime) import X509

import struct Foundation.Date

/// A client certificate that was verified, and until when its whole chain holds.
struct VerifiedClient: Sendable {
  let certificate: VerifiedCertificate

  var validFrom: Date { self.certificate.notBefore }
  var validUntil: Date { self.certificate.notAfter }

  func isValid(at time: Date) -> Bool { self.validFrom <= time && time <= self.validUntil }
}

/// The authorities whose client certificates a listener believes.
final class ClientTrust: Sendable {
  /// The authorities as the TLS library wants them, for the names in its certificate request.
  let authorities: [NIOSSLCertificate]
  private let encoded: [[UInt8]]
  private let roots: CertificateStore
  /// The facts of the authorities, shared by all that they signed.
  private let facts: [Certificate: VerifiedCertificate.Authority]

  /// More intermediates than anybody's chain has; the search for a chain can try every order of them.
  static let mostIntermediates = 4
  /// More bytes than such a chain has, by far.
  static let mostChainBytes = 32 * 1024

  /// Trusts these authorities.
  ///
  /// - Throws: ``Problem`` for one that cannot be decoded or is none: what stands in a trust file is trusted to sign, and
  ///   a client's own certificate in it is a mistake.
  init(authorities encoded: [[UInt8]], file: String) throws(Problem) {
    var authorities: [NIOSSLCertificate] = []
    var roots: [Certificate] = []
    var facts: [Certificate: VerifiedCertificate.Authority] = [:]
    for (index, der) in encoded.enumerated() {
      let place = "\(file): certificate \(index + 1) of \(encoded.count)"
      let root: Certificate
      do {
        root = try Certificate(derEncoded: der)
        authorities.append(try NIOSSLCertificate(bytes: der, format: .der))
      } catch {
        throw ListenerProblem.clientCAUnusable.with(detail: "\(place) cannot be decoded")
      }
      guard case .isCertificateAuthority? = try? root.extensions.basicConstraints else {
        throw ListenerProblem.clientCAUnusable.with(detail: "\(place) (\(root.subject)) is not that of an authority (no CA:TRUE)")
      }
      if let fault = CertificateStrength.fault(ofKey: root.publicKey) {
        throw ListenerProblem.clientCAUnusable.with(detail: "\(place) (\(root.subject)) \(fault)")
      }
      roots.append(root)
      facts[root] = VerifiedCertificate.Authority(
        der: der, fingerprint: VerifiedCertificate.fingerprint(of: der), subject: "\(root.subject)")
    }
    self.facts = facts
    self.encoded = encoded
    self.authorities = authorities
    self.roots = CertificateStore(roots)
  }

  /// SHA-256 over each authority, lower-case hexadecimal.
  var anchors: Set<String> { Set(self.facts.values.map(\.fingerprint)) }

  /// Reads a PEM file; `previous` is kept if it holds the same authorities.
  static func load(_ file: String, previous: ClientTrust?) throws(Problem) -> ClientTrust {
    let encoded = try PEMFile.certificates(in: file, fault: ListenerProblem.clientCAUnusable)
    if let previous, previous.encoded == encoded { return previous }
    return try ClientTrust(authorities: encoded, file: file)
  }

  /// Verifies what a client presented: leaf first, then intermediates in any order.
  ///
  /// The chain is judged by RFC 5280 (validity, basic and name constraints, path length, unknown critical extensions) and
  /// by ``ClientAuthenticationPolicy``. It costs about 100 microseconds.
  func verify(_ chain: [[UInt8]], fingerprint: String, at time: Date) async -> Result<VerifiedClient, Problem> {
    guard let leafBytes = chain.first else {
      return .failure(ListenerProblem.certificateUnreadable.with(detail: "an empty chain"))
    }
    guard chain.count - 1 <= Self.mostIntermediates, chain.reduce(0, { $0 + $1.count }) <= Self.mostChainBytes else {
      return .failure(ListenerProblem.certificateRefused.with(detail: "the chain has more than \(Self.mostIntermediates) intermediates"))
    }
    let leaf: Certificate
    let intermediates: [Certificate]
    do {
      leaf = try Certificate(derEncoded: leafBytes)
      intermediates = try chain.dropFirst().map { try Certificate(derEncoded: $0) }
      // A name that cannot be read makes the better message than a chain that is not found.
      _ = try VerifiedCertificate.texts(of: .RDNAttributeType.commonName, in: leaf.subject)
    } catch let problem as Problem {
      return .failure(problem)
    } catch {
      return .failure(ListenerProblem.certificateUnreadable.with(detail: "\(error)"))
    }
    let serial = VerifiedCertificate.serial(of: leaf)
    // The leaf's own faults first: they make the better message, and cost no signature.
    if let fault = ClientAuthenticationPolicy.fault(ofLeaf: leaf, at: time) {
      return .failure(fault.with(detail: "\(leaf.subject) (serial \(serial)): \(fault.detail)"))
    }

    var verifier = Verifier(rootCertificates: self.roots) {
      RFC5280Policy(fixedExpiryValidationTime: time)
      ClientAuthenticationPolicy(time: time)
    }
    switch await verifier.validate(leaf: leaf, intermediates: CertificateStore(intermediates)) {
    case .validCertificate(let path):
      do {
        return .success(
          VerifiedClient(
            certificate: try VerifiedCertificate(
              describing: leaf, der: leafBytes, fingerprint: fingerprint, path: Array(path), authority: self.authority)))
      } catch {
        return .failure(error as? Problem ?? ListenerProblem.certificateUnreadable.with(detail: "\(error)"))
      }
    case .couldNotValidate(let failures):
      let subject = "\(leaf.subject) (serial \(serial), issuer \(leaf.issuer))"
      if let reason = failures.first?.policyFailureReason {
        return .failure(ListenerProblem.certificateRefused.with(detail: "\(subject): \(reason)"))
      }
      return .failure(ListenerProblem.certificateUnknownIssuer.with(detail: subject))
    }
  }
  /// The facts of an authority of a verified chain.
  private func authority(_ certificate: Certificate) throws -> VerifiedCertificate.Authority {
    if let known = self.facts[certificate] { return known }
    var serializer = DER.Serializer()
    try serializer.serialize(certificate)
    let der = serializer.serializedBytes
    return VerifiedCertificate.Authority(
      der: der, fingerprint: VerifiedCertificate.fingerprint(of: der), subject: "\(certificate.subject)")
  }
}
