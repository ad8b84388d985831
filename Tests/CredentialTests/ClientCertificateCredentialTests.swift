import Crypto
import Foundation
import NIOCore
@_spi(Authenticator) import SallyportCore
import SallyportCredential
import SallyportPKI
import SwiftASN1
import TestSupport
import Testing
import X509

/// What a certificate that is made for a user says, how long it is used, and for whom it is not made.
@Suite struct ClientCertificateCredentialTests {
  private let time = TestTime()
  private let authority: CertificateAuthority

  init() throws {
    self.authority = try CertificateAuthority(.authority("Minting CA", now: Date(timeIntervalSince1970: 1_799_000_000)))
  }

  private func source(
    _ rules: ClientCertificateCredential.Rules = .init(), certificates: String? = nil, names: Set<String> = [], capacity: Int = 100
  ) throws -> ClientCertificateCredential {
    ClientCertificateCredential(
      authority: try MintingAuthority(
        certificates: certificates ?? self.authority.certificatePEM, privateKey: self.authority.privateKeyPEM, at: self.time.wall),
      rules: rules, names: ReservedNames(allowed: names), clock: self.time.clock, capacity: capacity)
  }

  private func leaf(_ credential: UpstreamCredential) throws -> Certificate {
    let der = try #require(credential.certificate?.chain.first)
    #expect(credential.connection.certificateFingerprint == SHA256.hash(data: der).map { String(format: "%02x", $0) }.joined())
    return try Certificate(derEncoded: der)
  }

  private func values(_ type: ASN1ObjectIdentifier, _ certificate: Certificate) -> [String] {
    certificate.subject.flatMap { $0 }.filter { $0.type == type }.compactMap { String($0.value) }
  }

  @Test func aLeafSaysWhoItIsAsKubernetesReadsItAndNothingElse() throws {
    let long = String(repeating: "ä", count: 100)
    let credential = try self.source().credential(
      for: .identity(.of(long, uid: "7", groups: ["dev", "a,b+c=d", "dev ops"])), impersonating: nil)
    let leaf = try self.leaf(credential)
    #expect(self.values(.RDNAttributeType.commonName, leaf) == [long])
    #expect(self.values(.RDNAttributeType.organizationName, leaf) == ["dev", "a,b+c=d", "dev ops"])
    #expect(self.values([1, 3, 6, 1, 4, 1, 57683, 2], leaf) == ["7"])
    #expect(leaf.subject.flatMap { $0 }.count == 5)
    #expect(leaf.issuer == self.authority.certificate.subject)
    #expect(self.authority.certificate.publicKey.isValidSignature(leaf.signature, for: leaf))
    #expect(try leaf.extensions.extendedKeyUsage.map(Array.init) == [.clientAuth])
    #expect(try leaf.extensions.basicConstraints == .notCertificateAuthority)
    #expect(try leaf.extensions.keyUsage == KeyUsage(digitalSignature: true))
    #expect(try leaf.extensions.subjectAlternativeNames == nil)
    #expect(leaf.notValidBefore == self.time.wall.addingTimeInterval(-60))
    #expect(leaf.notValidAfter == self.time.wall.addingTimeInterval(3600))
    #expect(leaf.serialNumber.bytes.count == 17)
    #expect(credential.identifier == leaf.serialNumber.bytes.map { String(format: "%02x", $0) }.joined())
    #expect(credential.kind == "clientCertificate" && credential.fieldLines.readableBytes == 0)
  }

  @Test func whatARootSignsComesAloneAndWhatAnIntermediateSignsWithIt() throws {
    #expect(try self.source().credential(for: .identity(.of()), impersonating: nil).certificate?.chain.count == 1)
    let root = try CertificateAuthority(.authority("Root", depth: nil, now: Date(timeIntervalSince1970: 1_799_000_000)))
    let below = try root.intermediate(.authority("Below", now: Date(timeIntervalSince1970: 1_799_000_000)))
    let source = ClientCertificateCredential(
      authority: try MintingAuthority(
        certificates: below.certificatePEM + root.certificatePEM, privateKey: below.privateKeyPEM, at: self.time.wall),
      rules: .init(), names: ReservedNames(), clock: self.time.clock)
    let chain = try #require(try source.credential(for: .identity(.of()), impersonating: nil).certificate?.chain)
    #expect(chain.count == 2)
    #expect(try Certificate(derEncoded: chain[1]) == below.certificate)
  }

