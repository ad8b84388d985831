import SallyportConfiguration
import SallyportStrictYAML
import Testing

@Suite struct ClientCertificateSectionTests {
  private func section(_ yaml: String) -> (GatewayConfiguration.Authentication.ClientCertificates?, [String]) {
    let text = everyKey.replacing(/[ ]{2}clientCertificates: (?:.|\n)*?subject.organization\}\n/, with: "  clientCertificates: \(yaml)\n")
    do throws(ConfigurationFaults) {
      return (try load(text).authentication.clientCertificates, [])
    } catch {
      return (nil, error.faults.map { $0.description.replacing(/^[^ ]+ authentication.clientCertificates\./, with: "") })
    }
  }

  @Test func everyWordIsRead() {
    for (word, username) in [
      ("subject.commonName", GatewayConfiguration.Authentication.ClientCertificates.Username.subjectCommonName), ("san.email", .email),
      ("san.uri", .uri), ("san.dns", .dnsName),
    ] {
      #expect(self.section("{username: \(word)}").0?.username == username)
    }
    #expect(self.section("{groups: none}").0?.groups == GatewayConfiguration.Authentication.ClientCertificates.Groups.none)
    #expect(self.section("{groups: subject.organizationalUnit}").0?.groups == .subjectOrganizationalUnit)
    let fingerprint = String(repeating: "AB:", count: 31) + "AB"
    let read = self.section("{issuers: ['\(fingerprint)', 'CN=a,O=b'], policies: [1.2.3, '2.5'], uid: serial}").0
    #expect(read?.issuers == [.fingerprint(String(repeating: "ab", count: 32)), .subject("CN=a,O=b")])
    #expect(read?.policies == ["1.2.3", "2.5"])
    #expect(read?.uid == .serial)
    #expect(
      self.section("{revocation: {crlFiles: [a.crl, b.crl], ocsp: off}}").0?.revocation?.crlFiles.map(\.path) == [
        "/etc/sallyport/a.crl", "/etc/sallyport/b.crl",
      ])
    #expect(self.section("{}").0?.revocation == nil)
  }

  @Test(arguments: [
    ("{revocation: {crlFiles: [a], ocsp: soft}}", "revocation.ocsp: is `soft`, and OCSP is not supported in this version"),
    ("{revocation: {crlFiles: [a], ocsp: hard}}", "revocation.ocsp: is `hard`, and OCSP is not supported in this version"),
    ("{revocation: {crlFiles: [a], ocsp: on}}", "revocation.ocsp: is not a known word"),
    ("{revocation: {crlFiles: []}}", "revocation.crlFiles: has too few items"),
    ("{revocation: {}}", "revocation"),
    ("{username: san.otherName}", "username: is not a known word"),
    ("{issuers: []}", "issuers: has too few items"), ("{issuers: ['abcd']}", "issuers[0]: is neither"),
    ("{issuers: ['/O=b/CN=a']}", "issuers[0]: is neither"), ("{issuers: ['CN = a, O = b']}", "issuers[0]: is neither"),
    ("{policies: [any]}", "policies[0]: is no object identifier"), ("{policies: [1..2]}", "policies[0]: is no object identifier"),
    ("{policies: ['1']}", "policies[0]: is no object identifier"), ("{policies: [2.5.29.32.0]}", "policies[0]: is anyPolicy"),
    ("{extra: {Example.org/x: serial}}", "extra"), ("{extra: {example.org/x: name}}", "extra"),
  ]) func aFaultIsToldWithItsPlace(_ yaml: String, _ expected: String) {
    let faults = self.section(yaml).1
    #expect(faults.count == 1 && faults[0].hasPrefix(expected), "\(faults)")
  }
}
