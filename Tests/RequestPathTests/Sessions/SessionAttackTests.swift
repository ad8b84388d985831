import Foundation
import TestSupport
import Testing

/// What somebody tries who has no session, a part of one, or another site's page.
@Suite(.serialized, .timeLimit(.minutes(10))) struct SessionAttackTests {
  private static let pods = "/api/v1/namespaces/dev/pods"

  // MARK: Cookies

  @Test func onlyTheCookieThatWasGivenOutIsASession() async throws {
    try await House.with(.signIn()) { house in
      let browser = Browser(house)
      try await browser.signIn(.bob)
      let good = try #require(browser.sessionID)
      let flipped = String(good.dropLast(8)) + (good.hasSuffix("A") ? "B" : "A") + good.suffix(7)
      let forged = [
        "", "nonsense", String(good.dropLast()), good + "A", good + "=", String(good.reversed()), flipped,
        String(repeating: "A", count: 43),
        "\"\(good)\"", good.lowercased() == good ? "x" : good.lowercased(), "../\(good)", "\(good),\(good)", "%\(good.dropFirst())",
        String(repeating: "A", count: 4000), "eyJhbGciOiJub25lIn0.eyJzdWIiOiJib2IifQ.",
      ]
      for cookie in forged {
        browser.set(Browser.session, to: cookie)
        #expect(try await browser.fetch(Self.pods).status == 401, "\(cookie)")
      }
      for field in [
        "Cookie: \(Browser.session)=\(good); \(Browser.session)=\(good)", "Cookie: \(Browser.session)=\(good); \(Browser.session)=",
        "Cookie: \(Browser.session)=\(good)\r\nCookie: \(Browser.session)=\(good)", "Cookie: __host-sallyport-session=\(good)",
        "Cookie: __Host_sallyport_session=\(good)", "Cookie: sallyport-session=\(good)", "Cookie: a=\(Browser.session)=\(good)",
        "X-Cookie: \(Browser.session)=\(good)", "Authorization: Bearer \(good)",
      ] {
        #expect(try await house.get(Self.pods, field).status == 401, "\(field)")
      }
      for field in [
        "Cookie: \(Browser.session)=\(good)", "Cookie: a=b;\(Browser.session)=\(good);c",
        "Cookie: a=b\r\nCookie: \(Browser.session)=\(good)",
        "cookie:  \(Browser.session) = \(good) ; x=y",
      ] {
        #expect(try await house.get(Self.pods, field).status == 200, "\(field)")
      }
      #expect(try house.records().allSatisfy { !$0.text.contains(good) })
      #expect(!house.log.text.contains(good))
    }
  }

  /// Ours are taken out on every route, in every spelling that a server might fold into ours; others stay byte for byte.
  @Test func ourCookiesNeverReachAnUpstreamAndOthersDo() async throws {
    for methods in ["session, password", "password"] {
      var plan = House.Plan.signInBeforeScript(accepting: methods)
      if methods == "password" {
        plan.routesBefore = ["{name: ui, match: {path: /ui}, upstream: kubernetes, credential: front-proxy, authenticate: [session]}"]
      }
      try await House.with(plan) { house in
        let upstream = try #require(house.upstream)
        for (sent, expected) in [
          ("theme=dark; \(Browser.browser)=x; lang=de", ["theme=dark; lang=de"]), ("\(Browser.browser)=x", []),
          ("__HOST-SALLYPORT-SESSION=x; a=\"b c\"", ["a=\"b c\""]), ("__host_sallyport_session=x;a=b", ["a=b"]),
          ("__Host-sallyport-other=x", []), ("a=b;  c = d ;e", ["a=b;  c = d ;e"]),
          ("a=__Host-sallyport-session=x", ["a=__Host-sallyport-session=x"]),
          ("x__Host-sallyport-session=y", ["x__Host-sallyport-session=y"]),
        ] {
          let answer = try await house.get("/ui2", Person.bob.basic, "Cookie: \(sent)")
          #expect(answer.status == 200, "\(answer)")
          #expect(upstream.requests.last?.values("Cookie") == expected, "\(sent)")
        }
        _ = try await house.get(
          "/ui2", Person.bob.basic, "Cookie: a=b", "Cookie: \(Browser.browser)=x", "Cookie: c=d; \(Browser.browser)=y")
        #expect(upstream.requests.last?.values("Cookie") == ["a=b", "c=d"])
      }
    }
  }

  @Test func anUpstreamCannotPlantASession() async throws {
    let plan = House.Plan.signInBeforeScript(
      accepting: "password",
      answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: theme=dark\r\nSet-Cookie: \(Browser.session)=x; Path=/; Secure\r\n"
        + "set-cookie:  __host_sallyport_browser =; Max-Age=0\r\nSet-Cookie: a=\(Browser.session)\r\n"
        + "Set-Cookie: =\(Browser.session)=x; Path=/\r\nSet-Cookie: ==\t\(Browser.browser)=x\r\nSet-Cookie: \(Browser.session)\r\n"
        + "Set-Cookie: =nameless\r\n\r\nok")
    var before = plan
    before.routesBefore = ["{name: ui, match: {path: /ui}, upstream: kubernetes, credential: front-proxy, authenticate: [session]}"]
    try await House.with(before) { house in
      let answer = try await house.get("/x", Person.bob.basic)
      #expect(answer.values("Set-Cookie") == ["theme=dark", "a=\(Browser.session)", "=nameless"])
    }
  }

  // MARK: Forms

  @Test func aFormCountsOnlyFromOurPageInThisBrowser() async throws {
    try await House.with(.signIn()) { house in
      let browser = Browser(house)
      let token = try Browser.token(in: try await browser.go("/.sallyport/sign-in"))
      let other = try Browser.token(in: try await Browser(house).go("/.sallyport/sign-in"))
      let login = [("username", "bob"), ("password", Person.bob.password)]
      for bad in [[], [("token", "")], [("token", other)], [("token", String(token.dropLast()))], [("token", token + "A")]] {
        let answer = try await browser.send(bad + login, to: "/.sallyport/sign-in")
        #expect(answer.status == 403 && browser.sessionID == nil, "\(bad)")
        #expect(try house.closingRecord(of: answer).fact("sign-in") == "refused")
      }
      // The cookie without the page, the page without the cookie.
      let without = Browser(house)
      #expect(try await without.send([("token", token)] + login, to: "/.sallyport/sign-in").status == 403)
      // Another site's page, whatever it has.
      for fields in [
        ["Origin: https://evil.example"], ["Origin: null"], ["Origin: http://localhost"], ["Origin: https://localhost.evil.example"],
        ["Origin: https://localhost", "Sec-Fetch-Site: cross-site"], ["Origin: https://localhost", "Sec-Fetch-Site: same-site"],
      ] {
        let answer = try await browser.post(Browser.encoded([("token", token)] + login), to: "/.sallyport/sign-in", fields)
        #expect(answer.status == 403 && browser.sessionID == nil, "\(fields)")
        #expect(try house.closingRecord(of: answer).fact("sign-in") == "refused")
      }
      #expect(try await browser.send([("token", token)] + login, to: "/.sallyport/sign-in").status == 303)
      // A token for signing in signs nobody out.
      #expect(try await browser.send([("token", token)], to: "/.sallyport/sign-out").status == 403)
      #expect(try await browser.post("", to: "/.sallyport/sign-out").status == 403)
      #expect(try await browser.fetch(Self.pods).status == 200)
      // Nor does a GET, by which any page could.
      _ = try await browser.go("/.sallyport/sign-out")
      #expect(try await browser.fetch(Self.pods).status == 200)
    }
  }

  @Test func whatIsNoFormIsRefused() async throws {
    try await House.with(.signIn()) { house in
      let browser = Browser(house)
      let token = try Browser.token(in: try await browser.go("/.sallyport/sign-in"))
      let form = Browser.encoded([("token", token), ("username", "bob"), ("password", Person.bob.password)])
      #expect(try await browser.post("\(form)&username=vera", to: "/.sallyport/sign-in").status == 400)
      #expect(try await browser.post("\(form)&x=%zz", to: "/.sallyport/sign-in").status == 400)
      #expect(try await browser.post(form + "&x=" + String(repeating: "a", count: 20_000), to: "/.sallyport/sign-in").status == 413)
      func sent(_ fields: String, _ body: String) async throws -> Int {
        try await house.ask("POST /.sallyport/sign-in HTTP/1.1\r\nHost: localhost\r\n\(browser.cookieField)\(fields)\r\n\(body)").status
      }
      let length = "Content-Length: \(form.utf8.count)\r\n"
      #expect(try await sent(length, form) == 415)
      for type in ["application/json", "text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencodedx"] {
        #expect(try await sent("\(length)Content-Type: \(type)\r\n", form) == 415, "\(type)")
      }
      let chunked = "Transfer-Encoding: chunked\r\nContent-Type: application/x-www-form-urlencoded\r\n"
      let chunk = String(repeating: "a", count: 0x1000)
      #expect(try await sent(chunked, (0..<5).map { _ in "1000\r\n\(chunk)\r\n" }.joined() + "0\r\n\r\n") == 413)
      #expect(browser.sessionID == nil)
      let type = "Content-Type: Application/X-WWW-Form-Urlencoded; charset=UTF-8\r\n"
      #expect(
        try await sent("\(type)Transfer-Encoding: chunked\r\n", "\(String(form.utf8.count, radix: 16))\r\n\(form)\r\n0\r\n\r\n") == 303)
    }
  }

  @Test func nobodyIsLedToAnotherHost() async throws {
    try await House.with(.signIn()) { house in
      for target in [
        "//evil.example", "/\\evil.example", "https://evil.example", "/%09/evil.example", "/%0d%0aSet-Cookie:x=y", "/%5cevil.example",
        "/a\r\nLocation: https://evil.example", "/..//evil.example",
      ] {
        let browser = Browser(house)
        let answer = try await browser.signIn(.bob, returningTo: target)
        #expect(answer.status == 303 && answer.values("Location") == ["/"], "\(target)")
        let shown = try await browser.go(
          "/.sallyport/sign-in?return=\(target.replacing(/[^A-Za-z0-9.]/) { "%" + String(format: "%02x", $0.output.utf8.first ?? 0) })")
        #expect(shown.status == 200 && !shown.body.contains("evil"), "\(target)")
      }
      // Nor by what the request line says.
      for target in ["//evil.example", "https://evil.example/x"] {
        let answer = try await house.ask("GET \(target) HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n")
        #expect(answer.values("Location").allSatisfy { $0.hasPrefix("/.sallyport/sign-in") && !$0.contains("//evil") }, "\(answer)")
      }
    }
  }

  // MARK: Requests of a page that the session lets in

  @Test func anotherSitesPageChangesNothingByASession() async throws {
    try await House.with(.signIn()) { house in
      let browser = Browser(house)
      try await browser.signIn(.bob)
      let target = "/api/v1/namespaces/dev/configmaps"
      for fields in [["Origin: https://evil.example"], ["Origin: https://localhost", "Sec-Fetch-Site: cross-site"]] {
        #expect(try await browser.post("{}", to: target, fields).status == 403, "\(fields)")
      }
      let upgrade = [
        "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
      ]
      let exec = "\(Self.pods)/web-0/exec?command=cat&stdin=true&stdout=true"
      for fields in [["Origin: https://evil.example"], ["Origin: null"], ["Sec-Fetch-Site: cross-site"]] {
        let lines = (upgrade + fields).map { $0 + "\r\n" }.joined()
        let answer = try await house.ask("GET \(exec) HTTP/1.1\r\nHost: localhost\r\n\(browser.cookieField)\(lines)\r\n")
        #expect(answer.status == 403, "\(fields)")
      }
      // Without a session a WebSocket is told so, and led nowhere.
      let lines = (upgrade + ["Origin: https://localhost"]).map { $0 + "\r\n" }.joined()
      #expect(try await house.ask("GET \(exec) HTTP/1.1\r\nHost: localhost\r\n\(lines)\r\n").status == 401)
    }
  }

  /// A flood of sign-ins of one user keeps the newest; others are not signed out by it.
  @Test func aUserHasABoundedNumberOfSessions() async throws {
    try await House.with(.signIn("{perUser: 3}")) { house in
      let vera = Browser(house)
      try await vera.signIn(.vera)
      var bobs: [Browser] = []
      for _ in 0..<5 {
        let browser = Browser(house)
        #expect(try await browser.signIn(.bob).status == 303)
        bobs.append(browser)
      }
      for (number, browser) in bobs.enumerated() {
        #expect(try await browser.fetch(Self.pods).status == (number < 2 ? 401 : 200), "\(number)")
      }
      #expect(try await vera.fetch(Self.pods).status == 200)
    }
    try await House.with(.signIn("{total: 2}")) { house in
      let first = Browser(house)
      try await first.signIn(.bob)
      try await Browser(house).signIn(.vera)
      let third = try await Browser(house).signIn(.vera)
      #expect(third.status == 503 && third.values("Set-Cookie").isEmpty && third.body.contains("cannot be signed in"))
      #expect(try await first.fetch(Self.pods).status == 200)
    }
  }
}
