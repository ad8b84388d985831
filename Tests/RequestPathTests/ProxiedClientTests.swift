import NIOCore
import TestSupport
import Testing

@testable import SallyportService

/// Clients behind a proxy that passes TLS through: the address of the PROXY header is in the record and in `X-Forwarded-For`, and counts
/// for the throttle and the policies.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ProxiedClientTests {
  private func plan() -> House.Plan {
    var plan = House.Plan(behind: .script(ScriptedUpstream.answering(ScriptedUpstream.ok())))
    plan.listener = ["clientAddress: {trustedPeers: [127.0.0.0/8, 10.0.0.0/8], proxyProtocol: true}"]
    return plan
  }

  private func get(_ house: House, from address: String, as name: String? = "alice", _ fields: String...) async throws -> Answer {
    let client = try await house.connect(
      as: try name.map { try house.certificate($0, "view") },
      preface: ByteBuffer(string: "PROXY TCP4 \(address) 198.51.100.1 40000 8443\r\n"))
    try await client.send("GET /version HTTP/1.1\r\nHost: localhost\r\n\(fields.map { $0 + "\r\n" }.joined())\r\n")
    let answer = try await house.answer(from: client)
    await client.close()
    return answer
  }

  @Test func theHeadersAddressIsInTheRecordAndGoesOn() async throws {
    try await House.with(self.plan()) { house in
      // What a client says for itself is nothing, and what a listed proxy behind the first says is believed.
      let direct = try await self.get(house, from: "203.0.113.7", "X-Forwarded-For: 192.0.2.1")
      #expect(direct.status == 200)
      #expect(try house.closingRecord(of: direct).sourceIPs == ["203.0.113.7"])
      #expect(try house.theRequestUpstream().values("X-Forwarded-For") == ["203.0.113.7"])
      let chained = try await self.get(house, from: "10.1.1.1", "X-Forwarded-For: 192.0.2.1")
      #expect(try house.closingRecord(of: chained).sourceIPs == ["192.0.2.1", "10.1.1.1"])
    }
  }

  @Test func theThrottleCountsTheClientAndNotTheProxy() async throws {
    try await House.with(self.plan()) { house in
      for number in 0..<5 {
        let wrong = Person.basic("bob", "\(Person.wrongPassword)\(number)")
        let status = try await self.get(house, from: "203.0.113.7", as: nil, wrong).status
        #expect(status == 401)
      }
      let wrong = Person.basic("bob", "\(Person.wrongPassword)9")
      let locked = try await self.get(house, from: "203.0.113.7", as: nil, wrong).status
      #expect(locked == 429)
      let another = try await self.get(house, from: "203.0.113.8", as: nil, wrong).status
      #expect(another == 401)
    }
  }

  @Test func policiesAreAboutTheClientsAddress() async throws {
    var plan = self.plan()
    plan.files["office.yaml"] = """
      apiVersion: sallyport.dev/v1alpha1
      kind: AccessPolicy
      metadata: {name: office}
      rules:
      - name: from-the-office-only
        deny: [{paths: ["/version"]}]
        unless: {clientCIDR: [203.0.113.0/24]}

      """
    plan.sections = ["policy: {files: [office.yaml]}"]
    try await House.with(plan) { house in
      let inside = try await self.get(house, from: "203.0.113.7").status
      let outside = try await self.get(house, from: "198.51.100.7").status
      #expect(inside == 200 && outside == 403)
    }
  }

  @Test func refusedConnectionsAreRecordedWithTheirReason() async throws {
    try await House.with(self.plan()) { house in
      for preface in ["PROXY TCP4 nonsense\r\n", "GET / HTTP/1.1\r\n\r\n"] {
        await #expect(throws: (any Error).self) { try await house.connect(preface: ByteBuffer(string: preface)) }
      }
      try await eventually("the records") {
        let errors = try house.records().map(\.error)
        return errors.contains { $0.hasPrefix("proxyHeaderMalformed") } && errors.contains { $0.hasPrefix("proxyHeaderMissing") }
      }
    }
  }
}
