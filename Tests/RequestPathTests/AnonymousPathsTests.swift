import Foundation
import NIOCore
import SallyportPracticeCluster
import TestSupport
import Testing

/// What nobody in particular may see: exactly the configured paths, by GET, without any identity upstream. The peers'
/// ways around their own lists of open paths are tried one after the other.
@Suite(.serialized, .timeLimit(.minutes(5))) struct AnonymousPathsTests {
  @Test func anOpenPathIsServedToNobodyInParticular() async throws {
    try await House.with { house in
      let answer = try await house.get("/livez")
      #expect(answer.status == 200)
      let record = try house.closingRecord(of: answer)
      #expect(record.user.username == "system:anonymous")
      #expect(record.fact("authentication") == "anonymous")
      #expect(record.fact("credential") == "none")
      #expect(record.series == House.unauthenticated)
      let upstream = try #require(house.cluster?.recordedRequests().first)
      #expect(upstream.user == nil || upstream.user == "system:anonymous")
      #expect(!upstream.headers.contains { $0.name.lowercased().hasPrefix("x-remote") })
    }
  }

  /// The path is decided after decoding, and its bytes go upstream as they came.
  @Test(arguments: ["/livez", "/%6Civez", "/%6c%69vez", "/livez?verbose", "/livez?", "/livez?path=/api/v1/secrets"])
  func anOpenPathIsOpenInEverySpellingOfItself(_ target: String) async throws {
    try await House.with(script: ScriptedUpstream.answering(ScriptedUpstream.ok())) { house, _ in
      let answer = try await house.get(target)
      #expect(answer.status == 200)
      #expect(try house.theRequestUpstream().line == "GET \(target) HTTP/1.1")
    }
  }

  struct Closed: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let line: String
    let status: Int
    var fields = ""

    init(_ line: String, _ status: Int = 401, _ fields: String = "", why: String = "") {
      self.testDescription = [why, line, fields].filter { !$0.isEmpty }.joined(separator: ": ")
      self.line = line
      self.status = status
      self.fields = fields.isEmpty ? "" : fields + "\r\n"
    }
  }

  static let closed: [Closed] =
    [
      Closed("HEAD /livez", why: "GET alone"), Closed("POST /livez"), Closed("PUT /livez"), Closed("DELETE /livez"),
      Closed("OPTIONS /livez"),
      Closed("OPTIONS *", why: "the OPTIONS shortcut"), Closed("get /livez"), Closed("PROPFIND /livez"),
      Closed("GET /livez/", why: "exact"), Closed("GET /livez/ping"), Closed("GET /livezz"), Closed("GET /livez;x=1"), Closed("GET /LIVEZ"),
      Closed("GET /livez%2F"), Closed("GET /livez%20"), Closed("GET /li%76ez%2Fping"), Closed("GET /livez.json"), Closed("GET /"),
      Closed("GET //livez", 400), Closed("GET /api/../livez", 400), Closed("GET /livez/../api/v1/secrets", 400),
      Closed("GET /livez/%2e%2e/api/v1/secrets", 400), Closed("GET /livez%00", 400), Closed("GET /livez\\", 400),
      Closed("GET /livez%5C..%5Capi", 400),
      Closed("GET /livez#/api/v1/secrets", 400, why: "CVE-2026-41059"), Closed("GET /livez%23/api/v1/secrets", why: "CVE-2026-41059"),
      Closed("GET /livez%3f/api/v1/secrets", why: "CVE-2026-41059"), Closed("GET /livez?#x", 400, why: "CVE-2026-41059"),
      Closed("GET /api/v1/secrets#/livez", 400),
      Closed("GET /api/v1/secrets?x=/livez", why: "CVE-2025-54576"), Closed("GET /api/v1/secrets?/livez"),
      Closed("GET /api/v1/secrets?path=/livez&x=/readyz"),
      Closed("GET /api/v1/secrets;/livez", why: "a parameter"),
    ]
    + [
      "X-Forwarded-Uri", "X-Original-URL", "X-Original-URI", "X-Rewrite-URL", "X-Forwarded-Prefix", "X-Forwarded-Path",
      "X-Envoy-Original-Path",
      "X-Auth-Request-Redirect",
    ].map { Closed("GET /api/v1/secrets", 401, "\($0): /livez", why: "CVE-2026-40575") }
    + ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Forwarded-Method"].map {
      Closed("POST /livez", 401, "\($0): GET", why: "CVE-2026-40575")
    }
    + [
      "kube-probe/1.36", "GoogleHC/1.0", "ELB-HealthChecker/2.0", "Amazon-Route53-Health-Check-Service", "Envoy/HC", "Consul Health Check",
      "Prometheus/2.54", "Azure Traffic Manager Endpoint Monitor", "HAProxy",
    ].map { Closed("GET /api/v1/secrets", 401, "User-Agent: \($0)", why: "CVE-2026-34457") }
    + [
      Closed("GET /livez", 401, "Authorization: Basic Ym9iOnN3b3JkZmlzaC1pcy13cm9uZw==", why: "a bad credential is not overlooked"),
      Closed("GET /livez", 401, "Authorization: Bearer abc"), Closed("GET /livez", 401, "Impersonate-User: alice"),
      Closed("GET /livez", 400, "Impersonate-Group: system:masters"), Closed("GET /livez", 400, "Connection: X-Remote-User"),
    ]

  @Test(arguments: closed) func everythingElseNeedsACredential(_ closed: Closed) async throws {
    try await House.with(script: ScriptedUpstream.answering(ScriptedUpstream.ok("SECRET"))) { house, upstream in
      let answer = try await house.ask("\(closed.line) HTTP/1.1\r\nHost: localhost\r\n\(closed.fields)\r\n")
      #expect(answer.status == closed.status, "\(answer)")
      // CVE-2025-31492: an answer to somebody unknown holds nothing of the upstream's.
      #expect(!answer.body.contains("SECRET"))
      #expect(upstream.connections == 0)
      let record = try house.closingRecord(of: answer)
      #expect(record.series == House.unauthenticated)
      #expect(record.responseStatus?.code == closed.status)
      if closed.status == 401 {
        #expect(answer.values("WWW-Authenticate") == ["Basic realm=\"sallyport\", charset=\"UTF-8\""])
      }
    }
  }

  /// The gateway's own paths are nobody's upstream's, signed in or not.
  @Test(arguments: ["/.sallyport", "/.sallyport/", "/.sallyport/token", "/%2Esallyport/token", "/.sallyport%2Ftoken"])
  func ownPathsReachNoUpstream(_ target: String) async throws {
    try await House.with(script: ScriptedUpstream.answering(ScriptedUpstream.ok())) { house, upstream in
      let answer = try await house.get(target, as: house.certificate("alice", "view"))
      #expect(answer.status == 404)
      #expect(upstream.connections == 0)
    }
  }
}
