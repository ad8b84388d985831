import Crypto
import SallyportCore
import SallyportPKI
import SwiftASN1
import TestSupport
import Testing
import X509

import struct Foundation.Data
import struct Foundation.Date
import struct Foundation.URL

@testable import SallyportListener

/// The corners of RFC 5280: chains that a good authority's key can make and a verifier must not take.
@Suite struct CertificateCornersTests {
  /// An authority whose certificates are made by hand.
  private struct Authority {
    let certificate: Certificate
    let key: Certificate.PrivateKey

    init(_ name: String, under issuer: Authority? = nil, _ extensions: [Certificate.Extension]? = nil, end: Double = 3600) throws {
      self.key = Certificate.PrivateKey(P256.Signing.PrivateKey())
      self.certificate = try Self.sign(
        name, self.key.publicKey, by: issuer.map { ($0.certificate.subject, $0.key) } ?? (try Self.name(name), self.key),
        extensions ?? Self.authorityExtensions(), end: end)
    }

    static func authorityExtensions(depth: Int? = nil, adding more: [Certificate.Extension] = []) throws -> [Certificate.Extension] {
      [
        try .init(BasicConstraints.isCertificateAuthority(maxPathLength: depth), critical: true),
        try .init(KeyUsage(keyCertSign: true, cRLSign: true), critical: true),
      ] + more
    }

    static func name(_ text: String) throws -> DistinguishedName { try DistinguishedName { CommonName(text) } }

    static func sign(
      _ name: String, _ key: Certificate.PublicKey, by issuer: (DistinguishedName, Certificate.PrivateKey),
      _ extensions: [Certificate.Extension], end: Double = 3600
    ) throws -> Certificate {
      try Certificate(
        version: .v3, serialNumber: .init(), publicKey: key, notValidBefore: Date(timeIntervalSinceNow: -60),
        notValidAfter: Date(timeIntervalSinceNow: end), issuer: issuer.0, subject: self.name(name), signatureAlgorithm: .ecdsaWithSHA256,
        extensions: Certificate.Extensions(extensions), issuerPrivateKey: issuer.1)
    }

    func leaf(_ name: String = "alice", _ extensions: [Certificate.Extension]? = nil) throws -> Certificate {
      try Self.sign(
        name, Certificate.PrivateKey(P256.Signing.PrivateKey()).publicKey, by: (self.certificate.subject, self.key),
        extensions ?? [try .init(ExtendedKeyUsage([.clientAuth]), critical: false)])
    }
  }

  private let root: Authority
  private let trust: ClientTrust

  init() throws {
    self.root = try Authority("Root")
    self.trust = try ClientTrust(authorities: [Self.der(self.root.certificate)], file: "ca.pem")
  }

  private static func der(_ certificate: Certificate) throws -> [UInt8] {
    var serializer = DER.Serializer()
    try serializer.serialize(certificate)
    return serializer.serializedBytes
  }

  private func verify(_ chain: [Certificate], by trust: ClientTrust? = nil) async throws -> Result<VerifiedClient, Problem> {
    let encoded = try chain.map(Self.der)
    return await (trust ?? self.trust).verify(encoded, fingerprint: VerifiedCertificate.fingerprint(of: encoded[0]), at: Date())
  }

  private func expectRefusal(
    _ chain: [Certificate], _ expected: Problem, _ words: String = "", sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    guard case .failure(let problem) = try await self.verify(chain) else {
      Issue.record("believed", sourceLocation: sourceLocation)
      return
    }
    #expect(problem == expected, sourceLocation: sourceLocation)
    #expect(words.isEmpty || problem.detail.contains(words), "\(problem.detail)", sourceLocation: sourceLocation)
  }

  // MARK: Purpose

  @Test func anyPurposeIsNotClientAuthentication() async throws {
    let any = try self.root.leaf("alice", [.init(ExtendedKeyUsage([.any]), critical: false)])
    try await self.expectRefusal([any], ListenerProblem.certificateWrongPurpose)
    let both = try self.root.leaf("alice", [.init(ExtendedKeyUsage([.any, .clientAuth]), critical: true)])
    #expect(try await self.verify([both]).get().certificate.commonNames == ["alice"])
  }

