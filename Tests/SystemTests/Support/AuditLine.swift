import Foundation

/// A record of the audit log, read as anybody's tool would read it.
struct AuditLine: Decodable {
  struct User: Decodable {
    let username: String?
    let groups: [String]?
  }

  struct Response: Decodable {
    let code: Int
    let message: String?
  }

  let kind: String
  let auditID: String
  let stage: String
  let verb: String?
  let requestURI: String?
  let user: User?
  let impersonatedUser: User?
  let userAgent: String?
  let responseStatus: Response?
  let annotations: [String: String]?

  /// Reads the records of requests in a whole file; the log's and the gateway's own events are left out.
  ///
  /// - Throws: where a line is no JSON of this form, or the file does not end with a whole line
  static func read(_ path: String) throws -> [AuditLine] {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    guard data.isEmpty || data.last == UInt8(ascii: "\n") else { throw CocoaError(.fileReadCorruptFile) }
    let decoder = JSONDecoder()
    return try data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast().map {
      try decoder.decode(AuditLine.self, from: $0)
    }.filter { $0.annotations?["sallyport.dev/event"] == nil }
  }
}
