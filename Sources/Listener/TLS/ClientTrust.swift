import NIOSSL
import SallyportCore
import SwiftASN1
@_spi(FixedExpiryValidationTime) import X509

import struct Foundation.Date

/// A client certificate that was verified, and until when its whole chain holds.
struct VerifiedClient: Sendable {
  let certificate: VerifiedCertificate
  /// The authority that the chain ended in: ``ClientTrust/anchors``.
  let anchor: String
  /// When the first certificate of the chain, root included, begins and ends to be valid.
  let validFrom: Date
  let validUntil: Date

  func isValid(at time: Date) -> Bool { self.validFrom <= time && time <= self.validUntil }
}

/// The authorities whose client certificates a listener believes.
final class ClientTrust: Sendable {
  /// The authorities as the TLS library wants them, for the names in its certificate request.
  let authorities: [NIOSSLCertificate]
  private let encoded: [[UInt8]]
  private let roots: CertificateStore
  private let fingerprints: [Certificate: String]

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
      roots.append(root)
    }
    self.encoded = encoded
    self.authorities = authorities
    self.roots = CertificateStore(roots)
    self.fingerprints = Dictionary(zip(roots, encoded.map(VerifiedCertificate.fingerprint))) { first, _ in first }
  }

  /// SHA-256 over each authority, lower-case hexadecimal.
  var anchors: Set<String> { Set(self.fingerprints.values) }

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
    let verified: VerifiedCertificate
    do {
      leaf = try Certificate(derEncoded: leafBytes)
      intermediates = try chain.dropFirst().map { try Certificate(derEncoded: $0) }
      verified = try VerifiedCertificate(describing: leaf, der: leafBytes, fingerprint: fingerprint)
    } catch let problem as Problem {
      return .failure(problem)
    } catch {
      return .failure(ListenerProblem.certificateUnreadable.with(detail: "\(error)"))
    }
    // The leaf's own faults first: they make the better message, and cost no signature.
    if let fault = ClientAuthenticationPolicy.fault(ofLeaf: leaf, at: time) {
      return .failure(fault.with(detail: "\(leaf.subject) (serial \(verified.serial)): \(fault.detail)"))
    }

    var verifier = Verifier(rootCertificates: self.roots) {
      RFC5280Policy(fixedExpiryValidationTime: time)
      ClientAuthenticationPolicy(time: time)
    }
    switch await verifier.validate(leaf: leaf, intermediates: CertificateStore(intermediates)) {
    case .validCertificate(let path):
      return .success(
        VerifiedClient(
          certificate: verified, anchor: path.last.flatMap { self.fingerprints[$0] } ?? "",
          validFrom: path.map(\.notValidBefore).max() ?? leaf.notValidBefore,
          validUntil: path.map(\.notValidAfter).min() ?? leaf.notValidAfter))
    case .couldNotValidate(let failures):
      let subject = "\(leaf.subject) (serial \(verified.serial), issuer \(leaf.issuer))"
      if let reason = failures.first?.policyFailureReason {
        return .failure(ListenerProblem.certificateRefused.with(detail: "\(subject): \(reason)"))
      }
      return .failure(ListenerProblem.certificateUnknownIssuer.with(detail: subject))
    }
  }
}
