import Foundation
import NIOCore
@_spi(Authenticator) import SallyportCore
import SallyportWire

@testable import SallyportAudit

/// Values for records, and what tests do with the lines.
enum Samples {
  static let received = WallTime(nanosecondsSinceEpoch: 1_772_355_907_000_123_456)
  static let reached = WallTime(nanosecondsSinceEpoch: 1_772_355_907_004_560_999)

  static func auditID() -> AuditID {
    var generator = CountingGenerator()
    return AuditID(using: &generator)
  }

  static func connection(ip: String = "192.0.2.7", tls: String? = "TLSv1.3") -> ConnectionFacts {
    ConnectionFacts(
      listener: "main", clientAddress: ClientAddress(ip: ip, port: 50_123), isTrustedPeer: false, tlsVersion: tls, serverName: nil,
      clientCertificate: nil)
  }

  static func userAgent(_ value: String) -> HeaderFields.Field? {
    var fields = HeaderFields()
    try? fields.append("User-Agent", value)
    return fields.first(.userAgent)
  }

  static func record(
    _ method: SallyportWire.Method = .get, uri: ByteBuffer = ByteBuffer(string: "/api/v1/namespaces/dev/pods/web?pretty=true"),
    userAgent: String? = "kubectl/v1.36.2 (linux/amd64)"
  ) -> AuditRecord {
    AuditRecord(
      AuditedRequest(line: .read(method, uri: uri), userAgent: userAgent.flatMap(self.userAgent)), of: self.connection(),
      auditID: self.auditID(), received: self.received, configuration: "c0ffee")
  }

  static func identity(
    _ username: String = "alice", uid: String? = nil, groups: [String] = ["dev", "system:authenticated"],
    extra: [Identity.Extra] = [], origin: [Identity.Fact] = [.init("subject", "CN=alice,O=dev"), .init("serial", "0a1b")]
  ) -> Identity {
    Identity(username: username, uid: uid, groups: groups, extra: extra, method: .clientCertificate, origin: origin)
  }

  static let podReading = RequestInfo(
    isResourceRequest: true, verb: "get", apiPrefix: "api", apiVersion: "v1", namespace: "dev", resource: "pods", name: "web")
}

/// Two words after one another that show every nibble of an identifier.
private struct CountingGenerator: RandomNumberGenerator {
  private var words: [UInt64] = [0xFEDC_BA98_7654_3210, 0x0123_4567_89AB_CDEF]
  mutating func next() -> UInt64 { self.words.removeFirst() }
}

/// A record's line, read by a JSON reader that is not ours.
struct ParsedLine {
  let members: [String: Any]
  let bytes: [UInt8]

  init(_ record: AuditRecord) throws {
    var buffer = ByteBuffer()
    record.encode(into: &buffer, at: Samples.reached)
    try self.init(Array(buffer.readableBytesView))
  }

  init(_ bytes: [UInt8]) throws {
    self.bytes = bytes
    self.members = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] ?? [:]
  }

  var text: String { String(decoding: self.bytes, as: UTF8.self) }

  /// Whether it is one line of visible bytes, whatever stood in the record.
  var isOneCleanLine: Bool { self.bytes.last == 0x0A && self.bytes.dropLast().allSatisfy { $0 >= 0x20 && $0 != 0x7F } }

  func string(_ keys: String...) -> String? { self.value(keys) as? String }
  func strings(_ keys: String...) -> [String]? { self.value(keys) as? [String] }
  func annotation(_ name: String) -> String? { self.value(["annotations", "sallyport.dev/\(name)"]) as? String }
  func has(_ keys: String...) -> Bool { self.value(keys) != nil }

  private func value(_ keys: [String]) -> Any? {
    keys.reduce(self.members as Any?) { ($0 as? [String: Any])?[$1] }
  }
}

extension String {
  /// The bytes, because Swift holds strings equal that are spelled differently.
  var exact: [UInt8] { Array(self.utf8) }
}

/// A directory that is there while a test runs.
final class TemporaryDirectory: Sendable {
  let path: String

  init() {
    self.path = FileManager.default.temporaryDirectory.appendingPathComponent("sallyport-audit-\(UUID().uuidString)").path
    try? FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: self.path)
  }

  func file(_ name: String) -> String { "\(self.path)/\(name)" }
  func bytes(_ name: String) -> [UInt8]? { FileManager.default.contents(atPath: self.file(name)).map(Array.init) }
  func text(_ name: String) -> String? { self.bytes(name).map { String(decoding: $0, as: UTF8.self) } }
  func put(_ text: String, in name: String) { _ = FileManager.default.createFile(atPath: self.file(name), contents: Data(text.utf8)) }
  /// The names in the directory but those that begin with a dot.
  var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: self.path)) ?? []).filter { !$0.hasPrefix(".") }.sorted() }

  /// The lines of a file, which must be whole.
  func lines(_ name: String) throws -> [String] {
    guard let text = self.text(name), !text.isEmpty else { return [] }
    guard text.hasSuffix("\n") else { throw TornFile(end: String(text.suffix(80))) }
    return text.dropLast().split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  struct TornFile: Error {
    let end: String
  }
}

enum JSONReader {
  /// The strings of a JSON array.
  static func strings(_ bytes: [UInt8]) throws -> [String] {
    try JSONSerialization.jsonObject(with: Data(bytes)) as? [String] ?? []
  }
}
