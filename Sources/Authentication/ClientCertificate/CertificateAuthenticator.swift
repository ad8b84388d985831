import NIOConcurrencyHelpers
import SallyportCore
import SallyportRevocation

import struct Foundation.Date

/// Says who presents a client certificate.
///
/// The chain and the purpose were verified when the connection was made. The validity in time and whether it was revoked
/// are judged for every request, because a kept connection outlives both; whom the certificate names is read once and
/// remembered with the certificate object itself, as is what the revocation lists said of it while they were the same.
/// So a hit compares three dates and a number, and looks up one pointer.
final class CertificateAuthenticator: Sendable {
  private struct Reading {
    /// Kept so that no other certificate can come to live at this one's address.
    let certificate: VerifiedCertificate
    let result: Result<Identity, Problem>
    var judged: Judged?

    /// Who it is, unless the certificate was revoked or nobody can tell.
    var answer: Result<Identity, Problem> {
      if case .refused(let problem, _)? = self.judged?.judgement { return .failure(problem) }
      return self.result
    }
  }

  /// What the lists of a version said.
  private struct Judged {
    let version: UInt64
    let judgement: RevocationJudgement

    func holds(_ version: UInt64, at now: Date) -> Bool {
      guard version == self.version else { return false }
      switch self.judgement {
      case .good(let until): return now < until
      case .refused(_, let until): return until.map { now < $0 } ?? true
      }
    }
  }

  private let reader: CertificateReader
  private let revocation: RevocationStore?
  private let capacity: Int
  private let readings: NIOLockedValueBox<[ObjectIdentifier: Reading]>

  /// - Parameters:
  ///   - revocation: the lists that every certificate is judged by; `nil` where none are configured
  ///   - capacity: how many certificates are remembered; when there are more, all are read anew, which costs little and
  ///     happens seldom
  init(reader: CertificateReader, revocation: RevocationStore? = nil, capacity: Int = 4096) {
    self.reader = reader
    self.revocation = revocation
    self.capacity = max(1, capacity)
    self.readings = NIOLockedValueBox([:])
  }

  /// Who the certificate is for at this time. A certificate is valid from `notBefore` to `notAfter`, both included
  /// (RFC 5280 section 4.1.2.5).
  func authenticate(_ certificate: VerifiedCertificate, at now: Date) -> Result<Identity, Problem> {
    guard now >= certificate.notBefore else { return .failure(Self.untimely(certificate, "is not valid yet")) }
    guard now <= certificate.notAfter else { return .failure(Self.untimely(certificate, "has expired, or an authority above it")) }
    let key = ObjectIdentifier(certificate)
    let known = self.readings.withLockedValue { $0[key] }
    // Read before the lists are: a judgement by newer ones is only made once more.
    let version = self.revocation?.version
    if let known, version.map({ known.judged?.holds($0, at: now) ?? false }) ?? true { return known.answer }
    var reading =
      known
      ?? Reading(certificate: certificate, result: Result { () throws(Problem) in try self.reader.identity(of: certificate) })
    if let version, let revocation = self.revocation {
      reading.judged = Judged(version: version, judgement: revocation.judge(certificate, at: now))
    }
    self.readings.withLockedValue { [reading] readings in
      if readings.count >= self.capacity, readings[key] == nil { readings.removeAll(keepingCapacity: true) }
      readings[key] = reading
    }
    return reading.answer
  }

  /// Whom the certificate names by the rules, whether or not it holds at this time; `nil` for nobody whom they admit.
  func identity(of certificate: VerifiedCertificate) -> Identity? { try? self.reader.identity(of: certificate) }

  private static func untimely(_ certificate: VerifiedCertificate, _ reason: String) -> Problem {
    AuthenticationProblem.certificateExpired.with(detail: "client certificate \(certificate.fingerprint) \(reason)")
  }
}
