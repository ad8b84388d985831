import Foundation
import NIOCore
import SallyportConfiguration
import SallyportStrictYAML
import TestSupport
import Testing

@testable import SallyportService

/// What browsers are shown of answers that are the gateway's own.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ErrorPageTests {
  private static let page = """
    <!doctype html><title>{{status}} {{title}}</title>
    <p class="gateway">{{message}}</p>{{! nobody sees this }}<code>{{auditID}}</code>

    """

  private func with(_ change: (inout House.Plan) -> Void = { _ in }, _ body: (House) async throws -> Void) async throws {
    var plan = House.Plan()
    plan.files = [
      "error.html": Self.page, "denied.html": "<p>denied: {{message}}</p>", "login.html": "<p>login {{status}}</p>",
      "policy.yaml": """
      apiVersion: sallyport.dev/v1alpha1
      kind: AccessPolicy
      metadata: {name: secrets-are-private}
      rules: [{name: no-secrets, deny: [{resources: [secrets]}], message: "Not <b>these</b> & \\"those\\"."}]
      """,
    ]
    plan.sections = ["errorPages: [{statuses: [401], file: login.html}, {file: error.html}]", "policy: {files: [policy.yaml]}"]
    plan.route += ["errorPages: [{statuses: [403], file: denied.html}]"]
    change(&plan)
    try await House.with(plan, body)
  }

  private static let browser = "Accept: text/html,application/xhtml+xml,*/*;q=0.8"

  @Test func browsersSeeTheRoutesPageAndThenTheGateways() async throws {
    try await self.with { house in
      let alice = try house.certificate("alice", "view")
      let denied = try await house.get("/api/v1/namespaces/dev/secrets", as: alice, Self.browser)
      #expect(denied.status == 403 && denied.values("Content-Type") == ["text/html; charset=utf-8"])
      #expect(denied.body == "<p>denied: Not &lt;b&gt;these&lt;/b&gt; &amp; &quot;those&quot;.</p>")
      let policy = try #require(denied.values("Content-Security-Policy").first)
      #expect(policy.hasPrefix("default-src 'none';") && policy.contains("form-action 'none'") && policy.contains("frame-ancestors 'none'"))
      #expect(denied.values("Cache-Control") == ["no-store"] && denied.values("X-Content-Type-Options") == ["nosniff"])

      let login = try await house.get("/api/v1/namespaces/dev/pods", Self.browser)
      #expect(login.status == 401 && login.body == "<p>login 401</p>" && login.values("WWW-Authenticate").count == 1)

      // Where no route is known, and where the request cannot even be read, it is the gateway's.
      let unknown = try await house.get("/.sallyport/nothing", as: alice, Self.browser)
      #expect(unknown.status == 404)
      #expect(
        unknown.body
          == "<!doctype html><title>404 Not Found</title>\n<p class=\"gateway\">The gateway has nothing at this path.</p>"
          + "<code>\(unknown.auditID ?? "")</code>\n")
      #expect(try house.closingRecord(of: denied).responseStatus?.code == 403)
    }
  }

  @Test func apiClientsKeepTheirStatus() async throws {
    try await self.with { house in
      for fields in [["Accept: application/json, */*"], [], ["Accept: application/vnd.kubernetes.protobuf"]] {
        let head = "GET /api/v1/namespaces/dev/secrets HTTP/1.1\r\nHost: localhost\r\n\(fields.map { $0 + "\r\n" }.joined())\r\n"
        let answer = try await house.ask(head, as: house.certificate("alice", "view"))
        #expect(answer.status == 403 && answer.kubernetesStatus?.message == #"Not <b>these</b> & "those"."#, "\(answer)")
      }
      let head = try await house.ask(
        "HEAD /api/v1/namespaces/dev/secrets HTTP/1.1\r\nHost: localhost\r\n\(Self.browser)\r\n\r\n", as: house.certificate("alice"))
      #expect(head.status == 403 && head.body.isEmpty)
    }
  }

  @Test func aChangedPageIsReadAnew() async throws {
    try await self.with { house in
      let alice = try house.certificate("alice", "view")
      try house.directory.write("<p>new {{status}}</p>", to: "denied.html")
      try await house.reload()
      #expect(try await house.get("/api/v1/namespaces/dev/secrets", as: alice, Self.browser).body == "<p>new 403</p>")
      // One that cannot be used leaves what there was.
      try house.directory.write("<p>{{{message}}}</p>", to: "denied.html")
      await #expect(throws: StartFault.self) { try await house.reload() }
      #expect(try await house.get("/api/v1/namespaces/dev/secrets", as: alice, Self.browser).body == "<p>new 403</p>")
    }
  }

  @Test func pagesWithFaultsAreToldByTheirOwnLines() async throws {
    let directory = TemporaryDirectory()
    func messages(_ page: String) throws -> [String] {
      let file = try directory.write(page, to: "page.html")
      let place = NamedFile(path: file, place: FilePlace(file: "s.yaml", line: 3, column: 7, keyPath: "errorPages[0].file"))
      do throws(StartFault) {
        _ = try ErrorPages.read([.init(statuses: [], file: place)], before: nil)
        return []
      } catch {
        return error.messages.map { $0.replacing(directory.path + "/", with: "") }
      }
    }
    #expect(
      try messages("<p>\n  {{mesage}}</p>")
        == ["page.html:2:3: has a tag (number 1) that names nothing known; did you mean `message`?"])
    #expect(
      try messages("<p>{{status}} {{& message}}</p>") == [
        "page.html:1:15: has a tag (number 2) that would leave a value unescaped; write {{name}}, {{#name}}…{{/name}} or {{^name}}…{{/name}}"
      ])
    #expect(
      try messages(String(repeating: "x", count: 65537))
        == ["s.yaml:3:7: errorPages[0].file: names page.html, which has more than 64 KiB; write a smaller page"])
  }
}
