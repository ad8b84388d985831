import Crypto
import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// Two gateways behind HAProxy, which passes TLS through and takes turns, and a Redis server that keeps their sessions.
  @Suite(.serialized, .timeLimit(.minutes(15))) struct SharedSessionTests {
    /// HAProxy connects from here, and says by the PROXY protocol for whom.
    private static let proxy = "127.0.0.77"
    /// How long a gateway waits for the Redis server.
    private static let timeout = 1.0

    /// What the test works with.
    private struct Replicas {
      let redis: RedisServer
      let one: ServedGateway
      let other: ServedGateway
      /// HAProxy's port.
      let port: Int
      /// Of both gateways' certificates.
      let authority: String

      func record(of gateway: ServedGateway, _ series: String = "requests") throws -> [String] {
        try String(contentsOfFile: gateway.file("audit/\(series).jsonl"), encoding: .utf8).split(separator: "\n").map(String.init)
      }
    }

    private static func configure(_ redis: RedisServer, key: String) -> ServedGateway.Change {
      { configuration, directory in
        try directory.write(SignInClient.users, to: "users.yaml")
        try directory.write(key, to: "session.key")
        try directory.write(RedisServer.password + "\n", to: "redis-password")
        configuration = configuration.replacing(
          "authentication: {clientCertificates: {}}",
          with: """
              clientAddress: {proxyProtocol: true, trustedPeers: [\(Self.proxy)/32]}
            authentication:
              passwords: [{passwordFile: {file: users.yaml}}]
              signIn:
                session:
                  keyFile: session.key
                  redis:
                    url: "rediss://localhost:\(redis.tlsPort)"
                    caFile: \(redis.caFile)
                    username: \(RedisServer.user)
                    passwordFile: redis-password
                    timeout: \(Int(Self.timeout))s
            """
        ).replacing("authenticate: [clientCertificate]", with: "authenticate: [session]")
        configuration += "control: {socket: run/control.sock}\n"
      }
    }

    private static func with(_ redis: RedisServer, _ body: (Replicas) async throws -> Void) async throws {
      let key = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0).base64EncodedString() } + "\n"
      let change = Self.configure(redis, key: key)
      try await ServedGateway.with(changing: change) { one in
        try await ServedGateway.with(changing: change) { other in
          let port = try freePort()
          let file = try one.directory.write(
            """
            defaults
              mode tcp
              timeout connect 30s
              timeout client 2m
              timeout server 2m
            frontend in
              bind 127.0.0.1:\(port)
              default_backend gateways
            backend gateways
              balance roundrobin
              server one 127.0.0.1:\(one.port) source \(Self.proxy) send-proxy-v2
              server other 127.0.0.1:\(other.port) source \(Self.proxy) send-proxy-v2

            """, to: "haproxy.cfg")
          let authority = try one.directory.write(
            one.directory.read("server-ca.pem") + "\n" + other.directory.read("server-ca.pem"), to: "authorities.pem")
          let haproxy = try RunningTool("/usr/sbin/haproxy", ["-db", "-f", file])
          let client = SignInClient(authority: authority)
          try await Self.eventually("HAProxy passes connections") { (try? await client.status("/version", at: port)) == "401" }
          try await body(Replicas(redis: redis, one: one, other: other, port: port, authority: authority))
          haproxy.signal(SIGKILL)
          _ = try await haproxy.result()
        }
      }
    }

    private static func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
      let end = ContinuousClock.now + .seconds(60)
      while ContinuousClock.now < end {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(100))
      }
      throw ToolFailure("within a minute it did not come true that \(what)")
    }

    @Test func whoSignsInAtOneWorksAtTheOtherAndIsOutAtBoth() async throws {
      try await Self.with(RedisServer(pki: TestPKI())) { replicas in
        let client = SignInClient(authority: replicas.authority)
        #expect(try await client.signIn(at: replicas.one.port) == "303")
        #expect(try await client.status("/version", at: replicas.other.port) == "200")
        // Through HAProxy both of them answer, and say whose connections these are.
        for _ in 0..<6 { #expect(try await client.status("/version?through=haproxy", at: replicas.port) == "200") }
        for gateway in [replicas.one, replicas.other] {
          let records = try replicas.record(of: gateway).filter { $0.contains("through=haproxy") }
          #expect(records.count == 3)
          #expect(records.allSatisfy { $0.contains(#""username":"bob""#) && $0.contains(#""sourceIPs":["127.0.0.1"]"#) })
        }
        // A form that one has shown is sent to the other by turns.
        let cookie = try client.cookie()
        #expect(try await client.signOut(at: replicas.one.port) == "200")
        let (answers, stop) = try self.load(replicas, ["ended": cookie], rate: 10)
        // What the other had found a moment before it may believe for a second.
        try await Self.eventually("both refuse it") { Self.asked(answers.output).suffix(8).filter { $0.status == 401 }.count == 8 }
        try await self.end(answers, stop)
        for gateway in [replicas.one, replicas.other] { #expect(try await client.status("/version", at: gateway.port) == "401") }
        #expect(try await client.signIn(at: replicas.port) == "303", "the page of one and the form to the other")
      }
    }

    /// An operator at one gateway ends what was begun at another; the stream there is cut by its own gateway's look.
    @Test func whatIsRevokedAtOneEndsAtTheOther() async throws {
      try await Self.with(RedisServer(pki: TestPKI())) { replicas in
        let client = SignInClient(authority: replicas.authority)
        #expect(try await client.signIn(at: replicas.one.port) == "303")
        let watch = try RunningTool(
          "curl",
          [
            "--silent", "--no-buffer", "--max-time", "120", "--cacert", replicas.authority, "--header",
            "Cookie: __Host-sallyport-session=\(try client.cookie())",
            "https://localhost:\(replicas.one.port)/api/v1/namespaces/dev/pods?watch=1",
          ])
        _ = try await watch.wait { $0.contains("ADDED") }
        let file = replicas.other.file("sallyport.yaml")
        let listed = try await sallyport("sessions", "list", "--config", file, "--user", "bob")
        #expect(listed.output.contains("bob") && listed.output.contains("passwordFile"), "\(listed.transcript)")
        let revoked = try await sallyport("sessions", "revoke", "--config", file, "--user", "bob")
        #expect(revoked.status == 0 && revoked.output.hasSuffix(" has ended\n"), "\(revoked.transcript)")
        let handle = revoked.output.prefix(16)
        // What is cut ends without the last chunk.
        #expect(try await watch.result().status != 0)
        try await Self.eventually("the cut is recorded") {
          try replicas.record(of: replicas.one).contains {
            $0.contains(#""sallyport.dev/ended":"sessionEnded""#) && $0.contains("watch=1") && $0.contains(handle)
          }
        }
        for gateway in [replicas.one, replicas.other] { #expect(try await client.status("/version", at: gateway.port) == "401") }
        #expect(try replicas.record(of: replicas.other).contains { $0.contains(#""sessionsRevoked""#) && $0.contains(handle) })
        #expect(try !replicas.record(of: replicas.one).contains { $0.contains(#""sessionsRevoked""#) })
      }
    }

    /// One question of the load.
    private struct Asked {
      /// Seconds of the Unix epoch.
      let began: Double
      let kind: String
      let status: Int
      let seconds: Double
    }

    private static func asked(_ output: String) -> [Asked] {
      output.split(separator: "\n").compactMap { line in
        let words = line.split(separator: " ")
        guard words.count == 4, let began = Double(words[0]), let status = Int(words[2]), let seconds = Double(words[3]) else { return nil }
        return Asked(began: began, kind: String(words[1]), status: status, seconds: seconds)
      }
    }

    /// Asks for `/version` through HAProxy, with these cookies by turns.
    private func load(_ replicas: Replicas, _ cookies: KeyValuePairs<String, String>, rate: Int) throws -> (RunningTool, stop: String) {
      let stop = replicas.one.file("stop-\(UUID().uuidString)")
      let arguments = ["\(replicas.port)", replicas.authority, "\(rate)", "10", "/version", stop]
      return (
        try RunningTool(
          Installation.python, [Installation.client("session_load.py")] + arguments + cookies.map { "\($0.key)=\($0.value)" }), stop
      )
    }

    private func end(_ load: RunningTool, _ stop: String) async throws {
      try Data().write(to: URL(fileURLWithPath: stop))
      let run = try await load.result()
      #expect(run.status == 0, "\(run.errors)")
    }

    /// Hung, going on, killed and empty again, under fifty requests a second: nobody is let in who should not be, nobody waits longer
    /// than the limit, and it heals by itself.
    @Test func aRedisServerThatFailsUnderLoadIsNoOpenDoor() async throws {
      let pki = try TestPKI()
      let redis = try await RedisServer(pki: pki)
      try await Self.with(redis) { replicas in
        let (bob, gone, late) = (
          SignInClient(authority: replicas.authority), SignInClient(authority: replicas.authority),
          SignInClient(authority: replicas.authority)
        )
        for client in [bob, gone] { #expect(try await client.signIn(at: replicas.port) == "303") }
        let ended = try gone.cookie()
        #expect(try await gone.signOut(at: replicas.one.port) == "200")
        let forged = Data((0..<32).map { _ in UInt8.random(in: 0...255) }).base64EncodedString()
          .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        // Three of five by the session that is good.
        let good = try bob.cookie()
        let (load, stop) = try self.load(
          replicas, ["good": good, "ended": ended, "good": good, "forged": forged, "good": good], rate: 50)
        func latest(_ kind: String, _ count: Int, after time: Double = 0) -> [Int] {
          Self.asked(load.output).filter { $0.kind == kind && $0.began > time }.suffix(count).map(\.status)
        }
        func now() -> Double { Date().timeIntervalSince1970 }
        // Its end is seen by both within a second or so, and from here on nobody gets in by it.
        try await Self.eventually("the load runs") {
          latest("good", 50).count == 50 && latest("ended", 8) == Array(repeating: 401, count: 8)
        }
        let begun = now()

        redis.signal(SIGSTOP)
        let hung = now()
        try await Self.eventually("nobody is let in while it hangs") { latest("good", 30, after: hung) == Array(repeating: 503, count: 30) }
        #expect(try await late.signIn(at: replicas.port) == "503", "nobody signs in")
        let goesOn = now()
        redis.signal(SIGCONT)
        try await Self.eventually("it goes on") { latest("good", 30, after: goesOn) == Array(repeating: 200, count: 30) }

        try await redis.stop()
        let killed = now()
        try await Self.eventually("nobody is let in while it is away") {
          latest("good", 30, after: killed) == Array(repeating: 503, count: 30)
        }
        #expect(try await late.signIn(at: replicas.port) == "503", "nobody signs in")
        let restarted = now()
        let again = try await RedisServer(pki: pki, ports: (redis.port, redis.tlsPort))
        // It comes back empty: all sessions have ended.
        try await Self.eventually("it is back") { latest("good", 30, after: restarted) == Array(repeating: 401, count: 30) }
        #expect(try await late.signIn(at: replicas.port) == "303")
        for _ in 0..<2 { #expect(try await late.status("/version", at: replicas.port) == "200") }
        try await self.end(load, stop)

        let all = Self.asked(load.output)
        #expect(all.allSatisfy { $0.status != 0 }, "\(all.filter { $0.status == 0 }.count) without an answer")
        #expect(all.filter { $0.kind == "forged" && $0.status == 200 }.isEmpty, "let in by a forged cookie")
        #expect(all.filter { $0.kind == "ended" && $0.status == 200 && $0.began > begun }.isEmpty, "let in by an ended session")
        // A look is believed for a second; what was asked before the signal may be answered behind it.
        for (from, to) in [(hung, goesOn), (killed, restarted)] {
          #expect(
            all.filter { $0.kind == "good" && $0.status == 200 && $0.began > from + 1.5 && $0.began < to }.isEmpty, "let in while away")
        }
        #expect(all.filter { $0.kind == "good" && $0.status == 200 && $0.began > restarted }.isEmpty, "let in by a session that was lost")
        // A connection that is made, a greeting, an answer; and this machine's own time.
        let longest = all.map(\.seconds).max() ?? 0
        #expect(longest < 3 * Self.timeout + 7, "\(longest) s")
        try await again.stop()
      }
    }
  }
}
