import Foundation
import NIOCore
import TestSupport
import Testing

@testable import SallyportPracticeCluster

/// Replays what was recorded of a real server 1.36 against the practice cluster: each request must get the same status and
/// show the secret exactly where the real one did.
@Suite struct RecordedRequestsTests {
  @Test func theRecordedRequestsAreAnsweredAsByARealServer() async throws {
    guard let cases = try RecordedCase.load() else {
      #expect(ProcessInfo.processInfo.environment["CI"] != "true", "the recorded requests must be there in CI")
      print("no folder ../shared/kubernetes: the recorded requests are not replayed")
      return
    }
    try await Fixture.with { fixture in
      var compared = 0
      var outOfScope: [String: Int] = [:]
      for recorded in cases {
        if let reason = recorded.reasonOutOfScope {
          outOfScope[reason, default: 0] += 1
          continue
        }
        compared += 1
        try RecordedCase.plant(in: fixture.cluster)
        let answer = try await recorded.replay(on: fixture)
        // What NIOHTTP1 refuses by itself is always 400, whatever a real server says to refuse it.
        let isSame = answer.isFromCodec ? recorded.status >= 400 : answer.status == recorded.status
        #expect(isSame, "\(recorded.line): \(answer.status), was \(recorded.status)")
        #expect(answer.showsSecret == recorded.leaksSecret, "\(recorded.line): shows the secret: \(answer.showsSecret)")
      }
      for (reason, count) in outOfScope.sorted(by: { $0.key < $1.key }) { print("not replayed: \(count), \(reason)") }
      print("replayed: \(compared) of \(cases.count)")
      #expect(compared >= 330)
      #expect(compared + outOfScope.values.reduce(0, +) == cases.count)
    }
  }
}

/// One line of the record.
struct RecordedCase: Sendable {
  let number: Int
  let json: JSON

  var line: String { "line \(self.number + 1): \(self.method) \(self.json["raw_target"]?.string?.prefix(120) ?? "")" }
  var method: String { self.json["method"]?.string ?? "" }
  var category: String { self.json["cat"]?.string ?? "" }
  var status: Int { Int(self.json["status"]?.integer ?? 0) }
  var leaksSecret: Bool { self.json["leaks_secret"]?.bool ?? false }
  private var staysOpen: Bool { self.json["stream_open"]?.bool ?? false }
  private var options: JSON { self.json["opts"] ?? [:] }

  private var fields: [(name: String, value: String)] {
    (self.json["headers"]?.array ?? []).map { ($0.array?.first?.string ?? "", $0.array?.last?.string ?? "") }
  }

  static func load() throws -> [RecordedCase]? {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../shared/kubernetes/request-paths.jsonl")
    let nearby = [file.standardizedFileURL.path, "\(FileManager.default.currentDirectoryPath)/../shared/kubernetes/request-paths.jsonl"]
    guard let text = nearby.lazy.compactMap({ try? String(contentsOfFile: $0, encoding: .utf8) }).first else { return nil }
    return try text.split(separator: "\n").enumerated().map {
      RecordedCase(number: $0.offset, json: try JSONReader.read(String($0.element)))
    }
  }

  /// The target; of the longest only the length was recorded: `…aaaa...(60036 bytes)`.
  private var target: String {
    let raw = self.json["raw_target"]?.string ?? ""
    guard let mark = raw.range(of: "...("), let length = Int(raw[mark.upperBound...].prefix { $0.isNumber }) else { return raw }
    let head = raw[..<mark.lowerBound]
    let pair = head.hasSuffix("./.") || head.hasSuffix("/./") ? "./" : "a"
    var full = String(head)
    while full.utf8.count < length { full += full.hasSuffix("/") ? "." : pair == "a" ? "a" : "/" }
    return full
  }

