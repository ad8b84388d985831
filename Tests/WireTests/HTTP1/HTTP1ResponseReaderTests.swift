import NIOCore
import SallyportWire
import Testing

@Suite struct HTTP1ResponseReaderTests {
  @Test func aResponseOfStatedLengthIsRead() {
    let transcript = ResponseTranscript(
      reading: "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", answering: .get)
    #expect(transcript.failure == nil)
    #expect(
      transcript.responses == [
        ReadResponse(status: 200, fields: ["Content-Type: application/json"], body: Array("{}".utf8), isComplete: true)
      ])
    #expect(transcript.heads == [.init(reason: "OK", framing: .length(2), statedLength: 2)])
  }

  @Test func aChunkedResponseIsReadWithItsTrailers() {
    let transcript = ResponseTranscript(
      reading: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nGrpc-Status: 0\r\n\r\n", answering: .post)
    #expect(transcript.failure == nil)
    #expect(transcript.responses.first?.body == Array("abc".utf8))
    #expect(transcript.responses.first?.trailers == ["Grpc-Status: 0"])
    #expect(transcript.responses.first?.keepsConnection == true)
  }

  @Test func aBodyWithoutFramingLastsUntilTheConnectionEnds() {
    let text = "HTTP/1.1 200 OK\r\n\r\nall of it"
    let open = ResponseTranscript(reading: text, answering: .get)
    #expect(open.responses.first?.isComplete == false)
    let ended = ResponseTranscript(reading: text, answering: .get, ends: true)
    #expect(ended.failure == nil)
    #expect(ended.responses.first?.body == Array("all of it".utf8))
    #expect(ended.responses.first?.isComplete == true)
    #expect(ended.responses.first?.keepsConnection == false)
    #expect(ended.heads.first?.framing == .untilClose)
  }

  @Test(arguments: [
    ("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n", SallyportWire.Method.head, UInt64?.some(1234)),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .head, nil),
    ("HTTP/1.1 200 OK\r\n\r\n", .head, nil),
    ("HTTP/1.1 304 Not Modified\r\nContent-Length: 1234\r\n\r\n", .get, 1234),
    ("HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", .get, nil),
    ("HTTP/1.1 204 No Content\r\n\r\n", .delete, nil),
    ("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", .delete, 0),
  ])
  func theseResponsesHaveNoBody(text: String, method: SallyportWire.Method, stated: UInt64?) {
    // The next response begins right behind the head.
    let bytes = Array((text + "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n").utf8)
    let transcript = ResponseTranscript(reading: bytes, answering: [method, .post])
    #expect(transcript.failure == nil)
    #expect(transcript.completeCount == 2)
    #expect(transcript.heads.first?.framing == BodyFraming.none)
    #expect(transcript.heads.first?.statedLength == stated)
    #expect(transcript.responses.first?.keepsConnection == true)
  }

  @Test func informationalHeadsComeBeforeTheFinalOne() {
    let transcript = ResponseTranscript(
      reading: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
      answering: .put)
    #expect(transcript.failure == nil)
    #expect(transcript.responses.map(\.status) == [100, 103, 200])
    #expect(transcript.responses.map(\.isInformational) == [true, true, false])
  }

  @Test func behindAHundredAndOneTheBytesAreTheTunnels() {
    let transcript = ResponseTranscript(
      reading: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\nConnection: Upgrade\r\n\r\nHTTP/1.1 tunnel", answering: .get)
    #expect(transcript.failure == nil)
    #expect(transcript.responses.map(\.status) == [101])
    #expect(transcript.responses.first?.isInformational == false)
    #expect(transcript.responses.first?.isComplete == false)
    #expect(transcript.heads.first?.framing == BodyFraming.none)
    #expect(String(decoding: transcript.unread, as: UTF8.self) == "HTTP/1.1 tunnel")
  }

  @Test func anAcceptedConnectIsATunnelAndARefusedOneIsNot() {
    let accepted = ResponseTranscript(reading: "HTTP/1.1 200 OK\r\n\r\nbytes", answering: .connect)
    #expect(accepted.failure == nil)
    #expect(accepted.unread == Array("bytes".utf8))
    let refused = ResponseTranscript(reading: "HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\nbytes", answering: .connect)
    #expect(refused.responses.first?.body == Array("bytes".utf8))
    #expect(refused.completeCount == 1)
  }

  @Test(arguments: [
    ("HTTP/1.1 200", ""), ("HTTP/1.1 200 ", ""), ("HTTP/1.1 200  two  blanks ", " two  blanks "), ("HTTP/1.1 200 \u{E9}\t", "é\t"),
  ])
  func aReasonPhraseMayBeAnythingOrMissing(line: String, reason: String) {
    let transcript = ResponseTranscript(reading: "\(line)\r\nContent-Length: 0\r\n\r\n", answering: .get)
    #expect(transcript.failure == nil)
    #expect(transcript.heads.first?.reason == reason)
  }

  @Test(arguments: [
    ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true), ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n", false),
    ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false),
    ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", true),
  ])
  func theConnectionIsKeptAsVersionAndConnectionSay(text: String, keeps: Bool) {
    let transcript = ResponseTranscript(reading: text, answering: .get)
    #expect(transcript.failure == nil)
    #expect(transcript.responses.first?.keepsConnection == keeps)
  }

  @Test func anEndBetweenMessagesIsNoError() {
    let transcript = ResponseTranscript(reading: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", answering: .get, ends: true)
    #expect(transcript.failure == nil)
    #expect(transcript.completeCount == 1)
    #expect(ResponseTranscript(reading: "", answering: .get, ends: true).failure == nil, "the caller knows that an answer is missing")
  }
}

