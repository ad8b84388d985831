import Foundation
import NIOCore
import NIOPosix
import SallyportAudit
import SallyportCore

@testable import SallyportAuditReview

/// A log that was really written, by the writer that the gateway uses, for a reviewer to look at.
final class WrittenLog {
  let directory: String
  let configuration: AuditLogConfiguration

  init(records: Int, rotation: LogRotation = LogRotation()) throws {
    self.directory = FileManager.default.temporaryDirectory.appendingPathComponent("sallyport-review-\(UUID().uuidString)").path
    self.configuration = AuditLogConfiguration(directory: self.directory, rotation: rotation)
    try self.write(records)
  }

  deinit { try? FileManager.default.removeItem(atPath: self.directory) }

  /// Opens the log, appends records and closes it.
  func write(_ count: Int, from first: Int = 0) throws {
    let log = try AuditLog(self.configuration)
    for number in first..<(first + count) {
      let answer = log.append(Self.record(number), to: .requests, on: MultiThreadedEventLoopGroup.singleton.next())
      guard case .now(.success) = answer else { throw ReviewFault("not written") }
    }
    log.close()
  }

  /// Opens the log and waits until all closed files are compressed; bounded, for a machine that has other work.
  func waitForCompression() throws {
    let log = try AuditLog(self.configuration)
    for _ in 0..<6_000 where self.names.contains(where: { $0.contains("-") && !$0.hasSuffix(".gz") }) { usleep(10_000) }
    log.close()
  }

  static func record(_ number: Int) -> ByteBuffer {
    let id = "00000000-0000-4000-8000-\(String(format: "%012d", number))"
    return ByteBuffer(
      string: """
        {"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"\(id)","stage":"ResponseComplete",\
        "requestURI":"/api/v1/namespaces/dev/pods/pod-\(number)","verb":"get","user":{"username":"user-\(number % 7)"},\
        "sourceIPs":["192.0.2.\(number % 250)"],"responseStatus":{"metadata":{},"code":200},\
        "requestReceivedTimestamp":"2026-03-01T09:05:07.000123Z","stageTimestamp":"2026-03-01T09:05:07.004560Z",\
        "annotations":{"sallyport.dev/listener":"main","sallyport.dev/decision":"allow"}}

        """)
  }

  func path(_ name: String = "requests.jsonl") -> String { "\(self.directory)/\(name)" }
  var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: self.directory)) ?? []).sorted() }

  func lines(_ name: String = "requests.jsonl") throws -> [String] {
    try String(contentsOfFile: self.path(name), encoding: .utf8).split(separator: "\n").map { $0 + "\n" }
  }

  func put(_ lines: [String], in name: String = "requests.jsonl") throws {
    try lines.joined().write(toFile: self.path(name), atomically: true, encoding: .utf8)
  }

  func verify(anchors: [ChainAnchor] = [], key: String? = nil) throws -> VerificationReport {
    let pem = try key ?? String(contentsOfFile: self.path("checkpoint.pub"), encoding: .utf8)
    return try LogVerifier(publicKeys: [pem], anchors: anchors).verify([self.directory])
  }
}
