import NIOCore
import SallyportMetrics
import TestSupport
import Testing

@testable import SallyportService

/// What the operator sees through the admin listener.
@Suite(.serialized, .timeLimit(.minutes(5))) struct AdminTests {
  private var plan: House.Plan {
    var plan = House.Plan()
    plan.sections = ["admin: {address: '127.0.0.1:0'}"]
    return plan
  }

  @Test func aGatewayThatServesSaysSo() async throws {
    try await House.with(self.plan) { house in
      #expect(try await house.look("/livez").body == "ok")
      let ready = try await house.look("/readyz")
      #expect(ready.status == 200 && ready.body == "ok")
      #expect(ready.values("Content-Type") == ["text/plain; charset=utf-8"])
      let verbose = try await house.look("/readyz?verbose")
      #expect(
        verbose.body
          == "[+]ping ok\n[+]shutdown ok\n[+]audit ok\n[+]reload ok\n[+]certificates ok\n[+]revocation ok\n[+]catalogue ok\nreadyz check passed\n",
        "\(verbose.body)")
      #expect(try await house.look("/readyz/audit").body == "ok")
      #expect(try await house.look("/livez?verbose=1").body == "[+]ping ok\nlivez check passed\n")
    }
  }

  @Test func nothingElseIsServed() async throws {
    try await House.with(self.plan) { house in
      #expect(try await house.look("/readyz/nothing").status == 404)
      #expect(try await house.look("/api/v1/pods").status == 404)
      let post = try await house.look("/metrics", method: "DELETE")
      #expect(post.status == 405 && post.values("Allow") == ["GET, HEAD"])
      let head = try await house.look("/livez", method: "HEAD")
      #expect(head.status == 200 && head.body.isEmpty && head.values("Content-Length") == ["2"])
      // The operator's own requests are nobody's, and stand in no log.
      #expect(try house.records().isEmpty)
    }
  }

  @Test func withoutTheSectionNobodyLooksIn() async throws {
    try await House.with { house in #expect(house.gateway.adminAddress == nil) }
  }

  @Test func aFullDiskTurnsReadinessRed() async throws {
    var plan = self.plan
    plan.losesRecords = true
    try await House.with(plan) { house in
      house.disk.isFull = true
      #expect(try await house.ask("GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 503)
      let red = try await house.look("/readyz")
      #expect(red.status == 500)
      #expect(red.body.contains("[-]audit failed: no record can be written") && red.body.hasSuffix("readyz check failed\n"), "\(red.body)")
      #expect(try await house.look("/readyz?exclude=audit").status == 200)
      #expect(try await house.look("/livez").status == 200, "a restart mends no disk")
      #expect(try await house.metric("sallyport_audit_writable") == 0)
      house.disk.isFull = false
      try await eventually("readiness") { try await house.look("/readyz").status == 200 }
    }
  }

  @Test func requestsAreCounted() async throws {
    try await House.with(self.plan) { house in
      let alice = try house.certificate("alice", "view")
      for _ in 0..<3 { #expect(try await house.get("/api/v1/namespaces/dev/pods", as: alice).status == 200) }
      #expect(try await house.get("/api/v1/namespaces/dev/pods/absent", as: alice).status == 404)
      #expect(try await house.get("/api/v1/namespaces/dev/pods").status == 401)
      #expect(try await house.get("/livez").status == 200)
      for _ in 0..<2 { #expect(try await house.get("/version", Person.bob.basic).status == 200) }
      #expect(try await house.get("/version", Person.basic("bob", Person.wrongPassword)).status == 401)
      let scrape = try await house.look("/metrics")
      #expect(scrape.status == 200 && scrape.values("Content-Type") == ["text/plain; version=0.0.4; charset=utf-8"])
      let lines = scrape.body.split(separator: "\n").map(String.init)
      for line in [
        #"sallyport_requests_total{route="api",code="200",authentication="clientCertificate"} 3"#,
        #"sallyport_requests_total{route="api",code="404",authentication="clientCertificate"} 1"#,
        #"sallyport_requests_total{route="api",code="401",authentication="none"} 2"#,
        #"sallyport_requests_total{route="api",code="200",authentication="anonymous"} 1"#,
        #"sallyport_requests_total{route="api",code="200",authentication="passwordFile"} 2"#,
        #"sallyport_authentications_total{method="clientCertificate",result="accepted"} 4"#,
        #"sallyport_authentications_total{method="",result="credentialsMissing"} 1"#,
        #"sallyport_authentications_total{method="",result="credentialsRefused"} 1"#,
        #"sallyport_authentication_cache_hits_total{judgement="accepted"} 1"#,
        "sallyport_password_verifications_total 2",
        #"sallyport_request_duration_seconds_count{route="api"} 9"#,
        #"sallyport_upstream_duration_seconds_count{route="api"} 7"#,
        "sallyport_requests_in_flight 0",
        #"sallyport_streams_open{kind="tunnel"} 0"#,
        #"sallyport_audit_records_total{series="requests",result="written"} 6"#,
        #"sallyport_audit_records_total{series="unauthenticated",result="written"} 3"#,
        "sallyport_audit_writable 1",
        #"sallyport_tls_handshakes_total{listener="main",version="TLSv1.3",client_certificate="verified"} 4"#,
        #"sallyport_tls_handshakes_total{listener="main",version="TLSv1.3",client_certificate="none"} 5"#,
        #"sallyport_upstream_connects_total{upstream="kubernetes",result="failure"} 0"#,
        "sallyport_reload_last_successful 1",
        "sallyport_generation 1",
      ] { #expect(lines.contains(line), "\(line) is not among\n\(scrape.body)") }
      for name in ["process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds", "process_cpu_seconds_total"] {
        #expect((try await house.metric(name) ?? 0) > 0, "\(name)")
      }
    }
  }

  /// No name that a client chose is a label.
  @Test func clientsMakeNoSeries() async throws {
    try await House.with(self.plan) { house in
      func series() async -> Int { await house.gateway.metrics.text().split(separator: "\n").count }
      _ = try await house.get("/api/v1/namespaces/a0/pods/p0", Person.basic("u0", "x"))
      _ = try await house.get("/.sallyport/a0")
      let before = await series()
      for number in 1...20 {
        _ = try await house.get("/api/v1/namespaces/a\(number)/pods/p\(number)", Person.basic("u\(number)", "x"), "User-Agent: \(number)")
        _ = try await house.get("/.sallyport/a\(number)", "Host: h\(number)")
      }
      let after = await series()
      #expect(after - before < 20, "the scrape grew by \(after - before) lines")
      let text = await house.gateway.metrics.text()
      #expect(!text.contains("u17") && !text.contains("a17") && !text.contains("p17"))
    }
  }

  @Test func streamsAreShownWhileTheyLast() async throws {
    try await House.with(self.plan) { house in
      let (client, _) = try await house.watch(as: house.certificate("alice", "view"))
      #expect(try await house.metric(#"sallyport_streams_open{kind="stream"}"#) == 1)
      #expect(try await house.metric("sallyport_requests_in_flight") == 0)
      #expect(try await house.metric(#"sallyport_upstream_connections{upstream="kubernetes",state="active"}"#) == 1)
      await client.close()
      try await eventually("the watch's end") { try await house.metric(#"sallyport_streams_open{kind="stream"}"#) == 0 }
    }
  }
}
