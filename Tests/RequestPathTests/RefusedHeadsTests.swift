import Foundation
import NIOCore
import TestSupport
import Testing

/// Heads that can be read in two ways, or in none, as bytes over a socket to the whole gateway.
///
/// Each is answered once, with a status that a client can read, and is the last of its connection; nothing of it, nor of
/// what stands behind it, reaches the upstream; and the audit log has one record of it, among those of nobody. All are
/// sent with a good certificate, so that no other reason stops them.
@Suite(.serialized, .timeLimit(.minutes(5))) struct RefusedHeadsTests {
  struct Bad: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: String
    let status: Int

    init(_ name: String, _ bytes: String, status: Int = 400) {
      self.testDescription = name
      self.bytes = bytes
      self.status = status
    }

    /// Fields of a POST to a pod list, `Host` among them.
    static func fields(_ name: String, _ lines: String, status: Int = 400) -> Bad {
      Bad(name, "POST /api/v1/namespaces/dev/pods HTTP/1.1\r\nHost: localhost\r\n\(lines)\r\n", status: status)
    }

    static func line(_ name: String, _ line: String, status: Int = 400) -> Bad {
      Bad(name, "\(line)\r\nHost: localhost\r\n\r\n", status: status)
    }

    static func host(_ name: String, _ lines: String) -> Bad { Bad(name, "GET /version HTTP/1.1\r\n\(lines)\r\n") }
  }

  /// CVE-2021-40346, CVE-2023-25725 of HAProxy, GHSA-mgc4-wqv7-4pxm of SwiftNIO and their kind: where does the body end?
  static let framing: [Bad] = [
    .fields("both lengths", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
    .fields("both lengths, the other way round", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
    .fields("two equal lengths", "Content-Length: 5\r\nContent-Length: 5\r\n"),
    .fields("two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n"),
    .fields("a list of lengths", "Content-Length: 5, 5\r\n"),
    .fields("a length with a sign", "Content-Length: +5\r\n"),
    .fields("a negative length", "Content-Length: -1\r\n"),
    .fields("a hexadecimal length", "Content-Length: 0x5\r\n"),
    .fields("an empty length", "Content-Length:\r\n"),
    .fields("a length with a blank inside", "Content-Length: 1 0\r\n"),
    .fields("a length beyond 64 bits", "Content-Length: 18446744073709551621\r\n"),
    .fields("a length beyond 63 bits", "Content-Length: 9223372036854775808\r\n"),
    .fields("gzip", "Transfer-Encoding: gzip\r\n"),
    .fields("gzip, chunked", "Transfer-Encoding: gzip, chunked\r\n"),
    .fields("chunked twice", "Transfer-Encoding: chunked, chunked\r\n"),
    .fields("chunked, then identity", "Transfer-Encoding: chunked, identity\r\n"),
    .fields("two fields of chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
    .fields("chunked and identity in two fields", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
    .fields("nearly chunked", "Transfer-Encoding: xchunked\r\n"),
    .fields("chunked with a parameter", "Transfer-Encoding: chunked;q=1\r\n"),
    .fields("chunked in quotes", "Transfer-Encoding: \"chunked\"\r\n"),
    .fields("chunked behind a vertical tab", "Transfer-Encoding: \u{0B}chunked\r\n"),
    .fields("an empty transfer coding", "Transfer-Encoding:\r\n"),
    .fields("a blank before the colon of the transfer coding", "Transfer-Encoding : chunked\r\n"),
    .fields("a folded transfer coding", "Transfer-Encoding:\r\n chunked\r\n"),
    Bad("chunks in HTTP/1.0", "POST /api HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"),
  ]

  /// CVE-2019-9900, CVE-2022-3215 and obs-fold: where does a field begin and end?
  static let fields: [Bad] = [
    .fields("a folded value", "X-One: 1\r\n 2\r\n"),
    .fields("a value folded by a tab", "X-One: 1\r\n\tX-Remote-User: admin\r\n"),
    Bad("a fold before the first field", "GET /version HTTP/1.1\r\n X: 1\r\nHost: localhost\r\n\r\n"),
    .fields("a blank before the colon", "X-Remote-User : admin\r\n"),
    .fields("a tab before the colon", "X-Remote-User\t: admin\r\n"),
    .fields("a field without a name", ": admin\r\n"),
    .fields("a field without a colon", "X-Remote-User admin\r\n"),
    .fields("a blank in a name", "X Remote User: admin\r\n"),
    .fields("a bracket in a name", "X(Remote): admin\r\n"),
    .fields("NUL in a name", "X-Remote\u{0}User: admin\r\n"),
    .fields("NUL in a value", "X-One: 1\u{0}2\r\n"),
    .fields("DEL in a value", "X-One: 1\u{7F}2\r\n"),
    .fields("a control character in a value", "X-One: 1\u{1}2\r\n"),
    .fields("a bare CR in a value", "X-One: 1\rX-Remote-User: admin\r\n"),
    .fields("a bare LF in a value", "X-One: 1\nX-Remote-User: admin\r\n"),
    .fields("a bare CR before the end of a line", "X-One: 1\r\r\n"),
    Bad("lines that end with LF alone", "GET /version HTTP/1.1\nHost: localhost\n\n"),
    Bad("an LF behind the request line", "GET /version HTTP/1.1\nHost: localhost\r\n\r\n"),
    .fields("an expectation that nobody knows", "Expect: 200-maybe\r\nContent-Length: 1\r\n", status: 417),
  ]

  static let hosts: [Bad] = [
    .host("no Host", ""),
    .host("two Hosts", "Host: localhost\r\nHost: evil.example\r\n"),
    .host("the same Host twice", "Host: localhost\r\nhost: localhost\r\n"),
    .host("an empty Host", "Host:\r\n"),
    .host("a Host with a blank", "Host: local host\r\n"),
    .host("a list of Hosts", "Host: localhost, evil.example\r\n"),
    .host("a Host with a user", "Host: localhost@evil.example\r\n"),
    .host("a Host with a path", "Host: localhost/api\r\n"),
    .host("a Host with two ports", "Host: localhost:1:2\r\n"),
    .host("a port that is none", "Host: localhost:99999\r\n"),
    Bad("a target for another host (RFC 9112 section 3.2.2)", "GET https://evil.example/version HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    Bad("a target for another port", "GET https://localhost:1/version HTTP/1.1\r\nHost: localhost:2\r\n\r\n"),
  ]

  static let lines: [Bad] = [
    .line("HTTP/2.0", "GET /version HTTP/2.0", status: 505),
    .line("HTTP/1.2", "GET /version HTTP/1.2", status: 505),
    .line("HTTP/0.9", "GET /version HTTP/0.9", status: 505),
    .line("a version in lower case", "GET /version http/1.1"),
    .line("a version with something behind it", "GET /version HTTP/1.1x"),
    .line("no version", "GET /version"),
    .line("two blanks", "GET  /version HTTP/1.1"),
    .line("a tab for a blank", "GET\t/version HTTP/1.1"),
    .line("a blank in the target", "GET /version x HTTP/1.1"),
    .line("a blank in front", " GET /version HTTP/1.1"),
    .line("NUL in the target", "GET /version\u{0} HTTP/1.1"),
    .line("a method that is no token", "G(T /version HTTP/1.1"),
    .line("no method", "/version HTTP/1.1"),
    .line("a target without a slash", "GET version HTTP/1.1"),
    .line("an asterisk for GET", "GET * HTTP/1.1"),
    .line("a path for CONNECT", "CONNECT /version HTTP/1.1"),
    .line("a broken escape (CVE-2021-32637)", "GET /api/v1/%zz HTTP/1.1"),
    Bad("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", status: 505),
    Bad("another protocol", "\u{1}\u{0}\u{0}\u{5}hello"),
  ]

  /// CVE-2026-28980 of SwiftNIO: a head has an end.
  static let oversized: [Bad] = [
    .fields("a value that is too long", "X-Long: \(String(repeating: "a", count: 5000))\r\n", status: 431),
    .fields("too many fields", String(repeating: "A: b\r\n", count: 33), status: 431),
    .line("a target that is too long", "GET /\(String(repeating: "a", count: 5000)) HTTP/1.1", status: 431),
    Bad("a line that never ends", "GET /\(String(repeating: "a", count: 5000))", status: 431),
    .fields("cookies that are too many (CVE-2026-47774)", String(repeating: "Cookie: a=b\r\n", count: 33), status: 431),
  ]

  @Test(arguments: framing + fields + hosts + lines + oversized)
  func aHeadThatCannotBeReadIsAnsweredOnceAndGoesNowhere(_ bad: Bad) async throws {
    try await House.with(script: ScriptedUpstream.answering(ScriptedUpstream.ok())) { plan in
      plan.listener = ["limits: {headBytes: 4KiB, fieldCount: 32}"]
    } _: { house, upstream in
      let smuggled = "GET /api/v1/namespaces/dev/secrets HTTP/1.1\r\nHost: localhost\r\n\r\n"
      let text = try await house.askToEnd(bad.bytes + smuggled, as: house.certificate("alice", "view"))
      let parts = text.components(separatedBy: "\r\n\r\n")
      let answer = Answer(head: parts[0])
      #expect(answer.status == bad.status, "\(text)")
      #expect(answer.closes)
      #expect(parts.count == 2, "one answer: \(text)")
      let body = parts.dropFirst().joined()
      #expect(answer.values("Content-Length") == ["\(body.utf8.count)"])
      var whole = answer
      whole.body = body
      #expect(whole.kubernetesStatus?.code == bad.status)
      #expect(whole.kubernetesStatus?.status == "Failure")

      let record = try house.closingRecord(of: answer)
      #expect(record.series == House.unauthenticated)
      #expect(record.responseStatus?.code == bad.status)
      #expect(record.user.username == nil)
      #expect(record.error.hasPrefix("malformedRequest: "))
      #expect(try house.records().count == 1)
      #expect(upstream.connections == 0)
    }
  }

  /// A head that comes byte by byte is judged as one that comes whole.
  @Test func aBadHeadInDropsIsRefusedAlike() async throws {
    try await House.with(script: ScriptedUpstream.answering(ScriptedUpstream.ok())) { house, upstream in
      let client = try await house.connect(as: house.certificate("alice", "view"))
      for byte in "GET /version HTTP/1.1\r\nHost: localhost\r\nX-Remote-User : admin\r\n\r\n" {
        try? await client.send(String(byte))
      }
      let answer = try await house.answer(from: client)
      #expect(answer.status == 400)
      #expect(try await client.readToEnd() == "")
      #expect(try house.closingRecord(of: answer).series == House.unauthenticated)
      #expect(upstream.connections == 0)
    }
  }

  /// The line that could not be read stands in the record, as far as it goes, and as one line of JSON (CVE-2024-45808).
  @Test func theRecordShowsWhatWasSent() async throws {
    try await House.with { house in
      let text = try await house.askToEnd("GET /api/v1/\"\u{1B}[31m HTTP/3.0\r\nHost: localhost\r\n\r\n")
      #expect(text.hasPrefix("HTTP/1.1 400 "))
      let record = try house.theRecord()
      #expect(record.verb == "get")
      #expect(record.requestURI.hasPrefix("/api/v1/\""))
      #expect(!record.text.contains("\u{1B}"))
    }
  }
}
