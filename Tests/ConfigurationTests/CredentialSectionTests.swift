import SallyportConfiguration
import Testing

/// A configuration with every key of the issuer and of credentials that make something.
let everyCredentialKey = """
  apiVersion: sallyport.dev/v1alpha1
  kind: Gateway
  listeners:
  - {name: main, address: "[::1]:8443", tls: {certificateFile: server.pem, privateKeyFile: server.key, clientCAFile: ca.pem}}
  authentication: {clientCertificates: {}, tokens: [{tokenReview: {upstream: kubernetes}}]}
  issuer: {url: "https://Gateway.example.org:8443/.sallyport", signingKeysDirectory: keys, tokenLifetime: 10m}
  credentials:
  - name: token
    idToken: {audience: kubernetes}
  - name: certificate
    clientCertificate:
      caCertificateFile: minting-ca.pem
      caPrivateKeyFile: minting-ca.key
      lifetime: 30m
      copy: {subject: [organizationalUnit, country], alternativeNames: [email, uri], extensions: [1.3.6.1.4.1.99999.1]}
  - {name: gateway-token, impersonation: {tokenFile: token}}
  - {name: gateway-certificate, impersonation: {certificateFile: gateway.pem, privateKeyFile: gateway.key}}
  - {name: phantom, phantomToken: {audience: kubernetes}}
  - {name: passthrough, passthrough: {}}
  upstreams: [{name: kubernetes, kind: kubernetes, servers: ["https://10.0.0.1:6443"], caFile: cluster-ca.pem}]
  routes:
  - {name: token, match: {hosts: [token.example.org]}, upstream: kubernetes, credential: token, authenticate: [clientCertificate]}
  - {name: a, match: {hosts: [a]}, upstream: kubernetes, credential: gateway-token, authenticate: [clientCertificate]}
  - {name: b, match: {hosts: [b]}, upstream: kubernetes, credential: gateway-certificate, authenticate: [clientCertificate]}
  - {name: c, match: {hosts: [c]}, upstream: kubernetes, credential: phantom, authenticate: [clientCertificate]}
  - {name: d, match: {hosts: [d]}, upstream: kubernetes, credential: passthrough, authenticate: [token]}
  - {name: certificate, upstream: kubernetes, credential: certificate, authenticate: [clientCertificate]}
  audit: {directory: audit}
  """

@Suite struct CredentialSectionTests {
  @Test func everyKeyIsRead() throws {
    let read = try load(everyCredentialKey)
    let issuer = try #require(read.issuer)
    #expect(issuer.url == "https://Gateway.example.org:8443/.sallyport" && issuer.host == "gateway.example.org")
    #expect(issuer.signingKeysDirectory.path == "/etc/sallyport/keys" && issuer.tokenLifetime == .seconds(600))
    #expect(read.credentials[0].kind == .idToken(audience: "kubernetes"))
    guard case .clientCertificate(let minting) = read.credentials[1].kind else {
      Issue.record("no client certificate")
      return
    }
    #expect(minting.caCertificateFile.path == "/etc/sallyport/minting-ca.pem" && minting.lifetime == .seconds(1800))
    #expect(minting.copySubject == [.organizationalUnit, .country] && minting.copyAlternativeNames == [.email, .uri])
    #expect(minting.copyExtensions == ["1.3.6.1.4.1.99999.1"])
    #expect(read.namedFiles.contains { $0.use == .signingKeys && $0.file.path == "/etc/sallyport/keys" })
    #expect(read.namedFiles.contains { $0.use == .privateKey && $0.file.path == "/etc/sallyport/minting-ca.key" })
  }

