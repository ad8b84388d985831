import Foundation
import NIOCore
import SallyportJOSE
import SallyportPKI
import TestSupport
import Testing

/// Headers that a route sets and removes. Golden heads: what arrives is compared whole.
@Suite(.serialized, .timeLimit(.minutes(5))) struct RouteHeadersTests {
  private static let route = [
    "match: {path: /}", "authenticate: [clientCertificate, password]", "anonymous: [/livez]",
    #"setHeaders: {X-Token-User: "{{user}}", X-Groups: "{{groups}}", X-Subject: "{{certificate.subject}}", X-Ask: "{{auditID}} {{route}}"}"#,
    "removeHeaders: [Cookie, X-Debug]",
  ]

  private func with(
    _ route: [String] = Self.route, script: @escaping ScriptedUpstream.Script = ScriptedUpstream.answering(ScriptedUpstream.ok()),
    _ body: (House, ScriptedUpstream) async throws -> Void
  ) async throws {
    try await House.with(script: script, change: { $0.route = route }, body)
  }

  @Test func theUpstreamHearsWhatTheRouteSays() async throws {
    try await self.with { house, upstream in
      let answer = try await house.get("/version", as: house.certificate("alice", "view", "ops"), "X-Kept: 1", "Cookie: a=b", "x-debug: 1")
      #expect(answer.status == 200)
      let id = try #require(answer.auditID)
      let request = try house.theRequestUpstream()
      // The certificate's subject as the record has it.
      let subject = try #require(request.values("X-Subject").first)
      #expect(subject.contains("CN=alice"))
      #expect(try house.closingRecord(of: answer).fact("original-identity")?.contains("\"subject\":\"\(subject)\"") == true)
      #expect(
        request.fieldLines == [
          "X-Kept: 1", upstream.hostLine, "X-Forwarded-For: 127.0.0.1", "X-Token-User: alice", "X-Groups: view,ops",
          "X-Subject: \(subject)", "X-Ask: \(id) api", "X-Remote-User: alice", "X-Remote-Group: view", "X-Remote-Group: ops",
          "Audit-ID: \(id)",
        ])
    }
  }

  /// On a kept connection each request has its own, and another user's none of the first one's.
  @Test func aKeptConnectionSaysOfEachRequestWhoseItIs() async throws {
    try await self.with { house, upstream in
      let client = try await house.connect()
      var ids: [String] = []
      for person in [Person.bob, .bob, .vera] {
        try await client.send("GET /version HTTP/1.1\r\nHost: localhost\r\n\(person.basic)\r\n\r\n")
        let answer = try await house.answer(from: client)
        ids.append(try #require(answer.auditID))
      }
      await client.close()
      #expect(upstream.requests.map { $0.values("X-Token-User") } == [["bob"], ["bob"], ["vera"]])
      #expect(upstream.requests.map { $0.values("X-Ask") } == ids.map { ["\($0) api"] })
      #expect(upstream.requests.allSatisfy { $0.values("X-Subject").isEmpty })
    }
  }

  /// Whatever the client says under a name that the route sets or removes, and however it spells it.
  @Test(arguments: IdentityFieldsTests.spellings) func aClientsOwnNeverArrives(_ spelling: IdentityFieldsTests.Spelling) async throws {
    try await self.with { house, upstream in
      let forged = ["X-Token-User", "X-Groups", "X-Subject", "X-Ask", "Cookie", "X-Debug", "x.token.user"].map(spelling.lines).joined()
      let head = "GET /version HTTP/1.1\r\nHost: localhost\r\nX-Kept: 1\r\n\(forged)\r\n"
      let known = try await house.ask(head, as: house.certificate("alice", "view"))
      // On an open path there is no user at all, and so none of the fields about him.
      let nobody = try await house.ask(head.replacing("/version", with: "/livez"))
      #expect(known.status == 200 && nobody.status == 200)
      #expect(!upstream.received.contains("admin"))
      let names = upstream.requests.map { $0.fieldLines.map { Answer.field($0).name } }
      #expect(names[0].filter { $0 == "X-Token-User" }.count == 1)
      #expect(names[1] == ["X-Kept", "Host", "X-Forwarded-For", "X-Ask", "Audit-ID"])
    }
  }

  /// Over HTTP/2 a name comes in lower case, and goes upstream all the same.
  @Test func overHTTP2ItIsTheSame() async throws {
    try await self.with { house, upstream in
      let run = try await run(
        "curl",
        [
          "--silent", "--show-error", "--http2", "--cacert", house.directory.file("server-ca.pem"), "--user", "bob:\(Person.bob.password)",
          "--header", "x-token-user: admin", "--header", "X_Groups: admin", "--header", "Cookie: admin=1; b=2", "--header", "x-kept: 1",
          "--output", "/dev/null", "--write-out", "%{http_code} %{http_version}", "https://localhost:\(house.port)/version",
        ])
      #expect(run.output == "200 2", "\(run.transcript)")
      let request = try house.theRequestUpstream()
      #expect(request.values("X-Token-User") == ["bob"] && request.values("X-Groups") == ["edit"] && request.values("x-kept") == ["1"])
      #expect(!upstream.received.contains("admin"))
    }
  }

  /// Some servers merge trailers into the header.
  @Test func itIsNoTrailerEither() async throws {
    try await self.with { house, upstream in
      let answer = try await house.ask(
        "POST /version HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX_Token_User: admin\r\nX-Sum: 1\r\n\r\n",
        as: house.certificate("alice"))
      #expect(answer.status == 200)
      #expect(try house.theRequestUpstream().body.hasSuffix("X-Sum: 1\r\n\r\n"))
      #expect(!upstream.received.contains("admin"))
    }
  }

  /// A client cannot have a field dropped that the route sets.
  @Test func itCannotBeNamedAway() async throws {
    try await self.with { house, upstream in
      let answer = try await house.get("/version", as: house.certificate("alice"), "Connection: X-Token-User, X_Groups", "X-Token-User: a")
      #expect(answer.status == 200)
      #expect(upstream.requests.first?.values("X-Token-User") == ["alice"])
    }
  }

  @Test func anUpgradeCarriesThemToo() async throws {
    let switching: ScriptedUpstream.Script = { moment, peer in
      if case .head = moment { peer.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n") }
    }
    try await self.with(script: switching) { house, upstream in
      let client = try await house.connect(as: house.certificate("alice", "view"))
      try await client.send(
        "GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
          + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-Token-User: admin\r\nCookie: a=b\r\n\r\n")
      #expect(try await client.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 101 "))
      await client.close()
      try await eventually("the request") { upstream.received.contains("\r\n\r\n") }
      #expect(upstream.received.contains("\r\nX-Token-User: alice\r\n") && upstream.received.contains("\r\nUpgrade: websocket\r\n"))
      #expect(!upstream.received.contains("admin") && !upstream.received.contains("a=b"))
      _ = try await house.record("the tunnel's end") { $0.stage == "ResponseComplete" }
    }
  }

  @Test func aValueThatWouldBeReadAsAnotherEndsTheRequest() async throws {
    try await self.with { house, upstream in
      let answer = try await house.get("/version", as: house.certificate("alice", "dev,ops"))
      #expect(answer.status == 403 && answer.kubernetesStatus?.reason == "Forbidden")
      #expect(!answer.body.contains("X-Groups"))
      #expect(upstream.connections == 0)
      let record = try house.closingRecord(of: answer)
      #expect(record.error.contains("X-Groups") && record.error.contains("comma"))
    }
  }

  @Test func aReloadSaysWhatTheNewConfigurationSays() async throws {
    try await self.with { house, upstream in
      let client = try await house.connect(as: house.certificate("alice"))
      func ask() async throws {
        try await client.send("GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(try await house.answer(from: client).status == 200)
      }
      try await ask()
      try house.change(#"X-Token-User: "{{user}}""#, to: #"X-Token-User: "{{user}}@{{route}}""#)
      try await house.reload()
      try await ask()
      #expect(upstream.requests.map { $0.values("X-Token-User") } == [["alice"], ["alice@api"]])
      await client.close()
    }
  }

  @Test func claimsOfATokenAreThoseThatTemplatesName() async throws {
    let pki = try TestPKI()
    let key = try TokenMint.Key(.es256)
    let provider = try await TestProvider(certificate: pki.server)
    provider.serve(try TokenMint.keySet(key))
    let mint = TokenMint(issuer: provider.issuer, now: Int(Date().timeIntervalSince1970))
    let upstream = ScriptedUpstream.answering(ScriptedUpstream.ok())
    var plan = House.Plan(behind: .script(upstream))
    plan.prepare = { _, directory in try directory.write(pki.serverAuthority.certificatePEM, to: "idp-ca.pem") }
    plan.authentication = [
      "tokens:", "- jwt:",
      "    issuer: {url: \"\(provider.issuer)\", audiences: [kubernetes], certificateAuthorityFile: idp-ca.pem}",
      "    algorithms: [ES256]",
      "    claimMappings: {username: {claim: email, prefix: \"\"}, groups: {claim: groups, prefix: \"\"}}",
    ]
    plan.route = [
      "match: {path: /}", "authenticate: [clientCertificate, password, token]",
      #"setHeaders: {X-Sub: "{{claims.sub}}", X-Roles: "{{claims.realm_access.roles}}", X-Level: "{{claims.level}}"}"#,
    ]
    try await House.with(plan) { house in
      func said(_ claims: [String: String]) async throws -> [[String]] {
        let answer = try await house.get("/version", "Authorization: Bearer \(try mint.token(key, claims))", "X-Level: 9", "x_roles: admin")
        #expect(answer.status == 200, "\(answer)")
        let request = try #require(house.upstream?.requests.last)
        return ["X-Sub", "X-Roles", "X-Level", "x_roles"].map(request.values)
      }
      #expect(try await said([:]) == [["alice-1"], [], [], []])
      #expect(try await said(["realm_access": #"{"roles": ["a", "b"]}"#, "level": "3"]) == [["alice-1"], ["a,b"], ["3"], []])
      #expect(try await said(["realm_access": #"{"roles": [["a"]]}"#, "level": "null"]) == [["alice-1"], [], [], []])
      // A claim of the token that was not there before is there for the token that is known already.
      let known = try mint.token(key, ["plan": #""gold""#])
      #expect(try await house.get("/version", "Authorization: Bearer \(known)").status == 200)
      try house.change("{{claims.level}}", to: "{{claims.plan}}")
      try await house.reload()
      #expect(try await house.get("/version", "Authorization: Bearer \(known)").status == 200)
      #expect(house.upstream?.requests.last?.values("X-Level") == ["gold"])
      #expect(try await house.get("/version", "Authorization: Bearer \(try mint.token(key, ["sub": #""a\r\nX-Admin: 1""#]))").status == 403)
    }
    await provider.close()
  }
}
