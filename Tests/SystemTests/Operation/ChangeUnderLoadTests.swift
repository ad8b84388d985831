import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// A gateway is reloaded and ended while it is in use, and nobody notices but those who must.
  @Suite(.serialized) struct ChangeUnderLoadTests {
    private struct Result: Decodable {
      let answers, reconnects, unconnected, echoes: Int
      let failures: [String]
      let seconds: Double
    }

    /// The file as `serve` of these tests reads it, with everything that is to change.
    private func configure(_ served: ServedGateway, echoPort: Int) throws {
      var text = try served.directory.read("sallyport.yaml")
      text = text.replacing(
        "authentication: {clientCertificates: {}}",
        with: "authentication:\n  clientCertificates: {}\n  passwords: [{passwordFile: {file: users.yaml}}]")
      text = text.replacing("authenticate: [clientCertificate]", with: "authenticate: [clientCertificate, password]")
      text = text.replacing(
        "upstreams:\n",
        with: "upstreams:\n- {name: echo, servers: ['https://127.0.0.1:\(echoPort)'], caFile: server-ca.pem, serverName: localhost}\n")
      text = text.replacing(
        "routes:\n",
        with: "routes:\n- {name: echo, match: {path: /echo}, upstream: echo, credential: front-proxy, authenticate: [clientCertificate]}\n")
      text += "admin: {address: '127.0.0.1:0'}\nreload: {interval: 300ms, settle: 200ms}\nshutdown: {grace: 20s, streamGrace: 3s}\n"
      try served.directory.write(text, to: "sallyport.yaml")
    }

    private func users(_ names: String...) async throws -> String {
      var entries = "users:\n"
      for name in names {
        entries += "- {name: \(name), passwordHash: '\(try await Self.hash(of: "secret of \(name)"))', groups: [view]}\n"
      }
      return entries
    }

    private static func hash(of password: String) async throws -> String {
      try await run("openssl", ["passwd", "-6", "-salt", "practice", password]).output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func status(_ served: ServedGateway, as user: String) async throws -> String {
      try await run(
        "curl",
        [
          "--silent", "--max-time", "60", "--cacert", served.file("server-ca.pem"), "--user", "\(user):secret of \(user)", "--output",
          "/dev/null",
          "--write-out", "%{http_code}", served.url + "/version",
        ]
      ).output
    }

    private func look(_ port: Int, _ path: String) async throws -> String {
      try await run("curl", ["--silent", "--show-error", "--max-time", "60", "http://127.0.0.1:\(port)\(path)"]).output
    }

    /// Waits for so many lines with `mark` in what the gateway logged.
    private func wait(_ served: ServedGateway, for mark: String, count: Int) async throws {
      _ = try await served.process.waitForErrors { $0.components(separatedBy: mark).count > count }
    }

    private static let reloaded = "the configuration was reloaded"
    private static let failed = "the reload failed"

    @Test func reloadAndEndUnderLoadFailNoRequest() async throws {
      try await ServedGateway.with { served in
        let echo = try RunningTool(
          Installation.python, [Installation.client("echo_upgrades.py"), served.file("server.pem"), served.file("server.key")])
        let listening = try await echo.wait { $0.contains("listening") }
        let echoPort = try #require(Int(listening.split(separator: " ").last?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""))
        try served.directory.write(try await self.users("paul"), to: "users.yaml")
        try self.configure(served, echoPort: echoPort)
        served.process.signal(SIGHUP)
        try await self.wait(served, for: Self.reloaded, count: 1)
        let log = try await served.process.waitForErrors { $0.contains("the admin listener listens") }
        let match = try #require(log.firstMatch(of: #/address=127\.0\.0\.1:(\d+)[^\n]*the admin listener listens/#))
        let admin = try #require(Int(match.1))

        let load = try RunningTool(
          Installation.python,
          [
            Installation.client("load_through_change.py"), "\(served.port)", served.file("server-ca.pem"), served.file("eve.pem"),
            served.file("eve.key"), "500", "16", "4", "4", served.file("ending"),
          ])
        _ = try await load.wait { $0.contains(#/loading \d{3}/#) }

        // A password file that is edited is read by itself.
        #expect(try await self.status(served, as: "paul") == "200")
        #expect(try await self.status(served, as: "petra") == "401")
        try served.directory.write(try await self.users("petra"), to: "users.yaml")
        try await self.wait(served, for: Self.reloaded, count: 2)
        #expect(try await self.status(served, as: "petra") == "200")
        #expect(try await self.status(served, as: "paul") == "401", "what was remembered of the old file is forgotten")

        // A broken edit changes nothing.
        try served.directory.write("users:\n- {name: petra}\n", to: "users.yaml")
        try await self.wait(served, for: Self.failed, count: 1)
        #expect(try await self.status(served, as: "petra") == "200")
        let ready = try await self.look(admin, "/readyz?verbose")
        #expect(ready.contains("[+]reload ok, but: ") && ready.contains("users.yaml:2:3: users[0].passwordHash: is missing"), "\(ready)")
        #expect(try await self.look(admin, "/metrics").contains("sallyport_reload_last_successful 0\n"))

        // It is mended, and the server's certificate renewed.
        try served.directory.write(try await self.users("petra", "paul"), to: "users.yaml")
        let renewed = try served.pki.server(names: ["localhost", "127.0.0.1", "renewed.example.org"])
        try served.directory.write(renewed.chainPEM, to: "server.pem")
        try served.directory.write(renewed.privateKeyPEM, to: "server.key")
        try await self.wait(served, for: Self.reloaded, count: 3)
        let shown = try await run(
          "openssl",
          ["s_client", "-connect", "127.0.0.1:\(served.port)", "-servername", "localhost", "-CAfile", served.file("server-ca.pem")],
          input: Data())
        let certificate = try await run("openssl", ["x509", "-noout", "-ext", "subjectAltName"], input: Data(shown.output.utf8))
        #expect(certificate.output.contains("renewed.example.org"), "\(certificate.transcript)")

        // Reloads as quickly as they can be asked for.
        for number in 4...8 {
          try served.directory.write(try served.directory.read("sallyport.yaml") + "# \(number)\n", to: "sallyport.yaml")
          served.process.signal(SIGHUP)
          try await self.wait(served, for: Self.reloaded, count: number)
        }
        let metrics = try await self.look(admin, "/metrics")
        #expect(
          metrics.contains(#"sallyport_streams_open{kind="stream"} 4"#) && metrics.contains(#"sallyport_streams_open{kind="tunnel"} 4"#))
        #expect(try await self.look(admin, "/readyz") == "ok")

        try served.directory.write("", to: "ending")
        served.process.signal(SIGTERM)
        try await self.wait(served, for: "shutting down", count: 1)
        let end = try await served.process.result()
        #expect(end.status == 0, "\(end.transcript)")
        #expect(end.errors.contains("streams=8"), "\(end.errors.suffix(600))")

        let output = try await load.result()
        let line = try #require(output.output.split(separator: "\n").last)
        let result = try JSONDecoder().decode(Result.self, from: Data(line.utf8))
        #expect(result.failures.isEmpty, "\(result.failures.prefix(5)) of \(result.failures.count); \(line)")
        #expect(result.unconnected == 0, "every connection was taken before the end")
        #expect(result.answers > 300 && result.echoes > 20, "\(line)")
        print(
          "through 8 reloads and the end: \(result.answers) answers in \(String(format: "%.1f", result.seconds)) s, \(result.failures.count) failures"
        )

        let records = try AuditLine.read(served.file("audit/requests.jsonl"))
        let answered = records.filter { $0.stage == "ResponseComplete" && $0.requestURI?.contains("/configmaps/web?n=") == true }
        #expect(answered.count == result.answers, "one closing record for each answer")
        let cut = records.filter { $0.stage == "ResponseComplete" && $0.annotations?["sallyport.dev/ended"] == "shutdown" }
        #expect(cut.count == 8, "four watches and four tunnels")
        echo.signal(SIGKILL)
      }
    }

    @Test func aSecondSignalEndsAtOnceAndLosesNoRecord() async throws {
      try await ServedGateway.with { served in
        let watch = try RunningTool("curl", served.throughGateway("/api/v1/namespaces/dev/pods?watch=1") + ["--no-buffer"])
        _ = try await watch.wait { $0.contains("web-2") }
        try served.directory.write(
          try served.directory.read("sallyport.yaml") + "shutdown: {grace: 10m, streamGrace: 10m}\n", to: "sallyport.yaml")
        served.process.signal(SIGHUP)
        try await self.wait(served, for: Self.reloaded, count: 1)
        served.process.signal(SIGTERM)
        try await self.wait(served, for: "shutting down", count: 1)
        try await Task.sleep(for: .seconds(1))
        #expect(watch.isRunning, "the watch has its grace")
        served.process.signal(SIGTERM)
        let end = try await served.process.result()
        #expect(end.status == 0, "\(end.transcript)")
        let last = try #require(try AuditLine.read(served.file("audit/requests.jsonl")).last)
        #expect(last.stage == "ResponseComplete" && last.verb == "watch" && last.annotations?["sallyport.dev/ended"] == "shutdown")
        _ = try await watch.result()
      }
    }

    @Test func hangUpsThatComeAtOnceDoNotKill() async throws {
      try await ServedGateway.with { served in
        for _ in 0..<3 { served.process.signal(SIGHUP) }
        // Signals of one kind that are not taken yet are one: the kernel does not count them.
        try await self.wait(served, for: Self.reloaded, count: 1)
        #expect(try await run("curl", served.throughGateway("/version")).status == 0)
      }
    }
  }
}
