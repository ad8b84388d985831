import Foundation
import SallyportIssuer
import SallyportJOSE
import SallyportJSON
import SallyportPKI
import TestSupport
import Testing

/// Tokens for clients: who gets which at `/.sallyport/token`, and what they are good for.
@Suite(.serialized, .timeLimit(.minutes(10))) struct TokenEndpointTests {
  private static let path = "/.sallyport/token"
  private static let exchange = "grant_type=urn:ietf:params:oauth:grant-type:token-exchange"
  private static let accessToken = "subject_token_type=urn:ietf:params:oauth:token-type:access_token"
  private static let secret = Person.vera.password

  private static let change: CredentialWorld.Change = {
    var change = CredentialWorld.Change()
    change.issuer =
      ", tokenExchange: {tokenLifetime: 10m, clients: [{id: kubectl, public: {signIn: [password, clientCertificate]}}, "
      + "{id: phone, public: {}}, "
      + "{id: reports, secretHashFile: reports.hash, audiences: [sallyport, reports], scopes: [read, write]}, "
      + "{id: runner, certificateUser: runner, audiences: [sallyport, kubernetes], insecureDirectAudience: true}]}"
    change.files = ["reports.hash": Person.vera.hash + "\n"]
    change.routes = [
      "{name: scoped, match: {hosts: [scoped.test]}, upstream: kubernetes, credential: front-proxy, authenticate: [token], "
        + "require: {scopes: [write], methods: [issuedToken]}}"
    ]
    return change
  }()

  /// What came of a request for a token.
  private struct Given {
    let answer: Answer
    let document: JSONValue?
    var error: String? { self.document?["error"]?.string }
    var token: String { self.document?["access_token"]?.string ?? "" }
    /// What the token says, without a look at its signature.
    var claims: JSONValue? {
      let parts = self.token.utf8.split(separator: UInt8(ascii: "."))
      return parts.count == 3 ? Base64URL.decode(parts[1]).flatMap { try? JSONReader.read($0) } : nil
    }
    var bearer: CredentialWorld.Client {
      CredentialWorld.Client(certificate: nil, fields: ["Authorization: Bearer \(self.token)"], username: "", groups: [])
    }
  }

  private func ask(
    _ world: CredentialWorld, _ form: String, _ fields: [String] = [], as certificate: TestCertificate? = nil, host: String = "localhost",
    target: String = Self.path, type: String = "application/x-www-form-urlencoded", method: String = "POST"
  ) async throws -> Given {
    let head = ["\(method) \(target) HTTP/1.1", "Host: \(host)", "Content-Type: \(type)", "Content-Length: \(form.utf8.count)"] + fields
    let answer = try await world.house.ask(head.joined(separator: "\r\n") + "\r\n\r\n" + form, as: certificate) { $0.serverName = nil }
    return Given(answer: answer, document: try? JSONReader.read(answer.body.utf8))
  }

  private func signIn(_ world: CredentialWorld, _ more: String = "", _ fields: [String] = [Person.bob.basic]) async throws -> Given {
    try await self.ask(world, "grant_type=client_credentials&client_id=kubectl\(more)", fields)
  }

  private static let reports = Person.basic("reports", Self.secret)

  private func exchanging(_ token: String, _ more: String = "") -> String {
    "\(Self.exchange)&\(Self.accessToken)&subject_token=\(token)\(more)"
  }

  private func bearer(_ client: CredentialWorld.Client) -> String { String(client.fields[0].dropFirst("Authorization: Bearer ".count)) }

  // MARK: - Who signs in

  @Test func whoSignsInByAPasswordGetsATokenForTheGateway() async throws {
    try await CredentialWorld.with(Self.change) { world in
      let given = try await self.signIn(world)
      #expect(given.answer.status == 200, "\(given.answer)")
      #expect(given.answer.values("Cache-Control") == ["no-store"] && given.answer.values("Pragma") == ["no-cache"])
      #expect(given.document?["token_type"]?.string == "Bearer")
      #expect(given.document?["issued_token_type"]?.string == "urn:ietf:params:oauth:token-type:id_token")
      #expect((590...600).contains(given.document?["expires_in"]?.integer ?? 0))
      let claims = try #require(given.claims)
      #expect(claims["iss"]?.string == world.issuer && claims["aud"]?.string == "sallyport" && claims["sub"]?.string == "bob")
      #expect(claims["groups"]?.strings == ["edit"] && claims["amr"]?.strings == ["pwd"] && claims["client_id"]?.string == "kubectl")

      // The record says who got which, and has nothing of the token in it.
      let record = try world.house.closingRecord(of: given.answer)
      #expect(record.series == House.requests && record.user.username == "bob" && record.responseStatus?.code == 200)
      #expect(record.fact("issued") == "signed in" && record.fact("issued-audience") == "sallyport")
      #expect(record.fact("issued-client") == "kubectl" && record.fact("issued-token") == claims["jti"]?.string)
      #expect(record.fact("authentication") == "passwordFile" && record.fact("upstream") == nil)

      // Every way out takes it as the same user but the one that would show the upstream the token itself.
      for way in CredentialWorld.WayOut.allCases where way != .passthrough {
        let (answer, user) = try await world.whoAmI(given.bearer, by: way)
        #expect(answer.status == 201 && user?["username"]?.string == "bob", "\(way): \(answer)")
        #expect(user?["groups"]?.strings?.contains("edit") == true, "\(way)")
        let used = try world.house.closingRecord(of: answer)
        #expect(used.fact("authentication") == "issuedToken")
        #expect(used.fact("original-identity")?.contains(claims["jti"]?.string ?? "-") == true)
      }
      #expect(try await world.whoAmI(given.bearer, by: .passthrough).answer.status == 403)
      let everything = try world.house.directory.read("audit/requests.jsonl") + world.house.directory.read("audit/unauthenticated.jsonl")
      #expect(!everything.contains(given.token) && !everything.contains(given.token.suffix(40)))
      #expect(!world.house.log.text.contains(given.token.suffix(40)))
    }
  }

  @Test func whoSignsInByACertificateGetsNoTokenThatOutlivesIt() async throws {
    try await CredentialWorld.with(Self.change) { world in
      // A certificate's times are whole seconds.
      let soon = Date(timeIntervalSince1970: (Date().timeIntervalSince1970 + 90).rounded(.down))
      let brief = try world.house.pki.client("brief", groups: ["view"]) { $0.notAfter = soon }
      let given = try await self.ask(world, "grant_type=client_credentials&client_id=kubectl", as: brief)
      #expect(given.answer.status == 200, "\(given.answer)")
      #expect(given.claims?["sub"]?.string == "brief" && given.claims?["amr"]?.strings == ["pop"])
      #expect(Double(given.claims?["exp"]?.integer ?? .max) <= soon.timeIntervalSince1970)
      // Another one for it, and one for that, end no later.
      let again = try await self.ask(world, self.exchanging(given.token, "&client_id=phone"))
      #expect(again.answer.status == 200 && again.claims?["exp"] == given.claims?["exp"], "\(again.answer)")
      #expect(again.claims?["auth_time"] == given.claims?["auth_time"] && again.claims?["amr"] == given.claims?["amr"])
      #expect(again.claims?["jti"] != given.claims?["jti"])
    }
  }

  @Test func whoDoesNotProveAnythingGetsNothing() async throws {
    try await CredentialWorld.with(Self.change) { world in
      let token = self.bearer(try world.bearer())
      for (what, given, status, error) in [
        ("nothing", try await self.signIn(world, "", []), 401, "invalid_client"),
        ("a cookie", try await self.signIn(world, "", ["Cookie: __Host-sallyport-session=abc"]), 401, "invalid_client"),
        ("a wrong password", try await self.signIn(world, "", [Person.basic("bob", Person.wrongPassword)]), 401, "invalid_client"),
        ("a token", try await self.signIn(world, "", ["Authorization: Bearer \(token)"]), 401, "invalid_client"),
        ("another audience", try await self.signIn(world, "&audience=kubernetes"), 400, "invalid_target"),
        ("a scope", try await self.signIn(world, "&scope=read"), 400, "invalid_scope"),
        ("impersonation", try await self.signIn(world, "", [Person.bob.basic, "Impersonate-User: vera"]), 400, "invalid_request"),
        (
          "a client without people", try await self.ask(world, "grant_type=client_credentials&client_id=reports", [Person.bob.basic]), 401,
          "invalid_client"
        ),
        (
          "exchange alone", try await self.ask(world, "grant_type=client_credentials&client_id=phone", [Person.bob.basic]), 401,
          "invalid_client"
        ),
        ("no client", try await self.ask(world, "grant_type=client_credentials", [Person.bob.basic]), 401, "invalid_client"),
      ] {
        #expect(given.answer.status == status && given.error == error, "\(what): \(given.answer)")
        #expect(given.answer.values("Cache-Control") == ["no-store"], "\(what)")
        #expect(given.answer.values("WWW-Authenticate").isEmpty == (status != 401), "\(what)")
        let record = try world.house.closingRecord(of: given.answer)
        #expect(record.responseStatus?.code == status && record.fact("issued") == nil && record.fact("error") != nil, "\(what)")
      }
    }
  }

  @Test func wrongPasswordsAreThrottledAsEverywhere() async throws {
    try await CredentialWorld.with(Self.change) { world in
      for number in 0..<5 {
        let given = try await self.signIn(world, "", [Person.basic("bob", "\(Person.wrongPassword)-\(number)")])
        #expect(given.answer.status == 401)
      }
      let given = try await self.signIn(world)
      #expect(given.answer.status == 429 && given.error == "temporarily_unavailable", "\(given.answer)")
      #expect(given.answer.values("Retry-After").count == 1)
      // And the client's own secret.
      let token = self.bearer(try world.bearer())
      for number in 0..<5 {
        let given = try await self.ask(world, self.exchanging(token), [Person.basic("reports", "\(Person.wrongPassword)-\(number)")])
        #expect(given.answer.status == 401 && given.error == "invalid_client", "\(given.answer)")
      }
      #expect(try await self.ask(world, self.exchanging(token), [Self.reports]).answer.status == 429)
    }
  }

  // MARK: - Exchange

  @Test func aClientExchangesTokensOfAllKindsForWhatItMayHave() async throws {
    try await CredentialWorld.with(Self.change) { world in
      let jwt = self.bearer(try world.bearer(["scope": #""write admin""#]))
      let given = try await self.ask(world, self.exchanging(jwt), [Self.reports])
      #expect(given.answer.status == 200, "\(given.answer)")
      #expect(given.claims?["sub"]?.string == "alice@example.org" && given.claims?["client_id"]?.string == "reports")
      #expect(given.claims?["scope"]?.string == "write" && given.document?["scope"]?.string == "write")
      let record = try world.house.closingRecord(of: given.answer)
      #expect(record.fact("issued") == "token exchanged" && record.fact("issued-client") == "reports")
      #expect(record.user.username == "alice@example.org" && record.fact("authentication") == "jwt")

      let opaque = try await self.ask(world, self.exchanging("opaque-1", "&audience=reports&scope="), [Self.reports])
      #expect(opaque.claims?["sub"]?.string == "olga@example.org" && opaque.claims?["aud"]?.string == "reports", "\(opaque.answer)")
      #expect(opaque.claims?["scope"] == nil)
      // A token for somebody else is not good here, neither to make requests nor to be exchanged.
      #expect(try await world.whoAmI(opaque.bearer, by: .requestHeaders).answer.status == 401)
      let refused = try await self.ask(world, self.exchanging(opaque.token), [Self.reports])
      #expect(refused.answer.status == 400 && refused.error == "invalid_request", "\(refused.answer)")

      // The scope and the way that it was proven open a route; a token of the provider's with the same scope does not.
      let client = given.bearer
      let scoped = try await world.ask("GET /api/v1/namespaces/dev/pods", at: "scoped.test", as: client)
      #expect(scoped.status == 200 || scoped.status == 403 && scoped.kubernetesStatus?.message.contains("alice@example.org") == true)
      let direct = try await world.ask("GET /api/v1/namespaces/dev/pods", at: "scoped.test", as: try world.bearer(["scope": #""write""#]))
      #expect(direct.status == 403 && direct.kubernetesStatus?.message.contains("not one that this route is for") == true, "\(direct)")
      let less = try await self.ask(world, self.exchanging(given.token, "&scope=read"), [Self.reports])
      #expect(less.error == "invalid_scope")
    }
  }

  @Test func aClientProvesItselfByItsCertificateAndMayBeAllowedAnUpstreamsAudience() async throws {
    try await CredentialWorld.with(Self.change) { world in
      let jwt = self.bearer(try world.bearer(["groups": #"["view"]"#]))
      let form = self.exchanging(jwt, "&client_id=runner&audience=kubernetes")
      let given = try await self.ask(world, form, as: try world.house.certificate("runner"))
      #expect(given.answer.status == 200 && given.claims?["aud"]?.string == "kubernetes", "\(given.answer)")
      #expect(given.claims?["sub"]?.string == "alice@example.org")
      for (what, certificate) in [("no certificate", nil), ("another's", try world.house.certificate("alice"))] {
        let refused = try await self.ask(world, form, as: certificate)
        #expect(refused.answer.status == 401 && refused.error == "invalid_client", "\(what): \(refused.answer)")
      }
      // What is for the API server is refused at the gateway's own routes.
      #expect(try await world.whoAmI(given.bearer, by: .requestHeaders).answer.status == 401)
    }
  }

  @Test func nothingElseIsExchanged() async throws {
    try await CredentialWorld.with(Self.change) { world in
      let jwt = self.bearer(try world.bearer())
      let forged = String(jwt.dropLast(8)) + "AAAAAAAA"
      let expired = self.bearer(try world.bearer(["exp": "\(Int(Date().timeIntervalSince1970) - 100)"]))
      let stranger = self.bearer(try world.bearer(["aud": #""other""#]))
      for (what, form, fields, status, error) in [
        ("a forged token", self.exchanging(forged), [Self.reports], 400, "invalid_request"),
        ("an expired token", self.exchanging(expired), [Self.reports], 400, "invalid_request"),
        ("another audience's", self.exchanging(stranger), [Self.reports], 400, "invalid_request"),
        ("no client", self.exchanging(jwt), [], 401, "invalid_client"),
        ("an unknown client", self.exchanging(jwt, "&client_id=nobody"), [], 401, "invalid_client"),
        ("a client without its secret", self.exchanging(jwt, "&client_id=reports"), [], 401, "invalid_client"),
        ("a user as a client", self.exchanging(jwt), [Person.bob.basic], 401, "invalid_client"),
        ("two clients", self.exchanging(jwt, "&client_id=phone"), [Self.reports], 401, "invalid_client"),
        ("an upstream's audience", self.exchanging(jwt, "&audience=kubernetes"), [Self.reports], 400, "invalid_target"),
        ("a scope of its own", self.exchanging(jwt, "&scope=read"), [Self.reports], 400, "invalid_scope"),
        ("twice", self.exchanging(jwt, "&audience=reports&audience=sallyport"), [Self.reports], 400, "invalid_request"),
        ("another grant", "grant_type=password&username=bob", [Self.reports], 400, "unsupported_grant_type"),
        ("a page", self.exchanging(jwt), [Self.reports, "Origin: https://localhost"], 403, "invalid_request"),
        ("a page, too", self.exchanging(jwt), [Self.reports, "Sec-Fetch-Site: none"], 403, "invalid_request"),
        ("too much", self.exchanging(String(repeating: "a", count: 300_000)), [Self.reports], 413, "invalid_request"),
      ] as [(String, String, [String], Int, String)] {
        let given = try await self.ask(world, form, fields)
        #expect(given.answer.status == status && given.error == error, "\(what): \(given.answer)")
        #expect(given.answer.values("Cache-Control") == ["no-store"], "\(what)")
      }
      let records = try world.house.records().map(\.text).joined()
      for token in [jwt, expired, stranger] { #expect(!records.contains(token.suffix(40))) }
    }
  }

  // MARK: - Where

  @Test func theEndpointIsThereForItsHostAndMethodAlone() async throws {
    try await CredentialWorld.with(Self.change) { world in
      let form = "grant_type=client_credentials&client_id=kubectl"
      let basic = [Person.bob.basic]
      #expect(try await self.ask(world, form, basic, host: "idtoken.test").answer.status == 404)
      #expect(try await self.ask(world, form, basic, target: Self.path + "/").answer.status == 404)
      #expect(try await self.ask(world, form, basic, target: Self.path + "?x=1").answer.status == 400)
      #expect(try await self.ask(world, form, basic, type: "application/json").answer.status == 400)
      for method in ["PUT", "DELETE", "PATCH"] { #expect(try await self.ask(world, form, basic, method: method).answer.status == 405) }
      let get = try await world.house.get(Self.path)
      #expect(get.status == 405 && get.values("Cache-Control") == ["no-store"])
      let chunked = try await world.house.ask(
        "POST \(Self.path) HTTP/1.1\r\nHost: localhost\r\n\(Person.bob.basic)\r\nContent-Type: application/x-www-form-urlencoded; charset=utf-8"
          + "\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n\(String(form.utf8.count, radix: 16))\r\n\(form)\r\n0\r\n\r\n")
      #expect(chunked.status == 200, "\(chunked)")
      let discovery = try JSONReader.read(try await world.house.get("/.sallyport/.well-known/openid-configuration").body.utf8)
      #expect(discovery["token_endpoint"]?.string == world.issuer + "/token")
      #expect(discovery["grant_types_supported"]?.strings?.count == 2)
    }
    try await CredentialWorld.with { world in
      #expect(try await self.signIn(world).answer.status == 404)
      let discovery = try JSONReader.read(try await world.house.get("/.sallyport/.well-known/openid-configuration").body.utf8)
      #expect(discovery["token_endpoint"] == nil)
    }
  }

  @Test func aReloadTakesClientsAwayAndKeepsWhatWasGivenToOthers() async throws {
    try await CredentialWorld.with(Self.change) { world in
      let given = try await self.signIn(world)
      try world.house.change("{id: kubectl, public: {signIn: [password, clientCertificate]}}", to: "{id: kubectl, public: {signIn: []}}")
      try await world.house.reload()
      #expect(try await self.signIn(world).error == "invalid_client")
      #expect(try await world.whoAmI(given.bearer, by: .requestHeaders).answer.status == 201)
      // Without the issuer's key nothing that it has signed is believed.
      let signers = try KeyDirectory(world.house.directory.file("issuer")).read().map(\.name)
      _ = try KeyRotation(KeyDirectory(world.house.directory.file("issuer")), tokenLifetime: 600).rotate(.es256, overlap: 0, at: Date())
      for name in signers { try FileManager.default.removeItem(atPath: world.house.directory.file("issuer/\(name)")) }
      try await world.house.reload()
      #expect(try await world.whoAmI(given.bearer, by: .requestHeaders).answer.status == 401)
    }
  }

  @Test func aSecretThatIsNoHashIsAFaultWithItsPlace() async throws {
    try await CredentialWorld.with(Self.change) { world in
      try world.house.directory.write("not a hash\n", to: "reports.hash")
      await #expect(throws: (any Error).self) { try await world.house.reload() }
      #expect(world.house.log.text.contains("issuer.tokenExchange.clients[2].secretHashFile"))
      #expect(!world.house.log.text.contains("not a hash"))
      #expect(try await self.signIn(world).answer.status == 200)
    }
  }
}
