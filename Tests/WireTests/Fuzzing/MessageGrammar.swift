import TestSupport

/// Makes HTTP/1.1 messages: mostly proper ones, some with one of the tricks by which requests have been smuggled.
struct MessageGrammar {
  private var chance: Chance
  /// One part in so many is a trick.
  private let rarity: Int

  init(seed: UInt64, rarity: Int = 12) {
    self.chance = Chance(seed: seed)
    self.rarity = rarity
  }

  /// The bytes of one to three requests.
  mutating func requests() -> [UInt8] {
    (0..<self.chance.pick([1, 1, 1, 2, 3])).flatMap { _ in self.request() }
  }

  /// One to three methods and the bytes of the responses to them.
  mutating func responses() -> (methods: [String], bytes: [UInt8]) {
    let methods = (0..<self.chance.pick([1, 1, 1, 2, 3])).map { _ in self.chance.pick(["GET", "GET", "GET", "POST", "HEAD"]) }
    return (methods, methods.flatMap { self.response(to: $0) })
  }

  private mutating func request() -> [UInt8] {
    let method = self.proper(["GET", "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"], tricks: Tricks.methods)
    let target = self.proper(
      ["/", "/api/v1/pods?limit=500", "/a/b%20c", "/apis/apps/v1/namespaces/n/deployments/d"], tricks: Tricks.targets)
    let version = self.proper(["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0"], tricks: Tricks.versions)
    let blank = self.proper([" "], tricks: Tricks.blanks)
    var lines = [method + blank + target + blank + version]
    lines.append(self.proper(["Host: kube", "Host: 127.0.0.1:6443", "host: [::1]:8443"], tricks: Tricks.hosts))
    lines += self.ordinaryLines()
    let (framing, body) = self.framing()
    lines += framing
    if self.chance.once(in: self.rarity) { lines.shuffle(using: &self.chance) }
    let prefix = self.chance.once(in: self.rarity) ? "\r\n" : ""
    return Array((prefix + self.joined(lines) + body).utf8)
  }

  private mutating func response(to method: String) -> [UInt8] {
    let version = self.proper(["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0"], tricks: Tricks.versions)
    let status = self.proper(["200 OK", "201 Created", "404 Not Found", "304 Not Modified", "204 No Content"], tricks: Tricks.statuses)
    let blank = self.proper([" "], tricks: Tricks.blanks)
    let informational = self.chance.once(in: 6) ? "HTTP/1.1 \(self.chance.pick(["100 Continue", "103 Early Hints"]))\r\n\r\n" : ""
    let isBodiless = method == "HEAD" || status.hasPrefix("204") || status.hasPrefix("304")
    let (framing, body) = isBodiless && !self.chance.once(in: self.rarity) ? ([], "") : self.framing()
    let lines = [version + blank + status] + self.ordinaryLines() + framing
    return Array((informational + self.joined(lines) + body).utf8)
  }

  private mutating func ordinaryLines() -> [String] {
    (0..<self.chance.count(0...5)).map { _ in
      self.proper(
        [
          "Accept: */*", "User-Agent: kubectl/v1.36.0 (linux/amd64)", "Connection: keep-alive", "X-Empty:", "X-Blanks:  \t a b \t ",
          "Content-Type: application/json", "X-Remote-User: admin", "Connection: close", "Cookie: a=b; c=d", "X-Obs: \u{E9}\u{FF}",
          "Accept-Encoding: gzip", "X-Long: \(String(repeating: "v", count: 300))", "TE: trailers",
        ], tricks: Tricks.lines)
    }
  }

  /// Framing fields and a body that mostly goes with them.
  private mutating func framing() -> (lines: [String], body: String) {
    switch self.chance.count(0...9) {
    case 0...3: return ([], "")
    case 4...6:
      let body = String(repeating: "b", count: self.chance.count(0...40))
      var length = String(body.utf8.count)
      if self.chance.once(in: self.rarity) { length = self.chance.pick(Tricks.lengths) }
      var lines = ["Content-Length: \(length)"]
      if self.chance.once(in: self.rarity) { lines.append(self.chance.pick(Tricks.framings)) }
      return (lines, body)
    default:
      var lines = [self.proper(["Transfer-Encoding: chunked", "transfer-encoding: Chunked"], tricks: Tricks.framings)]
      if self.chance.once(in: self.rarity) { lines.append(self.chance.pick(Tricks.framings)) }
      return (lines, self.chunks())
    }
  }

  private mutating func chunks() -> String {
    var body = ""
    for _ in 0..<self.chance.count(0...3) {
      let data = String(repeating: "c", count: self.chance.count(1...30))
      var size = String(data.utf8.count, radix: 16, uppercase: self.chance.once(in: 2))
      if self.chance.once(in: self.rarity) { size = self.chance.pick(Tricks.sizes).replacing("N", with: size) }
      body += size + self.proper(["\r\n"], tricks: Tricks.lineEnds) + data + self.proper(["\r\n"], tricks: Tricks.lineEnds)
    }
    body += self.proper(["0", "0", "000"], tricks: ["", "00;", "0 ", "-0"]) + self.proper(["\r\n"], tricks: Tricks.lineEnds)
    if self.chance.once(in: 4) { body += self.proper(["X-Sum: 1\r\n", "Grpc-Status:0\r\n"], tricks: Tricks.lines.map { $0 + "\r\n" }) }
    return body + self.proper(["\r\n"], tricks: Tricks.lineEnds)
  }

  private mutating func joined(_ lines: [String]) -> String {
    lines.map { $0 + self.lineEnd() }.joined() + self.lineEnd()
  }

  /// A head has many line ends: a trick at each as often as elsewhere would leave few heads whole.
  private mutating func lineEnd() -> String {
    self.chance.once(in: self.rarity * 10) ? self.chance.pick(Tricks.lineEnds) : "\r\n"
  }

  private mutating func proper(_ choices: [String], tricks: [String]) -> String {
    self.chance.once(in: self.rarity * 2) ? self.chance.pick(tricks) : self.chance.pick(choices)
  }
}
