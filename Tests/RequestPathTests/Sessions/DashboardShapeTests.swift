import Foundation
import SallyportIssuer
import TestSupport
import Testing

/// What Kubernetes' own dashboard says and is told, in the shapes of its versions 2 and 7, through the gateway: its own cookies, headers
/// and endpoints are left alone, the gateway's are not shown to it, and who asks is the gateway's to say.
///
/// The shapes are from kubernetes/dashboard: src/app/backend/auth/handler.go and src/app/frontend/index.config.ts (2), modules/auth
/// and modules/web (7).
@Suite(.serialized, .timeLimit(.minutes(5))) struct DashboardShapeTests {
  /// A dashboard as far as its endpoints about signing in go.
  private static let script: ScriptedUpstream.Script = { moment, peer in
    guard case .end(let request) = moment else { return }
    let target = request.line.split(separator: " ").dropFirst().first.map(String.init) ?? ""
    let hasToken = request.values("Authorization").first?.hasPrefix("Bearer ") == true
    switch target.prefix(while: { $0 != "?" }) {
    case "/api/v1/login/status":
      peer.send(
        Self.json(
          #"{"tokenPresent":\#(!request.values("jweToken").isEmpty),"headerPresent":\#(hasToken),"httpsMode":true,"#
            + #""impersonationPresent":\#(!request.values("Impersonate-User").isEmpty),"impersonatedUser":""}"#))
    case "/api/v1/csrftoken/login", "/api/v1/csrftoken/token": peer.send(Self.json(#"{"token":"csrf-1:1700000000000"}"#))
    case "/api/v1/login": peer.send(Self.json(#"{"jweToken":"jwe-1","errors":[]}"#))
    case "/api/v1/token/refresh": peer.send(Self.json(#"{"jweToken":"jwe-2","errors":[]}"#))
    case "/api/v1/me":
      peer.send(hasToken ? Self.json(#"{"authenticated":true}"#) : Self.json("{}", status: "401 Unauthorized"))
    case "/api/sockjs/info": peer.send(Self.json(#"{"websocket":true,"cookie_needed":false,"origins":["*:*"],"entropy":7}"#))
    case "/api/sockjs/412/k3x9a1bd/websocket":
      peer.send(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\u{81}\u{1}o")
    case "/api/sockjs/412/k3x9a1bd/xhr_streaming":
      peer.send("HTTP/1.1 200 OK\r\nContent-Type: application/javascript\r\nTransfer-Encoding: chunked\r\n\r\n2\r\no\n\r\n")
    default: peer.send(Self.json("{}", "Set-Cookie: jweToken=jwe-3; Secure; SameSite=Strict", "Set-Cookie: \(Browser.session)=planted"))
    }
  }

  private static func json(_ body: String, status: String = "200 OK", _ fields: String...) -> String {
    "HTTP/1.1 \(status)\r\n\(fields.map { $0 + "\r\n" }.joined())Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  private static func with(_ body: (House, ScriptedUpstream, Browser) async throws -> Void) async throws {
    var plan = House.Plan.signIn()
    plan.behind = .script(self.script)
    plan.kind = "generic"
    plan.credentials = ["{name: dashboard-token, idToken: {audience: sallyport}}"]
    plan.credential = "dashboard-token"
    plan.route.append("impersonation: refuse")
    plan.prepare = { _, directory in
      _ = try KeyRotation(KeyDirectory(directory.file("issuer")), tokenLifetime: 300).rotate(.es256, at: Date())
    }
    plan.sections = [#"issuer: {url: "https://gateway.test/.sallyport", signingKeysDirectory: issuer}"#]
    // Every credential is some route's.
    plan.routesBefore = [
      "{name: other, match: {path: /other}, upstream: kubernetes, credential: front-proxy, authenticate: [clientCertificate, password, token]}"
    ]
    try await House.with(plan) { house in
      let browser = Browser(house)
      try await browser.signIn(.bob)
      try await body(house, try #require(house.upstream), browser)
    }
  }

  /// What the upstream was told by the last request.
  private static func told(_ upstream: ScriptedUpstream) throws -> ScriptedUpstream.Request { try #require(upstream.requests.last) }

  @Test func itsLoginPageIsNotNeededSinceEachRequestBringsTheToken() async throws {
    try await Self.with { _, upstream, browser in
      // Version 2 asks for the status, version 7 who one is.
      let status = try await browser.fetch("/api/v1/login/status")
      #expect(status.body.contains(#""headerPresent":true"#) && status.body.contains(#""impersonationPresent":false"#), "\(status)")
      let me = try await browser.fetch("/api/v1/me")
      #expect(me.status == 200 && me.body == #"{"authenticated":true}"#, "\(me)")
      let told = try Self.told(upstream)
      #expect(told.values("Authorization").count == 1 && told.values("Authorization")[0].hasPrefix("Bearer eyJ"))
      #expect(told.values("Cookie").isEmpty, "\(told.head)")
      // It would act as whomever a client names, with the user's rights; that is not for scripts to ask.
      #expect(try await browser.fetch("/api/v1/me", "Impersonate-User: carol").status == 403)
      #expect(!upstream.received.contains("carol"))
    }
  }

  @Test func itsOwnTokenAndCookiesPassAndTheGatewaysDoNot() async throws {
    try await Self.with { house, upstream, browser in
      browser.set("jweToken", to: "jwe-1")
      browser.set("skipLoginPage", to: "false")
      let csrf = try await browser.fetch("/api/v1/csrftoken/login")
      #expect(csrf.body == #"{"token":"csrf-1:1700000000000"}"#)
      let told = try Self.told(upstream)
      #expect(told.values("Cookie") == ["jweToken=jwe-1; skipLoginPage=false"], "\(told.head)")

      let head =
        "POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\n\(browser.cookieField)Origin: https://localhost\r\n"
        + "Sec-Fetch-Site: same-origin\r\nX-CSRF-TOKEN: csrf-1:1700000000000\r\njweToken: jwe-1\r\nContent-Type: application/json\r\n"
      let login = try await house.ask(head + "Content-Length: 13\r\n\r\n{\"token\":\"x\"}")
      #expect(login.status == 200 && login.body == #"{"jweToken":"jwe-1","errors":[]}"#, "\(login)")
      let sent = try Self.told(upstream)
      #expect(
        sent.values("X-CSRF-TOKEN") == ["csrf-1:1700000000000"] && sent.values("jweToken") == ["jwe-1"] && sent.body == #"{"token":"x"}"#)
      #expect(sent.values("Authorization").count == 1 && sent.values("Authorization")[0].hasPrefix("Bearer eyJ"))

      let refreshed = try await house.ask(
        head.replacing("/api/v1/login ", with: "/api/v1/token/refresh ") + "Content-Length: 20\r\n\r\n{\"jweToken\":\"jwe-1\"}")
      #expect(refreshed.body.contains("jwe-2"))
      // What it sets is its own affair, but for the gateway's names.
      let page = try await browser.go("/")
      #expect(page.values("Set-Cookie") == ["jweToken=jwe-3; Secure; SameSite=Strict"])
      let seen = upstream.received
      for name in [Browser.session, Browser.browser] { #expect(!seen.contains(name), "the dashboard was shown \(name)") }
      #expect(try !house.records().contains { $0.text.contains("jwe-") }, "its token was written down")
    }
  }

  /// Whoever pastes a token into its login page sends it from then on, and somebody else's identity with the session's is nobody's.
  @Test func aTokenThatWasTypedIntoItsLoginPageIsRefused() async throws {
    try await Self.with { _, upstream, browser in
      let before = upstream.requests.count
      let answer = try await browser.fetch("/api/v1/me", "Authorization: Bearer typed.by.hand")
      #expect(answer.status == 401 && answer.values("WWW-Authenticate").allSatisfy { !$0.hasPrefix("Basic") }, "\(answer)")
      #expect(upstream.requests.count == before)
    }
  }

  @Test func itsTerminalSpeaksSockJS() async throws {
    try await Self.with { house, upstream, browser in
      let info = try await browser.fetch("/api/sockjs/info?a1b2c3&t=1700000000000")
      #expect(info.status == 200 && info.body.contains(#""websocket":true"#))
      let client = try await house.connect()
      try await client.send(
        "GET /api/sockjs/412/k3x9a1bd/websocket?a1b2c3 HTTP/1.1\r\nHost: localhost\r\n\(browser.cookieField)Origin: https://localhost\r\n"
          + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
      let answer = Answer(head: try await client.read(until: "\r\n\r\n"))
      #expect(answer.status == 101, "\(answer)")
      _ = try await client.read(until: "o")
      await client.close()
      let told = try Self.told(upstream)
      #expect(told.values("Authorization").count == 1 && told.values("Cookie").isEmpty, "\(told.head)")

      // Where WebSockets do not get through, it streams.
      let streaming = try await house.connect()
      try await streaming.send(
        "POST /api/sockjs/412/k3x9a1bd/xhr_streaming HTTP/1.1\r\nHost: localhost\r\n\(browser.cookieField)Origin: https://localhost\r\n"
          + "Content-Length: 0\r\n\r\n")
      let stream = Answer(head: try await streaming.read(until: "\r\n\r\n"))
      #expect(stream.status == 200, "\(stream)")
      #expect(try await streaming.chunk() == "o\n")
      await streaming.close()
    }
  }
}
