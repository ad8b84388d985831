import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// The practice dashboard with a real browser: what people see of the cluster, and a terminal in a pod.
  @Suite(.serialized, .timeLimit(.minutes(20))) struct BrowserDashboardTests {
    private struct Seen: Decodable {
      let protocolName: String
      let secretsForAlice: Int
      let typed: String
      let afterSignOut: [Fetched]
      let certificate: String
      let foreign: String
      let pictures: [String]
      let looks: Int

      enum CodingKeys: String, CodingKey {
        case protocolName = "protocol"
        case secretsForAlice, typed, afterSignOut, certificate, foreign, pictures, looks
      }
    }

    @Test func peopleOfADirectoryWorkWithTheDashboard() async throws {
      let pki = try TestPKI()
      let people =
        DirectoryEntries.base + DirectoryEntries.group("view", members: ["uid=alice,ou=people"])
        + DirectoryEntries.group("edit", members: ["uid=bob,ou=people"])
      let server = try await DirectoryServer(pki: pki, entries: people)
      let ldap = """
        passwords: [{ldap: {urls: ["\(server.tlsURL)"], caFile: "\(server.caFile)", bindDN: "\(DirectoryServer.service)", \
        bindPasswordFile: service-password, \
        users: {base: "ou=people,dc=example,dc=org", filter: "(uid={username})", username: uid}, \
        groups: {base: "ou=groups,dc=example,dc=org", filter: "(member={dn})"}}}]
        """
      try await ServedGateway.withDashboard(
        authentication: [ldap, "signIn: {name: Example Corp, clientCertificate: true}"],
        changing: { _, directory in try directory.write(DirectoryServer.servicePassword + "\n", to: "service-password") }
      ) { served in
        let pictures = try served.pictures(of: "dashboard")
        let browsed = try await run(
          Installation.python,
          [
            Installation.client("browser_dashboard.py"), served.url, served.file("server-ca.pem"), try await served.packed("eve"),
            served.file("server.pem"), served.file("server.key"), pictures,
          ], seconds: 600)
        try #require(browsed.status == 0, "\(browsed.transcript)")
        let seen = try JSONDecoder().decode(Seen.self, from: Data(browsed.output.utf8))
        #expect(seen.protocolName == "h2")
        #expect(seen.secretsForAlice == 403 && seen.certificate == "eve")
        #expect(seen.typed.hasPrefix("$ hostname\nweb-0\n$ cat\n"), "\(seen.typed)")
        #expect(seen.afterSignOut == [.status(401), .redirected(false)])
        #expect(seen.foreign == "refused")
        #expect(seen.pictures.count == 32 && seen.looks == 32, "eight pages, each at two widths in two schemes")
        for picture in seen.pictures {
          #expect(try Data(contentsOf: URL(fileURLWithPath: pictures).appending(path: picture)).count > 3000, "\(picture)")
        }
        try await self.lookAtRecords(of: served)
      }
      try await server.stop()
    }

    /// Each terminal is a tunnel at the dashboard and one at the API; Bob's four, of which one ended because he signed out, and Eve's.
    private func lookAtRecords(of served: ServedGateway) async throws {
      var records: [AuditLine] = []
      try await eventually("the records of the tunnels' ends") {
        records = try served.auditRecords().filter { $0.stage == "ResponseComplete" && $0.annotations?["sallyport.dev/upgrade"] != nil }
        return records.count { $0.responseStatus?.code == 101 } == 11
      }
      func tunnels(of user: String, _ route: String) -> [AuditLine] {
        records.filter { $0.user?.username == user && $0.annotations?["sallyport.dev/route"] == route && $0.responseStatus?.code == 101 }
      }
      for (user, count) in [("bob", 4), ("eve", 1)] {
        let outer = tunnels(of: user, "dashboard")
        let inner = tunnels(of: user, "api")
        #expect(outer.count == count && inner.count == count, "\(user): \(outer.count) and \(inner.count) tunnels")
        #expect(outer.allSatisfy { $0.annotations?["sallyport.dev/authentication"] == "session" })
        #expect(inner.allSatisfy { $0.annotations?["sallyport.dev/authentication"] == "issuedToken" })
        for record in outer + inner {
          for fact in ["bytes-out", "duration"] { #expect(record.annotations?["sallyport.dev/\(fact)"] != nil, "\(record)") }
        }
      }
      #expect(tunnels(of: "bob", "dashboard").contains { $0.annotations?["sallyport.dev/ended"] == "sessionEnded" })
      // Alice's was opened, and told her that the API refuses her; the other origin's got nowhere.
      #expect(tunnels(of: "alice", "api").isEmpty)
      #expect(records.contains { $0.user?.username == "alice" && $0.responseStatus?.code == 403 })
      let foreign = records.filter { $0.annotations?["sallyport.dev/route"] == "dashboard" && $0.responseStatus?.code == 403 }
      #expect(foreign.count == 1 && foreign.first?.user?.username == "bob", "\(foreign)")
      #expect(foreign.first?.responseStatus?.message?.contains("a page of another origin") == true, "\(foreign)")
      let log = try served.directory.read("audit/requests.jsonl") + served.directory.read("audit/unauthenticated.jsonl")
      for secret in ["eyJ", DirectoryEntries.password(of: "alice"), DirectoryEntries.password(of: "bob")] {
        #expect(!(log + served.process.errors).contains(secret), "\(secret) was written down")
      }
    }

    private struct Left: Decodable {
      let fetched: [Fetched]
      let terminal: String
    }

    @Test func whoLeavesAPageOpenSignsInAgainAndWhoIsInATerminalDoesNot() async throws {
      try await ServedGateway.withDashboard(
        authentication: ["passwords: [{passwordFile: {file: users.yaml}}]", "signIn: {name: Example Corp, session: {idle: 1m}}"],
        changing: { _, directory in try directory.write(BrowserTests.users, to: "users.yaml") }
      ) { served in
        let browsed = try await run(
          Installation.python,
          [
            Installation.client("browser_expiry.py"), served.url, served.file("server-ca.pem"), "60", try served.pictures(of: "expiry"),
          ], seconds: 400)
        try #require(browsed.status == 0, "\(browsed.transcript)")
        let left = try JSONDecoder().decode(Left.self, from: Data(browsed.output.utf8))
        #expect(left.fetched == [.status(401), .redirected(false), .nothing])
        #expect(left.terminal == "open")
      }
    }
  }

  /// What the script of a page was answered: status, whether it was led elsewhere, what asks for a password.
  enum Fetched: Decodable, Equatable {
    case status(Int)
    case redirected(Bool)
    case nothing

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let redirected = try? container.decode(Bool.self) {
        self = .redirected(redirected)
      } else if let status = try? container.decode(Int.self) {
        self = .status(status)
      } else {
        guard container.decodeNil() else {
          throw DecodingError.dataCorruptedError(in: container, debugDescription: "neither number nor truth nor nothing")
        }
        self = .nothing
      }
    }
  }
}
