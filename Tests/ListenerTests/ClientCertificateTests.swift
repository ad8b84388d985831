import NIOCore
import NIOSSL
import SallyportListener
import SallyportPKI
import TestSupport
import Testing

import struct Foundation.Date

/// Who is believed by certificate, over real handshakes.
@Suite(.timeLimit(.minutes(5))) struct ClientCertificateTests {
  @Test func aClientWithoutACertificateIsLetInAsNobody() async throws {
    let fixture = try await ListenerFixture.start()
    #expect(try await fixture.facts(of: fixture.connect()) == "nobody TLSv1.3 localhost false")
    await fixture.listener.close()
  }

  @Test(arguments: [TLSVersion.tlsv12, .tlsv13]) func aVerifiedCertificateIsKnownToEveryRequest(_ version: TLSVersion) async throws {
    let fixture = try await ListenerFixture.start()
    let alice = try fixture.pki.client("alice", groups: ["dev"])
    let client = try await fixture.connect(as: alice) { $0.maximumVersion = version }
    #expect(try await fixture.facts(of: client) == "alice \(version == .tlsv12 ? "TLSv1.2" : "TLSv1.3") localhost false")
    await fixture.listener.close()
  }

  @Test func aChainWithAnIntermediateVerifies() async throws {
    let fixture = try await ListenerFixture.start()
    let alice = try fixture.pki.client("alice", signedBy: fixture.pki.intermediateClientAuthority())
    #expect(try await fixture.facts(of: fixture.connect(as: alice)).hasPrefix("alice "))
    await fixture.listener.close()
  }

  @Test func aListenerWithoutAClientCAAsksForNoCertificate() async throws {
    let fixture = try await ListenerFixture.start(clientCA: false)
    #expect(try await fixture.facts(of: fixture.connect(as: fixture.pki.client("alice"))).hasPrefix("nobody "))
    await fixture.listener.close()
  }

  struct Bad: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let code: String
    let certificate: @Sendable (TestPKI) throws -> TestCertificate
  }

  static let bad: [Bad] = [
    Bad(testDescription: "expired", code: "clientCertificateExpired") { pki in
      try pki.client("alice") { $0.notAfter = Date(timeIntervalSinceNow: -5) }
    },
    Bad(testDescription: "not yet valid", code: "clientCertificateNotYetValid") { pki in
      try pki.client("alice") { $0.notBefore = Date(timeIntervalSinceNow: 3600) }
    },
    Bad(testDescription: "for servers", code: "clientCertificateWrongPurpose") { pki in
      try pki.client("alice") { $0.purposes = [.serverAuthentication] }
    },
    Bad(testDescription: "for no purpose in particular", code: "clientCertificateWrongPurpose") { pki in
      try pki.client("alice") { $0.purposes = [] }
    },
    Bad(testDescription: "an authority as a leaf", code: "clientCertificateIsAuthority") { pki in
      try pki.client("alice") {
        $0.role = .authority(depth: nil)
        $0.keyUses = [.digitalSignature, .certificateSigning]
      }
    },
    Bad(testDescription: "a leaf that may sign", code: "clientCertificateIsAuthority") { pki in
      try pki.client("alice") { $0.keyUses = [.digitalSignature, .certificateSigning] }
    },
    Bad(testDescription: "of a foreign authority", code: "clientCertificateUnknownIssuer") { pki in
      try pki.client("alice", signedBy: CertificateAuthority(.authority("Foreign CA")))
    },
    Bad(testDescription: "of a foreign authority with the right name", code: "clientCertificateUnknownIssuer") { pki in
      try pki.client("alice", signedBy: CertificateAuthority(.authority("Test Client CA")))
    },
    Bad(testDescription: "of the server's authority", code: "clientCertificateUnknownIssuer") { pki in
      try pki.client("alice", signedBy: pki.serverAuthority)
    },
    Bad(testDescription: "signed by a client's certificate", code: "clientCertificateRefused") { pki in
      // Alice's intermediate may sign no authority below it, and so bob's chain is one too long.
      let first = try pki.clientAuthority.intermediate(.authority("first", depth: 0))
      return try pki.client("bob", signedBy: first.intermediate(.authority("second", depth: 0)))
    },
    Bad(testDescription: "of an intermediate that has expired", code: "clientCertificateRefused") { pki in
      var profile = CertificateProfile.authority("old")
      profile.notAfter = Date(timeIntervalSinceNow: -5)
      return try pki.client("alice", signedBy: pki.clientAuthority.intermediate(profile))
    },
    Bad(testDescription: "of an intermediate for servers only", code: "clientCertificateRefused") { pki in
      var profile = CertificateProfile.authority("servers")
      profile.purposes = [.serverAuthentication]
      return try pki.client("alice", signedBy: pki.clientAuthority.intermediate(profile))
    },
    Bad(testDescription: "of an intermediate that may not sign", code: "clientCertificateRefused") { pki in
      var profile = CertificateProfile.authority("no signer")
      profile.keyUses = [.digitalSignature]
      return try pki.client("alice", signedBy: pki.clientAuthority.intermediate(profile))
    },
    Bad(testDescription: "with a chain that is too long", code: "clientCertificateRefused") { pki in
      var authority = try pki.clientAuthority.intermediate(.authority("0", depth: nil))
      for index in 1...4 { authority = try authority.intermediate(.authority("\(index)", depth: nil)) }
      return try pki.client("alice", signedBy: authority)
    },
  ]

  @Test(arguments: bad) func aBadCertificateFailsTheHandshakeAndIsReported(_ bad: Bad) async throws {
    let fixture = try await ListenerFixture.start()
    let certificate = try bad.certificate(fixture.pki)
    // With TLS 1.2 the client's own handshake fails; with TLS 1.3 it has ended before it is told.
    await #expect(throws: (any Error).self) { try await fixture.connect(as: certificate) { $0.maximumVersion = .tlsv12 } }
    #expect(await fixture.receiver.nextFailure() == bad.code)
    let client = try await fixture.connect(as: certificate)
    try? await client.send("GET /facts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer good\r\n\r\n")
    #expect(try await client.readToEnd() == "", "a bad certificate is not overlooked in favour of a token")
    #expect(await fixture.receiver.nextFailure() == bad.code)
    await fixture.listener.close()
  }

  @Test func theProblemNamesTheCertificateAndTheReason() async throws {
    let fixture = try await ListenerFixture.start()
    let expired = try fixture.pki.client("alice", groups: ["dev"]) { $0.notAfter = Date(timeIntervalSinceNow: -5) }
    let client = try await fixture.connect(as: expired)
    _ = try await client.readToEnd()
    let event = await fixture.receiver.first { _ in true }
    guard case .failed(_, let detail) = event else {
      Issue.record("\(String(describing: event))")
      return
    }
    #expect(detail.contains("CN=alice,O=dev"))
    #expect(detail.contains("was valid until"))
    await fixture.listener.close()
  }

  @Test func aVerificationIsRememberedUntilTheChainEnds() async throws {
    let clock = TestTime()
    let fixture = try await ListenerFixture.start(now: { clock.now })
    let alice = try fixture.pki.client("alice") { $0.notAfter = Date(timeIntervalSinceNow: 600) }
    #expect(try await fixture.facts(of: fixture.connect(as: alice)).hasPrefix("alice "))
    #expect(try await fixture.facts(of: fixture.connect(as: alice)).hasPrefix("alice "))
    clock.advance(by: 700)
    let client = try await fixture.connect(as: alice)
    #expect(try await client.readToEnd() == "")
    #expect(await fixture.receiver.nextFailure() == "clientCertificateExpired")
    await fixture.listener.close()
  }
}
