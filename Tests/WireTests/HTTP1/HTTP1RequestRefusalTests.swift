import NIOCore
import SallyportWire
import Testing

/// Everything that the reader refuses, one case a line.
@Suite struct HTTP1RequestRefusalTests {
  /// Heads whose fields are wrong; each stands behind a request line and, where it has none of its own, a Host.
  @Test(arguments: [
    // Two framings, or one that cannot be read one way only.
    "Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 5",
    "Content-Length: 0\r\nTransfer-Encoding: chunked", "Content-Length: 5\r\nContent-Length: 5", "Content-Length: 5\r\ncontent-length: 6",
    "Content-Length: 5, 5", "Content-Length: 5,", "Content-Length: +5", "Content-Length: -5", "Content-Length: 5 5", "Content-Length: 0x5",
    "Content-Length:", "Content-Length: \t", "Content-Length: 9223372036854775808", "Content-Length: 18446744073709551621",
    "Content-Length: 99999999999999999999999999", "Content-Length: 5.0", "Content-Length: five", "Content-Length: ５",
    "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: identity", "Transfer-Encoding:",
    "Transfer-Encoding: chunked,", "Transfer-Encoding: ,chunked", "Transfer-Encoding: xchunked", "Transfer-Encoding: chunkedx",
    "Transfer-Encoding: chunked;q=1", "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: \u{0B}chunked", "Transfer-Encoding:\u{A0}chunked",
    // Lines that are no field lines.
    "X-A: 1\r\n folded", "X-A: 1\r\n\tfolded", " X-A: 1", "X-A : 1", "X-A\t: 1", "Transfer-Encoding : chunked", ": nameless", "no colon",
    "X-A",
    "X A: 1", "X-Ä: 1", "X(A): 1", "X-A\u{0}: 1", "X-A\u{7F}: 1", "\u{0}X-A: 1", "X\"A: 1", "X[A]: 1", "X@A: 1", "X/A: 1", "X,A: 1",
    "X;A: 1",
    "X=A: 1", "X{A}: 1", "X\\A: 1", "Host;: 1",
    // Bytes that end or break a line.
    "X-A: a\nX-B: b", "X-A: a\rX-B: b", "X-A: a\r", "X-A: \r\r", "X-A\r: b", "X-A:\nb", "X-A: a\u{0}b", "X-A: a\u{7F}b", "X-A: a\u{1}b",
    "X-A: \u{8}", "X-A: a\u{B}b", "X-A: a\u{C}b", "X-A: \u{1B}[0m", "X-A: a\u{1F}",
    // More or other Hosts than one.
    "Host: other", "Host: h", "host: h",
  ])
  func fieldsOfThisKindAreRefused(line: String) {
    let transcript = RequestTranscript(reading: "POST / HTTP/1.1\r\nHost: h\r\n\(line)\r\n\r\n0\r\n\r\n")
    #expect(transcript.failure?.status == 400)
    #expect(transcript.requests.isEmpty)
  }

  @Test(arguments: [
    "", " ", ":80", "h:", "h:65536", "h:123456", "h:8a", "h:-1", "h:+80", "a b", "a,b", "a/b", "a?b", "a#b", "user@h", "%61", "a%00", "h\\",
    "[::1",
    "[]", "[:]", "::1", "1:2:3", "[::1]x", "[::1]:", "[::1]:x", "[::1%25eth0]", "[fe80::1%eth0]", "h\"", "<h>", "ä", "h;", "h:80:80",
    "http://h",
  ])
  func aHostThatIsNoHostIsRefused(host: String) {
    let transcript = RequestTranscript(reading: "GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n")
    #expect(transcript.failure?.status == 400)
    #expect(transcript.requests.isEmpty)
  }

  @Test func aRequestOfOneOneWithoutHostIsRefusedAndOneOfOneZeroIsNot() {
    #expect(RequestTranscript(reading: "GET / HTTP/1.1\r\nX-A: 1\r\n\r\n").failure?.status == 400)
    #expect(RequestTranscript(reading: "GET / HTTP/1.1\r\n\r\n").failure?.status == 400)
    #expect(RequestTranscript(reading: "GET / HTTP/1.0\r\n\r\n").failure == nil)
    #expect(RequestTranscript(reading: "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n").failure?.status == 400)
  }

