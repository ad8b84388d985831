import Foundation
import SallyportPKI
import SallyportPracticeCluster
import TestSupport
import Testing

/// Signing in and out by way of an OpenID provider, over real sockets.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ProviderSignInTests {
  private static let pods = ProviderWorld.pods

  @Test func somebodyIsLedThereAndComesBackSignedIn() async throws {
    try await ProviderWorld.with { world in
      world.provider.change { $0.claims["groups"] = #"["view"]"# }
      let browser = Browser(world.house)
      let led = try await browser.go("\(Self.pods)?limit=5")
      let form = try await browser.go(try #require(led.values("Location").first))
      #expect(form.body.contains("Continue with Example IdP"))
      let page = try await browser.startAtProvider(returningTo: "\(Self.pods)?limit=5")
      #expect(page.status == 200 && page.body.contains("Going on to Example IdP"))
      #expect(page.values("Content-Security-Policy").first?.contains("form-action 'self'") == true)
      let cookie = try #require(page.values("Set-Cookie").first)
      #expect(
        cookie.wholeMatch(
          of: /__Host-sallyport-flow-[A-Za-z0-9_-]{8}=[A-Za-z0-9_-]+; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=600/) != nil)
      let address = try Browser.address(in: page)
      let asked = try OpenIDTestProvider.parameters(of: address)
      #expect(asked["redirect_uri"] == "https://localhost/.sallyport/callback" && asked["response_type"] == "code")
      for name in ["state", "nonce", "code_challenge"] { #expect(asked[name]?.utf8.count == 43, "\(name)") }
      #expect(!cookie.contains(try #require(asked["nonce"])) && browser.sessionID == nil)

      let answer = try await browser.arrive(try world.provider.callback(for: address))
      #expect(answer.status == 303 && answer.values("Location") == ["\(Self.pods)?limit=5"], "\(answer)")
      #expect(browser.sessionID != nil && browser.flows.isEmpty)
      let record = try world.house.closingRecord(of: answer)
      #expect(record.fact("sign-in") == "signed-in" && record.user.username == "alice@example.org")
      #expect(record.fact("authentication") == "session" && record.series == House.requests)
      let origin = try #require(record.fact("original-identity"))
      for part in [#""signedInBy":"oidc""#, world.provider.issuer, "alice-1", "sid-1"] { #expect(origin.contains(part), "\(part)") }
      #expect(record.requestURI.contains("code=REDACTED"))

      let pods = try await browser.fetch(Self.pods)
      #expect(pods.status == 200 && world.house.cluster?.recordedRequests().last?.user == "alice@example.org")
      let whoami = try await browser.go("/.sallyport/whoami")
      #expect(whoami.body.contains("alice@example.org") && whoami.body.contains("view") && whoami.body.contains("identity provider"))
      #expect(world.provider.complaints.isEmpty)
    }
  }

  @Test func twoTabsDoNotUndoEachOther() async throws {
    try await ProviderWorld.with { world in
      let browser = Browser(world.house)
      let first = try Browser.address(in: try await browser.startAtProvider(returningTo: "/one"))
      let second = try Browser.address(in: try await browser.startAtProvider(returningTo: "/two"))
      #expect(browser.flows.count == 2)
      for (address, target) in [(second, "/two"), (first, "/one")] {
        let answer = try await browser.arrive(try world.provider.callback(for: address))
        #expect(answer.status == 303 && answer.values("Location") == [target])
      }
      #expect(browser.flows.isEmpty)
      for _ in 0..<7 { _ = try await browser.startAtProvider() }
      #expect(browser.flows.count == 4)
      #expect(try await world.signIn(browser).status == 303)
    }
  }

  @Test func signingOutHereLeadsToSigningOutThere() async throws {
    try await ProviderWorld.with { world in
      let browser = Browser(world.house)
      try await world.signIn(browser)
      let copy = try #require(browser.sessionID)
      let answer = try await browser.signOut()
      #expect(answer.status == 200 && browser.sessionID == nil && answer.body.contains("You are signed out"))
      #expect(try world.house.closingRecord(of: answer).fact("sign-in") == "signed-out")
      let address = try Browser.address(in: answer)
      let asked = try OpenIDTestProvider.parameters(of: address)
      #expect(address.hasPrefix("\(world.provider.issuer)/end?") && asked["client_id"] == OpenIDTestProvider.clientID)
      #expect(
        asked["post_logout_redirect_uri"] == "https://localhost/.sallyport/sign-out" && asked["id_token_hint"]?.hasPrefix("eyJ") == true)
      // The session has ended already, whether the browser goes on or not; and coming back does nothing.
      browser.set(Browser.session, to: copy)
      #expect(try await browser.fetch(Self.pods).status == 401)
      browser.set(Browser.session, to: nil)
      #expect(try await browser.arrive("/.sallyport/sign-out").body.contains("You are signed out"))
    }
    try await ProviderWorld.with(settings: "logout: false") { world in
      let browser = Browser(world.house)
      try await world.signIn(browser)
      let answer = try await browser.signOut()
      #expect(answer.body.contains("You are signed out") && !answer.body.contains("http-equiv"))
    }
  }

  @Test func theProviderSignsOutHere() async throws {
    try await ProviderWorld.with { world in
      let browser = Browser(world.house)
      try await world.signIn(browser)
      world.provider.change { $0.claims["sid"] = #""sid-2""# }
      let other = Browser(world.house)
      try await world.signIn(other)
      func send(_ body: String, type: String = "application/x-www-form-urlencoded") async throws -> Answer {
        try await world.house.ask(
          "POST /.sallyport/backchannel-logout HTTP/1.1\r\nHost: localhost\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)"
            + "\r\n\r\n\(body)")
      }
      let token = try world.provider.logoutToken()
      let answer = try await send("logout_token=\(token)")
      #expect(answer.status == 200 && answer.values("Cache-Control") == ["no-store"] && answer.body.isEmpty)
      let record = try world.house.closingRecord(of: answer)
      #expect(record.fact("sign-in") == "signed-out" && record.fact("ended-sessions")?.utf8.count == 16)
      #expect(try await browser.fetch(Self.pods).status == 401)
      #expect(try await other.fetch(Self.pods).status != 401)

      // Sent again, of another client, or no token at all.
      for body in [
        "logout_token=\(token)", "logout_token=\(try world.provider.logoutToken(["aud": #""other""#]))", "logout_token=", "", "x=y",
        "logout_token=a&logout_token=b", "logout_token=\(token.dropLast(4))AAAA",
      ] {
        let refused = try await send(body)
        #expect(refused.status == 400 && refused.values("Cache-Control") == ["no-store"], "\(body)")
        #expect(refused.body.contains("invalid_request"))
      }
      #expect(try await send("{}", type: "application/json").status == 400)
      #expect(try await send("logout_token=\(String(repeating: "a", count: 100_000))").status == 400)
      #expect(try await world.house.get("/.sallyport/backchannel-logout").status == 405)
      #expect(try await other.fetch(Self.pods).status != 401)
      #expect(try await send("logout_token=\(try world.provider.logoutToken(["sid": ""]))").status == 200)
      #expect(try await other.fetch(Self.pods).status == 401)
    }
  }

  @Test func whereNobodySignsInLikeThisThereIsNothing() async throws {
    try await House.with(.signIn()) { house in
      for path in ["callback", "callback/x", "backchannel-logout"] {
        #expect(try await house.get("/.sallyport/\(path)?code=a&state=b").status == 404, "\(path)")
      }
      let browser = Browser(house)
      for id in ["", "other"] {
        let answer = try await browser.startAtProvider(id)
        #expect(answer.status == 400 && browser.flows.isEmpty)
      }
    }
  }

  @Test func aProviderThatIsAwaySignsNobodyIn() async throws {
    try await ProviderWorld.with { world in
      let browser = Browser(world.house)
      let address = try Browser.address(in: try await browser.startAtProvider())
      let callback = try world.provider.callback(for: address)
      world.provider.change { $0.isAway = true }
      let answer = try await browser.arrive(callback)
      #expect(answer.status == 503 && answer.body.contains("not possible at the moment") && browser.sessionID == nil)
      #expect(try world.house.closingRecord(of: answer).error.hasPrefix("providerUnavailable"))
      world.provider.change { $0.isAway = false }
      // Other ways in are there, and so is this one again.
      #expect(try await browser.signIn(.bob).status == 303)
      #expect(try await world.signIn(browser).status == 303)
    }
  }

  /// Two gateways on one Redis server ask a provider that takes each refresh token once.
  @Test func twoGatewaysRenewASessionOnce() async throws {
    let redis = try await RedisServer(pki: TestPKI())
    let pki = try TestPKI()
    let provider = try await OpenIDTestProvider(certificate: pki.server)
    provider.change { $0.claims["groups"] = #"["view"]"# }
    var plan = ProviderWorld.plan(
      provider, trusting: pki,
      session: "{refresh: 10s, keyFile: session.key, redis: {url: \"rediss://localhost:\(redis.tlsPort)\", caFile: \(redis.caFile), "
        + "username: \(RedisServer.user), passwordFile: redis-password, timeout: 5s}}")
    plan.files["session.key"] = Data(0..<32).base64EncodedString() + "\n"
    plan.files["redis-password"] = RedisServer.password + "\n"
    try await House.with(plan) { one in
      try await House.with(plan) { other in
        let here = Browser(one)
        try await ProviderWorld(house: one, provider: provider).signIn(here)
        let there = Browser(other)
        there.set(Browser.session, to: here.sessionID)
        // Beyond twice the time nobody is let in before somebody has asked.
        try await Task.sleep(for: .seconds(21))
        try await withThrowingTaskGroup(of: Int.self) { group in
          for browser in [here, there, here, there, here, there] { group.addTask { try await browser.fetch(Self.pods).status } }
          for try await status in group { #expect(status == 200) }
        }
        #expect(provider.refreshes == 1 && provider.complaints.isEmpty, "\(provider.refreshes) \(provider.complaints)")
      }
    }
    await provider.close()
  }
}
