public import Foundation

/// One request that a real API server (1.36) was asked as a cluster's administrator, with what it answered and what its
/// own audit log made of it: a line of `shared/kubernetes/request-paths.jsonl`.
public struct RecordedCase: Sendable, CustomStringConvertible {
  /// How the server's audit log read the request; an empty string where the log had nothing.
  public struct Reading: Sendable, Hashable {
    public var verb, apiGroup, apiVersion, resource, subresource, namespace, name: String

    public init(
      verb: String, apiGroup: String, apiVersion: String, resource: String, subresource: String, namespace: String, name: String
    ) {
      self.verb = verb
      self.apiGroup = apiGroup
      self.apiVersion = apiVersion
      self.resource = resource
      self.subresource = subresource
      self.namespace = namespace
      self.name = name
    }
  }

  public struct Field: Sendable, Hashable {
    public let name: String
    public let value: String
  }

  /// From 1.
  public let line: Int
  public let method: String
  public let target: [UInt8]
  /// `HTTP/1.1` nearly always.
  public let version: String
  /// The value of `Host`; `nil` for a request without one.
  public let host: String?
  public let fields: [Field]
  public let body: String
  public let category: String
  public let isHTTP2: Bool
  /// The target of a GET that was sent behind it without waiting.
  public let pipelined: String?
  /// What the server answered.
  public let status: Int
  /// Whether the answer held a secret's content.
  public let leaksSecret: Bool
  /// Whether the answer did not end, as a watch's does not.
  public let staysOpen: Bool
  /// `nil` where the server's audit log had no event.
  public let reading: Reading?

  public var targetText: String { String(decoding: self.target, as: UTF8.self) }
  public var description: String { "line \(self.line): \(self.method) \(self.targetText.prefix(120))" }

  // MARK: The record

  /// Where the record lies: beside the repository.
  public static let file = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../shared/kubernetes/request-paths.jsonl").standardizedFileURL

  /// The whole record; `nil` where there is no folder beside the repository. With `CI=true` it must be there.
  public static func load() throws -> [RecordedCase]? {
    let files = [self.file.path, "\(FileManager.default.currentDirectoryPath)/../shared/kubernetes/request-paths.jsonl"]
    guard let text = files.lazy.compactMap({ try? String(contentsOfFile: $0, encoding: .utf8) }).first else {
      guard ProcessInfo.processInfo.environment["CI"] != "true" else {
        throw CocoaError(.fileNoSuchFile, userInfo: [NSFilePathErrorKey: self.file.path])
      }
      return nil
    }
    return try text.split(separator: "\n").enumerated().map {
      RecordedCase($0.offset + 1, try JSONDecoder().decode(Line.self, from: Data($0.element.utf8)))
    }
  }

  private struct Line: Decodable {
    struct Options: Decodable {
      var proto, ver, host, pipeline: String?
    }
    struct Audit: Decodable {
      var verb, apiGroup, apiVersion, resource, subresource, namespace, name: String?
    }
    let cat: String?
    let method: String?
    let rawTarget: String
    let headers: [[String]]?
    let body: String?
    let status: Int?
    let leaksSecret: Bool?
    let streamOpen: Bool?
    let audit: Audit?
    let opts: Options?

    private enum CodingKeys: String, CodingKey {
      case cat, method, headers, body, status, audit, opts
      case rawTarget = "raw_target"
      case leaksSecret = "leaks_secret"
      case streamOpen = "stream_open"
    }
  }

  private init(_ number: Int, _ line: Line) {
    self.line = number
    self.method = line.method ?? ""
    self.target = Self.target(line.rawTarget)
    self.version = line.opts?.ver ?? "HTTP/1.1"
    self.host = line.opts?.host == "None" ? nil : line.opts?.host ?? "127.0.0.1:6443"
    self.fields = (line.headers ?? []).map { Field(name: $0.first ?? "", value: $0.last ?? "") }
    self.body = line.body ?? ""
    self.category = line.cat ?? ""
    self.isHTTP2 = line.opts?.proto == "h2"
    self.pipelined = line.opts?.pipeline
    self.status = line.status ?? 0
    self.leaksSecret = line.leaksSecret ?? false
    self.staysOpen = line.streamOpen ?? false
    self.reading = line.audit.map { audit in
      Reading(
        verb: audit.verb ?? "", apiGroup: audit.apiGroup ?? "", apiVersion: audit.apiVersion ?? "", resource: audit.resource ?? "",
        subresource: audit.subresource ?? "", namespace: audit.namespace ?? "", name: audit.name ?? "")
    }
  }

