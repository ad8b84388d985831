import Foundation
import NIOCore
import NIOPosix
import SallyportAudit
import SallyportAuditReview
@_spi(Authenticator) import SallyportCore
import SallyportWire

/// Measures what a record costs to encode, to seal and to write, and how fast a log is verified and searched.
///
///     sallyport-audit-bench [RECORDS]
@main
struct AuditBench {
  static func main() throws {
    let count = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 1_000_000
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sallyport-audit-bench-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let record = try self.record()
    try self.write(count, record, to: folder)
    try self.read(folder)
  }

  /// A record as most are: an allowed read of somebody with a certificate.
  private static func record() throws -> AuditRecord {
    let uri = ByteBuffer(string: "/api/v1/namespaces/dev/configmaps/web?pretty=true")
    var fields = HeaderFields()
    try fields.append("User-Agent", "kubectl/v1.36.2 (linux/amd64) kubernetes/abcdef0")
    let target = try RequestTarget(reading: uri, for: .get)
    let head = RequestHead(method: .get, target: target, fields: fields)
    let connection = ConnectionFacts(
      listener: "main", clientAddress: ClientAddress(ip: "192.0.2.7", port: 50_123), isTrustedPeer: false, tlsVersion: "TLSv1.3",
      serverName: nil, clientCertificate: nil)
    let record = AuditRecord(AuditedRequest(head), of: connection, auditID: AuditID(), received: .now(), configuration: "9f86d081884c7d65")
    record.info = RequestInfo(method: .get, target: target)
    record.subject = .identity(
      Identity(
        username: "alice@example.org", uid: nil, groups: ["dev", "oncall", "system:authenticated"], extra: [], method: .clientCertificate,
        origin: [.init("subject", "CN=alice,O=dev"), .init("serial", "0a1b2c"), .init("fingerprint", String(repeating: "5c", count: 32))]))
    record.decision = .allow(rule: nil)
    record.credential = "requestHeaders"
    record.route = "api"
    record.upstream = "kubernetes"
    record.response = .init(code: 200)
    record.bytesOut = 2048
    return record
  }

  private static func write(_ count: Int, _ record: AuditRecord, to folder: String) throws {
    var buffer = ByteBuffer()
    record.encode(into: &buffer, at: .now())
    print("| a record | \(buffer.readableBytes) bytes |")
    print("|---|---|")
    let encoding = self.median { () in
      for _ in 0..<20_000 {
        buffer.clear()
        record.encode(into: &buffer, at: .now())
      }
    }
    print("| encoded | \(Int(encoding / 20_000)) ns |")
    let sealing = self.median { SealingMeasure.seal(buffer, times: 20_000) }
    print("| numbered and chained | \(Int(sealing / 20_000)) ns |")

    let log = try AuditLog(AuditLogConfiguration(directory: folder, rotation: LogRotation(size: nil)))
    let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
    // Eight records a write, as a busy event loop gathers them in a turn.
    let start = ContinuousClock.now
    for _ in 0..<(count / 8) {
      buffer.clear()
      for _ in 0..<8 { record.encode(into: &buffer, at: .now()) }
      guard case .now(.success) = log.append(buffer, to: .requests, on: eventLoop) else { throw BenchFault() }
    }
    let elapsed = ContinuousClock.now - start
    log.close()
    print("| encoded, chained and written (eight a write) | \(Int(elapsed / .nanoseconds(1)) / count) ns |\n")
  }

  private static func read(_ folder: String) throws {
    let size = try FileManager.default.attributesOfItem(atPath: "\(folder)/requests.jsonl")[.size] as? Int ?? 0
    let key = try String(contentsOfFile: "\(folder)/checkpoint.pub", encoding: .utf8)
    print("| a log of \(size / 1_000_000) MB | seconds | MB/s |")
    print("|---|---|---|")
    try self.reading("verify", size) {
      guard try LogVerifier(publicKeys: [key]).verify([folder]).isGood else { throw BenchFault() }
    }
    var rare = RecordFilter()
    rare.users = ["nobody-of-that-name"]
    try self.reading("show, nothing found", size) { try LogShow(rare).run([folder]) { _, _ in } }
    var none = RecordFilter()
    none.statuses = [StatusRange("5xx")].compactMap { $0 }
    try self.reading("show, every record looked into", size) { try LogShow(none).run([folder]) { _, _ in } }
    try self.reading("summary", size) { _ = try LogSummary.of([folder]) }
    let gzip = Process()
    gzip.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    gzip.arguments = ["gzip", "-4", "\(folder)/requests.jsonl"]
    try gzip.run()
    gzip.waitUntilExit()
    try self.reading("verify, compressed", size) {
      guard try LogVerifier(publicKeys: [key]).verify([folder]).isGood else { throw BenchFault() }
    }
  }

  private static func reading(_ name: String, _ size: Int, _ body: () throws -> Void) throws {
    let start = ContinuousClock.now
    try body()
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    print("| \(name) | \(String(format: "%.2f", seconds)) | \(Int(Double(size) / 1e6 / seconds)) |")
  }

  /// Of nine runs, in nanoseconds.
  private static func median(_ body: () -> Void) -> Double {
    (0..<9).map { _ in
      let start = ContinuousClock.now
      body()
      return (ContinuousClock.now - start) / .nanoseconds(1)
    }.sorted()[4]
  }

  private struct BenchFault: Error {}
}
