import Foundation
import NIOCore
@_spi(Authenticator) import SallyportCore
import SallyportWire
import Testing

@testable import SallyportAudit

/// Bodies in records: which are there, and what is said of those that are not.
@Suite struct RecordedBodiesTests {
  private func outcome(_ rule: String, before: String = "", of target: String, method: SallyportWire.Method = .post) throws -> (
    AuditPolicy.Outcome, RequestInfo
  ) {
    let text = "apiVersion: audit.k8s.io/v1\nkind: Policy\n\(before)rules:\n- \(rule)\n"
    var policy = try AuditPolicy.decode(bytes: text.utf8, fileName: "p.yaml")
    policy.bodyLimit = 1024
    let info = RequestInfo(method: method, target: try RequestTarget(reading: ByteBuffer(string: target), for: method))
    return (policy.outcome(username: "alice", groups: [], info: info, verb: info.verb, path: info.path), info)
  }

  private func fields(_ pairs: (String, String)...) throws -> HeaderFields {
    var fields = HeaderFields()
    for (name, value) in pairs { try fields.append(name, value) }
    return fields
  }

  private static let pods = "/api/v1/namespaces/dev/pods"
  private static let object = #"{"kind":"Pod","metadata":{"name":"web","managedFields":[]}}"#

  private func bodies(
    _ rule: String = "level: RequestResponse", before: String = "", of target: String = pods, _ request: [String] = [object],
    _ response: [String]? = ["{\"kind\":\"Status\"", "}"], type: String = "application/json", ended: Bool = true
  ) throws -> RecordedBodies? {
    let (outcome, info) = try self.outcome(rule, before: before, of: target)
    guard var bodies = RecordedBodies(outcome, try self.fields(("Content-Type", type)), for: info) else { return nil }
    for part in request { bodies.request.append(ByteBuffer(string: part)) }
    if ended { bodies.request.end() }
    guard let response else { return bodies }
    bodies.beginResponse(try self.fields(("Content-Type", "application/json; charset=utf-8")))
    for part in response { bodies.appendToResponse(ByteBuffer(string: part)) }
    if ended { bodies.endResponse() }
    return bodies
  }

  private func line(_ bodies: RecordedBodies?, level: AuditPolicy.Level = .requestResponse, stage: AuditRecord.Stage = .responseComplete)
    throws
    -> ParsedLine
  {
    let record = Samples.record(.post)
    record.subject = .identity(Samples.identity())
    record.info = Samples.podReading
    record.response = .init(code: 201)
    record.level = level
    record.stage = stage
    record.bodies = bodies
    let line = try ParsedLine(record)
    try #require(line.isOneCleanLine)
    return line
  }

  @Test func theEndOfARequestHasWhatThePolicyAsksFor() throws {
    let line = try self.line(self.bodies())
    #expect(line.string("level") == "RequestResponse")
    #expect(line.string("requestObject", "metadata", "name") == "web" && line.has("requestObject", "metadata", "managedFields"))
    #expect(line.string("responseObject", "kind") == "Status")
    #expect(line.annotation("request-body") == nil && line.annotation("response-body") == nil)
    // In the order of Kubernetes' own event.
    let places = ["responseStatus", "requestObject", "responseObject", "requestReceivedTimestamp"].map {
      line.text.range(of: "\"\($0)\"")?.lowerBound
    }
    #expect(places.compactMap { $0 } == places.compactMap { $0 }.sorted() && !places.contains(nil))

    let half = try self.line(self.bodies("level: Request"), level: .request)
    #expect(half.string("level") == "Request" && half.has("requestObject") && !half.has("responseObject"))
    for stage in [AuditRecord.Stage.requestReceived, .responseStarted] {
      let early = try self.line(self.bodies(), stage: stage)
      #expect(!early.has("requestObject") && !early.has("responseObject"))
    }
    #expect(try self.bodies("level: Metadata") == nil)
    #expect(try self.bodies(of: "/version") == nil, "only requests for resources have objects")
    #expect(try self.line(nil, level: .none).string("level") == "Metadata")
  }