  @Test func noPurposeIsNotClientAuthentication() async throws {
    try await self.expectRefusal([try self.root.leaf("alice", [])], ListenerProblem.certificateWrongPurpose)
  }

  @Test func anAuthorityForServersMakesNoClients() async throws {
    let servers = try Authority(
      "Servers", under: self.root, Authority.authorityExtensions(adding: [.init(ExtendedKeyUsage([.serverAuth]), critical: false)]))
    try await self.expectRefusal([try servers.leaf(), servers.certificate], ListenerProblem.certificateRefused, "excludes client")
    let any = try Authority(
      "Any", under: self.root, Authority.authorityExtensions(adding: [.init(ExtendedKeyUsage([.any]), critical: false)]))
    _ = try await self.verify([try any.leaf(), any.certificate]).get()
  }

  @Test func anAuthorityThatMayNotSignMakesNobody() async throws {
    let extensions: [Certificate.Extension] = [
      try .init(BasicConstraints.isCertificateAuthority(maxPathLength: nil), critical: true),
      try .init(KeyUsage(digitalSignature: true), critical: true),
    ]
    let authority = try Authority("Signless", under: self.root, extensions)
    try await self.expectRefusal([try authority.leaf(), authority.certificate], ListenerProblem.certificateRefused)
  }

  // MARK: Chains

  @Test func aLeafSignsNobody() async throws {
    // A user's key in the place of an authority's.
    let user = try Authority("mallory", under: self.root, [.init(ExtendedKeyUsage([.clientAuth]), critical: false)])
    let forged = try user.leaf("admin")
    guard case .failure = try await self.verify([forged, user.certificate]) else {
      Issue.record("a user made an administrator")
      return
    }
  }

  @Test func theLengthOfAPathIsKept() async throws {
    let shallow = try Authority("Shallow", under: self.root, Authority.authorityExtensions(depth: 0))
    _ = try await self.verify([try shallow.leaf(), shallow.certificate]).get()
    let below = try Authority("Below", under: shallow)
    try await self.expectRefusal([try below.leaf(), below.certificate, shallow.certificate], ListenerProblem.certificateRefused)
  }

  @Test func anExpiredAuthorityBetweenEndsTheChain() async throws {
    let old = try Authority("Old", under: self.root, end: -5)
    try await self.expectRefusal([try old.leaf(), old.certificate], ListenerProblem.certificateRefused)
  }

  @Test func aCertificateEndsWithTheFirstOfItsChain() async throws {
    let short = try Authority("Short", under: self.root, end: 100)
    let certificate = try await self.verify([try short.leaf(), short.certificate]).get().certificate
    #expect(certificate.notAfter == short.certificate.notValidAfter)
  }