  @Test func aCertificateIsMadeOnceForWhatItSays() throws {
    let source = try self.source()
    let memory = ConnectionMemory()
    let alice = Subject.identity(.of())
    let first = try source.credential(for: alice, impersonating: nil, memory: memory)
    #expect(try source.credential(for: alice, impersonating: nil, memory: memory) === first)
    // Whoever signs in again with the same names goes on with the same connections.
    #expect(try source.credential(for: .identity(.of()), impersonating: nil) === first)
    for other: Identity in [
      .of("bob"), .of(uid: "1"), .of(groups: []), .of(groups: ["dev", "ops"]), .of(groups: ["ops"]),
      .of(expires: self.time.wall.addingTimeInterval(100)),
      // Two names that Swift takes for one.
      .of("\u{E4}"), .of("a\u{308}"),
    ] {
      let made = try source.credential(for: .identity(other), impersonating: nil, memory: memory)
      #expect(made !== first && made.connection != first.connection, "\(other)")
      #expect(try source.credential(for: .identity(other), impersonating: nil) === made)
    }
    let (composed, decomposed) = (Subject.identity(.of("\u{E4}")), Subject.identity(.of("a\u{308}")))
    #expect(
      try source.credential(for: composed, impersonating: nil).connection
        != source.credential(for: decomposed, impersonating: nil).connection)
  }

  @Test func aCertificateIsMadeAnewBeforeItEndsAndItsKeyEveryHour() throws {
    let source = try self.source(.init(lifetime: 600))
    let alice = Subject.identity(.of())
    let first = try source.credential(for: alice, impersonating: nil)
    self.time.advance(by: 449)
    #expect(try source.credential(for: alice, impersonating: nil) === first)
    self.time.advance(by: 2)
    let second = try source.credential(for: alice, impersonating: nil)
    #expect(second !== first && second.certificate?.key === first.certificate?.key)
    self.time.advance(by: 3600)
    let third = try source.credential(for: alice, impersonating: nil)
    #expect(third.certificate?.key !== first.certificate?.key)
    #expect(try self.leaf(third).publicKey != self.leaf(first).publicKey)
  }

  @Test func aLeafEndsWithWhatProvedTheIdentityAndWithItsAuthority() throws {
    let source = try self.source()
    let ends = self.time.wall.addingTimeInterval(4000)
    let alice = Subject.identity(.of(method: .clientCertificate, expires: ends))
    let memory = ConnectionMemory()
    var count: Set<String> = []
    while self.time.wall < ends.addingTimeInterval(-2) {
      let credential = try source.credential(for: alice, impersonating: nil, memory: memory)
      let leaf = try self.leaf(credential)
      #expect(leaf.notValidAfter <= ends && leaf.notValidAfter > self.time.wall)
      count.insert(credential.identifier ?? "")
      self.time.advance(by: 7.3)
    }
    #expect(count.count == 2)
    self.time.advance(by: 10)
    #expect(problem { _ = try source.credential(for: alice, impersonating: nil, memory: memory) } == .proofEnds)

    let dying = try CertificateAuthority(.authority("Dying CA", lifetime: .seconds(1800), now: self.time.wall))
    let short = ClientCertificateCredential(
      authority: try MintingAuthority(certificates: dying.certificatePEM, privateKey: dying.privateKeyPEM, at: self.time.wall),
      rules: .init(), names: ReservedNames(), clock: self.time.clock)
    #expect(try self.leaf(try short.credential(for: .identity(.of()), impersonating: nil)).notValidAfter <= dying.certificate.notValidAfter)
    self.time.advance(by: 1801)
    let fault = problem { _ = try short.credential(for: .identity(.of()), impersonating: nil) }
    #expect(fault?.code == "mintingFailed" && fault?.blame == .operator)
  }

  @Test func whatIsConfiguredIsCopiedFromTheUsersOwnCertificate() throws {
    let own: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 99999, 1]
    typealias Attribute = RelativeDistinguishedName.Attribute
    let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
    let subject = DistinguishedName([
      RelativeDistinguishedName(Attribute(type: [2, 5, 4, 11], utf8String: "Platform")),
      RelativeDistinguishedName(Attribute(type: [2, 5, 4, 6], utf8String: "DE")),
      RelativeDistinguishedName(Attribute(type: .RDNAttributeType.organizationName, utf8String: "system:masters")),
      RelativeDistinguishedName(Attribute(type: .RDNAttributeType.commonName, utf8String: "root")),
    ])
    let inbound = try Certificate(
      version: .v3, serialNumber: .init(bytes: [7]), publicKey: key.publicKey, notValidBefore: self.time.wall,
      notValidAfter: self.time.wall.addingTimeInterval(9000), issuer: subject, subject: subject,
      extensions: try .init([
        .init(SubjectAlternativeNames([.rfc822Name("alice@example.org"), .dnsName("alice.example.org")]), critical: false),
        .init(oid: own, critical: true, value: [4, 2, 1, 2]),
        .init(BasicConstraints.isCertificateAuthority(maxPathLength: nil), critical: true),
      ]), issuerPrivateKey: key)
    let verified = try VerifiedCertificate.of(inbound)
    let copies = CopyRules(subject: [.organizationalUnit], alternativeNames: [.email], extensions: ["1.3.6.1.4.1.99999.1"])
    let source = try self.source(.init(copies: copies))
    let alice = Identity.of(method: .clientCertificate, expires: verified.notAfter)
    let leaf = try self.leaf(try source.credential(for: .identity(alice), impersonating: nil, certificate: verified))
    #expect(self.values([2, 5, 4, 11], leaf) == ["Platform"] && self.values([2, 5, 4, 6], leaf).isEmpty)
    #expect(self.values(.RDNAttributeType.organizationName, leaf) == ["dev"])
    #expect(self.values(.RDNAttributeType.commonName, leaf) == ["alice"])
    #expect(try leaf.extensions.subjectAlternativeNames.map(Array.init) == [.rfc822Name("alice@example.org")])
    let copied = try #require(leaf.extensions[oid: own])
    #expect(!copied.critical && copied.value == [4, 2, 1, 2])
    #expect(try leaf.extensions.basicConstraints == .notCertificateAuthority)
    // A password on a connection that happens to show a certificate is not that certificate's.
    let bob = try self.leaf(try source.credential(for: .identity(.of("bob")), impersonating: nil, certificate: verified))
    #expect(self.values([2, 5, 4, 11], bob).isEmpty && bob.extensions[oid: own] == nil)
    for identifier in ["2.5.29.19", "2.5.29.37", "1.3.6.1.5.5.7.1.1", "x", ""] { #expect(!CopyRules.mayCopy(extension: identifier)) }
    #expect(CopyRules.mayCopy(extension: "1.3.6.1.4.1.99999.1"))
  }

  @Test func namesThatAreKubernetesOwnOrThatNoCertificateHoldsAreRefused() throws {
    let source = try self.source()
    func code(_ identity: Identity) -> String? {
      problem { _ = try source.credential(for: .identity(identity), impersonating: nil) }?.code
    }
    #expect(code(.of(groups: ["system:masters"])) == "nameReserved")
    #expect(code(.of("")) == "identityNotWritable" && code(.of(groups: [""])) == "identityNotWritable")
    #expect(code(.of("a\u{0}")) == "identityNotWritable")
    #expect(try source.credential(for: .anonymous, impersonating: nil).certificate == nil)
    let asking = try source.credential(for: .identity(.of()), impersonating: .init(user: "zoe"))
    #expect(String(buffer: asking.fieldLines) == "Impersonate-User: zoe\r\n" && asking.certificate != nil)
  }

  /// As the manual has it made, with each kind of key.
  @Test(arguments: [["ec", "ec_paramgen_curve:P-256"], ["ec", "ec_paramgen_curve:P-384"], ["rsa", "rsa_keygen_bits:2048"]])
  func anAuthorityThatOpenSSLMakesSigns(_ key: [String]) async throws {
    let directory = TemporaryDirectory()
    let made = try await run(
      "openssl",
      [
        "req", "-x509", "-newkey", key[0], "-pkeyopt", key[1], "-nodes", "-days", "3650", "-subj", "/CN=Sallyport Minting CA", "-addext",
        "keyUsage=critical,keyCertSign", "-keyout", directory.file("ca.key"), "-out", directory.file("ca.pem"),
      ])
    #expect(made.status == 0, "\(made.transcript)")
    let source = ClientCertificateCredential(
      authority: try MintingAuthority(certificates: directory.read("ca.pem"), privateKey: directory.read("ca.key"), at: Date()),
      rules: .init(), names: ReservedNames())
    let credential = try source.credential(for: .identity(.of("ännchen", uid: "7")), impersonating: nil)
    let leaf = try self.leaf(credential)
    try directory.write(try leaf.serializeAsPEM().pemString + "\n", to: "leaf.pem")
    let verified = try await run(
      "openssl", ["verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", directory.file("ca.pem"), directory.file("leaf.pem")])
    #expect(verified.status == 0, "\(verified.transcript)")
    let serial = try await run("openssl", ["x509", "-in", directory.file("leaf.pem"), "-noout", "-serial"])
    #expect(serial.output.lowercased() == "serial=\(credential.identifier ?? "")\n")
  }

  @Test func whatIsNoMintingAuthorityIsAFault() throws {
    let now = self.time.wall
    func fault(_ certificates: String, _ key: String, at time: Date? = nil) -> String {
      do throws(MintingAuthority.Fault) {
        _ = try MintingAuthority(certificates: certificates, privateKey: key, at: time ?? now)
        return ""
      } catch {
        return error.description
      }
    }
    let (pem, key) = (self.authority.certificatePEM, self.authority.privateKeyPEM)
    let leaf = try self.authority.issue(.client("alice", now: Date(timeIntervalSince1970: 1_799_999_000)))
    #expect(fault(pem, key).isEmpty)
    #expect(fault("", key).contains("no certificate") && fault("nonsense", key).contains("no certificate"))
    #expect(fault(pem, "nonsense").contains("no key in PEM form"))
    #expect(fault(pem, leaf.privateKeyPEM).contains("not the certificate of the private key"))
    #expect(fault(leaf.certificatePEM, leaf.privateKeyPEM).contains("basicConstraints"))
    #expect(fault(pem, key, at: Date(timeIntervalSince1970: 3_000_000_000)).contains("not valid at this time"))
  }
}
