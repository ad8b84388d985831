import Foundation
import NIOCore
import SallyportJOSE
import SallyportPKI
import SallyportPracticeCluster
import TestSupport
import Testing

/// Bearer tokens, seen from outside: a provider over TLS on one side, the practice cluster on the other.
@Suite(.serialized, .timeLimit(.minutes(5))) struct TokenTests {
  private static let target = "/api/v1/namespaces/dev/pods"

  /// What a test works with.
  private struct World {
    let house: House
    let provider: TestProvider
    let key: TokenMint.Key
    let mint: TokenMint

    func bearer(_ claims: [String: String] = [:]) throws -> String { "Authorization: Bearer \(try self.mint.token(self.key, claims))" }
  }

  private func with(
    route: [String] = ["match: {path: /}", "authenticate: [clientCertificate, password, token]"], isUp: Bool = true,
    _ body: (World) async throws -> Void
  ) async throws {
    let pki = try TestPKI()
    let key = try TokenMint.Key(.rs256)
    let provider = try await TestProvider(certificate: pki.server)
    if isUp { provider.serve(try TokenMint.keySet(key)) }
    var plan = House.Plan()
    plan.prepare = { _, directory in try directory.write(pki.serverAuthority.certificatePEM, to: "idp-ca.pem") }
    plan.authentication = [
      "tokens:", "- jwt:",
      "    issuer: {url: \"\(provider.issuer)\", audiences: [kubernetes], certificateAuthorityFile: idp-ca.pem}",
      "    claimMappings: {username: {claim: email, prefix: \"\"}, groups: {claim: groups, prefix: \"\"}}",
    ]
    plan.route = route
    // What is configured must be used by some route.
    plan.routesBefore = [
      "{name: other, match: {path: /other}, upstream: kubernetes, credential: front-proxy, authenticate: [clientCertificate, password]}"
    ]
    do {
      try await House.with(plan) { house in
        try await body(
          World(
            house: house, provider: provider, key: key, mint: TokenMint(issuer: provider.issuer, now: Int(Date().timeIntervalSince1970))))
      }
      await provider.close()
    } catch {
      await provider.close()
      throw error
    }
  }

  @Test func aTokenSignsInAndTheUpstreamHearsWhoItIs() async throws {
    try await self.with { world in
      let field = try world.bearer(["groups": #"["view"]"#])
      for _ in 0..<3 {
        let answer = try await world.house.get(Self.target, field)
        #expect(answer.status == 200)
        let record = try world.house.closingRecord(of: answer)
        #expect(record.user.username == "alice@example.org" && record.user.groups == ["view"])
        #expect(record.fact("authentication") == "jwt")
        #expect(record.fact("original-identity")?.contains(#""subject":"alice-1""#) == true)
        #expect(record.fact("original-identity")?.contains(#""jti":"token-1""#) == true)
      }
      let seen = try #require(world.house.cluster?.recordedRequests().first)
      #expect(seen.user == "alice@example.org")
      // The keys were asked for once, and the token is nowhere but where it was sent from.
      #expect(world.provider.paths == ["/.well-known/openid-configuration", "/keys"])
      let token = field.dropFirst("Authorization: Bearer ".count)
      for part in token.split(separator: ".") {
        let everything = try world.house.records().map(\.text).joined()
        #expect(!everything.contains(part))
      }
    }
  }

  @Test func aBadTokenIsAnsweredAsTheStandardSays() async throws {
    try await self.with { world in
      let stranger = try TokenMint.Key(.rs256, id: "stranger")
      let forged = "Authorization: Bearer \(try world.mint.token(stranger))"
      let expired = try world.bearer(["exp": "\(world.mint.now - 100)"])
      for field in [forged, expired, "Authorization: Bearer opaque", "Authorization: Bearer", "Authorization: bearer a.b.c"] {
        let answer = try await world.house.get(Self.target, field)
        #expect(answer.status == 401, "\(field.prefix(40))")
        #expect(answer.body.contains("The token was not accepted."))
        let challenges = answer.fields.filter { $0.name.lowercased() == "www-authenticate" }.map(\.value)
        #expect(challenges == [#"Basic realm="sallyport", charset="UTF-8""#, #"Bearer realm="sallyport", error="invalid_token""#])
        #expect(try world.house.closingRecord(of: answer).error.hasPrefix("tokenRefused: "))
      }
      let nothing = try await world.house.get(Self.target)
      #expect(nothing.status == 401)
      #expect(
        nothing.fields.filter { $0.name.lowercased() == "www-authenticate" }.map(\.value)
          == [#"Basic realm="sallyport", charset="UTF-8""#, #"Bearer realm="sallyport""#])
      #expect(world.house.cluster?.recordedRequests().isEmpty == true)
    }
  }

  @Test func aRouteTakesWhatItListsAndNothingElse() async throws {
    try await self.with(route: ["match: {path: /}", "authenticate: [token]"]) { world in
      #expect(try await world.house.get(Self.target, Person.bob.basic).status == 401)
      let token = try world.bearer(["groups": #"["view"]"#])
      #expect(try await world.house.get(Self.target, token).status == 200)
      // A second credential is never overlooked.
      #expect(try await world.house.get(Self.target, token, Person.bob.basic).status == 401)
    }
  }

  @Test func aRouteAsksForScopes() async throws {
    try await self.with(
      route: [
        "match: {path: /}", "authenticate: [clientCertificate, token]", "require: {scopes: [clusters, pods], audiences: [kubernetes]}",
      ]
    ) { world in
      let good = try world.bearer(["scope": #""pods clusters""#, "groups": #"["view"]"#])
      #expect(try await world.house.get(Self.target, good).status == 200)
      let answer = try await world.house.get(Self.target, world.bearer(["scope": #""pods""#]))
      #expect(answer.status == 403)
      #expect(
        answer.fields.filter { $0.name.lowercased() == "www-authenticate" }.map(\.value)
          == [#"Bearer realm="sallyport", error="insufficient_scope", scope="clusters pods""#])
      let record = try world.house.closingRecord(of: answer)
      #expect(record.user.username == "alice@example.org")
      #expect(record.error.hasPrefix("insufficientScope: "))
      // A certificate has no scopes.
      let certificate = try world.house.certificate("alice", "view")
      #expect(try await world.house.get(Self.target, as: certificate).status == 403)
    }
  }

  @Test func theGatewayStartsWhileTheProviderIsAwayAndHearsOfItsReturn() async throws {
    try await self.with(isUp: false) { world in
      let field = try world.bearer(["groups": #"["view"]"#])
      let early = try await world.house.get(Self.target, field)
      #expect(early.status == 503)
      #expect(early.fields.contains { $0.name.lowercased() == "retry-after" })
      #expect(try await world.house.get(Self.target, Person.bob.basic).status == 200)
      world.provider.serve(try TokenMint.keySet(world.key))
      var status = 0
      for _ in 0..<300 where status != 200 {
        status = try await world.house.get(Self.target, field).status
        if status != 200 { try await Task.sleep(for: .milliseconds(100)) }
      }
      #expect(status == 200)
    }
  }

  // MARK: Opaque tokens

  @Test func anOpaqueTokenIsAskedAboutOnce() async throws {
    let pki = try TestPKI()
    let provider = try await TestProvider(certificate: pki.server)
    let secret = "the-gateways-own-secret"
    let token = "opaque-0123456789abcdef"
    provider.answer { _, channel in
      let isGood = provider.requests.last?.body.hasPrefix("token=\(token)&") == true
      TestProvider.send(
        isGood ? #"{"active":true,"username":"olga","groups":["view"],"scope":"pods","sub":"o-1"}"# : #"{"active":false}"#, to: channel)
    }
    var plan = House.Plan()
    plan.prepare = { _, directory in
      try directory.write(pki.serverAuthority.certificatePEM, to: "idp-ca.pem")
      try directory.write("\(secret)\n", to: "secret")
    }
    plan.authentication = [
      "tokens:", "- introspection:", "    url: \"\(provider.issuer)/introspect\"", "    clientID: sallyport",
      "    clientSecretFile: secret",
      "    certificateAuthorityFile: idp-ca.pem",
      "    claimMappings: {username: {claim: username, prefix: \"\"}, groups: {claim: groups, prefix: \"\"}}",
    ]
    plan.route = ["match: {path: /}", "authenticate: [clientCertificate, password, token]"]
    do {
      try await House.with(plan) { house in
        for _ in 0..<3 {
          let answer = try await house.get(Self.target, "Authorization: Bearer \(token)")
          #expect(answer.status == 200)
          let record = try house.closingRecord(of: answer)
          #expect(record.user.username == "olga" && record.user.groups == ["view"])
          #expect(record.fact("authentication") == "introspection")
        }
        #expect(provider.requests.count == 1)
        #expect(house.cluster?.recordedRequests().first?.user == "olga")
        let refused = try await house.get(Self.target, "Authorization: Bearer another-token")
        #expect(refused.status == 401)
        #expect(refused.fields.contains { $0.value == #"Bearer realm="sallyport", error="invalid_token""# })
        provider.answer { _, channel in TestProvider.send("", status: "503 Later", to: channel) }
        let unknown = try await house.get(Self.target, "Authorization: Bearer a-third-token")
        #expect(unknown.status == 503 && unknown.fields.contains { $0.name.lowercased() == "retry-after" })
        // Who is known by what was asked before stays known.
        #expect(try await house.get(Self.target, "Authorization: Bearer \(token)").status == 200)
        let everything = try house.records().map(\.text).joined()
        for text in [token, "another-token", "a-third-token", secret] { #expect(!everything.contains(text)) }
      }
      await provider.close()
    } catch {
      await provider.close()
      throw error
    }
  }

  /// The gateway by its key, the answer by the provider's: whatever else the provider says is no answer.
  @Test func anAnswerIsSignedAndTheGatewaySignsItsQuestion() async throws {
    let pki = try TestPKI()
    let provider = try await TestProvider(certificate: pki.server)
    let (own, key) = (try TokenMint.Key(id: "gateway"), try TokenMint.Key(id: "provider"))
    let issuer = provider.issuer
    let now = Int(Date().timeIntervalSince1970)
    let mint = TokenMint(issuer: issuer, audience: "sallyport", now: now)
    let keySet = try TokenMint.keySet(key)
    func answer(by key: TokenMint.Key) throws -> String {
      try mint.token(
        key,
        [
          "sub": "", "exp": "", "email": "", "groups": "", "jti": "", "iat": "\(now)",
          "token_introspection": #"{"active":true,"username":"olga","groups":["view"]}"#,
        ], header: ["typ": #""token-introspection+jwt""#])
    }
    let (good, forged) = (try answer(by: key), try answer(by: TokenMint.Key(id: "provider")))
    provider.answer { [weak provider] path, channel in
      switch path {
      case "/.well-known/openid-configuration": TestProvider.send(#"{"issuer":"\#(issuer)","jwks_uri":"\#(issuer)/keys"}"#, to: channel)
      case "/keys": TestProvider.send(keySet, to: channel)
      default:
        let token = provider?.requests.last?.body.dropFirst("token=".count).prefix { $0 != "&" } ?? ""
        switch token {
        case "good": TestProvider.send(good, type: "application/token-introspection+jwt", to: channel)
        case "forged": TestProvider.send(forged, type: "application/token-introspection+jwt", to: channel)
        default: TestProvider.send(#"{"active":true,"username":"mallory"}"#, to: channel)
        }
      }
    }
    var plan = House.Plan()
    let pem = try #require(own.privatePEM)
    plan.prepare = { _, directory in
      try directory.write(pki.serverAuthority.certificatePEM, to: "idp-ca.pem")
      try directory.write(pem, to: "client.key")
    }
    plan.authentication = [
      "tokens:", "- introspection:", "    url: \"\(issuer)/introspect\"", "    clientID: sallyport",
      "    clientAuthentication: privateKeyJWT", "    clientKeyFile: client.key", "    clientKeyID: gateway",
      "    answer: introspectionJWT", "    issuer: \"\(issuer)\"", "    certificateAuthorityFile: idp-ca.pem",
      "    claimMappings: {username: {claim: username, prefix: \"\"}, groups: {claim: groups, prefix: \"\"}}",
    ]
    plan.route = ["match: {path: /}", "authenticate: [clientCertificate, password, token]"]
    do {
      try await House.with(plan) { house in
        let answer = try await house.get(Self.target, "Authorization: Bearer good")
        #expect(answer.status == 200)
        #expect(try house.closingRecord(of: answer).user.username == "olga")
        for token in ["forged", "unsigned"] {
          let refused = try await house.get(Self.target, "Authorization: Bearer \(token)")
          #expect(refused.status == 503, "\(token)")
          #expect(try house.closingRecord(of: refused).series == House.unauthenticated)
        }
        let question = try #require(provider.requests.first { $0.path == "/introspect" })
        let assertion = try #require(question.body.split(separator: "client_assertion=").last)
        let parts = try assertion.split(separator: ".").prefix(2).map { part in
          String(decoding: try #require(Base64URL.decode(part.utf8)), as: UTF8.self)
        }
        #expect(parts[0].contains(#""kid":"gateway""#))
        #expect(parts[1].contains("\"aud\":\"\(issuer)\"") && parts[1].contains(#""sub":"sallyport""#), "\(parts[1])")
        let everything = try house.records().map(\.text).joined() + house.log.text
        for text in [good, forged, String(assertion)] { #expect(!everything.contains(text)) }
      }
      await provider.close()
    } catch {
      await provider.close()
      throw error
    }
  }

  /// A key that is none is told with its place, and nothing of it.
  @Test func aKeyThatCannotBeUsedStopsTheStart() async throws {
    var plan = House.Plan()
    plan.files = ["client.key": "not a key, but somebody's secret\n"]
    plan.authentication = [
      "tokens:", "- introspection:", "    url: https://idp.example.org/introspect", "    clientID: sallyport",
      "    clientAuthentication: privateKeyJWT", "    clientKeyFile: client.key", "    claimMappings: {username: {claim: username}}",
    ]
    plan.route = ["match: {path: /}", "authenticate: [clientCertificate, password, token]"]
    let error = await #expect(throws: (any Error).self) { try await House.with(plan) { _ in } }
    let text = error.map { "\($0)" } ?? ""
    #expect(text.contains("clientKeyFile: names ") && text.contains("which cannot be used: it is no PEM private key"), "\(text)")
    #expect(!text.contains("secret\n") && !text.contains("somebody"), "\(text)")
  }

  // MARK: Service accounts

  @Test func theClusterIsAskedWhoseAServiceAccountsTokenIs() async throws {
    let account = "system:serviceaccount:dev:builder"
    let script: ScriptedUpstream.Script = { moment, peer in
      guard case .end(let request) = moment else { return }
      let isReview = request.line == "POST /apis/authentication.k8s.io/v1/tokenreviews HTTP/1.1"
      let isGood = request.body.contains(#""token":"good-token""#)
      let user = #"{"username":"\#(account)","groups":["system:serviceaccounts","system:authenticated"]}"#
      let status = isGood ? #"{"authenticated":true,"user":\#(user)}"# : #"{"authenticated":false}"#
      let body = isReview ? #"{"kind":"TokenReview","status":\#(status)}"# : "{}"
      peer.send(
        "HTTP/1.1 \(isReview ? "201 Created" : "200 OK")\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
      )
    }
    try await House.with(script: script) { plan in
      plan.authentication = ["tokens:", "- tokenReview: {upstream: kubernetes}"]
      plan.route = ["match: {path: /}", "authenticate: [clientCertificate, password, token]"]
      // Another cluster, where the same name is somebody else's.
      plan.upstream = ["idleTimeout: 60s\n- name: other\n  kind: kubernetes\n  servers: [\"https://127.0.0.1:1\"]\n  caFile: server-ca.pem"]
      plan.routesBefore = [
        "{name: other, match: {path: /apis/other}, upstream: other, credential: front-proxy, authenticate: [token]}"
      ]
    } _: { house, upstream in
      let elsewhere = try await house.get("/apis/other/v1/things", "Authorization: Bearer good-token")
      #expect(elsewhere.status == 403)
      #expect(try house.closingRecord(of: elsewhere).error.contains("the upstream kubernetes vouches for the token"))
      for _ in 0..<2 {
        let answer = try await house.get(Self.target, "Authorization: Bearer good-token")
        let record = try house.closingRecord(of: answer)
        #expect(answer.status == 200, "\(record.error)")
        #expect(record.user.username == account && record.fact("authentication") == "tokenReview")
      }
      #expect(try await house.get(Self.target, "Authorization: Bearer bad-token").status == 401)
      let reviews = upstream.requests.filter { $0.line.hasPrefix("POST ") }
      #expect(reviews.count == 2)
      #expect(
        reviews.first?.values("X-Remote-User") == ["sallyport"] && reviews.first?.values("X-Remote-Group") == ["sallyport:token-review"])
      let served = upstream.requests.filter { $0.line.hasPrefix("GET ") }
      #expect(served.count == 2 && served.allSatisfy { $0.values("X-Remote-User") == [account] })
      #expect(served.allSatisfy { $0.values("X-Remote-Group") == ["system:serviceaccounts"] && $0.values("Authorization").isEmpty })
      #expect(try !house.records().map(\.text).joined().contains("good-token"))
    }
  }

  // MARK: Streams

  private static func entry(_ token: String) -> String { Base64URL.encode(token.utf8) }

  private func upgrade(_ world: World, _ target: String, _ entry: String) async throws -> (client: RawTLSClient, answer: Answer) {
    let client = try await world.house.connect()
    try await client.send(
      "GET \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        + "Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.\(entry), v5.channel.k8s.io\r\n\r\n")
    return (client, Answer(head: try await client.read(until: "\r\n\r\n")))
  }

  /// Browsers can set no `Authorization` field for a WebSocket.
  @Test func aTokenAmongTheWebSocketProtocolsOpensATunnel() async throws {
    try await self.with { world in
      let exec = "\(Self.target)/web-0/exec?command=cat&stdin=true&stdout=true"
      let token = try world.mint.token(world.key, ["groups": #"["edit"]"#])
      let (client, answer) = try await self.upgrade(world, exec, Self.entry(token))
      #expect(answer.status == 101)
      // The token is no protocol that anybody speaks.
      #expect(answer.fields.filter { $0.name.lowercased() == "sec-websocket-protocol" }.map(\.value) == ["v5.channel.k8s.io"])
      await client.close()
      let record = try await world.house.record("the tunnel") { $0.auditID == answer.auditID && $0.stage == "ResponseComplete" }
      #expect(record.user.username == "alice@example.org" && record.fact("authentication") == "jwt")
      let (refused, refusal) = try await self.upgrade(world, exec, String(Self.entry(token).dropLast(8)))
      #expect(refusal.status == 401)
      await refused.close()
      #expect(world.house.cluster?.recordedRequests().map(\.user) == ["alice@example.org"])
    }
  }

  @Test func aStreamEndsWithItsToken() async throws {
    try await self.with { world in
      // Its end is forgiven for another ten seconds.
      let field = try world.bearer(["groups": #"["view"]"#, "exp": "\(Int(Date().timeIntervalSince1970) - 20)"])
      let (client, answer) = try await world.house.watch(field + "\r\n")
      _ = try? await client.readToEnd()
      let record = try await world.house.record("the watch") { $0.auditID == answer.auditID && $0.stage == "ResponseComplete" }
      #expect(record.fact("ended") == "credentialExpired")
    }
  }

  @Test func aReloadThatChangesNothingAboutTokensCutsNothingAndAsksNobody() async throws {
    try await self.with { world in
      let field = try world.bearer(["groups": #"["view"]"#])
      let (client, _) = try await world.house.watch(field + "\r\n")
      world.provider.answer { _, channel in channel.close(promise: nil) }
      try await world.house.reload()
      #expect(try await world.house.get(Self.target, world.bearer(["groups": #"["view"]"#, "jti": #""new""#])).status == 200)
      #expect(world.provider.paths.count == 2)
      try world.house.cluster?.seed(
        #"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"later","namespace":"dev"},"spec":{"containers":[{"name":"a","image":"b"}]}}"#)
      #expect(try await client.read(until: "later").contains("ADDED"))
      await client.close()
    }
  }

  private static let changes: [(changes: [(old: String, new: String)], reason: String)] = [
    ([(#"username: {claim: email, prefix: ""}"#, #"username: {claim: email, prefix: "x:"}"#)], "credentialChanged"),
    ([("audiences: [kubernetes]", "audiences: [kubernetes, other]")], "credentialChanged"),
    (
      [("authenticate: [clientCertificate, password, token]", "authenticate: [clientCertificate, token]\n  require: {scopes: [x]}")],
      "credentialNotAccepted"
    ),
    (
      [
        ("front-proxy, authenticate: [clientCertificate, password]", "front-proxy, authenticate: [token]"),
        ("authenticate: [clientCertificate, password, token]", "authenticate: [clientCertificate, password]"),
      ], "credentialNotAccepted"
    ),
  ]

  /// The token itself is not kept: who is still let in by other rules opens the stream anew.
  @Test(arguments: 0..<TokenTests.changes.count) func aStreamEndsWhereItsTokenIsJudgedOtherwise(_ index: Int) async throws {
    try await self.with { world in
      let (client, answer) = try await world.house.watch(world.bearer(["groups": #"["view"]"#]) + "\r\n")
      let (changes, reason) = Self.changes[index]
      for (old, new) in changes { try world.house.change(old, to: new) }
      try await world.house.reload()
      _ = try? await client.readToEnd()
      let record = try await world.house.record("the watch") { $0.auditID == answer.auditID && $0.stage == "ResponseComplete" }
      #expect(record.fact("ended") == reason)
    }
  }
}
