import Foundation
import TestSupport
import Testing

@testable import SallyportService

/// What happens to the gateway as a whole stands in its log, between the requests.
@Suite(.serialized, .timeLimit(.minutes(5))) struct GatewayEventTests {
  private struct Line: Decodable {
    struct User: Decodable { let username: String? }

    let annotations: [String: String]
    let user: User?

    func fact(_ name: String) -> String? { self.annotations["sallyport.dev/\(name)"] }
  }

  /// The gateway's own events, without those of the log.
  private func events(_ directory: TemporaryDirectory) throws -> [Line] {
    try directory.read("audit/requests.jsonl").split(separator: "\n").map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
      .filter { ["started", "reloaded", "stopped"].contains($0.fact("event")) }
  }

  @Test func startReloadBrokenReloadAndEndAreRecorded() async throws {
    let (directory, hashes) = try await House.with { house in
      let alice = try house.certificate("alice", "view")
      let first = try house.closingRecord(of: try await house.get("/version", as: alice)).fact("config")
      try house.directory.write("users:\n- name: bob\n", to: "users.yaml")
      await #expect(throws: StartFault.self) { try await house.reload() }
      try house.directory.write(Person.usersFile, to: "users.yaml")
      try house.change("name: api", to: "name: renamed")
      try await house.reload()
      let second = try house.closingRecord(of: try await house.get("/version", as: alice)).fact("config")
      return (house.directory, [first, second])
    }
    #expect(hashes[0] != hashes[1])
    let events = try self.events(directory)
    #expect(events.map { $0.fact("event") } == ["started", "reloaded", "reloaded", "stopped"])
    // The refused one says which configuration stays, and why.
    #expect(events.map { $0.fact("config") } == [hashes[0], hashes[0], hashes[1], nil])
    #expect(events[1].fact("error")?.contains("users[0].passwordHash: is missing") == true)
    #expect(events[0].fact("error") == nil && events[2].fact("error") == nil)
    #expect(events[3].fact("reason") == "drained")
    // All of them are signed, and nobody's.
    #expect(events.allSatisfy { $0.fact("signature")?.isEmpty == false && $0.user != nil && $0.user?.username == nil })
  }
}