  @Test func authoritiesBetweenMayComeInAnyOrderAndBesideOthers() async throws {
    let first = try Authority("First", under: self.root)
    let second = try Authority("Second", under: first)
    let third = try Authority("Third", under: second)
    let leaf = try third.leaf()
    let stranger = try Authority("Stranger")
    let authorities = [third.certificate, second.certificate, first.certificate]
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1]] {
      let certificate = try await self.verify([leaf] + order.map { authorities[$0] } + [stranger.certificate]).get().certificate
      #expect(certificate.chain.map(\.issuer.subject) == ["CN=Third", "CN=Second", "CN=First", "CN=Root"])
      #expect(certificate.chain[0].serial == Array(leaf.serialNumber.bytes.drop { $0 == 0 }))
      #expect(certificate.chain[3].issuer.fingerprint == VerifiedCertificate.fingerprint(of: try Self.der(self.root.certificate)))
    }
    try await self.expectRefusal([leaf, third.certificate, first.certificate], ListenerProblem.certificateUnknownIssuer)
  }

  @Test func aLongChainIsNotLookedAt() async throws {
    var authority = self.root
    var chain: [Certificate] = []
    for number in 0...ClientTrust.mostIntermediates {
      authority = try Authority("Level \(number)", under: authority)
      chain.insert(authority.certificate, at: 0)
    }
    try await self.expectRefusal([try authority.leaf()] + chain, ListenerProblem.certificateRefused, "more than 4 intermediates")
  }

  @Test func severalAuthoritiesOfOneFileAreTrustedAlike() async throws {
    let other = try Authority("Other Root")
    let trust = try ClientTrust(authorities: [Self.der(self.root.certificate), Self.der(other.certificate)], file: "ca.pem")
    #expect(try await self.verify([self.root.leaf()], by: trust).get().certificate.issuer == "CN=Root")
    #expect(try await self.verify([other.leaf()], by: trust).get().certificate.issuer == "CN=Other Root")
    try await self.expectRefusal([try other.leaf()], ListenerProblem.certificateUnknownIssuer)
  }

  @Test func theNamesThatAnAuthorityMayGiveAreKept() async throws {
    let constraints = try Certificate.Extension(NameConstraints(permittedDNSDomains: ["example.org"]), critical: true)
    let limited = try Authority("Limited", under: self.root, Authority.authorityExtensions(adding: [constraints]))
    func leaf(_ name: String) throws -> Certificate {
      try limited.leaf(
        "alice",
        [.init(ExtendedKeyUsage([.clientAuth]), critical: false), .init(SubjectAlternativeNames([.dnsName(name)]), critical: false)])
    }
    _ = try await self.verify([try leaf("a.example.org"), limited.certificate]).get()
    try await self.expectRefusal([try leaf("a.example.com"), limited.certificate], ListenerProblem.certificateRefused)
    // Constraints that cannot be judged are not passed over.
    let emails = try Certificate.Extension(NameConstraints(permittedEmailAddresses: ["example.org"]), critical: true)
    let mail = try Authority("Mail", under: self.root, Authority.authorityExtensions(adding: [emails]))
    let user = try mail.leaf(
      "alice",
      [
        .init(ExtendedKeyUsage([.clientAuth]), critical: false),
        .init(SubjectAlternativeNames([.rfc822Name("alice@example.com")]), critical: false),
      ])
    try await self.expectRefusal([user, mail.certificate], ListenerProblem.certificateRefused)
  }

  // MARK: Strength

  /// Certificates that this program cannot make, by openssl; DER.
  private func openssl(_ arguments: String...) async throws -> [UInt8] {
    let directory = TemporaryDirectory()
    let file = directory.file("certificate.der")
    let result = try await run(
      "openssl",
      ["req", "-x509", "-nodes", "-keyout", directory.file("key.pem"), "-outform", "DER", "-out", file, "-days", "1", "-subj", "/CN=weak"]
        + arguments)
    try #require(result.status == 0, "\(result.transcript)")
    return Array(try Data(contentsOf: URL(fileURLWithPath: file)))
  }

  private func refusal(ofLeaf der: [UInt8]) async -> Problem? {
    guard case .failure(let problem) = await self.trust.verify([der], fingerprint: VerifiedCertificate.fingerprint(of: der), at: Date())
    else { return nil }
    return problem
  }

  @Test func aShortKeyIsNobodysAndNoAuthoritys() async throws {
    let leaf = try await self.openssl(
      "-newkey", "rsa:1024", "-sha256", "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "extendedKeyUsage=clientAuth")
    // The library does not even read it.
    #expect(await self.refusal(ofLeaf: leaf) == ListenerProblem.certificateUnreadable)
    let authority = try await self.openssl("-newkey", "rsa:1024", "-sha256")
    #expect(throws: ListenerProblem.clientCAUnusable) { try ClientTrust(authorities: [authority], file: "ca.pem") }
  }

  @Test func aWeakSignatureIsNobodysAndSaysNothingOfAnAuthority() async throws {
    let leaf = try await self.openssl(
      "-newkey", "rsa:2048", "-sha1", "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "extendedKeyUsage=clientAuth")
    let problem = await self.refusal(ofLeaf: leaf)
    #expect(problem == ListenerProblem.certificateWeak)
    #expect(problem?.detail.contains("is signed with") == true)
    // The signature of a trusted authority on itself says nothing.
    _ = try ClientTrust(authorities: [await self.openssl("-newkey", "rsa:2048", "-sha1")], file: "ca.pem")
  }

  @Test func aGoodKeyIsNotWeak() async throws {
    let certificate = try Certificate(derEncoded: await self.openssl("-newkey", "rsa:2048", "-sha256"))
    #expect(CertificateStrength.fault(ofKey: certificate.publicKey) == nil)
    #expect(CertificateStrength.fault(ofSignature: certificate) == nil)
    #expect(CertificateStrength.fault(ofKey: self.root.certificate.publicKey) == nil)
  }

  // MARK: Names and policies

  @Test func alternativeNamesAreToldByKind() async throws {
    let names: [GeneralName] = [
      .rfc822Name("alice@example.org"), .dnsName("a.example.org"), .uniformResourceIdentifier("spiffe://example.org/alice"),
      .otherName(.init(typeID: [1, 3, 6, 1, 4, 1, 311, 20, 2, 3], value: ASN1Any(derEncoded: try DER.parse([0x0C, 0x01, 0x61])))),
      .rfc822Name("second@example.org"),
    ]
    let leaf = try self.root.leaf(
      "alice", [.init(ExtendedKeyUsage([.clientAuth]), critical: false), .init(SubjectAlternativeNames(names), critical: false)])
    let found = try await self.verify([leaf]).get().certificate.alternativeNames
    #expect(found.emails == ["alice@example.org", "second@example.org"])
    #expect(found.dnsNames == ["a.example.org"])
    #expect(found.uris == ["spiffe://example.org/alice"])
  }

  private func policies(_ identifiers: [ASN1ObjectIdentifier], critical: Bool = false) throws -> Certificate.Extension {
    var serializer = DER.Serializer()
    try serializer.appendConstructedNode(identifier: .sequence) { list in
      for identifier in identifiers {
        try list.appendConstructedNode(identifier: .sequence) { try $0.serialize(identifier) }
      }
    }
    return Certificate.Extension(oid: CertificatePolicies.identifier, critical: critical, value: serializer.serializedBytes[...])
  }

  @Test func aPolicyHoldsWhereTheWholeChainAllowsIt() async throws {
    let (mine, other, any): (ASN1ObjectIdentifier, ASN1ObjectIdentifier, ASN1ObjectIdentifier) = (
      [1, 3, 6, 1, 4, 1, 99999, 1], [1, 3, 6, 1, 4, 1, 99999, 2], [2, 5, 29, 32, 0]
    )
    let purpose = try Certificate.Extension(ExtendedKeyUsage([.clientAuth]), critical: false)
    func found(leaf: [ASN1ObjectIdentifier], between: [ASN1ObjectIdentifier]?) async throws -> [String] {
      let more = try between.map { [try self.policies($0, critical: true)] } ?? []
      let authority = try Authority("Between", under: self.root, Authority.authorityExtensions(adding: more))
      return try await self.verify([authority.leaf("alice", [purpose, self.policies(leaf)]), authority.certificate]).get().certificate
        .policies
    }
    #expect(try await found(leaf: [mine, other], between: [mine]) == ["\(mine)"])
    #expect(try await found(leaf: [mine, other], between: [any]) == ["\(mine)", "\(other)"])
    #expect(try await found(leaf: [mine], between: [other]) == [])
    #expect(try await found(leaf: [mine], between: nil) == [])
    #expect(try await found(leaf: [any], between: [any]) == [])
    #expect(try await self.verify([self.root.leaf("alice", [purpose, self.policies([mine])])]).get().certificate.policies == ["\(mine)"])
  }
}
