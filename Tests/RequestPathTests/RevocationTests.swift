import Foundation
import NIOCore
import SallyportPKI
import SallyportPracticeCluster
import TestSupport
import Testing

@testable import SallyportService

/// A certificate that is revoked while its owner is in the house: nothing that it opened stays open.
@Suite(.serialized, .timeLimit(.minutes(5))) struct RevocationTests {
  private static let request = "GET /api/v1/namespaces/dev/pods HTTP/1.1\r\nHost: localhost\r\n\r\n"

  /// Runs a body in a house that judges by a list, which the body can have written anew.
  private func withLists(
    issued: Double = -60, lasting: Double = 3600, _ body: (House, OpenSSLAuthority) async throws -> Void
  ) async throws {
    let made = Observed<OpenSSLAuthority?>(nil)
    var plan = House.Plan()
    plan.sections = ["admin: {address: '127.0.0.1:0'}"]
    plan.clientCertificates += ", revocation: {crlFiles: [revoked.crl], ocsp: off}"
    plan.prepare = { pki, directory in
      let lists = try OpenSSLAuthority(pki.clientAuthority)
      try directory.write(await lists.list(issued: issued, lasting: lasting), to: "revoked.crl")
      made.update { $0 = lists }
    }
    try await House.with(plan) { house in try await body(house, try #require(made.value)) }
  }

  @Test func aRevokedCertificateIsRefusedOnAKeptConnectionAndItsWatchIsCut() async throws {
    try await self.withLists { house, lists in
      let (alice, bob) = (try house.certificate("alice", "view"), try house.certificate("bob", "view"))
      let kept = try await house.connect(as: alice)
      try await kept.send(Self.request)
      #expect(try await house.answer(from: kept).status == 200)
      let watch = try await house.connect(as: alice)
      try await watch.send("GET /api/v1/pods?watch=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
      let watching = Answer(head: try await watch.read(until: "\r\n\r\n"))
      #expect(watching.status == 200)
      let other = try await house.connect(as: bob)
      try await other.send("GET /api/v1/pods?watch=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
      #expect(Answer(head: try await other.read(until: "\r\n\r\n")).status == 200)
      try await eventually("the watches") { house.cluster?.openWatches == 2 }

      try await lists.revoke(alice)
      try house.directory.write(await lists.list(), to: "revoked.crl")
      let record = try await house.record("the end of the watch") { $0.auditID == watching.auditID && $0.stage == "ResponseComplete" }
      #expect(record.error.contains("certificateRevoked") || record.fact("stream-end") == "certificateRevoked", "\(record.error)")
      try await eventually("the end upstream") { house.cluster?.openWatches == 1 }
      try await kept.send(Self.request)
      let answer = try await house.answer(from: kept)
      #expect(answer.status == 401)
      #expect(answer.body.contains("The client certificate was revoked."))
      #expect(try house.closingRecord(of: answer).error.hasPrefix("clientCertificateRevoked: "))
      #expect(try house.closingRecord(of: answer).series == House.unauthenticated)
      // A new connection is no other.
      #expect(try await house.get("/api/v1/namespaces/dev/pods", as: alice).status == 401)
      #expect(try await house.get("/api/v1/namespaces/dev/pods", as: alice, Person.bob.basic).status == 401)
      #expect(try await house.get("/api/v1/namespaces/dev/pods", as: bob).status == 200)
      #expect(try await house.get("/api/v1/namespaces/dev/pods", Person.bob.basic).status == 200)
      await other.close()
    }
  }

  @Test func theAgeOfAListIsShownAndAStaleOneIsRed() async throws {
    try await self.withLists(issued: -7200, lasting: 7200 + 100_000) { house, lists in
      #expect(try await house.look("/readyz?verbose").body.contains("[+]revocation ok: the oldest list is 2 h old\n"))
      let series = #"{list="\#(house.directory.file("revoked.crl"))"}"#
      let age = try #require(try await house.metric("sallyport_revocation_list_age_seconds" + series))
      #expect(age >= 7200 && age < 7800)
      let end = try #require(try await house.metric("sallyport_revocation_list_next_update_timestamp_seconds" + series))
      #expect(abs(end - Date().timeIntervalSince1970 - 100_000) < 600)
      #expect(try await house.metric("sallyport_revocation_revoked_certificates") == 0)

      // The last tenth of its life.
      try await lists.revoke(house.certificate("alice", "view"))
      try house.directory.write(await lists.list(issued: -1000, lasting: 1060), to: "revoked.crl")
      try await eventually("the late list") {
        try await house.look("/readyz?verbose").body.contains("[+]revocation ok, but: ")
      }
      #expect(try await house.look("/readyz").status == 200)
      #expect(try await house.metric("sallyport_revocation_revoked_certificates") == 1)

      try house.directory.write(await lists.list(issued: -10, lasting: 11), to: "revoked.crl")
      try await eventually("the stale list") { try await house.look("/readyz").status == 500 }
      let red = try await house.look("/readyz").body
      #expect(red.contains("[-]revocation failed: ") && red.contains("revoked.crl") && red.contains(" ended "), "\(red)")

      try house.directory.write(await lists.list(issued: -5), to: "revoked.crl")
      try await eventually("a new list") { try await house.look("/readyz").status == 200 }
    }
  }

  /// A resumed session skips the verification of the certificate, and not this.
  @Test(arguments: ["-tls1_2", "-tls1_3"]) func aResumedSessionIsRevokedToo(_ version: String) async throws {
    try await self.withLists { house, lists in
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
      let first = try await ask("-cert", house.directory.file("me.pem"), "-key", house.directory.file("me.key"), "-sess_out", session)
      #expect(first.contains("HTTP/1.1 200 "), "\(first)")
      try await lists.revoke(alice)
      try house.directory.write(await lists.list(), to: "revoked.crl")
      try await eventually("the new list") { house.log.text.contains("other revocation lists are in force") }
      let second = try await ask("-sess_in", session)
      #expect(second.contains("\nReused, ") && second.contains("HTTP/1.1 401 "), "\(second)")
    }
  }

  @Test func aListThatEndsLetsNobodyInAndCutsWatches() async throws {
    try await self.withLists { house, lists in
      let alice = try house.certificate("alice", "view")
      try house.directory.write(await lists.list(issued: -10, lasting: 25), to: "revoked.crl")
      try await eventually("the new list") { house.log.text.contains("other revocation lists are in force") }
      let watch = try await house.connect(as: alice)
      try await watch.send("GET /api/v1/pods?watch=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
      let watching = Answer(head: try await watch.read(until: "\r\n\r\n"))
      #expect(watching.status == 200)
      let record = try await house.record("the end of the watch", within: 60) {
        $0.auditID == watching.auditID && $0.stage == "ResponseComplete"
      }
      #expect(record.error.contains("revocationUnknown") || record.fact("stream-end") == "revocationUnknown", "\(record.error)")
      let answer = try await house.get("/api/v1/namespaces/dev/pods", as: alice)
      #expect(answer.status == 401)
      #expect(try house.closingRecord(of: answer).error.hasPrefix("revocationListStale: "))
      #expect(house.log.text.contains("its certificates are refused"))
      // The next list mends it.
      try house.directory.write(await lists.list(issued: -5), to: "revoked.crl")
      try await eventually("the next list") {
        house.log.text.components(separatedBy: "other revocation lists are in force").count == 3
      }
      #expect(try await house.get("/api/v1/namespaces/dev/pods", as: alice).status == 200)
    }
  }

  @Test func aBrokenListIsTakenByNobody() async throws {
    try await self.withLists { house, lists in
      let alice = try house.certificate("alice", "view")
      try house.directory.write("-----BEGIN X509 CRL-----\nbroken", to: "revoked.crl")
      try await eventually("the complaint") { house.log.text.contains("a revocation list is not taken over") }
      #expect(try await house.get("/api/v1/namespaces/dev/pods", as: alice).status == 200)
    }
  }

  /// GHSA-652x: a setting that is there denies somebody.
  @Test func aUserIsKnownByTheAddressInTheCertificate() async throws {
    var plan = House.Plan(behind: .script(ScriptedUpstream.answering(ScriptedUpstream.ok())))
    plan.clientCertificates = "username: san.email, groups: none, uid: fingerprint, extra: {example.org/serial: serial}"
    try await House.with(plan) { house in
      let alice = try house.pki.client("alice", groups: ["view"]) { $0.emailAddresses = ["alice@example.org"] }
      #expect(try await house.get("/version", as: alice).status == 200)
      let lines = try house.theRequestUpstream().fieldLines
      #expect(lines.contains("X-Remote-User: alice@example.org"))
      #expect(!lines.contains { $0.hasPrefix("X-Remote-Group") })
      #expect(lines.contains { $0.hasPrefix("X-Remote-Uid: ") && $0.count == "X-Remote-Uid: ".count + 64 })
      #expect(lines.contains { $0.lowercased().hasPrefix("x-remote-extra-example.org%2fserial: 01") }, "\(lines)")
      for addresses in [[], ["a@example.org", "b@example.org"], ["alice"], ["a@b@example.org"]] {
        let other = try house.pki.client("alice", groups: ["view"]) { $0.emailAddresses = addresses }
        #expect(try await house.get("/version", as: other).status == 401, "\(addresses)")
      }
    }
  }

  @Test func onlyTheListedIssuersAreBelieved() async throws {
    let between = Observed<CertificateAuthority?>(nil)
    var plan = House.Plan(behind: .script(ScriptedUpstream.answering(ScriptedUpstream.ok())))
    plan.clientCertificates += ", issuers: [\"CN=Users\"]"
    plan.prepare = { pki, _ in
      let authority = try pki.clientAuthority.intermediate(.authority("Users"))
      between.update { $0 = authority }
    }
    plan.route[0] = "match: {path: /}"
    try await House.with(plan) { house in
      let users = try #require(between.value)
      // The authority of a test's house has no authorities below it.
      let deep = try house.pki.client("alice", groups: ["view"], signedBy: users)
      #expect(try await house.get("/version", as: deep).status == 200)
      #expect(try await house.get("/version", as: house.certificate("alice", "view")).status == 401)
    }
  }
}