@Suite struct HTTP1ResponseRefusalTests {
  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5",
    "HTTP/1.1 200 OK\r\nContent-Length: -1",
    "HTTP/1.1 200 OK\r\nContent-Length:", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity",
    "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked", "HTTP/1.1 200 OK\r\nX: 1\r\n folded", "HTTP/1.1 200 OK\r\nX : 1",
    "HTTP/1.1 200 OK\r\n: 1",
    "HTTP/1.1 200 OK\r\nX: a\u{0}", "HTTP/1.1 200 OK\r\nX: a\nY: b", "HTTP/1.1 200 OK\r\nX: a\rY: b", "HTTP/1.1 200 OK\r\nX",
    "HTTP/2.0 200 OK", "HTTP/1.2 200 OK", "HTTP/0.9 200 OK", "http/1.1 200 OK", "ICY 200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK",
    "HTTP/1.1 099 OK",
    "HTTP/1.1 2x0 OK", "HTTP/1.1  200 OK", "HTTP/1.1\t200 OK", "HTTP/1.1 200\tOK", "HTTP/1.1 +20 OK", "HTTP/1.1", "HTTP/1.1 ", "", "200 OK",
    "HTTP/1.1 200 O\u{0}K", "HTTP/1.1 200 O\rK", "HTTP/1.1 200 O\u{7F}K", " HTTP/1.1 200 OK", "\r\nHTTP/1.1 200 OK",
    "HTTP/1.1 204 No Content\r\nContent-Length: 5", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked",
    "HTTP/1.1 100 Continue\r\nContent-Length: 5", "HTTP/1.1 101 Switching\r\nTransfer-Encoding: chunked",
    "HTTP/1.1 103 Hints\r\nContent-Length: 1",
    "HTTP/1.0 100 Continue", "HTTP/1.0 100 Continue\r\nConnection: keep-alive", "HTTP/1.1 100 Continue\r\nConnection: close",
    "HTTP/1.0 101 Switching Protocols",
  ])
  func aHeadOfThisKindIsMalformed(head: String) {
    let transcript = ResponseTranscript(reading: "\(head)\r\n\r\n", answering: .get)
    #expect(transcript.failure?.status == 502)
    #expect(transcript.responses.isEmpty)
  }

  @Test(arguments: [
    "5;\r\nhello\r\n0\r\n\r\n", "5\r\nhello0\r\n\r\n", " 5\r\nhello\r\n0\r\n\r\n", "5\nhello\r\n0\r\n\r\n",
    "0\r\nContent-Length: 1\r\n\r\n",
  ])
  func aChunkedBodyOfThisKindIsMalformed(body: String) {
    let transcript = ResponseTranscript(reading: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(body)", answering: .get)
    #expect(transcript.failure != nil)
    #expect(transcript.completeCount == 0)
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nX", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\nX",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
  ])
  func bytesThatNoRequestAskedForAreMalformed(text: String) {
    let transcript = ResponseTranscript(reading: text, answering: .get)
    #expect(transcript.failure != nil)
    #expect(transcript.completeCount == 1)
  }

  @Test func aHeadsAnswerHasNoBody() {
    let transcript = ResponseTranscript(reading: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", answering: .head)
    #expect(transcript.failure != nil)
    #expect(transcript.responses.first?.body == [])
  }

  @Test func aResponseBeforeAnyRequestIsMalformed() {
    #expect(ResponseTranscript(reading: Array("HTTP/1.1 408 Timeout\r\n\r\n".utf8), answering: []).failure != nil)
  }

  @Test(arguments: [
    "H", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
  ])
  func anEndInsideAMessageIsAnError(text: String) {
    let transcript = ResponseTranscript(reading: text, answering: .get, ends: true)
    #expect(transcript.failure != nil)
    #expect(transcript.responses.allSatisfy { !$0.isComplete || $0.isInformational })
  }

  @Test func aReaderThatRefusedStaysBroken() {
    var reader = HTTP1ResponseReader(limits: MessageLimits())
    reader.expectResponse(to: .get)
    reader.receive(ByteBuffer(string: "nonsense\r\n\r\n"))
    #expect(throws: MalformedMessage.self) { _ = try reader.next() }
    reader.receive(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    #expect(throws: MalformedMessage.self) { _ = try reader.next() }
    #expect(throws: MalformedMessage.self) { _ = try reader.connectionEnded() }
  }
}
