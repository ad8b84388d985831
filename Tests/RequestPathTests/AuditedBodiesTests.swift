import Foundation
import TestSupport
import Testing

/// What an audit policy makes of requests on their way: over real sockets, before the practice cluster.
@Suite(.serialized, .timeLimit(.minutes(5))) struct AuditedBodiesTests {
  private static let policy = """
    apiVersion: audit.k8s.io/v1
    kind: Policy
    omitStages: [RequestReceived]
    omitManagedFields: true
    rules:
    - level: None
      nonResourceURLs: [/version]
    - level: RequestResponse
      namespaces: [prod]
      resources: [{group: "", resources: [secrets]}]
    - level: RequestResponse
      resources: [{group: ""}]
    - level: Metadata
    """

  private static func plan() -> House.Plan {
    var plan = House.Plan()
    plan.audit = ["policyFile: audit-policy.yaml", "bodyLimit: 2KiB"]
    plan.files = ["audit-policy.yaml": self.policy]
    return plan
  }

  private func send(
    _ method: String, _ target: String, _ body: String, _ house: House, type: String = "application/json", more: String = ""
  ) async throws -> Answer {
    try await house.ask(
      "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\nContent-Type: \(type)\r\n\(more)Content-Length: \(body.utf8.count)\r\n\r\n\(body)",
      as: house.certificate("ada", "admin"))
  }

  /// The members of the closing record.
  private func line(of answer: Answer, _ house: House) throws -> [String: Any] {
    let id = try house.closingRecord(of: answer).auditID
    let text = try house.directory.read("audit/requests.jsonl")
    let line = try #require(text.split(separator: "\n").last { $0.contains(id) && $0.contains("\"ResponseComplete\"") })
    return try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
  }

  private func member(_ line: [String: Any], _ keys: String...) -> Any? { keys.reduce(line as Any?) { ($0 as? [String: Any])?[$1] } }

  private func secret(_ name: String) -> String {
    #"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"\#(name)"},"stringData":{"password":"CANARY"},"data":{"k":"Q0FOQVJZ"}}"#
  }

  @Test func bodiesOfChangesAndAnswersAreRecorded() async throws {
    try await House.with(Self.plan()) { house in
      let map = #"{"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},"spec":{"ports":[{"port":80}]}}"#
      let created = try await self.send("POST", "/api/v1/namespaces/dev/services", map, house)
      #expect(created.status == 201, "\(created)")
      let line = try self.line(of: created, house)
      #expect(line["level"] as? String == "RequestResponse")
      #expect(self.member(line, "requestObject", "metadata", "name") as? String == "web")
      #expect(self.member(line, "responseObject", "metadata", "uid") is String)
      #expect(self.member(line, "responseObject", "metadata", "managedFields") == nil)
      // RequestReceived is omitted by the policy.
      #expect(try house.records(of: created).map(\.stage) == ["ResponseComplete"])
      let patched = try await self.send(
        "PATCH", "/api/v1/namespaces/dev/services/web", #"{"metadata":{"labels":{"a":"b"}}}"#, house, type: "application/merge-patch+json")
      #expect(self.member(try self.line(of: patched, house), "requestObject", "metadata", "labels", "a") as? String == "b")
      let read = try await house.get("/api/v1/namespaces/dev/services/web", as: house.certificate("ada", "admin"))
      let reading = try self.line(of: read, house)
      #expect(self.member(reading, "responseObject", "kind") as? String == "Service" && reading["requestObject"] == nil)
      // Another group, at another level.
      let other = try await house.get("/apis/apps/v1/namespaces/dev/deployments", as: house.certificate("ada", "admin"))
      let metadata = try self.line(of: other, house)
      #expect(metadata["level"] as? String == "Metadata" && metadata["responseObject"] == nil)
    }
  }

  @Test func valuesOfSecretsAreRecordedWhereThePolicyNamesThemAndNowhereElse() async throws {
    try await House.with(Self.plan()) { house in
      let hidden = try await self.send("POST", "/api/v1/namespaces/dev/secrets", self.secret("db"), house)
      #expect(hidden.status == 201, "\(hidden)")
      for accept in ["application/json", "application/json;as=Table;v=v1;g=meta.k8s.io"] {
        for target in ["/api/v1/namespaces/dev/secrets/db", "/api/v1/namespaces/dev/secrets"] {
          let read = try await house.get(target, as: house.certificate("ada", "admin"), "Accept: \(accept)")
          #expect(read.status == 200)
          #expect(try self.line(of: read, house)["responseObject"] != nil)
        }
      }
      _ = try await self.send(
        "PATCH", "/api/v1/namespaces/dev/secrets/db", #"{"stringData":{"password":"CANARY"}}"#, house, type: "application/merge-patch+json")
      // As a body of another resource: refused by the API server, and hidden all the same.
      _ = try await self.send("POST", "/api/v1/namespaces/dev/services", self.secret("other"), house)
      let log = try house.directory.read("audit/requests.jsonl")
      #expect(!log.contains("CANARY") && !log.contains("Q0FOQVJZ"))
      #expect(log.contains(#""stringData":{"password":"REDACTED"}"#))
      let asked = try await self.send("POST", "/api/v1/namespaces/prod/secrets", self.secret("db"), house)
      #expect(asked.status == 201, "\(asked)")
      #expect(self.member(try self.line(of: asked, house), "requestObject", "stringData", "password") as? String == "CANARY")
    }
  }

  @Test func aBodyThatIsTooLargeGoesThroughAndIsNotRecorded() async throws {
    try await House.with(Self.plan()) { house in
      let map =
        #"{"apiVersion":"v1","kind":"Service","metadata":{"name":"web","annotations":{"a":"\#(String(repeating: "x", count: 4000))"}}}"#
      let created = try await self.send("POST", "/api/v1/namespaces/dev/services", map, house)
      #expect(created.status == 201)
      let line = try self.line(of: created, house)
      #expect(line["requestObject"] == nil && line["responseObject"] == nil)
      #expect(self.member(line, "annotations", "sallyport.dev/request-body") as? String == "omitted: larger than 2048 bytes")
      #expect(self.member(line, "annotations", "sallyport.dev/response-body") as? String == "omitted: larger than 2048 bytes")
    }
  }

  /// A password that is still being verified holds the body back; it is recorded all the same.
  @Test func aBodyThatCameBeforeItsSenderWasKnownIsRecorded() async throws {
    try await House.with(Self.plan()) { house in
      let body = #"{"apiVersion":"v1","kind":"Service","metadata":{"name":"early"}}"#
      let answer = try await house.ask(
        "POST /api/v1/namespaces/dev/services HTTP/1.1\r\nHost: localhost\r\n\(Person.bob.basic)\r\nContent-Type: application/json\r\n"
          + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
      let line = try self.line(of: answer, house)
      #expect(self.member(line, "requestObject", "metadata", "name") as? String == "early")
    }
  }

  /// An answer of the gateway's own is none of the upstream's, and a stream has no end to wait for.
  @Test func whatTheUpstreamDidNotSayWholeIsNotRecordedAsIfItHad() async throws {
    try await House.with(script: { moment, peer in
      guard case .end = moment else { return }
      peer.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"kind\":\"Pod\"")
      peer.close()
    }) { plan in
      plan.audit = Self.plan().audit
      plan.files = Self.plan().files
    } _: { house, _ in
      let ada = try house.certificate("ada", "admin")
      let client = try await house.connect(as: ada)
      try await client.send("GET /api/v1/namespaces/dev/pods/web HTTP/1.1\r\nHost: localhost\r\n\r\n")
      _ = try await client.readToEnd()
      try await eventually("the closing record") { try house.records().contains { $0.stage == "ResponseComplete" } }
      let log = try house.directory.read("audit/requests.jsonl")
      #expect(!log.contains("responseObject"))
    }
  }

  @Test func aRequestThatThePolicyLeavesOutIsAnsweredAndNotRecorded() async throws {
    var plan = Self.plan()
    plan.losesRecords = true
    try await House.with(plan) { house in
      let ada = try house.certificate("ada", "admin")
      #expect(try await house.get("/version", as: ada).status == 200)
      #expect(try house.records().isEmpty)
      // Nobody: recorded whatever the policy says.
      #expect(try await house.get("/version").status == 401)
      try await eventually("the record of the refusal") { try house.records().count == 1 }
    }
  }
}
