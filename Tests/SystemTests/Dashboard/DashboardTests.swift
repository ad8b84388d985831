import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// The demo's dashboard, as a browser would ask for its pages.
  @Suite(.serialized, .demo) struct DashboardTests {
    private static let review = "/apis/authentication.k8s.io/v1/selfsubjectreviews"

    private func demo() throws -> DemoProcess { try #require(DemoProcess.current) }

    /// A page, its status behind it, and what the API was asked for it.
    private func page(_ path: String, as person: DemoProcess.Person) async throws -> (text: String, asked: [AuditLine]) {
      let demo = try self.demo()
      let before = try demo.auditRecords().count
      let run = try await demo.curl(as: person, "--write-out", "\n%{http_code}", "\(demo.url)/dashboard\(path)")
      let records = try demo.auditRecords().dropFirst(before)
      return (run.output, records.filter { $0.annotations?["sallyport.dev/route"] == "api" && $0.stage == "ResponseComplete" })
    }

    @Test func aliceSeesHerPodsAndNoSecrets() async throws {
      let overview = try await self.page("/", as: .alice)
      #expect(overview.text.contains("signed in as <strong>alice</strong>") && overview.text.hasSuffix("\n200"), "\(overview.text)")
      let pods = try await self.page("/namespaces/dev", as: .alice)
      #expect(pods.text.contains(">web-0</a></td>") && pods.text.hasSuffix("\n200"), "\(pods.text)")
      let secrets = try await self.page("/namespaces/dev/secrets", as: .alice)
      #expect(secrets.text.contains("You may not see secrets in dev") && secrets.text.hasSuffix("\n403"), "\(secrets.text)")

      for (page, target, status) in [
        (overview, "/api/v1/namespaces", 200), (pods, "/api/v1/namespaces/dev/pods", 200), (secrets, "/api/v1/namespaces/dev/secrets", 403),
      ] {
        #expect(page.asked.map(\.requestURI) == [Self.review, target])
        #expect(page.asked.map { $0.responseStatus?.code } == [201, status])
        #expect(page.asked.allSatisfy { $0.user?.username == "alice" && $0.annotations?["sallyport.dev/authentication"] == "issuedToken" })
      }
    }

    @Test func bobSeesTheNamesOfSecrets() async throws {
      let secrets = try await self.page("/namespaces/dev/secrets", as: .bob)
      #expect(secrets.text.contains("<td>web-login</td>") && secrets.text.hasSuffix("\n200"), "\(secrets.text)")
      #expect(!secrets.text.contains("cHJhY3RpY2U="))
      #expect(try await self.page("/", as: .nobody).text.hasSuffix("\n401"))
    }
  }
}