  @Test(arguments: [
    ("GET / HTTP/2.0", 505), ("GET / HTTP/0.9", 505), ("GET / HTTP/1.2", 505), ("GET / HTTP/3.0", 505), ("GET / HTTP/9.9", 505),
    ("PRI * HTTP/2.0", 505), ("GET / http/1.1", 400), ("GET / HTTP/1.", 400), ("GET / HTTP/11", 400), ("GET / HTTP/1.10", 400),
    ("GET / HTTP/01.1", 400), ("GET / HTTP/+.1", 400), ("GET / HTTP/1,1", 400), ("GET / HTTPS/1.1", 400), ("GET / ICY/1.1", 400),
    ("GET / HTTP/1.1 ", 400), ("GET / HTTP/1.1\t", 400), ("GET /", 400), ("GET / ", 400), ("GET", 400), ("GET ", 400),
    ("GET  / HTTP/1.1", 400),
    ("GET /  HTTP/1.1", 400), ("GET\t/ HTTP/1.1", 400), ("GET /\tHTTP/1.1", 400), (" GET / HTTP/1.1", 400), ("GET /a b HTTP/1.1", 400),
    ("GET /\u{0} HTTP/1.1", 400), ("GET /a\rb HTTP/1.1", 400), ("GET /a\u{7F} HTTP/1.1", 400), ("G(T / HTTP/1.1", 400),
    ("G\u{0}T / HTTP/1.1", 400), ("GÄT / HTTP/1.1", 400), ("GET:/ HTTP/1.1", 400), ("GET /\u{B}HTTP/1.1", 400), ("GET / HTTP/1.1\r", 400),
    ("\u{16}\u{3}\u{1}\u{2}", 400), ("\u{0}", 400), ("{\"a\":1}", 400), ("HTTP/1.1 200 OK", 400), (":", 400),
  ])
  func aRequestLineOfThisKindIsRefused(line: String, status: Int) {
    let transcript = RequestTranscript(reading: "\(line)\r\nHost: h\r\n\r\n")
    #expect(transcript.failure?.status == status)
    #expect(transcript.requests.isEmpty)
  }

  @Test func anotherProtocolIsRefusedAtItsFirstByte() {
    #expect(RequestTranscript(reading: [0x16]).failure?.status == 400, "a TLS record")
    #expect(RequestTranscript(reading: [0x00]).failure?.status == 400)
    #expect(RequestTranscript(reading: [0x0A]).failure?.status == 400)
    #expect(RequestTranscript(reading: [0x20]).failure?.status == 400)
  }

  @Test func moreThanOneEmptyLineBeforeARequestIsRefused() {
    #expect(RequestTranscript(reading: "\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n").failure?.status == 400)
    #expect(RequestTranscript(reading: "\nGET / HTTP/1.1\r\nHost: h\r\n\r\n").failure?.status == 400)
    #expect(RequestTranscript(reading: "\rGET / HTTP/1.1\r\nHost: h\r\n\r\n").failure?.status == 400)
    #expect(RequestTranscript(reading: "\r\n\nGET / HTTP/1.1\r\nHost: h\r\n\r\n").failure?.status == 400)
  }

  @Test(arguments: [
    "", " 5", "5 ", "\t5", "0x5", "+5", "-5", "g", "5;", "5;a=b", "5; a", "5 ;a", "0;", "0000000000000005", "FFFFFFFFFFFFFFFF",
    "10000000000000005", "5\n", "5\r", "5\u{0}", "５", "5,5", "\r",
  ])
  func aChunkSizeOfThisKindIsRefused(size: String) {
    let transcript = RequestTranscript(
      reading: "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\(size)\r\nhello\r\n0\r\n\r\n")
    #expect(transcript.failure?.status == 400)
    #expect(transcript.completeCount == 0)
    #expect(transcript.requests.first?.body == [])
  }

  @Test(arguments: [
    "5\r\nhelloX\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhello\r0\r\n\r\n", "5\r\nhello0\r\n\r\n", "5\nhello\r\n0\r\n\r\n",
    "5\r\nhello\r\n0\n\n", "5\r\nhello\r\n0\r\n\n", "5\r\nhello\r\n0\r\nX\r\n\r\n", "5\r\nhello\r\n\r\n0\r\n\r\n",
    "5\r\nhello\r\n0\r\n\rX\r\n",
  ])
  func aChunkedBodyOfThisKindIsRefused(body: String) {
    let transcript = RequestTranscript(reading: "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\(body)")
    #expect(transcript.failure?.status == 400)
    #expect(transcript.completeCount == 0)
  }

