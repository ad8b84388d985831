import NIOCore
import SallyportWire
import Testing

/// What a target is read as: its form, path and query, and what goes upstream.
@Suite struct RequestTargetTests {
  @Test func anOriginFormIsPathAndQuery() throws {
    let target = try RequestTarget("/api/v1/pods?limit=5&x=%41")
    #expect(target.form == .origin)
    #expect(target.path == "/api/v1/pods")
    #expect(target.query == "limit=5&x=%41")
    #expect(target.forwarded == ByteBuffer(string: "/api/v1/pods?limit=5&x=%41"))
    #expect(target.oddities == [])
    #expect(target.authority == nil)
  }

  @Test(arguments: [("/a", nil), ("/a?", ""), ("/a??", "?"), ("/a?b?c", "b?c"), ("/a%3Fb", nil)] as [(String, String?)])
  func theQueryBeginsBehindTheFirstQuestionMark(_ text: String, _ query: String?) throws {
    #expect(try RequestTarget(text).query == query)
  }

  @Test func theBytesThatWereSentAreTheBytesThatGoUpstream() throws {
    let odd = "/api%2Fv1/%6eamespaces//secrets/%2F?watch=%31#x"
    let target = try RequestTarget(odd)
    #expect(target.path == "/api/v1/namespaces//secrets//")
    #expect(target.forwarded == ByteBuffer(string: odd))
  }

  @Test func aTargetAmongOtherBytesIsReadAlone() throws {
    let line = ByteBuffer(string: "GET https://h/a%41?b HTTP/1.1")
    let slice = try #require(line.getSlice(at: 4, length: 16))
    let target = try RequestTarget(reading: slice, for: .get)
    #expect(target.path == "/aA")
    #expect(target.query == "b")
    #expect(target.forwarded == ByteBuffer(string: "/a%41?b"))
    var inPlace = ByteBuffer(string: "xxxx/p?q")
    inPlace.moveReaderIndex(forwardBy: 4)
    #expect(try RequestTarget(reading: inPlace, for: .get).forwarded == ByteBuffer(string: "/p?q"))
  }

  @Test func thePathIsDecodedOnce() throws {
    #expect(try RequestTarget("/%2573ecrets/%252F").path == "/%73ecrets/%2F")
    #expect(try RequestTarget("/a+b").path == "/a+b")
    #expect(try RequestTarget("/%C3%A4").path == "/ä")
    #expect(try RequestTarget("/ä").path == "/ä")
  }

  @Test(arguments: ["/%", "/%4", "/a%zz", "/%4g/x", "/a%2", "/%%41", "https://h/%zz"])
  func aBrokenEscapeInThePathIsRefused(_ text: String) {
    #expect(throws: MalformedMessage("A percent sign in the path is not followed by two hexadecimal digits; write it %25.")) {
      try RequestTarget(text)
    }
  }

  @Test func aBrokenEscapeInTheQueryIsLeftToTheServer() throws {
    #expect(try RequestTarget("/a?b=%zz").query == "b=%zz")
  }

  @Test func everyBlankAndControlByteIsRefusedWhereverItStands() {
    for byte in Array(UInt8(0)...0x20) + [0x7F] {
      for prefix in ["/a", "/a?b=", "/%41", "https://h/a", "https://h"] {
        var raw = ByteBuffer(string: prefix)
        raw.writeInteger(byte)
        raw.writeString("c")
        #expect(throws: MalformedMessage.self, "byte \(byte) behind \(prefix)") { try RequestTarget(reading: raw, for: .get) }
      }
    }
  }

  @Test(
    arguments: [
      ("http://evil.example:1/api/v1", "/api/v1", "evil.example:1"),
      ("HTTPS://H.Example/api/v1", "/api/v1", "h.example"),
      ("foo://x/api/v1", "/api/v1", "x"),
      ("https:/api/v1", "/api/v1", nil),
      ("https:///api/v1", "/api/v1", nil),
      ("https://user:pw@127.0.0.1/api/v1", "/api/v1", "127.0.0.1"),
      ("https://a@b@c/api/v1", "/api/v1", "c"),
      ("https://[::1]:6443/api/v1", "/api/v1", "[::1]:6443"),
      ("a+b-c.1://h/x", "/x", "h"),
      ("https://h//x", "//x", "h"),
    ] as [(String, String, String?)])
  func anAbsoluteFormGoesUpstreamAsItsPath(_ text: String, _ path: String, _ authority: String?) throws {
    let target = try RequestTarget(text)
    #expect(target.form == .absolute)
    #expect(target.path == path)
    #expect(target.forwarded == ByteBuffer(string: path))
    #expect(target.raw == ByteBuffer(string: text))
    #expect(target.authority == authority)
  }

  @Test func anAbsoluteFormWithoutPathAsksForTheRoot() throws {
    #expect(try RequestTarget("https://127.0.0.1:6443").forwarded == ByteBuffer(string: "/"))
    let target = try RequestTarget("https://127.0.0.1:6443?x=/y")
    #expect(target.path == "/")
    #expect(target.query == "x=/y")
    #expect(target.forwarded == ByteBuffer(string: "/?x=/y"))
    #expect(target.authority == "127.0.0.1:6443")
  }

  @Test(
    arguments: [
      "", "api/v1", "./api", "mailto:x", "https:api/v1", "://h/a", "1http://h/a", "ht tp://h/a", "#/api", "\\api", "*a", "?a",
      "https://a\\b/c", "https://a#b/c", "https://h:port/c", "https://ä/c", "https://[::1/c", "https://a]b/c", "https://a:b:1/c",
      "https://<x>/c", "https://u@/c",
    ])
  func whatIsNoTargetIsRefused(_ text: String) {
    #expect(throws: MalformedMessage.self) { try RequestTarget(text) }
  }

  @Test func theAsteriskGoesWithOptionsAlone() throws {
    let target = try RequestTarget("*", .options)
    #expect(target.form == .asterisk)
    #expect(target.path == "*")
    #expect(target.forwarded == ByteBuffer(string: "*"))
    for method in [Method.get, .head, .post, .connect, .other("OPTION")] {
      #expect(throws: MalformedMessage.self) { try RequestTarget("*", method) }
    }
  }

  @Test func connectTakesHostAndPortAlone() throws {
    let target = try RequestTarget("Example.org:443", .connect)
    #expect(target.form == .authority)
    #expect(target.authority == "example.org:443")
    #expect(target.forwarded == ByteBuffer())
    for text in ["/api/v1", "example.org", "example.org:", "u@example.org:443", "https://h/a", "*", ":443"] {
      #expect(throws: MalformedMessage.self, "\(text)") { try RequestTarget(text, .connect) }
    }
    #expect(throws: MalformedMessage.self) { try RequestTarget("example.org:443", .get) }
  }

  @Test func aTargetOfSixtyKilobytesIsRead() throws {
    let segment = String(repeating: "a", count: 30_000)
    let target = try RequestTarget("/\(segment)/%62\(segment)?\(segment)")
    #expect(target.path == "/\(segment)/b\(segment)")
    #expect(target.query == segment)
  }
}
