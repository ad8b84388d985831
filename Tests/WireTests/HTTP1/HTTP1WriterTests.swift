import NIOCore
import SallyportWire
import Testing

@Suite struct HTTP1WriterTests {
  private func request(
    _ method: SallyportWire.Method, framing: BodyFraming = .none, fields: HeaderFields = HeaderFields(), additions: String = ""
  ) -> String {
    var buffer = ByteBuffer()
    HTTP1Writer.writeRequestHead(
      method: method, target: ByteBuffer(string: "/a?b"), fields: fields, additions: ByteBuffer(string: additions), framing: framing,
      to: &buffer)
    return String(buffer: buffer)
  }

  private func response(
    _ status: Int, framing: BodyFraming = .none, statedLength: UInt64? = nil, closes: Bool = false, auditID: String? = nil
  ) -> String {
    var buffer = ByteBuffer()
    HTTP1Writer.writeResponseHead(
      status: status, fields: HeaderFields(), auditID: auditID, framing: framing, statedLength: statedLength,
      closes: closes, to: &buffer)
    return String(buffer: buffer)
  }

  @Test func aRequestHeadIsWrittenInOrder() throws {
    var fields = HeaderFields()
    try fields.append("Host", "h")
    #expect(
      self.request(.patch, framing: .length(12), fields: fields, additions: "X-Remote-User: jane\r\n")
        == "PATCH /a?b HTTP/1.1\r\nHost: h\r\nX-Remote-User: jane\r\nContent-Length: 12\r\n\r\n")
  }

  @Test func theFramingOfARequestIsWrittenAnew() {
    #expect(self.request(.get) == "GET /a?b HTTP/1.1\r\n\r\n")
    #expect(self.request(.get, framing: .length(0)) == "GET /a?b HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
    #expect(self.request(.post, framing: .chunked) == "POST /a?b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    #expect(self.request(.put, framing: .length(.max)) == "PUT /a?b HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\n")
  }

  @Test(arguments: [
    (SallyportWire.Method.post, true), (.put, true), (.patch, true), (.get, false), (.head, false), (.delete, false), (.options, false),
    (.connect, false), (.trace, false), (.other("PROPFIND"), false),
  ])
  func aMissingBodyIsStatedWhereOneIsExpected(method: SallyportWire.Method, states: Bool) {
    #expect(self.request(method) == "\(method) /a?b HTTP/1.1\r\n\(states ? "Content-Length: 0\r\n" : "")\r\n")
  }

  @Test func aResponseHeadIsWrittenInOrder() {
    #expect(
      self.response(200, framing: .length(5), closes: true, auditID: "an-id")
        == "HTTP/1.1 200 OK\r\nAudit-Id: an-id\r\nContent-Length: 5\r\nConnection: close\r\n\r\n")
    #expect(self.response(299) == "HTTP/1.1 299 \r\n\r\n", "an unknown status has no phrase")
  }

  @Test func theFramingOfAResponseIsWrittenAnew() {
    #expect(self.response(200, framing: .chunked) == "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    #expect(self.response(200, framing: .untilClose, closes: true) == "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    #expect(self.response(200, framing: .length(0)) == "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
  }

  @Test func anAnswerWithoutBodyStatesTheLengthThatTheUpstreamStated() {
    #expect(self.response(200, statedLength: 70) == "HTTP/1.1 200 OK\r\nContent-Length: 70\r\n\r\n", "an answer to HEAD")
    #expect(self.response(304, statedLength: 70) == "HTTP/1.1 304 Not Modified\r\nContent-Length: 70\r\n\r\n")
    #expect(self.response(204, statedLength: 0) == "HTTP/1.1 204 No Content\r\n\r\n")
    #expect(self.response(204, framing: .length(0)) == "HTTP/1.1 204 No Content\r\n\r\n")
    #expect(self.response(101, statedLength: 0) == "HTTP/1.1 101 Switching Protocols\r\n\r\n")
    #expect(self.response(100, closes: true) == "HTTP/1.1 100 Continue\r\n\r\n", "the final head says that the connection closes")
  }

  @Test(arguments: [(1, "1"), (9, "9"), (10, "a"), (15, "f"), (16, "10"), (4096, "1000"), (65_535, "ffff")])
  func aPartIsAChunkOfItsSize(length: Int, size: String) {
    let body = String(repeating: "b", count: length)
    var buffer = ByteBuffer()
    HTTP1Writer.writeBody(ByteBuffer(string: body), framing: .chunked, to: &buffer)
    #expect(String(buffer: buffer) == "\(size)\r\n\(body)\r\n")
  }

  @Test func aPartOfStatedLengthIsWrittenAsItIs() {
    var buffer = ByteBuffer()
    HTTP1Writer.writeBody(ByteBuffer(string: "ab"), framing: .length(2), to: &buffer)
    HTTP1Writer.writeBody(ByteBuffer(string: "c"), framing: .untilClose, to: &buffer)
    HTTP1Writer.writeEnd(trailers: HeaderFields(), framing: .length(2), to: &buffer)
    HTTP1Writer.writeEnd(trailers: HeaderFields(), framing: .none, to: &buffer)
    #expect(String(buffer: buffer) == "abc")
  }

  @Test func anEmptyPartDoesNotEndTheBody() {
    var buffer = ByteBuffer()
    for framing in [BodyFraming.chunked, .length(0), .untilClose] { HTTP1Writer.writeBody(ByteBuffer(), framing: framing, to: &buffer) }
    #expect(buffer.readableBytes == 0)
  }

  @Test func theLastChunkCarriesTheTrailers() throws {
    var trailers = HeaderFields()
    try trailers.append("Grpc-Status", "0")
    var buffer = ByteBuffer()
    HTTP1Writer.writeEnd(trailers: trailers, framing: .chunked, to: &buffer)
    #expect(String(buffer: buffer) == "0\r\nGrpc-Status: 0\r\n\r\n")
    buffer.clear()
    HTTP1Writer.writeEnd(trailers: HeaderFields(), framing: .chunked, to: &buffer)
    #expect(String(buffer: buffer) == "0\r\n\r\n")
  }

  @Test func reasonPhrasesHoldNothingThatEndsALine() {
    for status in 100...999 {
      let phrase = "\(HTTP1Writer.reasonPhrase(status))"
      #expect(phrase.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
    }
    #expect("\(HTTP1Writer.reasonPhrase(503))" == "Service Unavailable")
    #expect("\(HTTP1Writer.reasonPhrase(799))" == "")
  }
}
