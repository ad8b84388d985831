import Foundation
import NIOCore
import NIOPosix
import SallyportPKI
import TestSupport
import Testing

@testable import SallyportPracticeCluster

/// Who the practice cluster believes, held against what a real server was seen to believe.
@Suite struct IdentityTests {
  private static let review = #"{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}"#
  private static let reviewPath = "/apis/authentication.k8s.io/v1/selfsubjectreviews"

  /// Who the server says one is, asked with these header lines.
  private func whoAmI(
    _ fixture: Fixture, as certificate: TestCertificate?, _ fields: [String] = []
  ) async throws -> (status: Int, user: JSON?, text: String) {
    let lines = [
      "POST \(Self.reviewPath) HTTP/1.1", "Host: x", "Connection: close", "Content-Type: application/json",
      "Content-Length: \(Self.review.utf8.count)",
    ]
    let answer = try await fixture.send(lines + fields, body: Self.review, as: certificate)
    return (answer.status, answer.json[["status", "userInfo"]], answer.text)
  }

  @Test func aFrontProxyStatesTheIdentity() async throws {
    try await Fixture.with { fixture in
      let answer = try await self.whoAmI(
        fixture, as: fixture.pki.frontProxy,
        [
          "X-Remote-User: änne 100%", "X-Remote-User: second", "X-Remote-Group: a,b", "X-Remote-Group: c", "X-Remote-Uid: 7",
          "X-Remote-Extra-Example.com%2Fkey: one", "x-remote-extra-EXAMPLE.COM%2fKEY: two", "X-Remote-Extra-%46oo: 3",
          "X-Remote-Extra-Bad%zz: 4",
        ])
      #expect(answer.status == 201)
      let expected = #"""
        {"username":"änne 100%","uid":"7","groups":["a,b","c","system:authenticated"],
         "extra":{"example.com/key":["one","two"],"Foo":["3"],"bad%zz":["4"]}}
        """#
      #expect(answer.user == (try JSONReader.read(expected)))
    }
  }

  @Test func aLatin1ByteIsReplaced() async throws {
    try await Fixture.with { fixture in
      let client = try await fixture.connect(as: fixture.pki.frontProxy)
      let head =
        "POST \(Self.reviewPath) HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: \(Self.review.utf8.count)\r\nX-Remote-User: b"
      try await client.send(Array(head.utf8) + [0xE4] + Array("r\r\n\r\n\(Self.review)".utf8))
      let answer = try await client.response()
      #expect(answer.json[["status", "userInfo", "username"]] == "b\u{FFFD}r")
    }
  }

  @Test func withoutAUserThereIsNobody() async throws {
    try await Fixture.with { fixture in
      let nobody: [[String]] = [[], ["X-Remote-Group: system:masters"], ["X-Remote-User:", "X-Remote-User: second"]]
      for fields in nobody {
        let answer = try await self.whoAmI(fixture, as: fixture.pki.frontProxy, fields)
        #expect(answer.status == 401)
        #expect(answer.text.contains(#""reason":"Unauthorized""#))
      }
    }
  }

  @Test func onlyAnAllowedNameOfTheRightAuthorityIsAFrontProxy() async throws {
    try await Fixture.with { fixture in
      let fields = ["X-Remote-User: mallory", "X-Remote-Group: system:masters"]
      let pki = fixture.pki
      let wrongName = try pki.client("somebody", signedBy: pki.frontProxyAuthority)
      let strangers = try TestPKI()
      let expired = try pki.client("front-proxy-client", signedBy: pki.frontProxyAuthority) {
        $0.notBefore = Date(timeIntervalSinceNow: -7200)
        $0.notAfter = Date(timeIntervalSinceNow: -3600)
      }
      for certificate in [wrongName, strangers.frontProxy, expired, nil] {
        #expect(try await self.whoAmI(fixture, as: certificate, fields).status == 401)
      }
      // A server's certificate is no client's, whoever signed it.
      let server = try pki.server(names: ["front-proxy-client"], signedBy: pki.frontProxyAuthority)
      let asServer = try await self.whoAmI(fixture, as: server, fields)
      #expect(asServer.status == 401)
      // A user's certificate with the front proxy's name stands for itself, and the headers are ignored.
      let impostor = try pki.client("front-proxy-client", groups: ["staff"])
      let answer = try await self.whoAmI(fixture, as: impostor, fields)
      #expect(answer.user == ["username": "front-proxy-client", "groups": ["staff", "system:authenticated"]])
    }
  }

  @Test func aResumedConnectionIsWhoItWas() async throws {
    try await Fixture.with { fixture in
      for _ in 0..<3 {
        let answer = try await self.whoAmI(fixture, as: fixture.pki.frontProxy, ["X-Remote-User: anna"])
        #expect(answer.user?["username"] == "anna")
      }
    }
  }

  @Test func onlyHealthIsOpenToEverybody() async throws {
    try await Fixture.with { fixture in
      for (path, status) in [
        ("/healthz", 200), ("/livez", 200), ("/readyz", 200), ("/version", 401), ("/api", 401), ("/openapi/v3", 401), ("/api/v1/pods", 401),
        ("/nonsense", 401),
      ] {
        let answer = try await fixture.send(["GET \(path) HTTP/1.1", "Host: x", "Connection: close"], as: nil)
        #expect(answer.status == status, "\(path)")
      }
    }
  }

  @Test func anIssuedTokenCountsWhereNothingElseDoes() async throws {
    try await Fixture.with { fixture in
      let body = #"{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}"#
      let issued = try await fixture.request("POST", "/api/v1/namespaces/dev/serviceaccounts/default/token", body: body)
      let token = try #require(issued.json[["status", "token"]]?.string)
      let robot = try await self.whoAmI(fixture, as: nil, ["Authorization: Bearer \(token)"])
      #expect(robot.user?["username"] == "system:serviceaccount:dev:default")
      #expect(robot.user?["groups"] == ["system:serviceaccounts", "system:serviceaccounts:dev", "system:authenticated"])
      #expect(try await self.whoAmI(fixture, as: nil, ["Authorization: Bearer \(token)x"]).status == 401)
      // A front proxy's identity wins over a token, even over garbage.
      let anna = try await self.whoAmI(fixture, as: fixture.pki.frontProxy, ["X-Remote-User: anna", "Authorization: Bearer junk"])
      #expect(anna.user?["username"] == "anna")
    }
  }

  @Test func impersonationNeedsTheRight() async throws {
    try await Fixture.with { fixture in
      let asImpersonator = ["X-Remote-User: ivo", "X-Remote-Group: impersonator"]
      let proxy = fixture.pki.frontProxy
      let allowed = try await self.whoAmI(
        fixture, as: proxy,
        asImpersonator + ["Impersonate-User: bob", "Impersonate-Group: dev", "Impersonate-Group: ops", "Impersonate-Junk: x"])
      #expect(allowed.user == ["username": "bob", "groups": ["dev", "ops", "system:authenticated"]])
      let viewer = ["X-Remote-User: vera", "X-Remote-Group: view"]
      let refused = try await self.whoAmI(fixture, as: proxy, viewer + ["Impersonate-User: vera"])
      #expect(refused.status == 403)
      #expect(
        refused.text.contains(
          #"users \"vera\" is forbidden: User \"vera\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope"#))
      let account = try await self.whoAmI(fixture, as: proxy, asImpersonator + ["Impersonate-User: system:serviceaccount:dev:default"])
      #expect(account.text.contains(#"cannot impersonate resource \"serviceaccounts\" in API group \"\" in the namespace \"dev\""#))
      for field in ["Impersonate-Uid: 7", "Impersonate-Extra-Scopes: a"] {
        #expect(try await self.whoAmI(fixture, as: proxy, asImpersonator + ["Impersonate-User: bob", field]).status == 403)
      }
      let master = ["X-Remote-User: root", "X-Remote-Group: system:masters"]
      let full = try await self.whoAmI(
        fixture, as: proxy, master + ["Impersonate-User: bob", "Impersonate-Uid: 7", "Impersonate-Extra-Acme.com%2fScope: a"])
      #expect(full.user == ["username": "bob", "uid": "7", "groups": ["system:authenticated"], "extra": ["acme.com/scope": ["a"]]])
    }
  }

  @Test(arguments: ["Impersonate-Group: a", "Impersonate-Uid: 7", "Impersonate-Extra-X: 1"])
  func partsOfAnImpersonationWithoutAUserAreRefused(_ field: String) async throws {
    try await Fixture.with { fixture in
      let master = ["X-Remote-User: root", "X-Remote-Group: system:masters"]
      let answer = try await self.whoAmI(fixture, as: fixture.pki.frontProxy, master + [field])
      #expect(answer.status == 400)
    }
  }

  @Test func everythingThatWasReceivedIsRecorded() async throws {
    try await Fixture.with { fixture in
      _ = try await fixture.request(
        "GET", "/api/v1/namespaces/dev/secrets/%73?x=1", user: "ivo", groups: ["impersonator"],
        fields: ["Impersonate-User: bob", "Impersonate-Group: view", "Audit-ID: my-id", "X-Twice: 1", "X-Twice: 2"])
      let record = try #require(fixture.cluster.recordedRequests().last)
      #expect(record.method == "GET" && record.requestURI == "/api/v1/namespaces/dev/secrets/%73?x=1" && record.verb == "get")
      #expect(record.user == "ivo" && record.groups == ["impersonator", "system:authenticated"])
      #expect(record.impersonatedUser == "bob" && record.impersonatedGroups == ["view"] && record.status == 403)
      #expect(record.auditID == "my-id" && record.values(of: "x-twice") == ["1", "2"])
      let refused = try await fixture.send(["GET /api HTTP/1.1", "Host: x", "Connection: close"], as: nil)
      let last = try #require(fixture.cluster.recordedRequests().last)
      #expect(last.user == nil && last.status == 401 && refused.header("audit-id") == last.auditID)
    }
  }

  @Test(arguments: ["0.0.0.0", "192.0.2.1", "::", "example.com", "", "10.0.0.1"])
  func anAddressOffLoopbackIsRefused(_ host: String) {
    #expect(throws: PracticeCluster.StartError.notLoopback(host)) { try Loopback.address(host: host, port: 0) }
  }

  @Test(arguments: ["127.0.0.1", "127.1.2.3", "::1"])
  func loopbackIsAccepted(_ host: String) throws { #expect(try Loopback.address(host: host, port: 1).port == 1) }
}
