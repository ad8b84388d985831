import NIOCore
import SallyportWire
import Testing

/// What a request of HTTP/2 becomes.
@Suite struct HTTP2RequestTests {
  @Test func aRequestIsReadAsHTTP1WouldReadIt() throws {
    let head = try readHTTP2Request(
      http2Request(path: "/api/v1/pods?watch=1", [("accept", "application/json"), ("x-remote-user", "root"), ("user-agent", "go")]))
    #expect(head.method == .get)
    #expect(String(buffer: head.target.raw) == "/api/v1/pods?watch=1")
    #expect(head.target.form == .origin)
    #expect(head.version == .http11)
    #expect(head.framing == .none)
    #expect(head.keepsConnection)
    #expect(head.fields.lines == ["accept: application/json", "x-remote-user: root", "user-agent: go", "host: cluster.example:6443"])
    #expect(head.fields.first(.xRemoteUser) != nil, "names are classified, so that the door can strip them")
  }

  @Test func whatPassesIsOneHTTP1HeadAndNothingElse() throws {
    let head = try readHTTP2Request(
      http2Request(method: "PUT", [("accept", ""), ("a-b", "c: d\te"), ("cookie", "a=b"), ("cookie", "c=d")]), endsStream: false)
    var bytes = ByteBuffer()
    HTTP1Writer.writeRequestHead(
      method: head.method, target: head.target.forwarded, fields: head.fields, additions: ByteBuffer(), framing: head.framing, to: &bytes)
    var reader = HTTP1RequestReader(limits: MessageLimits())
    reader.receive(bytes)
    guard case .head(let again)? = try reader.next() else {
      Issue.record("no head")
      return
    }
    #expect(again.fields.lines == ["accept: ", "a-b: c: d\te", "host: cluster.example:6443", "cookie: a=b; c=d"])
    #expect(again.framing == .chunked)
    #expect(try reader.next() == nil)
  }

  @Test(
    arguments: [
      (true, nil, BodyFraming.none), (true, "0", .length(0)), (false, nil, .chunked), (false, "5", .length(5)), (false, "0", .length(0)),
    ] as [(Bool, String?, BodyFraming)])
  func theBodyIsFramedByTheStatedLengthOrTheStreamsEnd(_ endsStream: Bool, _ length: String?, _ framing: BodyFraming) throws {
    let fields = http2Request(method: "POST", length.map { [("content-length", $0)] } ?? [])
    let head = try readHTTP2Request(fields, endsStream: endsStream)
    #expect(head.framing == framing)
    #expect(!head.fields.contains(.contentLength), "the length was read into the framing")
  }

  @Test func hostStandsForAMissingAuthority() throws {
    let head = try readHTTP2Request(http2Request(authority: nil, [("host", "a.example")]))
    #expect(head.fields.all(.host).map(\.value) == ["a.example"])
  }

  @Test func aHostThatAgreesWithTheAuthorityIsThereOnce() throws {
    let head = try readHTTP2Request(http2Request(authority: "A.example", [("host", "a.EXAMPLE")]))
    #expect(head.fields.all(.host).map(\.value) == ["A.example"])
  }

  @Test func cookiesAreJoinedInTheirOrder() throws {
    let head = try readHTTP2Request(http2Request([("cookie", "a=1"), ("accept", "*/*"), ("cookie", "b=2; c=3"), ("cookie", "d")]))
    #expect(head.fields.all(.cookie).map(\.value) == ["a=1; b=2; c=3; d"])
  }

  @Test func anExpectationCountsWhereABodyComes() throws {
    #expect(try readHTTP2Request(http2Request(method: "PUT", [("expect", "100-Continue")]), endsStream: false).expectsContinue)
    #expect(try !readHTTP2Request(http2Request(method: "PUT", [("expect", "100-continue")])).expectsContinue)
  }

  @Test func aStarGoesWithOptions() throws {
    #expect(try readHTTP2Request(http2Request(method: "OPTIONS", path: "*")).target.form == .asterisk)
    #expect(throws: MalformedMessage.self) { try readHTTP2Request(http2Request(path: "*")) }
  }

