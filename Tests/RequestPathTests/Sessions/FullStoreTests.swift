import Foundation
import TestSupport
import Testing

/// Where there may be no more sessions: who is refused has lost nothing, and who signs in anew takes the place of what they had.
@Suite(.serialized, .timeLimit(.minutes(5))) struct FullStoreTests {
  private static let pods = "/api/v1/namespaces/dev/pods"

  private func check(_ plan: House.Plan) async throws {
    try await House.with(plan) { house in
      let (bob, vera) = (Browser(house), Browser(house))
      #expect(try await bob.signIn(.bob).status == 303)
      let refused = try await vera.signIn(.vera)
      #expect(refused.status == 503 && vera.sessionID == nil)
      #expect(try house.closingRecord(of: refused).error.contains("tooManySessions"))
      #expect(try await bob.fetch(Self.pods).status == 200)
      // A browser's own session makes room, for another user, too; a session that is none does not.
      let old = bob.sessionID
      #expect(try await bob.signIn(.vera).status == 303)
      let record = try house.closingRecord(of: try await bob.fetch(Self.pods))
      #expect(record.user.username == "vera")
      vera.set(Browser.session, to: old)
      #expect(try await vera.fetch(Self.pods).status == 401)
      #expect(try await vera.signIn(.bob).status == 503)
      #expect(try await bob.fetch(Self.pods).status == 200)
    }
  }

  @Test func inMemory() async throws { try await self.check(.signIn("{total: 1}")) }

  @Test func onARedisServer() async throws {
    let redis = try await RedisServer(pki: TestPKI())
    let files = TemporaryDirectory()
    let key = try files.write(Data(0..<32).base64EncodedString() + "\n", to: "session.key")
    let password = try files.write(RedisServer.password + "\n", to: "redis-password")
    try await self.check(
      .signIn(
        "{total: 1, keyFile: \(key), redis: {url: \"redis://127.0.0.1:\(redis.port)\", insecurePlaintext: true, "
          + "username: \(RedisServer.user), passwordFile: \(password), timeout: 5s}}"))
    try await redis.stop()
  }
}
