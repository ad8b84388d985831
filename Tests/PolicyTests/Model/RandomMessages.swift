import TestSupport

/// Whole requests as bytes: a target and a query out of ``RandomCases``, header fields that somebody somewhere believes, and a
/// body; some of them with a byte changed, added or taken away.
struct RandomMessages {
  var cases: RandomCases

  init(seed: UInt64) { self.cases = RandomCases(seed: seed) }

  struct Message {
    var bytes: [UInt8]
    /// Whether some byte is not as it was written.
    var isMutated: Bool
  }

  private static let fields = [
    "Accept: application/json;as=Table;v=v1;g=meta.k8s.io,application/json", "Accept: application/vnd.kubernetes.protobuf",
    "Accept: application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", "Accept: application/yaml", "Accept: text/html",
    "Content-Type: application/merge-patch+json", "Content-Type: application/json-patch+json", "Content-Type: application/apply-patch+yaml",
    "Content-Type: application/strategic-merge-patch+json", "X-HTTP-Method-Override: POST", "X_HTTP_METHOD_OVERRIDE: DELETE",
    "X-HTTP-Method: PUT", "X-Method-Override: OPTIONS", "X-Original-URL: /healthz", "X-Rewrite-URL: /version", "X_Original_Url: /version",
    "X-Forwarded-Uri: /version", "X-Forwarded-Method: OPTIONS", "X-Forwarded-Prefix: /x", "Forwarded: for=10.1.2.3", "X-Real-Ip: 10.1.2.3",
    "X-Remote-User: root", "X-Remote-Group: security", "X_Remote_Group: security", "X-Remote-Extra-Scopes: x", "Audit-ID: of-my-own",
    "Authorization: Bearer somebody", "Cookie: a=b; c=d", "User-Agent: kubectl/v1.36.2", "If-None-Match: *", "Range: bytes=0-1",
    "Expect: 100-continue", "TE: trailers", "Sec-WebSocket-Protocol: v4.channel.k8s.io", "X-Custom: \u{E4}", "Accept-Encoding: gzip",
    "Connection: keep-alive", "Connection: close", "Connection: x-custom",
  ]
  private static let impersonations = [
    ["Impersonate-User: bob"], ["impersonate-user: carol", "IMPERSONATE-GROUP: security"], ["Impersonate-User: al"],
    ["Impersonate-Group: team", "Impersonate-User: alice", "Impersonate-Group: ops"], ["Impersonate-User: bob", "Impersonate-Uid: 7"],
    ["Impersonate-User: bob", "Impersonate-Extra-Scopes: all"], ["Impersonate-Group: team"], ["Impersonate_User: bob"],
    ["Impersonate-User: bob", "Impersonate-User: alice"], ["Impersonate-User:"], ["Impersonate-Users: bob"],
  ]
  private static let upgrades = [
    ["Connection: Upgrade", "Upgrade: websocket"], ["connection: keep-alive, upgrade", "upgrade: WebSocket"],
    ["Connection: Upgrade", "Upgrade: SPDY/3.1"], ["Connection: Upgrade", "Upgrade: h2c"], ["Upgrade: websocket"],
    ["Connection: Upgrade", "Upgrade: websocket, SPDY/3.1"], ["Connection: Upgrade"],
  ]
  private static let bodies = [
    "{}", "[]", #"{"propagationPolicy":"Orphan","dryRun":["All"]}"#, #"[{"op":"test","path":"/data/x","value":"eA=="}]"#,
    #"[{"op":"copy","from":"/data/x","path":"/metadata/labels/x"}]"#, "kind: Secret\nmetadata: {name: s1}\n",
    "GET /api/v1/secrets HTTP/1.1\r\nHost: x\r\n\r\n", "0\r\n\r\n", "",
  ]

  mutating func message() -> Message {
    var fields = ["Host: gateway.example.org"]
    while self.cases.chance(60) { fields.append(self.cases.one(Self.fields)) }
    if self.cases.chance(25) { fields += self.cases.one(Self.impersonations) }
    if self.cases.chance(15) { fields += self.cases.one(Self.upgrades) }
    var body = ""
    if self.cases.chance(35) {
      let content = self.cases.one(Self.bodies)
      if self.cases.chance(70) {
        fields.append("Content-Length: \(content.utf8.count)")
        body = content
      } else {
        fields.append("Transfer-Encoding: chunked")
        body = (content.isEmpty ? "" : "\(String(content.utf8.count, radix: 16))\r\n\(content)\r\n") + "0\r\n\r\n"
      }
    }
    // The order of fields has no meaning, and so must not make one.
    fields.shuffle(using: &self.cases.random)
    let head = "\(self.cases.method()) \(self.cases.target()) HTTP/1.1\r\n\(fields.map { "\($0)\r\n" }.joined())\r\n"
    var bytes = Array(head.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }) + Array(body.utf8)
    let isMutated = self.cases.chance(12)
    if isMutated { self.mutate(&bytes) }
    return Message(bytes: bytes, isMutated: isMutated)
  }

  private mutating func mutate(_ bytes: inout [UInt8]) {
    let place = Int(self.cases.random.next() % UInt64(bytes.count))
    let tricks: [UInt8] = [0x00, 0x09, 0x0A, 0x0D, 0x20, 0x23, 0x25, 0x2C, 0x2E, 0x2F, 0x3A, 0x3B, 0x3F, 0x5C, 0x5F, 0x7F, 0xC0, 0xFF]
    let byte = self.cases.chance(60) ? self.cases.one(tricks) : UInt8(truncatingIfNeeded: self.cases.random.next())
    switch self.cases.random.next() % 3 {
    case 0: bytes[place] = byte
    case 1: bytes.insert(byte, at: place)
    default: bytes.remove(at: place)
    }
  }

  /// The same bytes in some pieces.
  mutating func pieces(of bytes: [UInt8]) -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    var rest = bytes[...]
    while !rest.isEmpty, pieces.count < 4 {
      let length = 1 + Int(self.cases.random.next() % UInt64(rest.count))
      pieces.append(Array(rest.prefix(length)))
      rest = rest.dropFirst(length)
    }
    return rest.isEmpty ? pieces : pieces + [Array(rest)]
  }
}
