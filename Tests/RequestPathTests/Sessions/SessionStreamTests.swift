import Foundation
import SallyportPracticeCluster
import TestSupport
import Testing

/// What a session let in ends with it, and knows its user as they are now.
@Suite(.serialized, .timeLimit(.minutes(10))) struct SessionStreamTests {
  private static let watch = "/api/v1/namespaces/dev/pods?watch=1"

  /// A watch that has shown its first event.
  private static func watching(_ browser: Browser) async throws -> (client: RawTLSClient, answer: Answer) {
    let client = try await browser.house.connect(as: browser.certificate)
    try await client.send("GET \(self.watch) HTTP/1.1\r\nHost: localhost\r\n\(browser.cookieField)\r\n")
    let answer = Answer(head: try await client.read(until: "\r\n\r\n"))
    try #require(answer.status == 200, "\(answer)")
    _ = try await client.chunk()
    return (client, answer)
  }

  @Test func signingOutCutsItsStreamsAndNoOthers() async throws {
    try await House.with(.signIn()) { house in
      let bob = Browser(house)
      let vera = Browser(house)
      try await bob.signIn(.bob)
      try await vera.signIn(.vera)
      let (_, answer) = try await Self.watching(bob)
      let (other, _) = try await Self.watching(vera)
      try await eventually("both watches") { house.cluster?.openWatches == 2 }
      #expect(try await bob.signOut().status == 200)
      let record = try await house.record("the watch") { $0.auditID == answer.auditID && $0.stage == "ResponseComplete" }
      #expect(record.fact("ended") == "sessionEnded" && record.user.username == "bob")
      try await eventually("one watch") { house.cluster?.openWatches == 1 }
      await other.close()
      try await eventually("none") { house.cluster?.openWatches == 0 }
    }
  }

  @Test func aTunnelEndsWithItsSession() async throws {
    try await House.with(.signIn()) { house in
      let bob = Browser(house)
      try await bob.signIn(.bob)
      let client = try await house.connect()
      try await client.send(
        "GET /api/v1/namespaces/dev/pods/web-0/exec?command=cat&stdin=true&stdout=true HTTP/1.1\r\nHost: localhost\r\n\(bob.cookieField)"
          + "Origin: https://localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
          + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n")
      let answer = Answer(head: try await client.read(until: "\r\n\r\n"))
      try #require(answer.status == 101, "\(answer)")
      #expect(try await bob.signOut().status == 200)
      let record = try await house.record("the tunnel") { $0.auditID == answer.auditID && $0.stage == "ResponseComplete" }
      #expect(record.fact("ended") == "sessionEnded")
    }
  }

  @Test func anotherSignInOfTheSameBrowserCutsWhatTheOldOneLetIn() async throws {
    try await House.with(.signIn()) { house in
      let browser = Browser(house)
      try await browser.signIn(.bob)
      let (_, answer) = try await Self.watching(browser)
      try await browser.signIn(.vera)
      let record = try await house.record("the watch") { $0.auditID == answer.auditID && $0.stage == "ResponseComplete" }
      #expect(record.fact("ended") == "sessionEnded")
    }
  }

  /// A password file that changes: other groups are there at once, a removed user is out, and both without signing in again.
  @Test func aSessionFollowsThePasswordFile() async throws {
    try await House.with(.signIn()) { house in
      let bob = Browser(house)
      try await bob.signIn(.bob)
      let (_, watch) = try await Self.watching(bob)
      try house.directory.write(Person.usersFile.replacing("[edit]", with: "[view, night-shift]"), to: "users.yaml")
      try await house.reload()
      let after = try await bob.fetch("/api/v1/namespaces/dev/pods")
      #expect(after.status == 200)
      #expect(try house.closingRecord(of: after).user.groups == ["view", "night-shift"])
      let record = try await house.record("the watch", within: 30) { $0.auditID == watch.auditID && $0.stage == "ResponseComplete" }
      #expect(record.fact("ended") == "identityChanged")

      let (_, second) = try await Self.watching(bob)
      try house.directory.write(Person.usersFile.replacing("name: bob", with: "name: robert"), to: "users.yaml")
      try await house.reload()
      let refused = try await bob.fetch("/api/v1/namespaces/dev/pods")
      #expect(refused.status == 401)
      #expect(try house.closingRecord(of: refused).error.hasPrefix("sessionOver"))
      let cut = try await house.record("the second watch", within: 30) { $0.auditID == second.auditID && $0.stage == "ResponseComplete" }
      #expect(cut.fact("ended") == "sessionEnded")
      // Who comes back under the name later has no session.
      try house.directory.write(Person.usersFile, to: "users.yaml")
      try await house.reload()
      #expect(try await bob.fetch("/api/v1/namespaces/dev/pods").status == 401)
    }
  }

  @Test func aSessionOutlastsAReloadThatDoesNotConcernIt() async throws {
    try await House.with(.signIn()) { house in
      let bob = Browser(house)
      try await bob.signIn(.bob)
      let token = try Browser.token(in: try await bob.go("/.sallyport/sign-out"))
      try house.change("name: Example", to: "name: Another")
      try await house.reload()
      #expect(try await bob.fetch("/api/v1/namespaces/dev/pods").status == 200)
      #expect(try await bob.go("/.sallyport/sign-in").body.contains("Another"))
      // A form that was open in the meantime still counts.
      #expect(try await bob.send([("token", token)], to: "/.sallyport/sign-out").status == 200)
    }
  }
}