  @Test(arguments: [
    "Content-Length: 5", "content-length: 0", "Transfer-Encoding: chunked", "Host: other", "Authorization: Bearer x", "Connection: close",
    "Upgrade: h2c", "TE: trailers", "Trailer: x", "Keep-Alive: 1", "Proxy-Authorization: Basic x", "Proxy-Connection: close", "Expect: x",
    "Cookie: a=b", "X-Remote-User: admin", "x_remote_user: admin", "X-Remote-Extra-A: b", "Impersonate-User: admin",
    "Impersonate_Group: system:masters", "X-Forwarded-For: 1.2.3.4", "Forwarded: for=1.2.3.4", "X-Real-IP: 1.2.3.4", "Audit-ID: 1",
    "X-A : 1", " X-A: 1", ": 1", "X-A: \u{0}", "X-A: 1\r\n folded",
  ])
  func aTrailerOfThisKindIsRefused(line: String) {
    let transcript = RequestTranscript(
      reading: "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Fine: 1\r\n\(line)\r\n\r\n")
    #expect(transcript.failure?.status == 400)
    #expect(transcript.completeCount == 0)
  }

  @Test func transferEncodingInARequestOfOneZeroIsRefused() {
    #expect(RequestTranscript(reading: "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").failure?.status == 400)
  }

  @Test func anExpectationOtherThanContinueIsNotMet() {
    for value in ["", "200-ok", "100-continue, x", "100-continue,", "x"] {
      let transcript = RequestTranscript(reading: "POST / HTTP/1.1\r\nHost: h\r\nExpect: \(value)\r\nContent-Length: 1\r\n\r\n")
      #expect(transcript.failure?.status == 417)
    }
  }

  @Test func aTunnelRequestHasNoBody() {
    #expect(RequestTranscript(reading: "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\nContent-Length: 1\r\n\r\n").failure?.status == 400)
    #expect(RequestTranscript(reading: "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\nTransfer-Encoding: chunked\r\n\r\n").failure?.status == 400)
  }

  @Test(arguments: [
    "GET http://a/ HTTP/1.1\r\nHost: b", "GET http://a:80/ HTTP/1.1\r\nHost: a", "CONNECT a:1 HTTP/1.1\r\nHost: b:1",
    "GET http://a HTTP/1.1\r\nHost: ab", "GET http://a?x HTTP/1.1\r\nHost: b",
  ])
  func anAbsoluteTargetOfAnotherHostIsRefused(head: String) {
    #expect(RequestTranscript(reading: "\(head)\r\n\r\n").failure?.status == 400)
  }

  @Test func aReaderThatRefusedStaysBroken() {
    var reader = HTTP1RequestReader(limits: MessageLimits())
    reader.receive(ByteBuffer(string: "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"))
    let first = #expect(throws: MalformedMessage.self) { _ = try reader.next() }
    reader.receive(ByteBuffer(string: "GET / HTTP/1.1\r\nHost: h\r\n\r\n"))
    let second = #expect(throws: MalformedMessage.self) { _ = try reader.next() }
    #expect(first == second && first?.requestLine == second?.requestLine)
    #expect(!reader.isBetweenMessages)
    #expect(reader.takeUnreadBytes().readableBytes == 0, "nothing behind a refused message is anybody's")
  }

  @Test func aRefusalCarriesTheRequestLine() {
    let refused: [(text: String, line: String)] = [
      ("GET /secret?a=b HTTP/1.1\r\nHost: a b\r\n\r\n", "GET /secret?a=b HTTP/1.1"),
      ("GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a b HTTP/1.1"),
      ("\r\nBREW /pot\r\n", "BREW /pot"),
      ("GET /a\nHost: h\n\n", "GET /a"),
      ("POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nx", "POST /b HTTP/1.1"),
      ("GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nX\r\n", "GET /b HTTP/1.1"),
    ]
    for (text, line) in refused {
      let transcript = RequestTranscript(reading: text)
      #expect(transcript.failure?.requestLine.map { String(buffer: $0) } == line)
    }
    let long = RequestTranscript(reading: String(repeating: "A", count: 70_000))
    #expect(long.failure?.requestLine?.readableBytes == 8 * 1024)
  }
}
