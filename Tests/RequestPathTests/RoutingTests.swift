import NIOCore
import SallyportPracticeCluster
import TestSupport
import Testing

/// Which host a request is for, and what others say of where it came from.
@Suite(.serialized, .timeLimit(.minutes(5))) struct RoutingTests {
  /// A route for one host, before the one for any.
  private static func withHosts<Result>(_ body: (House, ScriptedUpstream) async throws -> Result) async throws -> Result {
    try await House.with(script: ScriptedUpstream.answering(ScriptedUpstream.ok())) { plan in
      plan.routesBefore = [
        "{name: private, match: {hosts: [private.example]}, upstream: kubernetes, credential: front-proxy, authenticate: [clientCertificate]}"
      ]
      plan.route = ["match: {path: /}", "authenticate: [clientCertificate, password]"]
    } _: { house, upstream in
      try await body(house, upstream)
    }
  }

  @Test(arguments: ["private.example", "PRIVATE.example", "private.example:8443", "private.example.", "Private.Example.:443"])
  func aHostIsComparedWithoutCasePortAndTrailingDot(_ host: String) async throws {
    try await Self.withHosts { house, _ in
      let answer = try await house.ask("GET /version HTTP/1.1\r\nHost: \(host)\r\n\r\n", as: house.certificate("alice")) {
        $0.serverName = nil
      }
      #expect(answer.status == 200)
      #expect(try house.closingRecord(of: answer).fact("route") == "private")
    }
  }

  /// A target of the absolute form names the host, also where there is no `Host` at all (RFC 9112 section 3.2.2).
  @Test(arguments: [
    "GET https://private.example/version HTTP/1.1\r\nHost: private.example\r\n", "GET https://private.example/version HTTP/1.0\r\n",
    "GET http://user:pw@private.example:80/version HTTP/1.0\r\n",
  ])
  func anAbsoluteTargetNamesTheHost(_ head: String) async throws {
    try await Self.withHosts { house, upstream in
      let answer = try await house.ask("\(head)\r\n", as: house.certificate("alice")) { $0.serverName = nil }
      #expect(answer.status == 200)
      #expect(try house.closingRecord(of: answer).fact("route") == "private")
      #expect(try house.theRequestUpstream().line == "GET /version HTTP/1.1")
      #expect(try house.theRequestUpstream().fieldLines.contains(upstream.hostLine))
    }
  }

  /// RFC 9110 section 15.5.20: what the handshake named and what the request names are two of our hosts.
  @Test(arguments: [("localhost", "private.example"), ("private.example", "localhost"), ("private.example", "other.example")])
  func aHostThatIsNotTheHandshakesIsMisdirected(_ serverName: String, _ host: String) async throws {
    try await Self.withHosts { house, upstream in
      let answer = try await house.ask("GET /version HTTP/1.1\r\nHost: \(host)\r\n\r\n", as: house.certificate("alice")) {
        $0.serverName = serverName
        $0.verifiesName = false
      }
      #expect(answer.status == 421)
      #expect(try house.closingRecord(of: answer).responseStatus?.code == 421)
      #expect(upstream.connections == 0)
    }
  }

  /// A name that no route lists separates nothing: `kubectl --tls-server-name` with the address in the URL works.
  @Test(arguments: ["127.0.0.1:6443", "[::1]:8443", "localhost", "anything.example"])
  func aHostThatNobodyListsLeadsToTheRouteForAny(_ host: String) async throws {
    try await Self.withHosts { house, _ in
      let answer = try await house.ask("GET /version HTTP/1.1\r\nHost: \(host)\r\n\r\n", as: house.certificate("alice"))
      #expect(answer.status == 200)
      #expect(try house.closingRecord(of: answer).fact("route") == "api")
    }
  }

  @Test(arguments: [
    ("evil.example", "/api", 421), ("gateway.example", "/metrics", 404), ("gateway.example", "/api", 200),
    ("gateway.example", "/api/v1", 200),
    // A prefix ends where a segment does.
    ("gateway.example", "/apis", 404), ("gateway.example", "/", 404), ("gateway.example", "/%61pi", 200), ("gateway.example", "/API", 404),
  ])
  func aHostThatIsServedNowhereIsMisdirectedAndAPathIsNotFound(_ host: String, _ path: String, _ status: Int) async throws {
    try await House.with(script: ScriptedUpstream.answering(ScriptedUpstream.ok())) { plan in
      plan.route = ["match: {hosts: [gateway.example], path: /api}", "authenticate: [clientCertificate, password]"]
    } _: { house, upstream in
      let answer = try await house.ask("GET \(path) HTTP/1.1\r\nHost: \(host)\r\n\r\n", as: house.certificate("alice")) {
        $0.serverName = nil
      }
      #expect(answer.status == status)
      #expect(upstream.connections == (status == 200 ? 1 : 0))
      #expect(try house.closingRecord(of: answer).responseStatus?.code == status)
    }
  }

  /// CVE-2026-40575 and Teleport's host spoofing: what an untrusted peer says of method, path, host and address changes
  /// neither what is done nor what is written down.
  @Test func whatAStrangerSaysOfTheRequestChangesNothing() async throws {
    try await House.with { house in
      let fields = [
        "X-HTTP-Method-Override: DELETE", "X-HTTP-Method: DELETE", "X-Original-URL: /api/v1/secrets", "X-Rewrite-URL: /api/v1/secrets",
        "X-Forwarded-For: 203.0.113.7", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: http", "X-Forwarded-Method: DELETE",
        "X-Forwarded-Uri: /api/v1/secrets", "Forwarded: for=203.0.113.7;host=evil.example", "X-Real-Ip: 203.0.113.7",
      ]
      let answer = try await house.ask(
        "GET /api/v1/namespaces/dev/pods HTTP/1.1\r\nHost: localhost\r\n\(fields.map { $0 + "\r\n" }.joined())\r\n",
        as: house.certificate("alice", "view"))
      #expect(answer.status == 200)
      let record = try house.closingRecord(of: answer)
      #expect(record.verb == "list" && record.objectRef?["resource"] == "pods")
      #expect(record.sourceIPs == ["127.0.0.1"])
      let upstream = try #require(house.cluster?.recordedRequests().first)
      #expect(upstream.verb == "list" && upstream.requestURI == "/api/v1/namespaces/dev/pods")
      #expect(!upstream.headers.contains { $0.value.contains("203.0.113.7") || $0.value.contains("evil.example") })
    }
  }

  /// CONNECT and TRACE ask the gateway itself for something that it does not do.
  @Test(arguments: ["CONNECT evil.example:443", "TRACE /version"]) func methodsThatAreForProxiesAreRefused(_ line: String) async throws {
    try await House.with(script: ScriptedUpstream.answering(ScriptedUpstream.ok())) { house, upstream in
      let host = line.hasPrefix("CONNECT") ? "evil.example:443" : "localhost"
      let answer = try await house.ask("\(line) HTTP/1.1\r\nHost: \(host)\r\n\r\n", as: house.certificate("alice"))
      #expect(answer.status == 405)
      #expect(upstream.connections == 0)
    }
  }

  /// Malcolm's CVE-2026-63177 and CVE-2019-9901: at an upstream that is no API server every spelling that servers read in
  /// two ways is refused.
  @Test(arguments: ["/a%2Fb", "/a/../b", "/a/%2e%2e/b", "/a//b", "/a\\b", "/a%5Cb", "/a%2e", "/a%00", "/%C0%AF", "//a", "/./a"])
  func ambiguousSpellingsAreRefusedAtAnyUpstream(_ target: String) async throws {
    try await House.with(script: ScriptedUpstream.answering(ScriptedUpstream.ok())) { plan in
      plan.kind = "generic"
    } _: { house, upstream in
      let answer = try await house.get(target, as: house.certificate("alice"))
      #expect(answer.status == 400)
      #expect(upstream.connections == 0)
      #expect(try house.closingRecord(of: answer).requestURI == target)
    }
  }
}
