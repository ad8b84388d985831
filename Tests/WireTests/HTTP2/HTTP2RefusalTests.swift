import NIOCore
import SallyportWire
import Testing

/// What of HTTP/2 does not get past the border to HTTP/1.1.
@Suite struct HTTP2RefusalTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let fields: [(String, String)]
    var status = 400
    var endsStream = true

    init(_ description: String, _ fields: [(String, String)], status: Int = 400, endsStream: Bool = true) {
      self.testDescription = description
      self.fields = fields
      self.status = status
      self.endsStream = endsStream
    }
  }

  static let pseudoHeaders: [Case] = [
    Case("nothing at all", []),
    Case("no method", http2Request(method: nil)),
    Case("no scheme", http2Request(scheme: nil)),
    Case("no path", http2Request(path: nil)),
    Case("neither authority nor host", http2Request(authority: nil)),
    Case("an empty method", http2Request(method: "")),
    Case("a method with a blank", http2Request(method: "GET /admin HTTP/1.1\r\nX:")),
    Case("a method with a tab", http2Request(method: "GET\t")),
    Case("an empty path", http2Request(path: "")),
    Case("a path without its slash", http2Request(path: "api")),
    Case("a URL for a path", http2Request(path: "https://other.example/api")),
    Case("a path with a blank", http2Request(path: "/api HTTP/1.1")),
    Case("a path with a line end", http2Request(path: "/api\r\nX-Remote-User: root")),
    Case("a path with NUL", http2Request(path: "/api\0")),
    Case("a path that was no UTF-8", http2Request(path: "/api?x=\u{FFFD}")),
    Case("another scheme", http2Request(scheme: "http")),
    Case("a scheme in capitals", http2Request(scheme: "HTTPS")),
    Case("an empty authority", http2Request(authority: "")),
    Case("an authority with a path", http2Request(authority: "a.example/x")),
    Case("an authority with a user", http2Request(authority: "root@a.example")),
    Case("an authority with a blank", http2Request(authority: "a b")),
    Case("an authority with a line end", http2Request(authority: "a\r\nX-Remote-User: root")),
    Case("an authority and another host", http2Request([("host", "other.example")])),
    Case("an authority and the host without its port", http2Request([("host", "cluster.example")])),
    Case("two methods", http2Request() + [(":method", "GET")]),
    Case("two paths", [(":path", "/healthz")] + http2Request()),
    Case("two authorities that agree", [(":authority", "cluster.example:6443")] + http2Request()),
    Case("two schemes", [(":scheme", "https")] + http2Request()),
    Case("a pseudo-header behind a field", [("accept", "*/*")] + http2Request()),
    Case("a pseudo-header of answers", [(":status", "200")] + http2Request()),
    Case("an unknown pseudo-header", [(":foo", "bar")] + http2Request()),
    Case("a pseudo-header in capitals", [(":Method", "GET")] + http2Request(method: nil)),
    Case("a pseudo-header without a name", [(":", "x")] + http2Request()),
    Case("CONNECT", [(":method", "CONNECT"), (":authority", "a.example:443")]),
    Case("CONNECT with a path", http2Request(method: "CONNECT")),
    Case(
      "another protocol", [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":path", "/"), (":authority", "a")]),
    Case("another protocol of GET", [(":protocol", "websocket")] + http2Request()),
  ]

  static let fields: [Case] = [
    Case("an empty name", http2Request([("", "x")])),
    Case("a name in capitals", http2Request([("Accept", "x")])),
    Case("a colon in a name", http2Request([("a:b", "x")])),
    Case("a line end in a name", http2Request([("a\r\nx-remote-user", "root")])),
    Case("a blank in a name", http2Request([("a b", "x")])),
    Case("a blank behind a name", http2Request([("content-length ", "5")])),
    Case("a name above ASCII", http2Request([("ä", "x")])),
    Case("NUL in a name", http2Request([("a\0", "x")])),
    Case("CR and LF in a value", http2Request([("a", "b\r\nx-remote-user: root")])),
    Case("LF in a value", http2Request([("a", "b\nx-remote-user: root")])),
    Case("CR in a value", http2Request([("a", "b\rc")])),
    Case("NUL in a value", http2Request([("a", "b\0c")])),
    Case("DEL in a value", http2Request([("a", "b\u{7F}c")])),
    Case("a leading blank", http2Request([("a", " b")])),
    Case("a trailing blank", http2Request([("a", "b ")])),
    Case("a leading tab", http2Request([("a", "\tb")])),
    Case("nothing but a blank", http2Request([("a", " ")])),
    Case("a value that was no UTF-8", http2Request([("impersonate-user", "caf\u{FFFD}")])),
    Case("a cookie with a line end", http2Request([("cookie", "a=b\r\n\r\n")])),
    Case("connection", http2Request([("connection", "close")])),
    Case("an empty connection", http2Request([("connection", "")])),
    Case("keep-alive", http2Request([("keep-alive", "timeout=5")])),
    Case("proxy-connection", http2Request([("proxy-connection", "close")])),
    Case("transfer-encoding", http2Request([("transfer-encoding", "chunked")], ), endsStream: false),
    Case("transfer-encoding identity", http2Request([("transfer-encoding", "identity")])),
    Case("upgrade", http2Request([("upgrade", "websocket")])),
    Case("TE with more than trailers", http2Request([("te", "trailers, gzip")])),
    Case("TE without trailers", http2Request([("te", "gzip")])),
    Case("two hosts", http2Request(authority: nil, [("host", "a"), ("host", "a")])),
    Case("a host that is none", http2Request(authority: nil, [("host", "a,b")])),
    Case("an unknown expectation", http2Request([("expect", "200-ok")]), status: 417),
    Case("two lengths that agree", http2Request(method: "POST", [("content-length", "5"), ("content-length", "5")]), endsStream: false),
    Case("two lengths that differ", http2Request(method: "POST", [("content-length", "5"), ("content-length", "6")]), endsStream: false),
    Case("two lengths in one field", http2Request(method: "POST", [("content-length", "5, 5")]), endsStream: false),
    Case("a length with a sign", http2Request(method: "POST", [("content-length", "+5")]), endsStream: false),
    Case("an empty length", http2Request(method: "POST", [("content-length", "")]), endsStream: false),
    Case("a length beyond counting", http2Request(method: "POST", [("content-length", "9223372036854775808")]), endsStream: false),
    Case("a length without a body", http2Request(method: "POST", [("content-length", "5")])),
  ]

  @Test(arguments: pseudoHeaders + fields) func isRefused(_ refused: Case) {
    let error = #expect(throws: MalformedMessage.self) { try readHTTP2Request(refused.fields, endsStream: refused.endsStream) }
    #expect(error?.status == refused.status)
  }

  /// Each kind is refused for its own reason, so that no case passes because of another fault.
  @Test func theReasonsAreManifold() {
    var reasons: Set<String> = []
    for refused in Self.pseudoHeaders + Self.fields {
      do throws(MalformedMessage) {
        _ = try readHTTP2Request(refused.fields, endsStream: refused.endsStream)
      } catch {
        reasons.insert(error.reason)
      }
    }
    #expect(reasons.count >= 25)
  }

  /// Every byte in every place of a name and a value: what passes must be the same message in HTTP/1.1.
  @Test func noByteMakesAnotherMessageOfAField() throws {
    for byte in UInt8.min...UInt8.max {
      for text in [[byte], [0x61, byte], [byte, 0x61], [0x61, byte, 0x61]] {
        let text = String(decoding: text, as: UTF8.self)
        for field in [(text, "x"), ("a", text)] {
          guard let head = try? readHTTP2Request(http2Request([field])) else { continue }
          var bytes = ByteBuffer()
          HTTP1Writer.writeRequestHead(
            method: head.method, target: head.target.forwarded, fields: head.fields, additions: ByteBuffer(), framing: head.framing,
            to: &bytes)
          var reader = HTTP1RequestReader(limits: MessageLimits())
          reader.receive(bytes)
          guard case .head(let again)? = try reader.next(), case .end? = try reader.next(), try reader.next() == nil else {
            Issue.record("byte \(byte)")
            return
          }
          try #require(again.fields.lines == ["\(field.0): \(field.1)", "host: cluster.example:6443"], "byte \(byte)")
        }
      }
    }
  }

  // MARK: Trailers

  private static func trailers(_ fields: [(String, String)], _ limits: MessageLimits = MessageLimits()) throws(MalformedMessage) -> [String]
  {
    var section = HTTP2TrailerSection(limits: limits)
    for (name, value) in fields { try section.add(name, value) }
    return section.trailers.lines
  }

  @Test func harmlessTrailersPass() throws {
    #expect(try Self.trailers([("grpc-status", "0"), ("x-checksum", "c")]) == ["grpc-status: 0", "x-checksum: c"])
  }

  @Test(arguments: [
    (":path", "/"), (":status", "200"), ("content-length", "5"), ("transfer-encoding", "chunked"), ("connection", "close"),
    ("te", "trailers"),
    ("host", "a"), ("cookie", "a=b"), ("authorization", "Basic eA=="), ("x-remote-user", "root"), ("x_remote_user", "root"),
    ("impersonate-user", "root"), ("x-forwarded-for", "1.1.1.1"), ("forwarded", "for=1"), ("audit-id", "x"), ("expect", "100-continue"),
    ("X-Upper", "x"), ("a", "b\r\nc: d"), ("a", " b"), ("", "x"),
  ])
  func aTrailerThatWouldDecideIsRefused(_ name: String, _ value: String) {
    #expect(throws: MalformedMessage.self) { try Self.trailers([(name, value)]) }
  }

  @Test func trailersHaveLimits() {
    let limits = MessageLimits(fieldCount: 2, trailerBytes: 200)
    for fields in [Array(repeating: ("a", "b"), count: 3), [("a", String(repeating: "b", count: 168))]] {
      let error = #expect(throws: MalformedMessage.self) { try Self.trailers(fields, limits) }
      #expect(error?.status == 431)
    }
    #expect(throws: Never.self) { try Self.trailers([("a", String(repeating: "b", count: 167))], limits) }
  }
}
