import Foundation
import Glibc
import TestSupport
import Testing

/// Two gateways that share their sessions on a real Redis server.
@Suite(.serialized, .timeLimit(.minutes(10))) struct SharedSessionTests {
  private static let pods = "/api/v1/namespaces/dev/pods"

  /// What both have: the key file, the password file, the server.
  private struct Shared {
    let redis: RedisServer
    private let directory = TemporaryDirectory()
    let plan: House.Plan

    init(_ redis: RedisServer, overTLS: Bool = true) throws {
      self.redis = redis
      let key = try self.directory.write(Data(0..<32).base64EncodedString() + "\n", to: "session.key")
      let password = try self.directory.write(RedisServer.password + "\n", to: "redis-password")
      let server =
        overTLS
        ? "url: \"rediss://localhost:\(redis.tlsPort)\", caFile: \(redis.caFile)"
        : "url: \"redis://127.0.0.1:\(redis.port)\", insecurePlaintext: true"
      self.plan = .signIn(
        "{keyFile: \(key), redis: {\(server), username: \(RedisServer.user), passwordFile: \(password), timeout: 1s}}",
        accepting: "session, password")
    }
  }

  /// Signs in on one, works on the other, signs out on the first, and is refused on the second.
  @Test(arguments: [true, false]) func twoGatewaysShareSessions(overTLS: Bool) async throws {
    let shared = try await Shared(RedisServer(pki: TestPKI()), overTLS: overTLS)
    try await House.with(shared.plan) { one in
      try await House.with(shared.plan) { other in
        let here = Browser(one)
        let there = Browser(other)
        #expect(try await here.signIn(.bob).status == 303)
        there.set(Browser.session, to: here.sessionID)
        let pods = try await there.fetch(Self.pods)
        #expect(pods.status == 200)
        let record = try other.closingRecord(of: pods)
        #expect(record.user.username == "bob" && record.fact("authentication") == "session")

        // A form that one has shown may be sent to the other.
        there.set(Browser.browser, to: Self.cookie(Browser.browser, of: here))
        let page = try await here.go("/.sallyport/sign-out")
        let answer = try await there.send([("token", try Browser.token(in: page))], to: "/.sallyport/sign-out")
        #expect(answer.status == 200)
        #expect(try other.closingRecord(of: answer).fact("sign-in") == "signed-out")
        // What the first had found a moment ago it may believe for a second.
        try await Task.sleep(for: .milliseconds(1100))
        #expect(try await here.fetch(Self.pods).status == 401)
      }
    }
  }

  private static func cookie(_ name: String, of browser: Browser) -> String? {
    browser.cookieField.split(separator: " ").first { $0.hasPrefix("\(name)=") }.map { pair in
      String(pair.dropFirst(name.count + 1).prefix { $0 != ";" && !$0.isNewline })
    }
  }

  /// Without the server nobody signs in and nobody is let in by a session, who else comes is served, and it heals by itself.
  @Test func aServerThatIsAwayIsNoOpenDoor() async throws {
    let pki = try TestPKI()
    let redis = try await RedisServer(pki: pki)
    let shared = try Shared(redis, overTLS: false)
    try await House.with(shared.plan) { house in
      let browser = Browser(house)
      #expect(try await browser.signIn(.bob).status == 303)
      redis.signal(SIGSTOP)
      try await Task.sleep(for: .milliseconds(1100))
      let hung = try await browser.fetch(Self.pods)
      #expect(hung.status == 503 && hung.values("Retry-After").count <= 1)
      #expect(try house.closingRecord(of: hung).error.contains("sessionsUnavailable"))
      #expect(try await house.get(Self.pods, Person.bob.basic).status == 200)
      redis.signal(SIGCONT)
      try await redis.stop()
      let refused = try await Browser(house).signIn(.bob)
      #expect(refused.status == 503 && refused.values("Set-Cookie").allSatisfy { !$0.contains(Browser.session) })
      #expect(refused.body.contains("role=\"alert\""))
      #expect(try await browser.fetch(Self.pods).status == 503)

      let again = try await RedisServer(pki: pki, ports: (redis.port, redis.tlsPort))
      let end = ContinuousClock.now + .seconds(30)
      var isBack = false
      while !isBack, ContinuousClock.now < end {
        isBack = try await Browser(house).signIn(.bob).status == 303
        if !isBack { try await Task.sleep(for: .milliseconds(100)) }
      }
      #expect(isBack)
      // The server kept nothing: who was signed in signs in again.
      #expect(try await browser.fetch(Self.pods).status == 401)
      try await again.stop()
    }
  }
}
