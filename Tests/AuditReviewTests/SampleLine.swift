import Foundation

/// Lines of a log as tests want them; without seals, which a reviewer does not look at.
struct SampleLine {
  var auditID = "3b0f7c52-93f5-4d0b-a2a4-0f6c1d2e9b71"
  var stage = "ResponseComplete"
  var time = "2026-03-01T09:05:07.004560Z"
  var user: String? = "alice"
  var groups = ["dev", "system:authenticated"]
  var impersonated: String?
  var verb = "get"
  var uri = "/api/v1/namespaces/dev/pods/web"
  var address = "192.0.2.7"
  var object: [String: String]? = ["resource": "pods", "namespace": "dev", "name": "web", "apiVersion": "v1"]
  var code: Int? = 200
  var annotations = ["sallyport.dev/listener": "main", "sallyport.dev/decision": "allow", "sallyport.dev/upstream": "kubernetes"]

  var text: String {
    var event: [String: Any] = [
      "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": self.auditID, "stage": self.stage,
      "requestURI": self.uri, "verb": self.verb, "sourceIPs": [self.address], "requestReceivedTimestamp": self.time,
      "stageTimestamp": self.time, "annotations": self.annotations,
    ]
    event["user"] = self.user.map { ["username": $0, "groups": self.groups] as [String: Any] } ?? [:]
    if let impersonated { event["impersonatedUser"] = ["username": impersonated] }
    if let object { event["objectRef"] = object }
    if let code { event["responseStatus"] = ["metadata": [:], "code": code] as [String: Any] }
    let data = try? JSONSerialization.data(withJSONObject: event, options: [.sortedKeys, .withoutEscapingSlashes])
    return String(decoding: data ?? Data(), as: UTF8.self)
  }
}

/// Files that are there while a test runs.
final class ReviewFolder {
  let path: String

  init() throws {
    self.path = FileManager.default.temporaryDirectory.appendingPathComponent("sallyport-review-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: self.path) }

  func file(_ name: String) -> String { "\(self.path)/\(name)" }

  @discardableResult
  func put(_ lines: [SampleLine], in name: String = "requests.jsonl") throws -> String {
    try lines.map { $0.text + "\n" }.joined().write(toFile: self.file(name), atomically: false, encoding: .utf8)
    return self.file(name)
  }

  func append(_ line: SampleLine, to name: String = "requests.jsonl") throws {
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: self.file(name)))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data((line.text + "\n").utf8))
    try handle.close()
  }
}
