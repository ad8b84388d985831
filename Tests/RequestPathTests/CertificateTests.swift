import Foundation
import NIOCore
import NIOSSL
import SallyportListener
import SallyportPKI
import SallyportPracticeCluster
import TestSupport
import Testing

@testable import SallyportService

/// Certificates are judged when the handshake is made and again for every request; a session that comes back is worth no
/// more than the certificate it was made with.
@Suite(.serialized, .timeLimit(.minutes(5))) struct CertificateTests {
  /// What was let in does not stay in: the connection is kept, its certificate ends, and the next request is nobody's.
  @Test(arguments: [TLSVersion.tlsv12, .tlsv13])
  func aCertificateThatExpiresOnAKeptConnectionIsNoLongerBelieved(_ version: TLSVersion) async throws {
    try await House.with { house in
      let end = Date(timeIntervalSinceNow: 8)
      let short = try house.pki.client("alice", groups: ["view"]) { $0.notAfter = end }
      let client = try await house.connect(as: short) { $0.maximumVersion = version }
      let request = "GET /api/v1/namespaces/dev/pods HTTP/1.1\r\nHost: localhost\r\n\r\n"
      try await client.send(request)
      #expect(try await house.answer(from: client).status == 200)
      try await Task.sleep(for: .seconds(max(0, end.timeIntervalSinceNow) + 1.1))
      try await client.send(request)
      let answer = try await house.answer(from: client)
      #expect(answer.status == 401)
      let record = try house.closingRecord(of: answer)
      #expect(record.series == House.unauthenticated)
      #expect(record.error.contains("expired"), "\(record.error)")
      #expect(house.cluster?.recordedRequests().count == 1)
    }
  }

  struct Bad: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let code: String
    let certificate: @Sendable (TestPKI) throws -> TestCertificate
  }

  /// CVE-2025-49825 of Teleport and its kin.
  static let bad: [Bad] = [
    Bad(testDescription: "expired", code: "clientCertificateExpired") { pki in
      try pki.client("alice", groups: ["view"]) { $0.notAfter = Date(timeIntervalSinceNow: -5) }
    },
    Bad(testDescription: "not yet valid", code: "clientCertificateNotYetValid") { pki in
      try pki.client("alice", groups: ["view"]) { $0.notBefore = Date(timeIntervalSinceNow: 3600) }
    },
    Bad(testDescription: "for servers", code: "clientCertificateWrongPurpose") { pki in
      try pki.client("alice", groups: ["view"]) { $0.purposes = [.serverAuthentication] }
    },
    Bad(testDescription: "an authority as a leaf", code: "clientCertificateIsAuthority") { pki in
      try pki.client("alice", groups: ["view"]) {
        $0.role = .authority(depth: nil)
        $0.keyUses = [.digitalSignature, .certificateSigning]
      }
    },
    Bad(testDescription: "of a foreign authority with the right name", code: "clientCertificateUnknownIssuer") { pki in
      try pki.client("alice", groups: ["view"], signedBy: CertificateAuthority(.authority("Test Client CA")))
    },
    Bad(testDescription: "of the front proxies' authority", code: "clientCertificateUnknownIssuer") { pki in
      try pki.client("front-proxy-client", signedBy: pki.frontProxyAuthority)
    },
  ]

  /// A bad certificate ends the connection, also where a good password comes with it, and leaves its record.
  @Test(arguments: bad) func aBadCertificateEndsTheHandshakeAndIsRecorded(_ bad: Bad) async throws {
    try await House.with { house in
      let client = try await house.connect(as: bad.certificate(house.pki))
      try? await client.send("GET /api/v1/namespaces/dev/pods HTTP/1.1\r\nHost: localhost\r\n\(Person.bob.basic)\r\n\r\n")
      #expect(try await client.readToEnd() == "")
      let record = try await house.record("the failed handshake") { $0.error.hasPrefix("\(bad.code): ") }
      #expect(record.series == House.unauthenticated)
      #expect(record.stage == "ResponseComplete")
      #expect(record.sourceIPs == ["127.0.0.1"])
      #expect(record.user.username == nil)
      #expect(try house.records().count == 1)
      #expect(house.cluster?.recordedRequests().isEmpty == true)
    }
  }

  @Test func whoSpeaksNoTLSIsRecorded() async throws {
    try await House.with { house in
      let client = try await RawTLSClient.connect(port: house.port, tls: nil)
      try await client.send("GET /api/v1/namespaces/dev/pods HTTP/1.1\r\nHost: localhost\r\n\(Person.bob.basic)\r\n\r\n")
      _ = try await client.readToEnd()
      let record = try await house.record("plaintext") { $0.error.hasPrefix("plaintextOnTLSPort: ") }
      #expect(record.series == House.unauthenticated)
    }
  }

  /// Names and groups that Kubernetes keeps for itself are taken from no certificate unless the configuration names them.
  @Test(arguments: [("system:admin", "view"), ("alice", "system:masters"), ("system:anonymous", "view"), (" alice", "view")])
  func aNameThatACertificateMayNotCarryIsRefused(_ name: String, _ group: String) async throws {
    try await House.with { house in
      let answer = try await house.get("/version", as: house.certificate(name, group))
      #expect(answer.status == 401)
      #expect(house.cluster?.recordedRequests().isEmpty == true)
      #expect(try house.closingRecord(of: answer).series == House.unauthenticated)
    }
  }

  /// A certificate that is not needed says nothing on a route that takes passwords alone.
  @Test func aRouteThatTakesNoCertificatesSeesNone() async throws {
    try await House.with(script: ScriptedUpstream.answering(ScriptedUpstream.ok())) { plan in
      plan.routesBefore = [
        "{name: other, match: {path: /other}, upstream: kubernetes, credential: front-proxy, authenticate: [clientCertificate]}"
      ]
      plan.route = ["match: {path: /}", "authenticate: [password]"]
    } _: { house, _ in
      let alice = try house.certificate("alice", "view")
      #expect(try await house.get("/version", as: alice).status == 401)
      #expect(try await house.get("/version", as: alice, Person.bob.basic).status == 200)
      #expect(try house.theRequestUpstream().values("X-Remote-User") == ["bob"])
    }
  }

  /// CVE-2025-23419 of nginx, CVE-2025-23048 of Apache: a session made with a certificate whose authority was dropped in
  /// between gives no identity.
  @Test(arguments: ["-tls1_2", "-tls1_3"]) func aSessionOfADroppedAuthorityGivesNoIdentity(_ version: String) async throws {
    try await House.with { house in
      let alice = try house.certificate("alice", "view")
      try house.directory.write(alice.chainPEM, to: "me.pem")
      try house.directory.write(alice.privateKeyPEM, to: "me.key")
      let session = house.directory.file("session.pem")
      func ask(_ options: String...) async throws -> String {
        try await run(
          "openssl", ["s_client", "-connect", "127.0.0.1:\(house.port)", "-servername", "localhost", "-ign_eof", version] + options,
          input: Data("GET /api/v1/namespaces/dev/pods HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
        ).output
      }
      let identity = ["-cert", house.directory.file("me.pem"), "-key", house.directory.file("me.key")]
      let first = try await ask(identity[0], identity[1], identity[2], identity[3], "-sess_out", session)
      #expect(first.contains("HTTP/1.1 200 "), "\(first)")
      // The session is one that would be resumed: as long as the authority is there, it is.
      let second = try await ask("-sess_in", session)
      #expect(second.contains("\nReused, ") && second.contains("HTTP/1.1 200 "), "\(second)")

      let other = try CertificateAuthority(.authority("Another Client CA"))
      let listener = try #require(house.gateway.listeners.first)
      try listener.replaceTLS(
        ServerTLSConfiguration(
          certificateFile: house.directory.file("server.pem"), privateKeyFile: house.directory.file("server.key"),
          clientCAFile: try house.directory.write(other.certificatePEM, to: "other-ca.pem")))
      let third = try await ask("-sess_in", session)
      #expect(!third.contains("HTTP/1.1 200 "), "\(third)")
      #expect(house.cluster?.recordedRequests().count == 2)
      #expect(try house.records().filter { $0.user.username == "alice" }.count == 2)
    }
  }
}
