import Foundation
@_spi(CertificateVerifier) import SallyportCore
import Testing

@testable import SallyportAuthentication

/// Which name of a certificate is the user's, and whose certificates count.
@Suite struct CertificateRulesTests {
  private let now = Date(timeIntervalSince1970: 1_800_000_000)

  private func certificate(
    emails: [String] = [], uris: [String] = [], dnsNames: [String] = [], units: [String]? = [], issuer: String = "CN=clients",
    policies: [String] = []
  ) -> VerifiedCertificate {
    VerifiedCertificate(
      der: [0x30], fingerprint: "aa55", commonNames: ["alice"], organizations: ["developers"], organizationalUnits: units,
      alternativeNames: .init(emails: emails, uris: uris, dnsNames: dnsNames), subject: "CN=alice", serial: "0102", issuer: issuer,
      notBefore: self.now - 10, notAfter: self.now + 10,
      chain: [.init(serial: [1, 2], issuer: .init(der: [], fingerprint: "f1", subject: issuer))], policies: policies)
  }

  private func read(_ certificate: VerifiedCertificate, _ rules: CertificateRules) throws(Problem) -> Identity {
    try CertificateReader(names: NameRules(allowSystemNames: []), rules: rules).identity(of: certificate)
  }

  private func refusal(_ certificate: VerifiedCertificate, _ rules: CertificateRules) -> Problem? {
    do throws(Problem) {
      _ = try self.read(certificate, rules)
      return nil
    } catch {
      return error
    }
  }

  @Test func theUserIsTheNameOfTheKindThatIsAskedFor() throws {
    let certificate = self.certificate(
      emails: ["Alice@example.org"], uris: ["spiffe://example.org/alice"], dnsNames: ["alice.example.org"])
    #expect(try self.read(certificate, CertificateRules(username: .email)).username == "Alice@example.org")
    #expect(try self.read(certificate, CertificateRules(username: .uri)).username == "spiffe://example.org/alice")
    #expect(try self.read(certificate, CertificateRules(username: .dnsName)).username == "alice.example.org")
    #expect(try self.read(certificate, CertificateRules()).username == "alice")
  }

  @Test(arguments: [CertificateRules.Username.email, .uri, .dnsName]) func oneNameItMustBe(_ kind: CertificateRules.Username) {
    let rules = CertificateRules(username: kind)
    #expect(self.refusal(self.certificate(), rules)?.detail.contains("0 ") == true)
    let two = self.certificate(emails: ["a@x.org", "b@x.org"], uris: ["a:b", "a:c"], dnsNames: ["a", "b"])
    #expect(self.refusal(two, rules)?.detail.contains("2 ") == true)
    let same = self.certificate(emails: ["a@x.org", "a@x.org"], uris: ["a:b", "a:b"], dnsNames: ["a", "a"])
    #expect(self.refusal(same, rules) != nil)
  }

  @Test(arguments: [
    "", " a@x.org", "a@x.org\n", "a\0@x.org", "alice", "@x.org", "a@", "a@b@x.org", "ä@x.org", "a b@x.org", "system:admin@x.org",
  ]) func whatIsNoMailboxIsNobody(_ email: String) {
    #expect(self.refusal(self.certificate(emails: [email]), CertificateRules(username: .email)) != nil)
  }

  @Test func aPatternIsNobody() {
    #expect(self.refusal(self.certificate(dnsNames: ["*.example.org"]), CertificateRules(username: .dnsName)) != nil)
    #expect(self.refusal(self.certificate(uris: ["alice"]), CertificateRules(username: .uri)) != nil)
  }

  @Test func groupsComeFromWhereTheConfigurationSays() throws {
    let certificate = self.certificate(units: ["blue", "red"])
    #expect(try self.read(certificate, CertificateRules(groups: .organizationalUnits)).groups == ["blue", "red"])
    #expect(try self.read(certificate, CertificateRules(groups: .none)).groups == [])
    #expect(self.refusal(self.certificate(units: ["blue", "system:masters"]), CertificateRules(groups: .organizationalUnits)) != nil)
    #expect(self.refusal(self.certificate(units: nil), CertificateRules(groups: .organizationalUnits)) != nil)
    #expect(self.refusal(self.certificate(units: nil), CertificateRules()) == nil)
  }

  @Test func factsBecomeUIDAndExtras() throws {
    let rules = CertificateRules(uid: .fingerprint, extra: [.init(key: "example.org/serial", value: .serial)])
    let identity = try self.read(self.certificate(), rules)
    #expect(identity.uid == "aa55")
    #expect(identity.extra == [.init(key: "example.org/serial", values: ["0102"])])
  }

  @Test func onlyListedIssuersCount() {
    let rules = CertificateRules(issuers: [.subject("CN=Users,O=Example"), .fingerprint("f2")])
    #expect(self.refusal(self.certificate(issuer: "CN=Users,O=Example"), rules) == nil)
    #expect(self.refusal(self.certificate(issuer: "CN=Users"), rules) != nil)
    #expect(self.refusal(self.certificate(), CertificateRules(issuers: [.fingerprint("f1")])) == nil)
  }

  @Test func onePolicyOfThoseThatAreAskedForIsEnough() {
    let rules = CertificateRules(policies: ["1.2.3", "1.2.4"])
    #expect(self.refusal(self.certificate(policies: ["1.2.4", "1.9"]), rules) == nil)
    #expect(self.refusal(self.certificate(policies: ["1.2.34"]), rules) != nil)
    #expect(self.refusal(self.certificate(), rules) != nil)
  }
}