  @Test func whatIsNotWrittenHasItsDefault() throws {
    let short = everyCredentialKey.replacing(", tokenLifetime: 10m", with: "").replacing(#/\n +lifetime: 30m\n +copy:.*/#, with: "")
    let read = try load(short)
    #expect(read.issuer?.tokenLifetime == .seconds(300))
    guard case .clientCertificate(let minting) = read.credentials[1].kind else {
      Issue.record("no client certificate")
      return
    }
    #expect(minting.lifetime == .seconds(3600) && minting.copySubject.isEmpty && minting.copyExtensions.isEmpty)
  }

  @Test(arguments: [
    ("https://Gateway.example.org:8443/.sallyport", "http://gateway.example.org/.sallyport", "6:15: issuer.url: is not an https URL;"),
    ("org:8443/.sallyport", "org:8443", "6:15: issuer.url: has another path than /.sallyport;"),
    ("org:8443/.sallyport", "org:8443/.sallyport/", "6:15: issuer.url: has another path than /.sallyport;"),
    ("org:8443/.sallyport", "org:0/.sallyport", "6:15: issuer.url: has no host that can be asked;"),
    ("tokenLifetime: 10m", "tokenLifetime: 2h", "6:105: issuer.tokenLifetime: is out of range; write a duration from 1m to 1h"),
    ("{audience: kubernetes}", "{}", "9:12: credentials[0].idToken.audience: is missing; add this key"),
    ("lifetime: 30m", "lifetime: 61m", "14:15: credentials[1].clientCertificate.lifetime: is out of range; write a duration from 1m to 1h"),
    ("[organizationalUnit, country]", "[commonName]", "15:22: credentials[1].clientCertificate.copy.subject[0]: is not a known word;"),
    ("[email, uri]", "[ip]", "15:71: credentials[1].clientCertificate.copy.alternativeNames[0]: is not a known word;"),
    (
      "1.3.6.1.4.1.99999.1", "2.5.29.37",
      "15:97: credentials[1].clientCertificate.copy.extensions[0]: is an extension whose meaning is the gateway's to say;"
    ),
    (
      "1.3.6.1.4.1.99999.1", "sysadmin",
      "15:97: credentials[1].clientCertificate.copy.extensions[0]: is no object identifier; write it as in 1.3.6.1.4.1.99999.1"
    ),
    (
      "https://10.0.0.1:6443\"], caFile: cluster-ca.pem", "http://10.0.0.1:6443\"], insecurePlaintext: true",
      "22:88: routes[0].credential: would present identities to an upstream without TLS;"
    ),
    ("{tokenFile: token}", "{}", "16:40: credentials[2].impersonation: needs a token or a certificate; write tokenFile, or"),
    (", privateKeyFile: gateway.key", "", "17:46: credentials[3].impersonation: needs a token or a certificate;"),
    (
      "credential: passthrough, authenticate: [token]", "credential: passthrough, authenticate: [clientCertificate]",
      "26:68: routes[4].credential: passes tokens on, and the route accepts none; list token in the route's `authenticate`"
    ),
    (", caFile: cluster-ca.pem", "", "22:88: routes[0].credential: would present identities to an upstream without a caFile;"),
  ]) func aFaultIsSaidWithItsPlaceAndCure(old: String, new: String, fault: String) {
    let found = faults(in: everyCredentialKey, replacing: old, by: new)
    #expect(found.contains { $0.hasPrefix(fault) }, "\(found)")
  }

  @Test func tokensNeedAnIssuerAndAnIssuerTokens() {
    let without = everyCredentialKey.replacing(#/issuer: .*\n/#, with: "")
    #expect(
      faults(in: without) == [
        "7:3: credentials[0]: needs an issuer that signs its tokens; add the section issuer",
        "17:3: credentials[4]: needs an issuer that signs its tokens; add the section issuer",
      ])
    let idle = everyCredentialKey.replacing("phantomToken: {audience: kubernetes}", with: "none: {}")
    #expect(
      faults(in: idle, replacing: "idToken: {audience: kubernetes}", by: "none: {}")
        == [
          "6:9: issuer: signs for no credential; remove it, or add a credential of kind idToken, an audience to a phantomToken, or tokenExchange"
        ])
  }
}
