import Crypto
import Foundation
import SallyportCore
import SallyportPKI
import SwiftASN1
import TestSupport
import Testing
import X509

@testable import SallyportListener
@testable import SallyportRevocation

/// An installation of one client authority with its lists in a file.
struct Installation {
  let pki: TestPKI
  let lists: OpenSSLAuthority
  let directory = TemporaryDirectory()
  let trust: ClientTrust

  init() throws {
    self.pki = try TestPKI()
    self.lists = try OpenSSLAuthority(self.pki.clientAuthority)
    self.trust = try ClientTrust(authorities: [der(self.pki.clientAuthority.certificate)], file: "ca.pem")
  }

  var authorities: [[UInt8]] { get throws { [try der(self.pki.clientAuthority.certificate)] } }

  /// A store over a file with this content, `lists.pem`.
  func store(_ content: String) throws -> RevocationStore {
    try RevocationStore(files: [self.directory.write(content, to: "lists.pem")], authorities: self.authorities)
  }

  /// What is wrong with a file of this content.
  func fault(_ content: String) throws -> Problem? {
    let (path, authorities) = (try self.directory.write(content, to: "lists.pem"), try self.authorities)
    do throws(RevocationFaults) {
      _ = try RevocationStore(files: [path], authorities: authorities)
      return nil
    } catch {
      return error.problems.first
    }
  }

  func verified(_ certificate: TestCertificate) async throws -> VerifiedCertificate {
    let chain = try ([certificate.issued.certificate] + certificate.issued.intermediates).map(der)
    return try await self.trust.verify(chain, fingerprint: VerifiedCertificate.fingerprint(of: chain[0]), at: Date()).get().certificate
  }
}

func der(_ certificate: Certificate) throws -> [UInt8] {
  var serializer = DER.Serializer()
  try serializer.serialize(certificate)
  return serializer.serializedBytes
}

extension RevocationStore {
  /// Why a certificate is refused; `nil` for a good one.
  func refusal(of certificate: VerifiedCertificate, at time: Date = Date()) -> Problem? {
    guard case .refused(let problem, _) = self.judge(certificate, at: time) else { return nil }
    return problem
  }
}

/// The first PEM block, decoded.
func decoded(_ pem: String) throws -> [UInt8] {
  let lines = pem.split(separator: "\n").drop { !$0.hasPrefix("-----BEGIN") }.dropFirst().prefix { !$0.hasPrefix("-----END") }
  return Array(try #require(Data(base64Encoded: lines.joined())))
}
