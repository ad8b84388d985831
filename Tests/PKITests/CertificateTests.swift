import Foundation
import NIOSSL
import SallyportPKI
import SwiftASN1
import TestSupport
import Testing
import X509

@Suite struct CertificateTests {
  let pki: TestPKI

  init() throws {
    self.pki = try TestPKI()
  }

  @Test func aClientCarriesItsNameAndOneOrganisationAGroup() throws {
    let certificate = try self.pki.client("alice", groups: ["dev", "a,b"]).issued.certificate
    #expect(certificate.subject.description == "CN=alice,O=a\\,b,O=dev")
    #expect(certificate.version == .v3)
    #expect(try certificate.extensions.keyUsage == KeyUsage(digitalSignature: true))
    #expect(try certificate.extensions.extendedKeyUsage == ExtendedKeyUsage([.clientAuth]))
    #expect(try certificate.extensions.basicConstraints == .notCertificateAuthority)
    #expect(try certificate.extensions.subjectAlternativeNames == nil)
  }

  @Test func aServerCarriesItsNamesAndAddresses() throws {
    let certificate = self.pki.server.issued.certificate
    let names = try #require(try certificate.extensions.subjectAlternativeNames)
    #expect(
      Array(names) == [
        .dnsName("localhost"), .ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1])),
        .ipAddress(ASN1OctetString(contentBytes: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])),
      ])
    #expect(try certificate.extensions.extendedKeyUsage == ExtendedKeyUsage([.serverAuth]))
  }

  @Test func theFrontProxyIsNamedAsAnAPIServerExpectsIt() {
    #expect(self.pki.frontProxy.issued.certificate.subject.description == "CN=front-proxy-client")
  }

  @Test func anAuthoritySignsAndSaysSo() throws {
    let authority = self.pki.frontProxyAuthority.certificate
    #expect(try authority.extensions.basicConstraints == .isCertificateAuthority(maxPathLength: 0))
    #expect(try authority.extensions.keyUsage == KeyUsage(keyCertSign: true, cRLSign: true))
    #expect(try authority.extensions.extendedKeyUsage == nil)
    let leaf = self.pki.frontProxy.issued.certificate
    #expect(authority.publicKey.isValidSignature(leaf.signature, for: leaf))
    #expect(leaf.issuer == authority.subject)
    let authorityKey = try #require(try authority.extensions.subjectKeyIdentifier).keyIdentifier
    #expect(try leaf.extensions.authorityKeyIdentifier?.keyIdentifier == authorityKey)
    #expect(try leaf.extensions.subjectKeyIdentifier?.keyIdentifier != authorityKey)
  }

  @Test func validityBeginsAMinuteAgo() throws {
    let now = Date(timeIntervalSince1970: 1_800_000_000)
    let certificate = try self.pki.clientAuthority.issue(.client("a", lifetime: .seconds(3600), now: now)).certificate
    #expect(certificate.notValidBefore == now.addingTimeInterval(-60))
    #expect(certificate.notValidAfter == now.addingTimeInterval(3600))
  }

  @Test func serialNumbersHold128RandomBitsAndArePositive() throws {
    var seen: Set<[UInt8]> = []
    var bitsSet = [UInt8](repeating: 0, count: 17)
    for _ in 0..<40 {
      let serial = Array(try self.pki.clientAuthority.issue(.client("a")).certificate.serialNumber.bytes)
      #expect(serial.count == 17)
      #expect(serial.first == 1)
      #expect(seen.insert(serial).inserted)
      for (index, byte) in serial.enumerated() { bitsSet[index] |= byte }
    }
    // Each of the 128 bits was set in some of 40 draws; the chance that one was not is 1 in 8 billion.
    #expect(bitsSet.dropFirst().allSatisfy { $0 == 0xFF })
  }

  @Test func anIntermediateComesWithItsLeaves() throws {
    let intermediate = try self.pki.intermediateClientAuthority("Middle")
    let lower = try self.pki.clientAuthority.intermediate(.authority("Upper", depth: 1)).intermediate(.authority("Lower"))
    #expect(try intermediate.issue(.client("a")).intermediates.map(\.subject.description) == ["CN=Middle"])
    #expect(try lower.issue(.client("a")).intermediates.map(\.subject.description) == ["CN=Lower", "CN=Upper"])
    #expect(try self.pki.client("a").issued.intermediates.isEmpty)
    #expect(try self.pki.client("a", signedBy: intermediate).chain().count == 2)
  }

  @Test func badCertificatesAreMadeOnRequest() throws {
    let bad = try self.pki.client("mallory") {
      $0.notBefore = Date(timeIntervalSince1970: 1000)
      $0.notAfter = Date(timeIntervalSince1970: 2000)
      $0.purposes = [.codeSigning]
      $0.keyUses = [.keyEncipherment]
      $0.role = .authority(depth: nil)
    }.issued.certificate
    #expect(bad.notValidAfter == Date(timeIntervalSince1970: 2000))
    #expect(try bad.extensions.extendedKeyUsage == ExtendedKeyUsage([.codeSigning]))
    #expect(try bad.extensions.keyUsage == KeyUsage(keyEncipherment: true))
    #expect(try bad.extensions.basicConstraints == .isCertificateAuthority(maxPathLength: nil))
    let bare = try self.pki.client("bare") {
      $0.purposes = []
      $0.keyUses = []
    }.issued.certificate
    #expect(try bare.extensions.extendedKeyUsage == nil)
    #expect(try bare.extensions.keyUsage == nil)
  }

  @Test(arguments: ["", String(repeating: "x", count: 65), "a\u{0}b", "a\nb", "\u{9B}31m"]) func namesThatNoCertificateShouldHoldAreRefused(
    name: String
  ) {
    #expect(throws: PKIError.self) { try self.pki.client(name) }
    #expect(throws: PKIError.self) { try self.pki.client("alice", groups: ["dev", name]) }
  }

  @Test(arguments: ["", "a b", "bücher.example", "a\u{0}.example"]) func hostNamesThatAreNoneAreRefused(name: String) {
    #expect(throws: PKIError.self) { try self.pki.server(names: ["localhost"]) { $0.dnsNames = [name] } }
  }

  @Test func anAuthorityIsReadBackAndGoesOnSigning() throws {
    let authority = self.pki.clientAuthority
    let read = try CertificateAuthority(certificatePEM: authority.certificatePEM, privateKeyPEM: authority.privateKeyPEM)
    let leaf = try read.issue(.client("alice")).certificate
    #expect(authority.certificate.publicKey.isValidSignature(leaf.signature, for: leaf))
  }

  @Test func whatIsNoAuthorityIsNotReadAsOne() throws {
    let leaf = try self.pki.client("alice").issued
    let authority = self.pki.clientAuthority
    #expect(throws: PKIError("the certificate is not an authority's: it may not sign certificates")) {
      try CertificateAuthority(certificatePEM: leaf.certificatePEM, privateKeyPEM: leaf.privateKeyPEM)
    }
    #expect(throws: PKIError("the private key does not belong to the authority's certificate")) {
      try CertificateAuthority(certificatePEM: authority.certificatePEM, privateKeyPEM: leaf.privateKeyPEM)
    }
    #expect(throws: PKIError.self) { try CertificateAuthority(certificatePEM: "x", privateKeyPEM: leaf.privateKeyPEM) }
    #expect(throws: PKIError.self) { try CertificateAuthority(certificatePEM: authority.certificatePEM, privateKeyPEM: "x") }
  }

  @Test func theTLSLibraryAcceptsWhatIsMade() throws {
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: try self.pki.server.chain(), privateKey: try self.pki.server.privateKey())
    configuration.trustRoots = try self.pki.clientAuthority.trustRoots()
    #expect(throws: Never.self) { try NIOSSLContext(configuration: configuration) }
  }
}
