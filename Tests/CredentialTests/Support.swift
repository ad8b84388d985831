import Foundation
import NIOConcurrencyHelpers
import NIOCore
@_spi(Authenticator) @_spi(CertificateVerifier) import SallyportCore
import SallyportCredential
import SallyportIssuer
import SwiftASN1
import X509

/// A time that moves when it is told to.
final class TestTime: Sendable {
  private let state = NIOLockedValueBox((wall: Date(timeIntervalSince1970: 1_800_000_000), monotonic: NIODeadline.uptimeNanoseconds(1)))

  var clock: CredentialClock {
    CredentialClock(wall: { self.state.withLockedValue { $0.wall } }, monotonic: { self.state.withLockedValue { $0.monotonic } })
  }
  var wall: Date { self.state.withLockedValue { $0.wall } }

  func advance(by seconds: Double) {
    self.state.withLockedValue { state in
      state.wall += seconds
      state.monotonic = state.monotonic + .nanoseconds(Int64(seconds * 1e9))
    }
  }
}

extension Identity {
  static func of(
    _ username: String = "alice", uid: String? = nil, groups: [String] = ["dev"], method: AuthenticationMethod = .passwordFile,
    expires: Date? = nil
  ) -> Identity {
    Identity(username: username, uid: uid, groups: groups, method: method, expires: expires)
  }
}

extension VerifiedCertificate {
  /// A certificate as the listener hands it over.
  static func of(_ certificate: Certificate, emails: [String] = []) throws -> VerifiedCertificate {
    var serializer = DER.Serializer()
    try serializer.serialize(certificate)
    return VerifiedCertificate(
      der: serializer.serializedBytes, fingerprint: "\(certificate.serialNumber)", commonNames: [], organizations: [],
      alternativeNames: .init(emails: emails), subject: "", serial: "", issuer: "", notBefore: certificate.notValidBefore,
      notAfter: certificate.notValidAfter)
  }
}

/// What a body throws, as a problem.
func problem(_ body: () throws -> Void) -> Problem? {
  do {
    try body()
    return nil
  } catch {
    return error as? Problem
  }
}
