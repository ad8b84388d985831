import Crypto
import SallyportCore
import SallyportPKI
import SwiftASN1
import TestSupport
import Testing
import X509

import struct Foundation.Date

@testable import SallyportListener

/// Verification by itself, for certificates that no TLS client would present.
@Suite struct ClientTrustTests {
  private let pki: TestPKI
  private let trust: ClientTrust

  init() throws {
    self.pki = try TestPKI()
    self.trust = try ClientTrust(authorities: [Self.der(self.pki.clientAuthority.certificate)], file: "ca.pem")
  }

  private static func der(_ certificate: Certificate) throws -> [UInt8] {
    var serializer = DER.Serializer()
    try serializer.serialize(certificate)
    return serializer.serializedBytes
  }

  private func verify(_ certificates: Certificate..., at time: Date = Date()) async throws -> Result<VerifiedClient, Problem> {
    let chain = try certificates.map(Self.der)
    return await self.trust.verify(chain, fingerprint: VerifiedCertificate.fingerprint(of: chain.first ?? []), at: time)
  }

  private func problem(_ result: Result<VerifiedClient, Problem>) -> Problem? {
    guard case .failure(let problem) = result else { return nil }
    return problem
  }

  @Test func aVerifiedCertificateTellsItsFacts() async throws {
    let issued = try self.pki.client("alice", groups: ["dev", "ops"]).issued.certificate
    let client = try await self.verify(issued).get()
    let certificate = client.certificate
    #expect(certificate.commonNames == ["alice"])
    #expect(certificate.organizations == ["dev", "ops"])
    #expect(certificate.subject == "CN=alice,O=ops,O=dev")
    #expect(certificate.issuer == "CN=Test Client CA")
    #expect(certificate.serial.count == 34)
    #expect(certificate.serial.hasPrefix("01"))
    #expect(certificate.fingerprint.count == 64)
    #expect(certificate.der == (try Self.der(issued)))
    #expect(certificate.notAfter == issued.notValidAfter)
    #expect(client.validUntil == min(issued.notValidAfter, self.pki.clientAuthority.certificate.notValidAfter))
  }

  @Test func aChainIsValidAsLongAsItsShortestPart() async throws {
    var profile = CertificateProfile.authority("short")
    profile.notAfter = Date(timeIntervalSinceNow: 100)
    let intermediate = try self.pki.clientAuthority.intermediate(profile)
    let alice = try self.pki.client("alice", signedBy: intermediate).issued
    let client = try await self.verify(alice.certificate, intermediate.certificate).get()
    #expect(client.isValid(at: Date()))
    #expect(!client.isValid(at: Date(timeIntervalSinceNow: 101)))
    #expect(!client.isValid(at: Date(timeIntervalSinceNow: -1000)))
  }

  @Test func aKeyThatMayNotSignIsNoClients() async throws {
    let certificate = try self.pki.client("alice") { $0.keyUses = [.keyEncipherment] }.issued.certificate
    #expect(self.problem(try await self.verify(certificate)) == ListenerProblem.certificateWrongPurpose)
  }

  @Test func anAuthorityIsNoClientEvenOfItself() async throws {
    #expect(self.problem(try await self.verify(self.pki.clientAuthority.certificate)) == ListenerProblem.certificateIsAuthority)
  }

  @Test func timeIsTheListenersOwn() async throws {
    let alice = try self.pki.client("alice").issued.certificate
    let late = try await self.verify(alice, at: alice.notValidAfter.addingTimeInterval(1))
    #expect(self.problem(late) == ListenerProblem.certificateExpired)
    let early = try await self.verify(alice, at: alice.notValidBefore.addingTimeInterval(-1))
    #expect(self.problem(early) == ListenerProblem.certificateNotYetValid)
  }

  /// A self-signed certificate, which names whom it likes.
  private func selfSigned(
    subject: DistinguishedName, extensions: Certificate.Extensions = Certificate.Extensions()
  ) throws -> Certificate {
    let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
    return try Certificate(
      version: .v3, serialNumber: .init(bytes: [1]), publicKey: key.publicKey, notValidBefore: Date(timeIntervalSinceNow: -60),
      notValidAfter: Date(timeIntervalSinceNow: 60), issuer: subject, subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
      extensions: extensions, issuerPrivateKey: key)
  }

  private func clientExtensions(adding more: [Certificate.Extension] = []) throws -> Certificate.Extensions {
    try Certificate.Extensions([Certificate.Extension(ExtendedKeyUsage([.clientAuth]), critical: false)] + more)
  }

  @Test func aSelfSignedCertificateIsNobodys() async throws {
    let subject = try DistinguishedName { CommonName("admin") }
    let certificate = try self.selfSigned(subject: subject, extensions: self.clientExtensions())
    #expect(self.problem(try await self.verify(certificate)) == ListenerProblem.certificateUnknownIssuer)
    // Sending it once more as its own authority does not help.
    #expect(self.problem(try await self.verify(certificate, certificate)) == ListenerProblem.certificateUnknownIssuer)
  }

  @Test func aCriticalExtensionThatNobodyKnowsIsNotPassedOver() async throws {
    let unknown = Certificate.Extension(oid: [1, 2, 3, 4], critical: true, value: [5, 0])
    let subject = try DistinguishedName { CommonName("alice") }
    let certificate = try self.selfSigned(subject: subject, extensions: self.clientExtensions(adding: [unknown]))
    let problem = self.problem(try await self.verify(certificate))
    #expect(problem == ListenerProblem.certificateRefused)
    #expect(problem?.detail.contains("1.2.3.4") == true)
  }

  @Test func aNameInAnEncodingThatProgramsReadDifferentlyIsNobodys() async throws {
    // T61String, which some take for Latin 1 and some for UTF-8.
    let t61 = ASN1Any(derEncoded: try DER.parse([0x14, 0x03, 0x61, 0xE9, 0x62]))
    let subject = try DistinguishedName([RelativeDistinguishedName.Attribute(type: .RDNAttributeType.commonName, value: t61)])
    let certificate = try self.selfSigned(subject: subject, extensions: self.clientExtensions())
    #expect(self.problem(try await self.verify(certificate)) == ListenerProblem.certificateUnreadable)
  }

  @Test func whatIsNoCertificateIsUnreadable() async {
    let result = await self.trust.verify([[0x30, 0x03, 0x02, 0x01, 0x01]], fingerprint: "", at: Date())
    #expect(self.problem(result) == ListenerProblem.certificateUnreadable)
    #expect(self.problem(await self.trust.verify([], fingerprint: "", at: Date())) == ListenerProblem.certificateUnreadable)
  }

  @Test func onlyAuthoritiesAreTrusted() throws {
    let alice = try Self.der(self.pki.client("alice").issued.certificate)
    let error = #expect(throws: Problem.self) { try ClientTrust(authorities: [alice], file: "ca.pem") }
    #expect(error == ListenerProblem.clientCAUnusable)
    #expect(error?.detail.contains("ca.pem: certificate 1 of 1 (CN=alice) is not that of an authority") == true)
  }

  @Test func aFullTableForgetsItsOldestEntry() {
    var table = BoundedTable<Int>(capacity: 2)
    table.insert(1, for: "a")
    table.insert(2, for: "b")
    table.insert(3, for: "a")
    #expect(table["a"] == 3)
    table.insert(4, for: "c")
    #expect(table["a"] == nil)
    table.insert(5, for: "d")
    #expect(table["b"] == nil)
    #expect(table["c"] == 4)
    #expect(table["d"] == 5)
    #expect(table.count == 2)
  }
}