  /// The bytes of a target, which the record writes as the characters U+0000 to U+00FF. Of the longest only the beginning
  /// and the length were recorded, `…aaaa...(60036 bytes)`: the rest is made up in the same way.
  private static func target(_ text: String) -> [UInt8] {
    guard let mark = text.range(of: "...("), let length = Int(text[mark.upperBound...].prefix { $0.isNumber }) else {
      return text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
    }
    var target = Array(text[..<mark.lowerBound].utf8)
    let repeated: [UInt8] =
      target.suffix(2) == Array("./".utf8)[...] || target.suffix(2) == Array("/.".utf8)[...] ? Array("./".utf8) : Array("a".utf8)
    while target.count < length {
      target.append(repeated.count == 1 ? repeated[0] : target.last == repeated[1] ? repeated[0] : repeated[1])
    }
    return target
  }

  // MARK: Replaying

  /// The request as bytes.
  ///
  /// - Parameters:
  ///   - host: the value of `Host`; by default the recorded one
  ///   - adding: field lines that say who asks, without their line ends
  ///   - closes: whether the connection is asked to end behind the answer, where the record says nothing of it
  public func message(host: String? = nil, adding: [String] = [], closes: Bool = true) -> [UInt8] {
    var lines: [String] = []
    if let host = host ?? self.host, self.host != nil { lines.append("Host: \(host)") }
    lines += adding
    lines += self.fields.map { "\($0.name): \($0.value)" }
    if !self.body.isEmpty { lines.append("Content-Length: \(self.body.utf8.count)") }
    let last = closes && !self.fields.contains { $0.name == "Connection" } ? ["Connection: close"] : []
    func message(_ method: String, _ target: [UInt8], _ lines: [String], body: String) -> [UInt8] {
      Array("\(method) ".utf8) + target + Array(" \(self.version)\r\n\(lines.map { $0 + "\r\n" }.joined())\r\n\(body)".utf8)
    }
    guard let pipelined else { return message(self.method, self.target, lines + last, body: self.body) }
    return message(self.method, self.target, lines, body: self.body) + message("GET", Array(pipelined.utf8), lines + last, body: "")
  }

  /// Why the practice cluster does not have to answer this as a real server: a list of what it is not.
  public var reasonOutOfScope: String? {
    if self.isHTTP2 { return "HTTP/2: the practice cluster speaks HTTP/1.1" }
    if self.category == "upgrade", self.status == 101 || self.status == 403 { return "watch over WebSocket" }
    if self.category == "backend", !self.targetText.hasPrefix("/apis/") { return "proxying to nodes, pods and services, and exec" }
    if self.status == 200,
      self.fields.contains(where: { $0.name == "Accept" && ($0.value.contains("yaml") || $0.value.contains("protobuf")) })
    {
      return "YAML and protobuf"
    }
    if self.version == "HTTP/1.2" { return "HTTP versions: NIOHTTP1 knows 1.0 and 1.1" }
    if self.target.first == UInt8(ascii: " ") { return "a second blank before the target: NIOHTTP1 skips it" }
    let path = self.targetText.prefix { $0 != "?" }
    let unserved = [
      "/flagz", "/debug/", "/api/v1/componentstatuses", "/api/v1/persistentvolumes", "/apis/apiregistration.k8s.io",
      "/apis/apiextensions.k8s.io", "/apis/admissionregistration.k8s.io", "/metrics/slis",
    ]
    if self.status < 400 || path == "/debug/flags/v", unserved.contains(where: path.hasPrefix) {
      return "kinds and paths that the practice cluster does not serve"
    }
    return nil
  }

  /// Whether bytes hold a recorded secret's content, as it is or in base64.
  public static func showsSecret(_ bytes: String) -> Bool { bytes.contains("LEAKMARK") || bytes.contains("TEVBS01BUks") }

  /// The objects that the record was made with, as manifests; some cases delete them.
  public static let objects = [
    #"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s1","namespace":"dev","labels":{"app":"s1"}},"type":"Opaque","data":{"password":"TEVBS01BUkstczEtOWYzYQ=="}}"#,
    #"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s-applied","namespace":"dev","annotations":{"kubectl.kubernetes.io/last-applied-configuration":""#
      + #"{\"apiVersion\":\"v1\",\"data\":{\"password\":\"TEVBS01BUkstczEtOWYzYQ==\"},\"kind\":\"Secret\",\"metadata\":{}}"#
      + #""}},"type":"Opaque","data":{"password":"TEVBS01BUkstczEtOWYzYQ=="}}"#,
    #"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s-fin","namespace":"dev","finalizers":["example.com/keep"]},"type":"Opaque","data":{"password":"TEVBS01BUkstczEtOWYzYQ=="}}"#,
    #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"cm1","namespace":"dev"},"data":{"a":"b"}}"#,
    #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"extension-apiserver-authentication","namespace":"kube-system"}}"#,
  ]
}
