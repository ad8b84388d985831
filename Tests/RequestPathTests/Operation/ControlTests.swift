import Foundation
import Glibc
import NIOCore
import SallyportJSON
import TestSupport
import Testing

@testable import SallyportService

/// What an operator does at the control socket: sees who is signed in, and ends it.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ControlTests {
  private static let pods = "/api/v1/namespaces/dev/pods"

  private static func plan(_ session: String = "{}") -> House.Plan {
    var plan = House.Plan.signIn(session)
    plan.sections = ["control: {socket: run/control.sock}", "admin: {address: '127.0.0.1:0'}"]
    return plan
  }

  private static func ask(_ house: House, _ line: String, _ body: String? = nil, at socket: String = "run/control.sock") async throws
    -> (status: Int, document: JSONValue)
  {
    let client = try await RawTLSClient.connect(socket: house.directory.file(socket))
    let length = body.map { "Content-Length: \($0.utf8.count)\r\n" } ?? ""
    try await client.send("\(line) HTTP/1.1\r\nHost: sallyport\r\n\(length)\r\n\(body ?? "")")
    let answer = try await client.answer()
    await client.close()
    return (answer.status, try JSONReader.read(answer.body.utf8))
  }

  private static func listed(_ house: House, _ query: String = "") async throws -> [JSONValue] {
    let (status, document) = try await self.ask(house, "GET /sessions\(query)")
    try #require(status == 200, "\(document)")
    return try #require(document["sessions"]?.array)
  }

  /// The events of revocations, by their facts.
  private static func revocations(_ house: House) throws -> [[String: String]] {
    struct Line: Decodable { let annotations: [String: String] }
    return try house.directory.read("audit/requests.jsonl").split(separator: "\n").map {
      try JSONDecoder().decode(Line.self, from: Data($0.utf8)).annotations
    }.filter { $0["sallyport.dev/event"] == "sessionsRevoked" }
  }

  @Test func whoIsSignedInIsListedAndNothingByWhichOneGetsIn() async throws {
    try await House.with(Self.plan()) { house in
      #expect(try await Self.listed(house) == [])
      let (bob, vera) = (Browser(house), Browser(house))
      try await bob.signIn(.bob)
      try await vera.signIn(.vera)
      let record = try house.closingRecord(of: try await bob.fetch(Self.pods))
      let handle = try #require(record.fact("original-identity").flatMap { $0.firstMatch(of: /[0-9a-f]{16}/) }.map { String($0.0) })
      let sessions = try await Self.listed(house)
      #expect(sessions.map { $0["user"]?.string } == ["bob", "vera"])
      #expect(sessions[0]["session"]?.string == handle && sessions[1]["session"]?.string != handle)
      #expect(sessions.allSatisfy { $0["signedInBy"]?.string == "passwordFile" && $0["address"]?.string == "127.0.0.1" })
      let times = try ["began", "used", "ends"].map { try Date(#require(sessions[0][$0]?.string), strategy: .iso8601) }
      #expect(times[0] <= times[1] && times[2].timeIntervalSince(times[0]) == 43_200)
      #expect(try await Self.listed(house, "?user=vera").map { $0["user"]?.string } == ["vera"])
      #expect(try await Self.listed(house, "?user=nobody") == [])
      let text = String(decoding: JSONWriter.write(.array(sessions)), as: UTF8.self)
      #expect(try !text.contains(#require(bob.sessionID)) && !text.contains("correct"))
    }
  }

  @Test func revokingEndsSessionsCutsTheirStreamsAndIsRecorded() async throws {
    try await House.with(Self.plan()) { house in
      let (bob, second, vera) = (Browser(house), Browser(house), Browser(house))
      for browser in [bob, second] { try await browser.signIn(.bob) }
      try await vera.signIn(.vera)
      let (_, watch) = try await house.watch(bob.cookieField)
      let (other, _) = try await house.watch(vera.cookieField)
      let handles = try await Self.listed(house, "?user=bob").compactMap { $0["session"]?.string }
      let (status, document) = try await Self.ask(house, "POST /sessions/revoke", #"{"user":"bob"}"#)
      #expect(status == 200 && Set(document["ended"]?.strings ?? []) == Set(handles) && handles.count == 2)
      let record = try await house.record("the watch") { $0.auditID == watch.auditID && $0.stage == "ResponseComplete" }
      #expect(record.fact("ended") == "sessionEnded")
      for browser in [bob, second] { #expect(try await browser.fetch(Self.pods).status == 401) }
      #expect(try await vera.fetch(Self.pods).status == 200)
      let events = try Self.revocations(house)
      try #require(events.count == 1)
      #expect(events[0]["sallyport.dev/revoked"] == "user bob")
      #expect(events[0]["sallyport.dev/revoked-by"] == "uid \(getuid()), pid \(getpid())")
      #expect(Set(events[0]["sallyport.dev/sessions"]?.split(separator: ",").map(String.init) ?? []) == Set(handles))
      await other.close()
    }
  }

  @Test func oneSessionIsRevokedByItsHandleAndAllByAWord() async throws {
    try await House.with(Self.plan()) { house in
      let (first, second, vera) = (Browser(house), Browser(house), Browser(house))
      for browser in [first, second] { try await browser.signIn(.bob) }
      try await vera.signIn(.vera)
      let handle = try #require(try await Self.listed(house)[0]["session"]?.string)
      let (status, document) = try await Self.ask(house, "POST /sessions/revoke", #"{"session":"\#(handle)"}"#)
      #expect(status == 200 && document["ended"]?.strings == [handle])
      let left = [try await first.fetch(Self.pods).status, try await second.fetch(Self.pods).status]
      #expect(left.sorted() == [200, 401])
      let again = try await Self.ask(house, "POST /sessions/revoke", #"{"session":"\#(handle)"}"#)
      #expect(again.status == 200 && again.document["ended"]?.strings == [])
      let all = try await Self.ask(house, "POST /sessions/revoke", #"{"all":true}"#)
      #expect(all.document["ended"]?.strings?.count == 2)
      for browser in [first, second, vera] { #expect(try await browser.fetch(Self.pods).status == 401) }
      #expect(try Self.revocations(house).map { $0["sallyport.dev/revoked"] } == ["session \(handle)", "session \(handle)", "all"])
    }
  }

  @Test func nobodyElseGetsToTheSocket() async throws {
    try await House.with(Self.plan()) { house in
      func mode(_ name: String) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: house.directory.file(name))[.posixPermissions] as? Int)
      }
      #expect(try mode("run") == 0o700 && mode("run/control.sock") == 0o600)
      for path in ["/sessions", "/sessions/revoke"] {
        #expect(try await house.look(path).status == 404)
        #expect(try await house.get("/.sallyport\(path)").status == 404)
      }
      let malformed = try await Self.ask(house, "GET  /sessions")
      #expect(malformed.status == 400 && malformed.document["error"]?.string?.isEmpty == false)
      let long = try await Self.ask(house, "POST /sessions/revoke", #"{"user":"\#(String(repeating: "a", count: 17_000))"}"#)
      #expect(long.status == 413)
    }
  }

  @Test func theSocketGoesWithTheConfigurationAndWithTheGateway() async throws {
    let directory = try await House.with(Self.plan()) { house in
      let browser = Browser(house)
      try await browser.signIn(.bob)
      try house.change("run/control.sock", to: "other/control.sock")
      try await house.reload()
      #expect(!FileManager.default.fileExists(atPath: house.directory.file("run/control.sock")))
      let (status, document) = try await Self.ask(house, "GET /sessions", at: "other/control.sock")
      #expect(status == 200 && document["sessions"]?.array?.count == 1)
      // Where it could be reached by others it is not opened, and the one before goes on.
      chmod(house.directory.file("run"), 0o755)
      try house.change("other/control.sock", to: "run/control.sock")
      do {
        try await house.reload()
        Issue.record("reloaded")
      } catch let fault as StartFault {
        #expect(fault.description.contains("control.socket: names") && fault.description.contains("whose directory others can enter"))
      }
      #expect(try await Self.ask(house, "GET /sessions", at: "other/control.sock").status == 200)
      try house.change("run/control.sock", to: "other/control.sock")
      return house.directory
    }
    #expect(!FileManager.default.fileExists(atPath: directory.file("other/control.sock")))
  }

  /// Whoever cannot be asked has ended nothing, and nobody is told otherwise.
  @Test func aServerThatIsAwayIsSaid() async throws {
    let redis = try await RedisServer(pki: TestPKI())
    let files = TemporaryDirectory()
    let key = try files.write(Data(0..<32).base64EncodedString() + "\n", to: "session.key")
    let password = try files.write(RedisServer.password + "\n", to: "redis-password")
    let plan = Self.plan(
      "{keyFile: \(key), redis: {url: \"redis://127.0.0.1:\(redis.port)\", insecurePlaintext: true, username: \(RedisServer.user), "
        + "passwordFile: \(password), timeout: 1s}}")
    try await House.with(plan) { house in
      let browser = Browser(house)
      try await browser.signIn(.bob)
      let sessions = try await Self.listed(house)
      #expect(sessions.map { $0["user"]?.string } == ["bob"])
      redis.signal(SIGSTOP)
      for (line, body) in [
        ("GET /sessions", nil), ("POST /sessions/revoke", #"{"all":true}"#), ("POST /sessions/revoke", #"{"user":"bob"}"#),
      ] {
        let (status, document) = try await Self.ask(house, line, body)
        #expect(status == 503 && document["error"]?.string?.isEmpty == false, "\(line)")
      }
      redis.signal(SIGCONT)
      // What was asked meanwhile may be done late: all that was said is that nothing is certain.
      try await eventually("it is back") { try await Self.ask(house, "POST /sessions/revoke", #"{"user":"bob"}"#).status == 200 }
      #expect(try await browser.fetch(Self.pods).status == 401)
      try await redis.stop()
    }
  }
}
