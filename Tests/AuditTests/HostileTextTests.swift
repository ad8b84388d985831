import NIOCore
@_spi(Authenticator) import SallyportCore
import SallyportWire
import TestSupport
import Testing

@testable import SallyportAudit

/// Whatever stands in a field, a record is one line, and a JSON reader finds in it what was put in.
@Suite struct HostileTextTests {
  private static func hostileBytes(_ generator: inout Chance) -> [UInt8] {
    var bytes = Array(HostileText.text(&generator).utf8)
    for _ in 0..<Int.random(in: 0...6, using: &generator) {
      let place = Int.random(in: 0...bytes.count, using: &generator)
      switch Int.random(in: 0...4, using: &generator) {
      case 0: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: place)
      case 1: bytes.insert(contentsOf: [0xED, 0xA0, 0x80], at: place)  // a surrogate
      case 2: bytes.insert(contentsOf: [0xC0, 0xAF], at: place)  // an overlong slash
      case 3: bytes.insert(contentsOf: [0xF4, 0x90, 0x80, 0x80], at: place)  // beyond Unicode
      default: bytes.removeLast(min(bytes.count, 1))  // perhaps half a scalar
      }
    }
    return bytes
  }

  private static func written(_ bytes: [UInt8], _ escaping: JSONText, between start: StaticString, _ end: StaticString) -> [UInt8] {
    var line = LineBytes(capacity: 0)
    line.write(start)
    bytes.withUnsafeBytes { escaping.write($0, to: &line) }
    line.write(end)
    return line.withBytes { Array($0) }
  }

  @Test func hostileStringsComeBackFromEveryFieldAsTheyWere() throws {
    var generator = Chance(seed: 0x5A11_F087)
    // 24 strings each; at night a hundred thousand in every field.
    let rounds = HostileText.rounds(1_000)
    var chain = Chain.start
    for round in 0..<rounds {
      let text = (0..<24).map { _ in HostileText.text(&generator) }
      // A question mark or number sign would begin a query, whose secrets are replaced; that has tests of its own.
      let uri = "/" + text[0].filter { $0 != "?" && $0 != "#" }
      let problem = Problem("code", blame: .client, status: 400, message: "m", detail: "x" + text[19])
      let record = AuditRecord(
        AuditedRequest(line: .read(.other(text[1]), uri: ByteBuffer(string: uri)), userAgent: nil),
        of: ConnectionFacts(
          listener: text[2], clientAddress: ClientAddress(ip: "a" + text[3], port: 0), isTrustedPeer: false, tlsVersion: text[4],
          serverName: nil, clientCertificate: nil),
        auditID: Samples.auditID(), received: Samples.received, configuration: text[5])
      record.subject = .identity(
        Samples.identity(
          text[6], uid: "u" + text[7], groups: [text[8]], extra: [.init(key: text[9], values: [text[10]])],
          origin: [.init("subject", text[11])]))
      record.impersonation = RequestedImpersonation(
        user: text[12], uid: "u" + text[12], groups: [text[13], text[8]], extra: [.init(key: text[13], values: [text[13]])])
      record.info = RequestInfo(
        isResourceRequest: true, verb: "", apiPrefix: "apis", apiGroup: "g" + text[14], apiVersion: "v" + text[14],
        namespace: "n" + text[15],
        resource: text[15], subresource: "s" + text[16], name: "o" + text[16])
      record.decision = .deny(rule: text[17], message: text[18])
      record.problem = problem
      record.response = .init(code: 403, reason: text[20], message: text[21])
      record.clientAuditID = text[22]
      record.credential = text[23]
      record.route = text[22]
      record.upstream = text[23]

      let line = try ParsedLine(record)
      try #require(line.isOneCleanLine, "round \(round)")
      // With its seal, too, and the seal is found again.
      var sealed = ByteBuffer()
      try #require(line.bytes.withUnsafeBytes { chain.seal($0, into: &sealed) })
      let seal = sealed.withUnsafeReadableBytes { SealedLine($0).map { Chain(value: $0.value, sequence: $0.sequence) } }
      try #require(seal == chain && (try ParsedLine(Array(sealed.readableBytesView)).isOneCleanLine), "round \(round)")
      let found: [String?] = [
        line.string("requestURI"), line.annotation("listener"), line.strings("sourceIPs")?.first, line.annotation("tls"),
        line.annotation("config"), line.string("user", "username"), line.string("user", "uid"), line.strings("user", "groups")?.first,
        line.strings("user", "extra", text[9])?.first, line.string("impersonatedUser", "username"), line.string("impersonatedUser", "uid"),
        line.strings("impersonatedUser", "groups")?.last, line.strings("impersonatedUser", "extra", text[13])?.first,
        line.string("objectRef", "apiGroup"), line.string("objectRef", "apiVersion"), line.string("objectRef", "namespace"),
        line.string("objectRef", "resource"), line.string("objectRef", "subresource"), line.string("objectRef", "name"),
        line.annotation("rule"), line.string("annotations", "authorization.k8s.io/reason"), line.annotation("error"),
        line.string("responseStatus", "reason"), line.string("responseStatus", "message"), line.annotation("client-audit-id"),
        line.annotation("credential"), line.annotation("route"), line.annotation("upstream"),
      ]
      let expected = [
        uri, text[2], "a" + text[3], text[4], text[5], text[6], "u" + text[7], text[8], text[10], text[12], "u" + text[12], text[8],
        text[13],
        "g" + text[14], "v" + text[14], "n" + text[15], text[15], "s" + text[16], "o" + text[16], text[17], text[18], "code: x" + text[19],
        text[20], text[21], text[22], text[23], text[22], text[23],
      ]
      for (index, (found, expected)) in zip(found, expected).enumerated() where found?.exact != expected.exact {
        Issue.record("round \(round), field \(index): \(found?.debugDescription ?? "nil") is not \(expected.debugDescription)")
      }
      let facts = try ParsedLine(Array((line.annotation("original-identity") ?? "").utf8))
      try #require(facts.string("subject")?.exact == text[11].exact, "round \(round)")
    }
  }

  @Test func bytesThatAreNoTextAreReplacedAsSwiftReplacesThem() throws {
    var generator = Chance(seed: 7)
    for round in 0..<HostileText.rounds(8_000) {
      let bytes = Self.hostileBytes(&generator)
      let line = Self.written(bytes, .plain, between: "[\"", "\"]")
      try #require(line.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "round \(round): \(bytes)")
      let found = try JSONReader.strings(line)
      try #require(found.first?.exact == String(decoding: bytes, as: UTF8.self).exact, "round \(round): \(bytes)")
    }
  }

  @Test func textInsideAJSONTextIsReadByReadingTwice() throws {
    var generator = Chance(seed: 8)
    for round in 0..<HostileText.rounds(4_000) {
      let bytes = Self.hostileBytes(&generator)
      let inner = try JSONReader.strings(Self.written(bytes, .nested, between: #"["[\""#, #"\"]"]"#))
      let found = try JSONReader.strings(Array(inner[0].utf8))
      try #require(found.first?.exact == String(decoding: bytes, as: UTF8.self).exact, "round \(round): \(bytes)")
    }
  }

  @Test func everySingleByteInEveryPlaceOfAWordIsFound() {
    for byte in UInt8.min...UInt8.max {
      let special = byte < 0x20 || byte == 0x22 || byte == 0x5C || byte >= 0x7F
      for place in 0..<19 {
        var text = [UInt8](repeating: UInt8(ascii: "a"), count: 19)
        text[place] = byte
        let found = text.withUnsafeBytes { JSONText.firstSpecial(in: $0, from: 0) }
        #expect(found == (special ? place : 19), "byte \(byte) at \(place)")
      }
    }
  }

  @Test(arguments: [
    "\u{7F}", "\u{85}", "\u{9B}", "\u{AD}", "\u{61C}", "\u{180E}", "\u{200B}", "\u{200F}", "\u{2028}", "\u{2029}", "\u{202E}", "\u{2069}",
    "\u{FEFF}", "\u{FFF9}",
  ])
  func whatHidesOrDrivesATerminalIsEscapedThoughJSONWouldTakeIt(_ text: String) {
    let written = Self.written(Array(text.utf8), .plain, between: "", "")
    let number = String(text.unicodeScalars.first!.value, radix: 16)
    #expect(String(decoding: written, as: UTF8.self) == "\\u" + String(repeating: "0", count: 4 - number.count) + number)
  }

  @Test func userAgentsWithTextBeyondASCIIComeBack() throws {
    let line = try ParsedLine(Samples.record(userAgent: "cli \"\\ \u{2028}\u{9B}\u{1F600}"))
    #expect(line.string("userAgent")?.exact == "cli \"\\ \u{2028}\u{9B}\u{1F600}".exact)
    #expect(line.isOneCleanLine)
  }
}
