import Foundation
import SallyportIssuer
import SallyportPracticeCluster
import TestSupport
import Testing

/// Signing in and out with a browser, over real sockets.
@Suite(.serialized, .timeLimit(.minutes(10))) struct SignInTests {
  private static let pods = "/api/v1/namespaces/dev/pods"

  @Test func somebodyIsLedToThePageSignsInAndIsLedBack() async throws {
    try await House.with(.signIn()) { house in
      let browser = Browser(house)
      let target = "\(Self.pods)?limit=5"
      let led = try await browser.go(target)
      #expect(led.status == 303, "\(led)")
      #expect(led.values("Location") == ["/.sallyport/sign-in?return=/api/v1/namespaces/dev/pods%3Flimit%3D5"])
      #expect(led.values("Set-Cookie").isEmpty && led.values("WWW-Authenticate").isEmpty)
      let page = try await browser.go(try #require(led.values("Location").first))
      #expect(
        page.status == 200 && page.body.contains("value=\"/api/v1/namespaces/dev/pods?limit&#61;5\"")
          || page.body.contains("value=\"\(target)\""))
      for (name, value) in [
        ("X-Frame-Options", "DENY"), ("Referrer-Policy", "same-origin"), ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
      ] { #expect(page.values(name) == [value]) }
      #expect(page.values("Content-Security-Policy").first?.hasPrefix("default-src 'none'; style-src 'sha256-") == true)

      let answer = try await browser.signIn(.bob, returningTo: target)
      #expect(answer.status == 303 && answer.values("Location") == [target])
      let cookie = try #require(answer.values("Set-Cookie").first)
      #expect(cookie.wholeMatch(of: /__Host-sallyport-session=[A-Za-z0-9_-]{43}; Path=\/; Secure; HttpOnly; SameSite=Lax/) != nil)
      #expect(cookie.utf8.count < 300)
      let record = try house.closingRecord(of: answer)
      #expect(record.fact("sign-in") == "signed-in" && record.user.username == "bob" && record.fact("authentication") == "session")
      #expect(record.fact("original-identity")?.contains("passwordFile") == true && record.series == House.requests)

      let pods = try await browser.fetch(target)
      #expect(pods.status == 200)
      let closing = try house.closingRecord(of: pods)
      #expect(closing.user.username == "bob" && closing.user.groups == ["edit"] && closing.fact("authentication") == "session")
      #expect(house.cluster?.recordedRequests().last?.user == "bob")
    }
  }

  @Test func onlyAPersonWhoGoesSomewhereIsLedToThePage() async throws {
    try await House.with(.signInBeforeScript(accepting: "session, password")) { house in
      let ask = { (fields: [String]) in
        try await house.ask("GET /ui HTTP/1.1\r\nHost: localhost\r\n\(fields.map { $0 + "\r\n" }.joined())\r\n")
      }
      let html = "Accept: text/html"
      for fields in [[html], [html, "Sec-Fetch-Mode: navigate"], [html, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"]] {
        #expect(try await ask(fields).status == 303, "\(fields)")
      }
      for fields in [
        [], ["Accept: */*"], ["Accept: application/json"], [html, "Sec-Fetch-Mode: cors"], [html, "Sec-Fetch-Mode: no-cors"],
        [html, "Sec-Fetch-Mode: websocket"], [html, "Sec-Fetch-Mode: same-origin"], [html, "X-Requested-With: XMLHttpRequest"],
        [html, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"], [html, Person.basic("bob", Person.wrongPassword)],
        [html, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="],
      ] {
        let answer = try await ask(fields)
        #expect(answer.status == 401 && answer.values("Location").isEmpty, "\(fields)")
        // Where a browser would put up a window for it, no password is asked for.
        #expect(answer.values("WWW-Authenticate").isEmpty == fields.contains { $0.hasPrefix("Sec-Fetch-Mode") }, "\(fields)")
      }
      #expect(try await house.ask("POST /ui HTTP/1.1\r\nHost: localhost\r\n\(html)\r\nContent-Length: 0\r\n\r\n").status == 401)
      #expect(try #require(house.upstream).requests.isEmpty)
    }
  }

  @Test func aWrongPasswordSaysNoMoreThanThatItIsWrong() async throws {
    try await House.with(.signIn()) { house in
      let browser = Browser(house)
      let wrong = try await browser.signIn(.bob, password: Person.wrongPassword)
      let nobody = try await browser.signIn(as: "nobody-here", Person.wrongPassword)
      for answer in [wrong, nobody] {
        #expect(answer.status == 401 && answer.values("Set-Cookie").isEmpty && answer.body.contains("role=\"alert\""))
        let record = try house.closingRecord(of: answer)
        #expect(
          record.fact("sign-in") == "refused" && record.series == House.unauthenticated && record.error.hasPrefix("credentialsRefused"))
      }
      func shown(_ answer: Answer, _ name: String) -> String {
        answer.body.replacing(name, with: "NAME").replacing(/name="token" value="[^"]+"/, with: "")
      }
      #expect(shown(wrong, "bob") == shown(nobody, "nobody-here"))
      #expect(browser.sessionID == nil)
      for name in ["bo:b", "", "bob\n"] {
        #expect(try await browser.signIn(as: name, Person.bob.password).status == 401, "\(name)")
      }
    }
  }

  /// The guesses at the form and by Basic are counted together.
  @Test func guessingIsThrottledAsByBasic() async throws {
    var plan = House.Plan.signIn(accepting: "session, password")
    plan.authentication.append("throttle: {failures: 4, per: 1m, lockout: 5m}")
    try await House.with(plan) { house in
      let browser = Browser(house)
      for guess in 0..<2 {
        #expect(try await browser.signIn(.bob, password: "\(Person.wrongPassword)\(guess)").status == 401)
        #expect(try await house.get(Self.pods, Person.basic("bob", "\(Person.wrongPassword)b\(guess)")).status == 401)
      }
      let locked = try await browser.signIn(.bob)
      #expect(locked.status == 429 && locked.values("Retry-After").count == 1 && locked.body.contains("Too many"))
      #expect(try await house.get(Self.pods, Person.bob.basic).status == 429)
      // Others are not.
      #expect(try await browser.signIn(.vera).status == 303)
    }
  }

  @Test func signingOutEndsTheSessionForEverybodyWhoHasIt() async throws {
    try await House.with(.signIn()) { house in
      let browser = Browser(house)
      try await browser.signIn(.bob)
      let copy = try #require(browser.sessionID)
      #expect(try await browser.fetch(Self.pods).status == 200)
      let answer = try await browser.signOut()
      #expect(answer.status == 200 && answer.values("Set-Cookie").first?.contains("Max-Age=0") == true)
      let record = try house.closingRecord(of: answer)
      #expect(record.fact("sign-in") == "signed-out" && record.user.username == "bob")
      #expect(browser.sessionID == nil)
      #expect(try await browser.fetch(Self.pods).status == 401)
      browser.set(Browser.session, to: copy)
      let replayed = try await browser.fetch(Self.pods)
      #expect(replayed.status == 401)
      #expect(try house.closingRecord(of: replayed).error.hasPrefix("sessionOver"))
      #expect(try await browser.go(Self.pods).status == 303)
      // Once more harms nobody.
      #expect(try await browser.go("/.sallyport/sign-out").body.contains("signed out"))
    }
  }

  @Test func anotherTabLandsWhereItWanted() async throws {
    try await House.with(.signIn()) { house in
      let browser = Browser(house)
      let first = try Browser.token(in: try await browser.go("/.sallyport/sign-in?return=/one"))
      let second = try Browser.token(in: try await browser.go("/.sallyport/sign-in?return=/two"))
      for (token, target) in [(first, "/one"), (second, "/two")] {
        let answer = try await browser.send(
          [("token", token), ("return", target), ("username", "bob"), ("password", Person.bob.password)], to: "/.sallyport/sign-in")
        #expect(answer.status == 303 && answer.values("Location") == [target])
      }
      #expect(try await browser.fetch(Self.pods).status == 200)
    }
  }

  /// No session goes on under an ID that was there before somebody signed in.
  @Test func anIDFromBeforeIsWorthNothingAfterwards() async throws {
    try await House.with(.signIn()) { house in
      let attacker = Browser(house)
      try await attacker.signIn(.vera)
      let planted = try #require(attacker.sessionID)
      let victim = Browser(house)
      victim.set(Browser.session, to: planted)
      #expect(try await victim.signIn(.bob).status == 303)
      #expect(victim.sessionID != planted)
      // The one that was replaced is dead, whoever's it was.
      #expect(try await attacker.fetch(Self.pods).status == 401)
      // One that was never given out is no session afterwards, either.
      let chosen = String(repeating: "A", count: 43)
      victim.set(Browser.session, to: chosen)
      try await victim.signIn(.bob)
      #expect(victim.sessionID != chosen)
      attacker.set(Browser.session, to: chosen)
      #expect(try await attacker.fetch(Self.pods).status == 401)
    }
  }

  @Test func whoamiSaysWhoOneIs() async throws {
    try await House.with(.signIn(accepting: "session, password, clientCertificate")) { house in
      let browser = Browser(house)
      #expect(try await browser.fetch("/.sallyport/whoami").status == 401)
      #expect(try await browser.go("/.sallyport/whoami").values("Location") == ["/.sallyport/sign-in?return=/.sallyport/whoami"])
      try await browser.signIn(.vera)
      let page = try await browser.go("/.sallyport/whoami")
      #expect(page.status == 200 && page.body.contains("vera") && page.body.contains("watchers"))
      #expect(page.body.contains("username: &quot;vera&quot;") && page.body.contains("server: &quot;https://localhost&quot;"))
      let json = try await browser.fetch("/.sallyport/whoami", "Accept: application/json")
      #expect(
        json.values("Content-Type") == ["application/json"] && json.body.contains(#""username":"vera""#)
          && json.body.contains("passwordFile"))
      #expect(try house.closingRecord(of: json).user.username == "vera")
      // So do the other ways in, for programs.
      #expect(try await house.get("/.sallyport/whoami", Person.bob.basic).body.contains(#""authentication":"passwordFile""#))
      let certified = try await house.get("/.sallyport/whoami", as: house.certificate("alice", "view"))
      #expect(certified.body.contains(#""username":"alice""#))
      #expect(try await house.get("/.sallyport/whoami", Person.basic("bob", Person.wrongPassword)).status == 401)
      let id = try #require(browser.sessionID)
      for answer in [page, json] { #expect(!answer.body.contains("eyJ") && !answer.body.contains(id)) }
    }
  }

  /// Where tokens are to be had for it, kubectl is to ask `sallyport credential`; it holds no secret either way.
  @Test func theCopiedKubeconfigSignsInAsTheUserDid() async throws {
    var plan = House.Plan.signIn(accepting: "session, password, clientCertificate, token")
    plan.sections = [
      "issuer: {url: \"https://localhost:1/.sallyport\", signingKeysDirectory: issuer, "
        + "tokenExchange: {clients: [{id: another, public: {signIn: [password, clientCertificate]}}, {id: kubectl, public: {signIn: [password]}}]}}"
    ]
    plan.prepare = { _, directory in
      _ = try KeyRotation(KeyDirectory(directory.file("issuer")), tokenLifetime: 3600).rotate(.es256, at: Date())
    }
    try await House.with(plan) { house in
      let browser = Browser(house)
      try await browser.signIn(.bob)
      let page = try await browser.go("/.sallyport/whoami")
      #expect(page.body.contains("- &quot;credential&quot;\n") && page.body.contains("- &quot;kubectl&quot;\n"), "\(page.body)")
      let alice = try await house.ask(
        "GET /.sallyport/whoami HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n", as: house.certificate("alice", "view"))
      #expect(alice.body.contains("- &quot;another&quot;\n") && alice.body.contains("- &quot;--client-certificate&quot;\n"))
      // At another host the issuer is not, and kubectl asks for the password itself.
      let elsewhere = try await house.ask(
        "GET /.sallyport/whoami HTTP/1.1\r\nHost: other.test\r\nAccept: text/html\r\n\(Person.bob.basic)\r\n\r\n")
      #expect(elsewhere.body.contains("username: &quot;bob&quot;") && !elsewhere.body.contains("credential&quot;"))
    }
  }

  @Test func aCertificateSignsInAndTheSessionIsWorthNothingWithoutIt() async throws {
    try await House.with(.signIn()) { house in
      let alice = Browser(house, certificate: try house.certificate("alice", "view"))
      let page = try await alice.go("/.sallyport/sign-in")
      #expect(page.body.contains("alice") && page.body.contains("value=\"certificate\""))
      let answer = try await alice.signInByCertificate()
      #expect(answer.status == 303)
      let pods = try await alice.fetch(Self.pods)
      #expect(pods.status == 200)
      let record = try house.closingRecord(of: pods)
      #expect(record.user.username == "alice" && record.fact("original-identity")?.contains("clientCertificate") == true)
      // The certificate alone is no session.
      #expect(try await house.get(Self.pods, as: alice.certificate).status == 401)
      // The cookie alone, or with somebody else's certificate, is none either.
      for certificate in [nil, try house.certificate("mallory", "view"), try house.certificate("alice", "view")] {
        let thief = Browser(house, certificate: certificate)
        thief.set(Browser.session, to: alice.sessionID)
        #expect(try await thief.fetch(Self.pods).status == 401)
      }
      #expect(try await alice.fetch(Self.pods).status == 200)
      let bare = Browser(house)
      let token = try Browser.token(in: try await bare.go("/.sallyport/sign-in"))
      #expect(try await bare.send([("token", token), ("by", "certificate")], to: "/.sallyport/sign-in").status == 401)
    }
  }

  @Test func whatElseIsPresentedMustBeOfTheSameUser() async throws {
    try await House.with(.signIn(accepting: "session, password, clientCertificate")) { house in
      let browser = Browser(house)
      try await browser.signIn(.bob)
      let session = try #require(browser.sessionID)
      func asked(_ fields: String, as certificate: TestCertificate? = nil) async throws -> Answer {
        try await house.ask("GET \(Self.pods) HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n", as: certificate)
      }
      let cookie = "Cookie: \(Browser.session)=\(session)\r\n"
      let both = try await asked("\(cookie)\(Person.bob.basic)\r\n")
      #expect(both.status == 200)
      #expect(try house.closingRecord(of: both).fact("authentication") == "passwordFile")
      #expect(try await asked("\(cookie)\(Person.vera.basic)\r\n").status == 401)
      #expect(try await asked("\(cookie)\(Person.basic("bob", Person.wrongPassword))\r\n").status == 401)
      #expect(try await asked(cookie, as: house.certificate("alice", "view")).status == 401)
      let certified = try await asked(cookie, as: house.certificate("bob", "view"))
      #expect(certified.status == 200)
      #expect(try house.closingRecord(of: certified).fact("authentication") == "clientCertificate")
      // A bad cookie is not overlooked beside a good password.
      #expect(try await asked("Cookie: \(Browser.session)=nonsense\r\n\(Person.bob.basic)\r\n").status == 401)
    }
  }

  /// On a route that takes no session a cookie is none, as a certificate is none where none is accepted.
  @Test func aRouteWithoutSessionsDoesNotLookAtThem() async throws {
    var plan = House.Plan.signIn(accepting: "password")
    plan.routesBefore = ["{name: ui, match: {path: /ui}, upstream: kubernetes, credential: front-proxy, authenticate: [session]}"]
    try await House.with(plan) { house in
      let browser = Browser(house)
      try await browser.signIn(.bob)
      #expect(try await browser.fetch(Self.pods).status == 401)
      #expect(try await browser.go(Self.pods).status == 401)
      #expect(try await browser.fetch("/ui").status != 401)
      browser.set(Browser.session, to: "nonsense")
      #expect(try await browser.fetch(Self.pods, Person.vera.basic).status == 200)
    }
  }

  @Test func thePagesAreServedAtTheRoutesHostsAlone() async throws {
    var plan = House.Plan.signIn(accepting: "password")
    plan.routesBefore = [
      "{name: ui, match: {hosts: [ui.test]}, upstream: kubernetes, credential: front-proxy, authenticate: [session]}"
    ]
    try await House.with(plan) { house in
      for path in ["sign-in", "sign-out", "whoami"] {
        #expect(try await house.get("/.sallyport/\(path)").status == 404, "\(path)")
        let own = try await house.ask("GET /.sallyport/\(path) HTTP/1.1\r\nHost: UI.test:8443\r\n\r\n")
        #expect(own.status == (path == "whoami" ? 401 : 200), "\(path)")
      }
      for path in ["sign-in/", "sign-ins", "", "callback", "Sign-In"] {
        #expect(try await house.ask("GET /.sallyport/\(path) HTTP/1.1\r\nHost: ui.test\r\n\r\n").status == 404, "\(path)")
      }
      let page = try await house.ask("GET /.sallyport/nothing HTTP/1.1\r\nHost: ui.test\r\nAccept: text/html\r\n\r\n")
      let id = try #require(page.auditID)
      #expect(page.status == 404 && page.body.contains("<h1>404 Not Found</h1>") && page.body.contains(id))
      #expect(page.values("Content-Security-Policy").first?.contains("style-src 'sha256-") == true)
      #expect(try await house.ask("PUT /.sallyport/sign-in HTTP/1.1\r\nHost: ui.test\r\nContent-Length: 0\r\n\r\n").status == 405)
      #expect(try await house.ask("POST /.sallyport/whoami HTTP/1.1\r\nHost: ui.test\r\nContent-Length: 0\r\n\r\n").status == 405)
    }
    #expect(try await House.with { try await $0.get("/.sallyport/sign-in").status } == 404)
  }
}
