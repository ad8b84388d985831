import Foundation
import SallyportPKI
import SallyportPracticeCluster
import TestSupport
import Testing

/// A dashboard behind the gateway that asks the API through the gateway, by the token that the gateway gave it for its user.
@Suite(.serialized, .timeLimit(.minutes(5))) struct DashboardTests {
  private func with(isConnected: Bool = true, _ body: (House) async throws -> Void) async throws {
    try await House.withDashboard(isConnected: isConnected, body)
  }

  @Test func aliceSeesWhoSheIsAndWhatSheMayAndEachQuestionHasItsRecord() async throws {
    try await self.with { house in
      let alice = try house.certificate("alice", "view")
      let overview = try await house.get("/dashboard/", as: alice)
      #expect(overview.status == 200 && overview.body.contains("signed in as <strong>alice</strong>"), "\(overview)")
      #expect(overview.body.contains(#"<span class="tag">view</span>"#) && overview.body.contains(#"href="/dashboard/namespaces/dev""#))
      let pods = try await house.get("/dashboard/namespaces/dev", as: alice)
      #expect(pods.status == 200 && pods.body.contains(">web-0</a></td>"), "\(pods)")

      let asked = try house.apiRecords()
      #expect(
        asked.map(\.requestURI) == [
          "/apis/authentication.k8s.io/v1/selfsubjectreviews", "/api/v1/namespaces", "/apis/authentication.k8s.io/v1/selfsubjectreviews",
          "/api/v1/namespaces/dev/pods",
        ])
      for record in asked {
        #expect(record.user.username == "alice" && record.user.groups == ["view"], "\(record)")
        #expect(record.fact("authentication") == "issuedToken" && record.userAgent == "sallyport-practice-dashboard")
      }
      // The token is told apart by its name, which stands in both records: where it was made, and where it was used.
      let given = try house.closingRecord(of: pods).fact("credential-id")
      #expect(given != nil && asked.last?.fact("original-identity")?.contains("\"jti\":\"\(given ?? "")\"") == true)
    }
  }

  @Test func denyRulesHoldForTheDashboardToo() async throws {
    try await self.with { house in
      // Bob may read secrets as far as the API server goes; the gateway's rule is above that.
      for (certificate, fields, name) in [
        (try house.certificate("alice", "view"), [], "alice"), (nil, [Person.bob.basic], "bob"),
      ] as [(TestCertificate?, [String], String)] {
        let head = "GET /dashboard/namespaces/dev/secrets HTTP/1.1\r\nHost: localhost\r\n\(fields.map { $0 + "\r\n" }.joined())\r\n"
        let answer = try await house.ask(head, as: certificate)
        #expect(answer.status == 403 && answer.body.contains("You may not see secrets in dev"), "\(answer)")
        #expect(answer.body.contains("Secrets are not readable through this gateway.") && !answer.body.contains("web-login"))
        let denied = try #require(try house.apiRecords().last)
        #expect(denied.requestURI == "/api/v1/namespaces/dev/secrets" && denied.user.username == name)
        #expect(denied.responseStatus?.code == 403 && denied.fact("rule")?.contains("no-secret-reads") == true, "\(denied)")
      }
      #expect(house.cluster?.recordedRequests().contains { $0.requestURI.hasSuffix("/secrets") } == false)
    }
  }

  /// The token is good for the gateway's API route and for nothing else, and it is nowhere but there.
  @Test func theTokenIsNoWayAroundTheGateway() async throws {
    try await self.with { house in
      let page = try await house.get("/dashboard/", as: house.certificate("alice", "view"), "Authorization: Bearer a.b.c")
      // A credential that the route does not take is not overlooked, and certainly not passed on.
      #expect(page.status == 401, "\(page)")
      #expect(try await house.get("/dashboard/", as: house.certificate("alice", "view")).status == 200)
      let everything = try house.records().map(\.text).joined() + house.log.text
      #expect(!everything.contains("eyJ"), "a token was written down")
      // The cluster knows no such issuer, and was told who asks by the front proxy's certificate.
      let seen = try #require(house.cluster?.recordedRequests().last)
      #expect(seen.user == "alice" && seen.groups.contains("view"))
    }
  }

  @Test func pagesAreQuietAndReadOnly() async throws {
    try await self.with { house in
      let alice = try house.certificate("alice", "view")
      let page = try await house.get("/dashboard", as: alice)
      #expect(page.status == 200 && page.values("Cache-Control") == ["no-store"])
      #expect(page.values("Content-Security-Policy").first?.hasPrefix("default-src 'none'; style-src 'sha256-") == true)
      #expect(!page.body.contains("<script"))
      for (path, status) in [("/dashboard/nothing", 404), ("/dashboard/namespaces/Dev", 404), ("/dashboard/namespaces/none", 200)] {
        #expect(try await house.get(path, as: alice).status == status, "\(path)")
      }
      let post = try await house.ask("POST /dashboard/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", as: alice)
      #expect(post.status == 405)
    }
  }

  @Test func withoutTheAPIThereIsAPageThatSaysSo() async throws {
    try await self.with(isConnected: false) { house in
      let page = try await house.get("/dashboard/", as: house.certificate("alice", "view"))
      #expect(page.status == 502 && page.body.contains("The API cannot be reached"))
    }
  }
}
