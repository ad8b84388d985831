import Foundation
import NIOCore
import TestSupport
import Testing

/// A terminal in a pod, by a WebSocket from the browser through the gateway to the dashboard, and from there through the gateway to the
/// API: two tunnels, of one person.
@Suite(.serialized, .timeLimit(.minutes(5))) struct DashboardTerminalTests {
  private static let pod = "/dashboard/namespaces/dev/pods/web-0"
  private static let noExec = """
    apiVersion: sallyport.dev/v1alpha1
    kind: AccessPolicy
    metadata: {name: no-exec}
    rules:
    - name: nobody-in-pods
      deny: [{resources: [pods/exec]}]
      message: Nobody runs commands in pods here.
    """

  /// A browser's WebSocket, which speaks the API's own protocol.
  private struct Terminal {
    let client: RawTLSClient
    let answer: Answer

    init(_ browser: Browser, origin: String = "https://localhost", version: String = "13") async throws {
      self.client = try await browser.house.connect()
      try await self.client.send(
        "GET \(DashboardTerminalTests.pod)/exec HTTP/1.1\r\nHost: localhost\r\n\(browser.cookieField)Origin: \(origin)\r\n"
          + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: \(version)\r\n"
          + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"
          + "Sec-WebSocket-Protocol: v5.channel.k8s.io, v4.channel.k8s.io\r\n\r\n")
      self.answer = Answer(head: try await self.client.read(until: "\r\n\r\n"))
    }

    /// A masked message on the channel of the standard input; a mask of zeros leaves it readable.
    func type(_ text: String) async throws {
      var frame = ByteBuffer(bytes: [0x82, 0x80 | UInt8(text.utf8.count + 1), 0, 0, 0, 0, 0])
      frame.writeString(text)
      try await self.client.send(frame)
    }

    /// As browsers answer a goodbye, unless the connection has ended already.
    func sayGoodbye() async { try? await self.client.send(ByteBuffer(bytes: [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8])) }
  }

  private static func tunnel(_ house: House, route: String) async throws -> AuditLine {
    try await house.record("the tunnel at \(route)", within: 20) {
      $0.stage == "ResponseComplete" && $0.fact("route") == route && $0.fact("upgrade") != nil
    }
  }

  @Test func bobTypesInAPodAndBothTunnelsAreRecorded() async throws {
    try await House.withDashboard { house in
      let bob = Browser(house)
      try await bob.signIn(.bob)
      let terminal = try await Terminal(bob)
      try #require(terminal.answer.status == 101, "\(terminal.answer)")
      #expect(terminal.answer.values("Sec-WebSocket-Accept") == ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="])
      #expect(terminal.answer.values("Sec-WebSocket-Protocol") == ["v5.channel.k8s.io"])
      #expect(terminal.answer.values("Sec-WebSocket-Extensions").isEmpty)
      _ = try await terminal.client.read(until: "$ ")
      try await terminal.type("hostname\r")
      _ = try await terminal.client.read(until: "web-0\r\n")
      try await terminal.type("exit\r")
      _ = try await terminal.client.read(until: #""status":"Success"}"#)
      await terminal.sayGoodbye()
      #expect(try await terminal.client.end() == nil)

      let outer = try await Self.tunnel(house, route: "dashboard")
      #expect(outer.user.username == "bob" && outer.fact("authentication") == "session" && outer.responseStatus?.code == 101)
      #expect(outer.fact("ended") == "complete", "\(outer)")
      let inner = try await Self.tunnel(house, route: "api")
      #expect(inner.requestURI == "/api/v1/namespaces/dev/pods/web-0/exec?command=sh&stdin=true&stdout=true&tty=true")
      #expect(inner.user.username == "bob" && inner.fact("authentication") == "issuedToken" && inner.responseStatus?.code == 101)
      #expect(inner.fact("ended") == "complete", "\(inner)")
      // The frames go through as they are.
      #expect(outer.fact("bytes-out") == inner.fact("bytes-out"))
      for record in [outer, inner] {
        for name in ["bytes-in", "bytes-out"] { #expect(Int(record.fact(name) ?? "") ?? 0 > 20, "\(name): \(record)") }
      }
      #expect(inner.fact("duration") != nil && outer.fact("duration") != nil, "\(inner)")
    }
  }

  @Test func signingOutCutsBothTunnels() async throws {
    try await House.withDashboard { house in
      let bob = Browser(house)
      try await bob.signIn(.bob)
      let terminal = try await Terminal(bob)
      try #require(terminal.answer.status == 101, "\(terminal.answer)")
      _ = try await terminal.client.read(until: "$ ")
      #expect(try await bob.signOut().status == 200)
      #expect(try await Self.tunnel(house, route: "dashboard").fact("ended") == "sessionEnded")
      _ = try await Self.tunnel(house, route: "api")
      _ = try await terminal.client.readToEnd()
    }
  }

  /// A browser's script cannot read the answer to an upgrade that fails: the reason comes in the form of a command's failure.
  @Test(arguments: [
    (Person.bob, noExec, "Nobody runs commands in pods here."),
    (Person.vera, House.secretsPolicy, #"User \"vera\" cannot get resource \"pods/exec\""#),
  ]) func whoMayNotIsToldWhy(person: Person, policy: String, words: String) async throws {
    try await House.withDashboard(policy: policy) { house in
      let browser = Browser(house)
      try await browser.signIn(person)
      let terminal = try await Terminal(browser)
      try #require(terminal.answer.status == 101, "\(terminal.answer)")
      // The members of the object stand in no order.
      var status = try await terminal.client.read(until: #""code":403"#)
      await terminal.sayGoodbye()
      status += try await terminal.client.readToEnd()
      #expect(status.contains(words) && status.contains("\"Failure\""), "\(status)")
      let asked = try await Self.tunnel(house, route: "api")
      #expect(asked.responseStatus?.code == 403 && asked.user.username == person.name)
      _ = try await Self.tunnel(house, route: "dashboard")
    }
  }

  @Test func withoutTheAPIItSaysSo() async throws {
    try await House.withDashboard(isConnected: false) { house in
      let bob = Browser(house)
      try await bob.signIn(.bob)
      let terminal = try await Terminal(bob)
      try #require(terminal.answer.status == 101, "\(terminal.answer)")
      _ = try await terminal.client.read(until: "The API cannot be reached.")
      await terminal.sayGoodbye()
      _ = try await terminal.client.readToEnd()
      _ = try await Self.tunnel(house, route: "dashboard")
    }
  }

  @Test func aPageOfAnotherSiteOpensNone() async throws {
    try await House.withDashboard { house in
      let bob = Browser(house)
      try await bob.signIn(.bob)
      for origin in ["https://evil.example", "https://localhost:8444", "http://localhost", "null"] {
        #expect(try await Terminal(bob, origin: origin).answer.status == 403, "\(origin)")
      }
      #expect(try !house.apiRecords().contains { $0.requestURI.hasPrefix("/api/") }, "the API was asked")
      // A script is not led to the page.
      #expect(try await Terminal(Browser(house)).answer.status == 401)
    }
  }

  @Test func thePagesLeadToTheTerminal() async throws {
    try await House.withDashboard { house in
      let bob = Browser(house)
      try await bob.signIn(.bob)
      let list = try await bob.go("/dashboard/namespaces/dev")
      #expect(list.body.contains(#"href="\#(Self.pod)""#), "\(list)")
      let pod = try await bob.go(Self.pod)
      #expect(pod.status == 200 && pod.body.contains(#"href="\#(Self.pod)/terminal""#) && !pod.body.contains("<script"), "\(pod)")
      #expect(pod.values("Content-Security-Policy").first?.contains("script-src") == false)
      let page = try await bob.go("\(Self.pod)/terminal")
      #expect(page.status == 200 && page.body.contains(#"data-exec="\#(Self.pod)/exec""#), "\(page)")
      let policy = try #require(page.values("Content-Security-Policy").first)
      #expect(policy.hasPrefix("default-src 'none';") && policy.contains("script-src 'self'; connect-src 'self';"))
      let script = try await bob.fetch("/dashboard/terminal.js")
      #expect(script.status == 200 && script.values("Content-Type") == ["text/javascript; charset=utf-8"])
      #expect(script.body.contains("v5.channel.k8s.io"))
      #expect(try await bob.go("/dashboard/namespaces/dev/pods/none/terminal").status == 404)
      // No WebSocket, or not one of this version.
      #expect(try await bob.go("\(Self.pod)/exec").status == 400)
      let old = try await Terminal(bob, version: "8")
      #expect(old.answer.status == 400)
    }
  }
}
