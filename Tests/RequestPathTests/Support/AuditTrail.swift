import Foundation
import TestSupport
import Testing

/// A record of the audit log, read as a reviewer's tool would.
struct AuditLine: Decodable, Sendable, CustomStringConvertible {
  struct User: Decodable, Sendable {
    let username: String?
    let groups: [String]?
  }
  struct Response: Decodable, Sendable {
    let code: Int
    let reason: String?
    let message: String?
  }

  let kind, auditID, stage, requestURI, verb: String
  let user: User
  let impersonatedUser: User?
  let sourceIPs: [String]?
  let userAgent: String?
  let objectRef: [String: String]?
  let responseStatus: Response?
  let annotations: [String: String]
  /// The file that it stands in.
  var series = ""
  var text = ""

  private enum CodingKeys: String, CodingKey {
    case kind, auditID, stage, requestURI, verb, user, impersonatedUser, sourceIPs, userAgent, objectRef, responseStatus, annotations
  }

  /// An annotation of ours by its short name.
  func fact(_ name: String) -> String? { self.annotations["sallyport.dev/\(name)"] }
  var error: String { self.fact("error") ?? "" }
  var description: String { self.text }
}

extension House {
  static let requests = "requests.jsonl"
  static let unauthenticated = "unauthenticated.jsonl"

  /// Every record of a request or connection, those of authenticated requests first; not the log's own events.
  func records() throws -> [AuditLine] {
    try [Self.requests, Self.unauthenticated].flatMap { file in
      let text = try self.directory.read("audit/\(file)")
      // What has no line feed yet is being written.
      let whole = text.lastIndex(of: "\n").map { text[...$0] } ?? ""
      return try whole.split(separator: "\n").compactMap { line -> AuditLine? in
        var record = try JSONDecoder().decode(AuditLine.self, from: Data(line.utf8))
        record.series = file
        record.text = String(line)
        return record.fact("event") == nil ? record : nil
      }
    }
  }

  /// The records of one request, in their order.
  func records(of answer: Answer) throws -> [AuditLine] {
    let id = try #require(answer.auditID, "an answer without one Audit-Id: \(answer)")
    return try self.records().filter { $0.auditID == id }
  }

  /// The one closing record of an answer.
  func closingRecord(of answer: Answer) throws -> AuditLine {
    let closing = try self.records(of: answer).filter { $0.stage == "ResponseComplete" }
    try #require(closing.count == 1, "\(closing.count) closing records of \(answer)")
    return closing[0]
  }

  /// The only closing record there is.
  func theRecord() throws -> AuditLine {
    let closing = try self.records().filter { $0.stage == "ResponseComplete" }
    try #require(closing.count == 1, "\(closing.count) closing records")
    return closing[0]
  }

  /// Waits for a record that no answer waits for.
  func record(_ what: String, within seconds: Int = 10, where condition: @escaping @Sendable (AuditLine) -> Bool) async throws -> AuditLine
  {
    let found = Observed<AuditLine?>(nil)
    try await eventually("a record of \(what)", within: seconds) {
      guard let record = try self.records().first(where: condition) else { return false }
      found.update { $0 = record }
      return true
    }
    return try #require(found.value)
  }

  /// What holds for every house, whatever was tested in it.
  func lookOver() throws {
    let records = try self.records()
    for (id, ofOne) in Dictionary(grouping: records, by: \.auditID) {
      #expect(ofOne.filter { $0.stage == "ResponseComplete" }.count == 1, "one closing record for \(id): \(ofOne)")
      #expect(ofOne.last?.stage == "ResponseComplete", "the closing record comes last: \(ofOne)")
      #expect(Set(ofOne.map(\.stage)).count == ofOne.count, "each stage once: \(ofOne)")
    }
    let recorded = Set(records.map(\.auditID))
    for answer in self.answers.value {
      #expect(answer.auditID.map(recorded.contains) == true, "an answer without its record: \(answer)")
    }
    let everything =
      try [Self.requests, Self.unauthenticated].map { try self.directory.read("audit/\($0)") } + [self.log.text]
      + self.answers.value.map(\.description)
    for secret in Person.secrets {
      #expect(!everything.contains { $0.contains(secret) }, "a secret was written down: \(secret)")
    }
  }
}
