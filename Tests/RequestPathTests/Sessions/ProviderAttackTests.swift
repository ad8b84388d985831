import Foundation
import SallyportPKI
import TestSupport
import Testing

/// What somebody tries at a sign-in by way of a provider who is not the one to sign in.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ProviderAttackTests {
  /// The parts of a callback, to be put together otherwise.
  private func query(_ callback: String) throws -> [String: String] { try OpenIDTestProvider.parameters(of: "https://x\(callback)") }

  private func callback(_ parameters: [(String, String)], _ path: String = "/.sallyport/callback") -> String {
    "\(path)?\(OpenIDTestProvider.encoded(parameters))"
  }

  /// Login CSRF: somebody's own code is slipped to another's browser.
  @Test func aCallbackOfAnotherBrowserSignsNobodyIn() async throws {
    try await ProviderWorld.with { world in
      let mallory = Browser(world.house)
      let callback = try world.provider.callback(for: Browser.address(in: try await mallory.startAtProvider()))
      let victim = Browser(world.house)
      for prepare in [
        { (_: Browser) in }, { (victim: Browser) in _ = try await victim.go("/.sallyport/sign-in") },
        // The victim has begun something, too.
        { (victim: Browser) in _ = try await victim.startAtProvider() },
        // The attacker's cookie was planted, without the browser's own that it is sealed for.
        { (victim: Browser) in victim.set(mallory.flows[0], to: mallory.cookie(mallory.flows[0])) },
      ] as [(Browser) async throws -> Void] {
        try await prepare(victim)
        let answer = try await victim.arrive(callback)
        #expect(answer.status == 403 && victim.sessionID == nil && answer.values("Location").isEmpty)
        let record = try world.house.closingRecord(of: answer)
        #expect(record.fact("sign-in") == "refused" && record.error.hasPrefix("callbackForeign"))
      }
      // Nothing of it has cost the code, which is still good where it belongs.
      #expect(!world.provider.https.paths.contains("/token"))
      #expect(try await mallory.arrive(callback).status == 303)
    }
  }

  @Test func nothingCountsTwice() async throws {
    try await ProviderWorld.with { world in
      let browser = Browser(world.house)
      let page = try await browser.startAtProvider()
      let flow = browser.flows[0]
      let cookie = browser.cookie(flow)
      let callback = try world.provider.callback(for: Browser.address(in: page))
      #expect(try await browser.arrive(callback).status == 303)
      let session = browser.sessionID
      // Once more, without the cookie that is gone, and with a copy of it.
      #expect(try await browser.arrive(callback).status == 403)
      browser.set(flow, to: cookie)
      let again = try await browser.arrive(callback)
      #expect(again.status == 401 && browser.sessionID == session)
      #expect(try world.house.closingRecord(of: again).error.contains("before"))
      // Another code under the old state neither.
      browser.set(flow, to: cookie)
      let parameters = try self.query(callback)
      let other = self.callback([("code", "another"), ("state", parameters["state"] ?? ""), ("iss", world.provider.issuer)])
      #expect(try await browser.arrive(other).status == 401)
      #expect(world.provider.https.paths.filter { $0 == "/token" }.count == 1 && world.provider.complaints.isEmpty)
      #expect(try await browser.fetch(ProviderWorld.pods).status != 401)
    }
  }

  @Test func aCallbackIsReadInOneWay() async throws {
    try await ProviderWorld.with { world in
      let browser = Browser(world.house)
      let good = try self.query(try world.provider.callback(for: Browser.address(in: try await browser.startAtProvider())))
      let (code, state, issuer) = (("code", good["code"] ?? ""), ("state", good["state"] ?? ""), ("iss", good["iss"] ?? ""))
      for parameters in [
        [], [code], [state], [code, state, state], [code, code, state], [code, state, ("error", "access_denied")],
        [code, state, issuer, issuer], [("code", ""), state, issuer], [("code", String(repeating: "a", count: 5000)), state, issuer],
        [code, ("state", "short"), issuer], [code, state, issuer, ("id_token", "a.b.c")], [("error", "<b>"), state, issuer],
      ] {
        let answer = try await browser.arrive(self.callback(parameters))
        #expect(answer.status == 400, "\(parameters.map(\.0))")
        #expect(try world.house.closingRecord(of: answer).error.hasPrefix("callbackUnreadable"))
      }
      let foreign = String(repeating: "A", count: 43)
      #expect(try await browser.arrive(self.callback([code, ("state", foreign), issuer])).status == 403)
      // Without the `iss` that the metadata promises, and with another's.
      #expect(try await browser.arrive(self.callback([code, state])).status == 403)
      #expect(try await browser.arrive(self.callback([code, state, ("iss", "https://evil.example")])).status == 403)
      // No page, no frame, no other method.
      for fields in [["Sec-Fetch-Mode: no-cors"], ["Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"], ["Sec-Fetch-Mode: cors"]] {
        #expect(try await browser.arrive(self.callback([code, state, issuer]), fields).status == 403, "\(fields)")
      }
      #expect(try await browser.post("", to: self.callback([code, state, issuer])).status == 405)
      // Through all of this the sign-in itself is untouched.
      #expect(try await browser.arrive(self.callback([code, state, issuer])).status == 303)
    }
  }

  @Test func whatTheProviderRefusesIsSaid() async throws {
    try await ProviderWorld.with { world in
      let browser = Browser(world.house)
      let good = try self.query(
        try world.provider.callback(for: Browser.address(in: try await browser.startAtProvider(returningTo: "/ui"))))
      let answer = try await browser.arrive(
        self.callback([("error", "access_denied"), ("state", good["state"] ?? ""), ("iss", world.provider.issuer)]))
      #expect(answer.status == 401 && answer.body.contains("You were not signed in there") && answer.body.contains("value=\"/ui\""))
      #expect(try world.house.closingRecord(of: answer).error.contains("access_denied"))
      #expect(browser.flows.isEmpty && browser.sessionID == nil)
    }
  }

  private static let lies: [[String: String]] = [
    ["nonce": #""another""#], ["nonce": "\"\""], ["aud": #""other""#], ["aud": #"["sallyport","other"]"#], ["azp": #""other""#],
    ["iss": #""https://evil.example""#], ["exp": "1000"], ["iat": ""], ["at_hash": #""AAAAAAAAAAAAAAAAAAAAAA""#],
    ["groups": #"["system:masters"]"#], ["email": #""system:admin""#], ["email": "\"\""], ["sub": ""],
  ]

  @Test func aTokenThatIsNotForThisSignInSignsNobodyIn() async throws {
    try await ProviderWorld.with { world in
      func refused(_ change: @Sendable (inout OpenIDTestProvider.Settings) -> Void, _ what: String) async throws {
        world.provider.change { $0 = .init() }
        world.provider.change(change)
        let browser = Browser(world.house)
        let answer = try await world.signIn(browser)
        #expect(answer.status == 401 && browser.sessionID == nil && browser.flows.isEmpty, "\(what)")
        #expect(try world.house.closingRecord(of: answer).error.hasPrefix("providerRefused"), "\(what)")
      }
      for lie in Self.lies { try await refused({ $0.claims.merge(lie) { $1 } }, "\(lie)") }
      try await refused({ $0.header["alg"] = #""none""# }, "alg none")
      try await refused({ $0.header["typ"] = #""logout+jwt""# }, "a logout token")
      try await refused({ $0.header["kid"] = #""other""# }, "another key")
      try await refused({ $0.answer["id_token"] = "" }, "no id_token")
      world.provider.change { $0 = .init() }
      #expect(try await world.signIn(Browser(world.house)).status == 303)
    }
  }

  /// A provider that is not to be trusted with another's users (RFC 9700 section 4.4).
  @Test func providersAreNotMixedUp() async throws {
    let pki = try TestPKI()
    let evil = try await OpenIDTestProvider(certificate: pki.server)
    evil.change { $0.namesItself = false }
    let honest = try await OpenIDTestProvider(certificate: pki.server)
    honest.change { $0.namesItself = false }
    let other = ProviderWorld.section(evil.issuer, "id: evil, name: Evil")
    var plan = ProviderWorld.plan(honest, trusting: pki, others: [other])
    plan.losesRecords = false
    try await House.with(plan) { house in
      let browser = Browser(house)
      // Begun at the evil one, which sends the browser to the honest one with its own state: the honest one leads back to its own path.
      let asked = try OpenIDTestProvider.parameters(of: Browser.address(in: try await browser.startAtProvider("evil")))
      #expect(asked["redirect_uri"] == "https://localhost/.sallyport/callback/evil")
      let mixed = OpenIDTestProvider.encoded(
        [
          ("response_type", "code"), ("client_id", OpenIDTestProvider.clientID), ("scope", "openid"),
          ("redirect_uri", "https://localhost/.sallyport/callback"), ("state", asked["state"] ?? ""), ("nonce", asked["nonce"] ?? ""),
          ("code_challenge", asked["code_challenge"] ?? ""), ("code_challenge_method", "S256"),
        ])
      let answer = try await browser.arrive(try honest.callback(for: "\(honest.issuer)/auth?\(mixed)"))
      #expect(answer.status == 403 && browser.sessionID == nil)
      #expect(try house.closingRecord(of: answer).error.contains("another provider"))
      #expect(!evil.https.paths.contains("/token") && !honest.https.paths.contains("/token"), "the code goes to nobody")
      // Each by itself signs in.
      for (provider, id) in [(honest, ""), (evil, "evil")] {
        let page = try await browser.startAtProvider(id)
        let callback = try provider.callback(for: Browser.address(in: page))
        #expect(callback.hasPrefix("/.sallyport/callback\(id.isEmpty ? "" : "/\(id)")?"))
        #expect(try await browser.arrive(callback).status == 303)
      }
    }
    await evil.close()
    await honest.close()
  }

  @Test func nobodyIsLedToAnotherHost() async throws {
    try await ProviderWorld.with { world in
      for target in ["//evil.example", "/\\evil.example", "https://evil.example", "/%09/evil.example", "/..//evil.example", "javascript:1"]
      {
        let browser = Browser(world.house)
        let answer = try await world.signIn(browser, returningTo: target)
        #expect(answer.status == 303 && answer.values("Location") == ["/"], "\(target)")
      }
    }
  }

  @Test func aButtonCountsOnlyFromOurPage() async throws {
    try await ProviderWorld.with { world in
      let browser = Browser(world.house)
      let token = try Browser.token(in: try await browser.go("/.sallyport/sign-in"))
      let form = Browser.encoded([("token", token), ("provider", ""), ("by", "oidc")])
      #expect(try await browser.post(form, to: "/.sallyport/sign-in", ["Origin: https://evil.example"]).status == 403)
      #expect(try await browser.post(Browser.encoded([("provider", ""), ("by", "oidc")]), to: "/.sallyport/sign-in").status == 403)
      #expect(browser.flows.isEmpty)
      let old = try await world.signIn(browser)
      #expect(old.status == 303)
      let planted = try #require(browser.sessionID)
      // A new ID with each sign-in, and the old one is dead.
      try await world.signIn(browser)
      #expect(browser.sessionID != planted)
      let thief = Browser(world.house)
      thief.set(Browser.session, to: planted)
      #expect(try await thief.fetch(ProviderWorld.pods).status == 401)
    }
  }

  /// A browser has one session; which of two is meant nobody can say.
  @Test func signingOutEndsOneSession() async throws {
    try await House.with(.signIn()) { house in
      let (bob, vera) = (Browser(house), Browser(house))
      try await bob.signIn(.bob)
      try await vera.signIn(.vera)
      let token = try Browser.token(in: try await bob.go("/.sallyport/sign-out"))
      let body = Browser.encoded([("token", token)])
      let cookies = "\(bob.cookieField.dropLast(2)); \(Browser.session)=\(vera.sessionID ?? "")"
      let answer = try await house.ask(
        "POST /.sallyport/sign-out HTTP/1.1\r\nHost: localhost\r\n\(cookies)\r\nContent-Type: application/x-www-form-urlencoded\r\n"
          + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
      #expect(answer.status == 400)
      for browser in [bob, vera] { #expect(try await browser.fetch(ProviderWorld.pods).status != 401) }
    }
  }
}