  @Test func whatIsNotThereIsToldWithItsReason() throws {
    func note(_ bodies: RecordedBodies?) throws -> String? {
      let line = try self.line(bodies)
      #expect(!line.has("requestObject"))
      return line.annotation("request-body")
    }
    let large = Array(repeating: String(repeating: "a", count: 100), count: 11)
    #expect(try note(self.bodies("level: Request", large)) == "omitted: larger than 1024 bytes")
    #expect(try note(self.bodies("level: Request", ["a: 1"], type: "application/apply-patch+yaml")) == "omitted: not JSON")
    #expect(try note(self.bodies("level: Request", ["k8s\0"], type: "application/vnd.kubernetes.protobuf")) == "omitted: not JSON")
    #expect(try note(self.bodies("level: Request", ["{\"a\":1"])) == "omitted: not JSON")
    #expect(try note(self.bodies("level: Request", ["{\"a\":1"], ended: false)) == "omitted: broken off")
    #expect(try note(self.bodies("level: Request", [])) == nil, "there was none")
    let (outcome, info) = try self.outcome("level: Request", of: Self.pods)
    var encoded = try #require(RecordedBodies(outcome, try self.fields(("Content-Encoding", "gzip")), for: info))
    encoded.request.append(ByteBuffer(string: "{}"))
    encoded.request.end()
    #expect(try note(encoded) == "omitted: compressed")
  }

  @Test(arguments: [
    "application/json", "application/json;charset=utf-8", "Application/JSON ; a=b", "application/merge-patch+json",
    "application/json-patch+json",
    "application/strategic-merge-patch+json", "application/json;as=Table;v=v1;g=meta.k8s.io",
  ]) func typesOfJSONAreKnown(_ type: String) throws {
    #expect(try self.line(self.bodies(type: type)).has("requestObject"))
  }

  @Test func valuesOfSecretsAreThereOnlyForWhoAsksByName() throws {
    let secrets = "/api/v1/namespaces/dev/secrets"
    let body = [#"{"kind":"Secret","data":{"k":"CANARY"}}"#]
    func line(_ rule: String, _ target: String = secrets) throws -> ParsedLine { try self.line(self.bodies(rule, of: target, body, body)) }
    let hidden = try line("level: RequestResponse")
    #expect(!hidden.text.contains("CANARY") && hidden.string("requestObject", "data", "k") == "REDACTED")
    #expect(hidden.annotation("request-body") == "redacted" && hidden.annotation("response-body") == "redacted")
    for resources in ["[{group: \"\"}]", "[{group: \"\", resources: [\"*\"]}]", "[{group: \"\", resources: [configmaps, \"secrets/*\"]}]"] {
      #expect(try !line("{level: RequestResponse, resources: \(resources)}").text.contains("CANARY"), "\(resources)")
    }
    let asked = try line("{level: RequestResponse, resources: [{group: \"\", resources: [secrets]}]}")
    #expect(asked.string("requestObject", "data", "k") == "CANARY" && asked.string("responseObject", "data", "k") == "CANARY")
    #expect(asked.annotation("request-body") == nil)
    // A secret that comes by another way is not asked for.
    #expect(try !line("{level: RequestResponse, resources: [{group: \"\", resources: [pods]}]}", Self.pods).text.contains("CANARY"))
    #expect(try !line("level: RequestResponse", "/api/v1/namespaces/dev/serviceaccounts/a/token").text.contains("CANARY"))
  }

  @Test(arguments: [
    ("", "", true), ("omitManagedFields: true\n", "", false), ("omitManagedFields: true\n", "omitManagedFields: false, ", true),
    ("", "omitManagedFields: true, ", false),
  ]) func managedFieldsAreOmittedByThePolicyUnlessTheRuleSaysOtherwise(before: String, rule: String, isThere: Bool) throws {
    let line = try self.line(self.bodies("{\(rule)level: Request}", before: before))
    #expect(line.has("requestObject", "metadata", "managedFields") == isThere)
  }

  /// The chain's reader takes the end of a line for what it is, whatever a body looks like.
  @Test func aBodyThatLooksLikeTheEndOfALineForgesNone() throws {
    let forged = #"{"x":{"sallyport.dev/sequence":"7","sallyport.dev/chain":"\#(String(repeating: "0", count: 64))"}}"#
    let record = Samples.record(.post)
    record.bodies = try self.bodies("level: Request", [forged], nil)
    var plain = ByteBuffer()
    record.encode(into: &plain, at: Samples.reached)
    var chain = Chain.start
    var sealed = ByteBuffer()
    #expect(plain.withUnsafeReadableBytes { chain.seal($0, into: &sealed) })
    let found = sealed.withUnsafeReadableBytes { SealedLine($0).map { Chain(value: $0.value, sequence: $0.sequence) } }
    #expect(found == chain)
  }
}
