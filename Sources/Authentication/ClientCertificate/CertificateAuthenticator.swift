import NIOConcurrencyHelpers
import SallyportCore

import struct Foundation.Date

/// Says who presents a client certificate.
///
/// The chain and the purpose were verified when the connection was made. The validity in time is judged for every
/// request, because a kept connection outlives its certificate; whom the certificate names is read once and remembered
/// with the certificate object itself, so that a hit compares two dates and looks up one pointer.
final class CertificateAuthenticator: Sendable {
  private struct Reading {
    /// Kept so that no other certificate can come to live at this one's address.
    let certificate: VerifiedCertificate
    let result: Result<Identity, Problem>
  }

  private let reader: CertificateReader
  private let capacity: Int
  private let readings: NIOLockedValueBox<[ObjectIdentifier: Reading]>

  /// - Parameter capacity: how many certificates are remembered; when there are more, all are read anew, which costs
  ///   little and happens seldom
  init(rules: NameRules, capacity: Int = 4096) {
    self.reader = CertificateReader(rules: rules)
    self.capacity = max(1, capacity)
    self.readings = NIOLockedValueBox([:])
  }

  /// Who the certificate is for at this time. A certificate is valid from `notBefore` to `notAfter`, both included
  /// (RFC 5280 section 4.1.2.5).
  func authenticate(_ certificate: VerifiedCertificate, at now: Date) -> Result<Identity, Problem> {
    guard now >= certificate.notBefore else { return .failure(Self.untimely(certificate, "is not valid yet")) }
    guard now <= certificate.notAfter else { return .failure(Self.untimely(certificate, "has expired")) }
    let key = ObjectIdentifier(certificate)
    if let reading = self.readings.withLockedValue({ $0[key] }) { return reading.result }
    let result = Result { () throws(Problem) in try self.reader.identity(of: certificate) }
    self.readings.withLockedValue { readings in
      if readings.count >= self.capacity { readings.removeAll(keepingCapacity: true) }
      readings[key] = Reading(certificate: certificate, result: result)
    }
    return result
  }

  private static func untimely(_ certificate: VerifiedCertificate, _ reason: String) -> Problem {
    AuthenticationProblem.certificateExpired.with(detail: "client certificate \(certificate.fingerprint) \(reason)")
  }
}