  /// Why the practice cluster does not have to answer this as a real server: a list of what it is not.
  var reasonOutOfScope: String? {
    if self.options["proto"]?.string == "h2" { return "HTTP/2: the practice cluster speaks HTTP/1.1" }
    if self.category == "upgrade", self.status == 101 || self.status == 403 { return "watch over WebSocket" }
    if self.category == "backend", !self.target.hasPrefix("/apis/") { return "proxying to nodes, pods and services, and exec" }
    if self.status == 200,
      self.fields.contains(where: { $0.name == "Accept" && ($0.value.contains("yaml") || $0.value.contains("protobuf")) })
    {
      return "YAML and protobuf"
    }
    if let version = self.options["ver"]?.string, version == "HTTP/1.2" { return "HTTP versions: NIOHTTP1 knows 1.0 and 1.1" }
    if self.target.hasPrefix(" ") { return "a second blank before the target: NIOHTTP1 skips it" }
    let path = self.target.prefix { $0 != "?" }
    let unserved = [
      "/flagz", "/debug/", "/api/v1/componentstatuses", "/api/v1/persistentvolumes", "/apis/apiregistration.k8s.io",
      "/apis/apiextensions.k8s.io", "/apis/admissionregistration.k8s.io", "/metrics/slis",
    ]
    if self.status < 400 || path == "/debug/flags/v", unserved.contains(where: path.hasPrefix) {
      return "kinds and paths that the practice cluster does not serve"
    }
    return nil
  }

  struct Answer {
    let status: Int
    let isFromCodec: Bool
    let showsSecret: Bool
  }

  func replay(on fixture: Fixture) async throws -> Answer {
    let client = try await fixture.connect(as: fixture.pki.frontProxy)
    var lines = ["\(self.method) \(self.target) \(self.options["ver"]?.string ?? "HTTP/1.1")"]
    if self.options["host"]?.string != "None" { lines.append("Host: \(self.options["host"]?.string ?? "127.0.0.1:6443")") }
    lines += ["X-Remote-User: admin", "X-Remote-Group: system:masters"]
    lines += self.fields.map { "\($0.name): \($0.value)" }
    let body = self.json["body"]?.string ?? ""
    if !body.isEmpty { lines.append("Content-Length: \(body.utf8.count)") }
    if let second = self.options["pipeline"]?.string {
      try await client.send(lines.joined(separator: "\r\n") + "\r\n\r\n")
      lines[0] = "GET \(second) HTTP/1.1"
    }
    if !self.fields.contains(where: { $0.name == "Connection" }) { lines.append("Connection: close") }
    try await client.send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
    let isOpen = self.staysOpen
    let bytes: [UInt8]
    if isOpen {
      // A watch never ends: wait for what must come, or a moment for what must not.
      let expectsSecret = self.leaksSecret
      bytes = try await client.bytes(within: expectsSecret ? .seconds(5) : .milliseconds(300)) { expectsSecret && Self.showsSecret($0) }
    } else {
      let isUpgrade = self.category == "upgrade"
      bytes = try await client.bytes(within: .seconds(5)) { isUpgrade && Self.showsSecret($0) }
    }
    await client.close()
    let response = RawResponse(bytes)
    return Answer(
      status: response.status, isFromCodec: response.status == 400 && response.header("server") == nil, showsSecret: Self.showsSecret(bytes)
    )
  }

  /// The secrets' content, as it is or in base64.
  private static func showsSecret(_ bytes: [UInt8]) -> Bool {
    bytes.firstRange(of: Array("LEAKMARK".utf8)) != nil || bytes.firstRange(of: Array("TEVBS01BUks".utf8)) != nil
  }

  /// The objects that the record was made with.
  static func plant(in cluster: PracticeCluster) throws {
    let applied = #"{\"apiVersion\":\"v1\",\"data\":{\"password\":\"TEVBS01BUkstczEtOWYzYQ==\"},\"kind\":\"Secret\",\"metadata\":{}}"#
    try cluster.seed(
      #"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s1","namespace":"dev","labels":{"app":"s1"}},"type":"Opaque","data":{"password":"TEVBS01BUkstczEtOWYzYQ=="}}"#,
      #"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s-applied","namespace":"dev","annotations":{"kubectl.kubernetes.io/last-applied-configuration":""#
        + applied + #""}},"type":"Opaque","data":{"password":"TEVBS01BUkstczEtOWYzYQ=="}}"#,
      #"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s-fin","namespace":"dev","finalizers":["example.com/keep"]},"type":"Opaque","data":{"password":"TEVBS01BUkstczEtOWYzYQ=="}}"#,
      #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"cm1","namespace":"dev"},"data":{"a":"b"}}"#,
      #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"extension-apiserver-authentication","namespace":"kube-system"}}"#)
  }
}
