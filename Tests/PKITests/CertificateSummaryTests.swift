import Foundation
import SallyportPKI
import TestSupport
import Testing

@Suite struct CertificateSummaryTests {
  @Test func aChainIsSummedUpCertificateByCertificateAndKeysArePassedOver() throws {
    let pki = try TestPKI()
    let alice = try pki.client("alice", groups: ["dev"], signedBy: pki.intermediateClientAuthority("Middle"))
    let summaries = try CertificateSummary.read(pem: alice.privateKeyPEM + alice.chainPEM)
    #expect(summaries.map(\.subject) == ["CN=alice,O=dev", "CN=Middle"])
    #expect(summaries.map(\.isAuthority) == [false, true])
    #expect(summaries[0].serial.count == 34)
    #expect(summaries[0].fingerprint.count == 64)
    #expect(summaries[0].fingerprint != summaries[1].fingerprint)
  }

  @Test func textSaysWhatIsOverAndWhatHasNotBegun() throws {
    let certificate = try CertificateSummary.read(pem: TestPKI().server.chainPEM)[0]
    #expect(certificate.text().contains("names        DNS:localhost, IP:127.0.0.1, IP:::1"))
    #expect(!certificate.text().contains("("))
    #expect(certificate.text(now: certificate.notAfter.addingTimeInterval(1)).contains("(expired)"))
    #expect(certificate.text(now: certificate.notBefore.addingTimeInterval(-1)).contains("(not yet valid)"))
  }

  @Test func aTerminalEscapeInAStrangersCertificateIsNotPrinted() throws {
    let certificate = try CertificateSummary.read(pem: TestPKI().server(names: ["x"]) { $0.uris = ["https://x/\u{1B}[2J"] }.chainPEM)[0]
    #expect(!certificate.text().unicodeScalars.contains("\u{1B}"))
  }

  @Test func jsonHoldsTheSameFacts() throws {
    let certificate = try CertificateSummary.read(pem: TestPKI().client("alice").chainPEM)[0]
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    struct Facts: Decodable {
      let subject: String
      let fingerprint: String
      let notAfter: Date
      let purposes: [String]
    }
    let read = try decoder.decode([Facts].self, from: Data(CertificateSummary.json([certificate]).utf8))
    #expect(read.map(\.subject) == ["CN=alice"])
    #expect(read[0].fingerprint == certificate.fingerprint)
    #expect(read[0].notAfter == certificate.notAfter)
    #expect(read[0].purposes == ["clientAuth"])
  }

  @Test(arguments: ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
  func whatIsNoCertificateIsRefused(text: String) {
    #expect(throws: PKIError.self) { try CertificateSummary.read(pem: text) }
  }

  @Test func aKeyAloneIsNoCertificate() throws {
    let key = try TestPKI().server.privateKeyPEM
    #expect(throws: PKIError("the file holds no certificate")) { try CertificateSummary.read(pem: key) }
  }
}