  @Test func methodsKeepTheirCase() throws {
    #expect(try readHTTP2Request(http2Request(method: "get")).method == .other("get"))
  }

  // MARK: Limits

  @Test func theSectionsSizeCountsThirtyTwoForEachField() throws {
    // ":method" "GET" and so on: 7+3, 7+5, 10+20, 5+4, and 4 times 32.
    let base = 10 + 12 + 30 + 9 + 4 * 32
    let fields = http2Request([("a", String(repeating: "x", count: 99))])
    _ = try readHTTP2Request(fields, limits: MessageLimits(headBytes: base + 132))
    let error = #expect(throws: MalformedMessage.self) { try readHTTP2Request(fields, limits: MessageLimits(headBytes: base + 131)) }
    #expect(error?.status == 431)
  }

  @Test func everyCookieCountsAgainstTheLimits() throws {
    let fields = http2Request(Array(repeating: ("cookie", ""), count: 20))
    let tooMany = #expect(throws: MalformedMessage.self) { try readHTTP2Request(fields, limits: MessageLimits(fieldCount: 23)) }
    #expect(tooMany?.status == 431)
    _ = try readHTTP2Request(fields, limits: MessageLimits(fieldCount: 24))
    let tooLarge = #expect(throws: MalformedMessage.self) { try readHTTP2Request(fields, limits: MessageLimits(headBytes: 900)) }
    #expect(tooLarge?.status == 431)
  }

  // MARK: The body

  @Test func theBodyMustHaveTheStatedLength() throws {
    var length = HTTP2BodyLength(.length(5))
    try length.receive(3)
    #expect(throws: MalformedMessage.self) { try length.end() }
    try length.receive(2)
    try length.end()
    #expect(throws: MalformedMessage.self) { try length.receive(1) }
  }

  @Test func aBodyWithoutAStatedLengthEndsWithItsStream() throws {
    var length = HTTP2BodyLength(.chunked)
    try length.receive(Int.max)
    try length.receive(Int.max)
    try length.end()
  }

  // MARK: The record's line

  @Test func theRecordGetsARequestLineAsFarAsTheFieldsCame() {
    func line(_ fields: [(String, String)]) -> String? {
      var section = HTTP2RequestSection(limits: MessageLimits())
      for (name, value) in fields { try? section.add(name, value) }
      return section.requestLine.map { String(buffer: $0) }
    }
    #expect(line([]) == nil)
    #expect(line([(":method", "GET")]) == "GET")
    #expect(line(http2Request(scheme: "ftp")) == "GET /api HTTP/2.0")
    #expect(line(http2Request(path: "/" + String(repeating: "a", count: 60_000)))?.utf8.count == 4 + 7168 + 9)
    #expect(line(http2Request(path: "/" + String(repeating: "\u{1F980}", count: 10_000)))?.utf8.count ?? 9999 <= 8192)
  }

  // MARK: Answers

  @Test func anAnswersFieldsAreInLowerCaseAndWithoutTheConnections() throws {
    var fields = HeaderFields()
    for (name, value) in [
      ("Content-Type", "text/plain"), ("Connection", "X-Own"), ("Keep-Alive", "5"), ("Transfer-Encoding", "chunked"), ("Upgrade", "x"),
      ("Proxy-Connection", "x"), ("Content-Length", "7"), ("Set-Cookie", "a"), ("Set-Cookie", "b"),
      ("X-Ünlike".replacing("Ü", with: "U"), "Ä"),
    ] { try fields.append(name, value) }
    var written: [String] = []
    fields.forEachHTTP2Field { name, value, known in
      written.append("\(name): \(value)")
      #expect((known == .setCookie) == (name == "set-cookie"))
    }
    #expect(written == ["content-type: text/plain", "set-cookie: a", "set-cookie: b", "x-unlike: Ä"])
  }
}
