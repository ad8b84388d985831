import NIOCore
import SallyportWire
import Testing

@Suite struct HTTP1RequestReaderTests {
  @Test func aRequestWithoutBodyIsAHeadAndAnEnd() {
    let transcript = RequestTranscript(
      reading: "GET /api/v1/pods?limit=500 HTTP/1.1\r\nHost: kube:6443\r\nAccept:  application/json\t\r\n\r\n")
    #expect(transcript.failure == nil)
    #expect(
      transcript.requests == [
        ReadRequest(
          method: "GET", target: "/api/v1/pods?limit=500", fields: ["Host: kube:6443", "Accept: application/json"], isComplete: true)
      ])
    #expect(transcript.framings == [.none])
    #expect(transcript.isBetweenMessages)
  }

  @Test func aBodyOfStatedLengthIsReadToItsEndAndNotBeyond() {
    let transcript = RequestTranscript(
      reading: "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\nHost: h\r\n\r\n")
    #expect(transcript.failure == nil)
    #expect(transcript.requests.map(\.target) == ["/a", "/b"])
    #expect(transcript.requests.map { String(decoding: $0.body, as: UTF8.self) } == ["hello", ""])
    #expect(transcript.framings == [.length(5), .none])
    #expect(transcript.requests[0].fields == ["Host: h"], "the framing field has left the table")
    #expect(transcript.completeCount == 2)
  }

  @Test func aChunkedBodyIsReadWithItsTrailers() {
    let transcript = RequestTranscript(
      reading: "PUT /a HTTP/1.1\r\nhost: h\r\ntransfer-encoding: Chunked\r\n\r\n5\r\nhello\r\n00A\r\n, you two!\r\n0\r\nX-Sum: 1\r\n\r\n")
    #expect(transcript.failure == nil)
    #expect(transcript.requests.first?.body == Array("hello, you two!".utf8))
    #expect(transcript.requests.first?.trailers == ["X-Sum: 1"])
    #expect(transcript.requests.first?.fields == ["host: h"])
    #expect(transcript.framings == [.chunked])
    #expect(transcript.isBetweenMessages)
  }

  @Test func aGetMayHaveABody() {
    let transcript = RequestTranscript(reading: "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab")
    #expect(transcript.failure == nil)
    #expect(transcript.requests.first?.body == Array("ab".utf8))
  }

  @Test func aLengthOfZeroIsKeptApartFromNoLength() {
    let transcript = RequestTranscript(reading: "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
    #expect(transcript.framings == [.length(0)])
    #expect(transcript.isBetweenMessages)
  }

  @Test func pipelinedRequestsAreReadOneBehindTheOther() {
    let text = (0..<50).map { "GET /\($0) HTTP/1.1\r\nHost: h\r\n\r\n" }.joined()
    let transcript = RequestTranscript(reading: text)
    #expect(transcript.requests.map(\.target) == (0..<50).map { "/\($0)" })
    #expect(transcript.completeCount == 50)
  }

  @Test(arguments: [
    ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", true),
    ("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", false),
    ("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade,\t CLOSE ,x\r\n\r\n", false),
    ("GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", false),
    ("GET / HTTP/1.1\r\nHost: h\r\nConnection: closed, close-not\r\n\r\n", true),
    ("GET / HTTP/1.0\r\n\r\n", false),
    ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true),
    ("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false),
  ])
  func theConnectionIsKeptAsVersionAndConnectionSay(text: String, keeps: Bool) {
    let transcript = RequestTranscript(reading: text)
    #expect(transcript.failure == nil)
    #expect(transcript.requests.first?.keepsConnection == keeps)
  }

  @Test func nothingIsReadBehindTheLastMessageOfAConnection() {
    let transcript = RequestTranscript(
      reading: "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n")
    #expect(transcript.failure == nil)
    #expect(transcript.requests.map(\.target) == ["/a"])
    #expect(transcript.isBetweenMessages)
  }

  @Test(arguments: [
    ("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n", true),
    ("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n", true),
    ("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n", false),
    ("POST / HTTP/1.0\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", false),
    ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n", false),
  ])
  func whoSendsABodyMayWaitForContinue(text: String, waits: Bool) {
    let transcript = RequestTranscript(reading: text)
    #expect(transcript.failure == nil)
    #expect(transcript.expectations == [waits])
  }

  @Test func oneEmptyLineBeforeARequestIsSkipped() {
    let transcript = RequestTranscript(reading: "\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n")
    #expect(transcript.failure == nil)
    #expect(transcript.completeCount == 2)
  }

  @Test func aMethodIsKeptAsItWasSpelled() {
    let transcript = RequestTranscript(reading: "get / HTTP/1.1\r\nHost: h\r\n\r\nPROPFIND / HTTP/1.1\r\nHost: h\r\n\r\n")
    #expect(transcript.requests.map(\.method) == ["get", "PROPFIND"])
  }

  @Test(arguments: ["h", "127.0.0.1:6443", "[::1]:8443", "[2001:db8::a]", "my_service.ns.svc.cluster.local", "A-b.C:0", "h:65535", "h."])
  func hostsOfTheseKindsAreRead(host: String) {
    let transcript = RequestTranscript(reading: "GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n")
    #expect(transcript.failure == nil)
  }

  @Test func anAbsoluteTargetAgreesWithHostInAnyLetterCase() {
    let transcript = RequestTranscript(reading: "GET http://Kube:6443/a HTTP/1.1\r\nHost: kube:6443\r\n\r\n")
    #expect(transcript.failure == nil)
    #expect(transcript.requests.map(\.target) == ["http://Kube:6443/a"])
  }

  @Test func valuesMayHoldBytesAboveASCIIAndInnerBlanks() {
    let bytes = Array("GET / HTTP/1.1\r\nHost: h\r\nX-A: a\t b".utf8) + [0x80, 0xFF] + Array("\r\nX-Empty:\r\nX-Blank: \t \r\n\r\n".utf8)
    var reader = HTTP1RequestReader(limits: MessageLimits())
    reader.receive(ByteBuffer(bytes: bytes))
    guard case .head(let head)? = try? reader.next() else {
      Issue.record("no head was read")
      return
    }
    #expect(head.fields[1].withValue { Array($0) } == Array("a\t b".utf8) + [0x80, 0xFF])
    #expect(head.fields[1].utf8Value == nil)
    #expect(head.fields[2].value == "" && head.fields[3].value == "")
  }

  @Test func theHeadSharesTheBufferThatItCameIn() throws {
    let received = ByteBuffer(string: "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody")
    var reader = HTTP1RequestReader(limits: MessageLimits())
    reader.receive(received)
    guard case .head(let head)? = try reader.next(), case .body(let body)? = try reader.next() else {
      Issue.record("head and body were expected")
      return
    }
    let start = received.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
    let value = head.fields[0].withValue { UInt(bitPattern: $0.baseAddress) }
    let bodyStart = body.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
    #expect(value - start == 23)
    #expect(bodyStart - start == UInt(received.readableBytes - 4))
  }

  @Test func betweenMessagesMeansWithoutAByteOfTheNext() throws {
    var reader = HTTP1RequestReader(limits: MessageLimits())
    #expect(reader.isBetweenMessages)
    reader.receive(ByteBuffer(string: "G"))
    #expect(!reader.isBetweenMessages)
    #expect(try reader.next() == nil)
    #expect(!reader.isBetweenMessages)
    reader.receive(ByteBuffer(string: "ET / HTTP/1.1\r\nHost: h\r\n\r\n"))
    guard case .head? = try reader.next() else {
      Issue.record("no head was read")
      return
    }
    #expect(!reader.isBetweenMessages, "the end has not been delivered")
    guard case .end? = try reader.next() else {
      Issue.record("no end was read")
      return
    }
    #expect(reader.isBetweenMessages)
    reader.receive(ByteBuffer(string: "\r"))
    #expect(!reader.isBetweenMessages)
  }

  @Test func bytesBehindAnUpgradeAreLeftForTheTunnel() throws {
    var reader = HTTP1RequestReader(limits: MessageLimits())
    reader.receive(ByteBuffer(string: "GET /exec HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n\u{1}tunnel"))
    guard case .head? = try reader.next(), case .end? = try reader.next() else {
      Issue.record("head and end were expected")
      return
    }
    #expect(String(buffer: reader.takeUnreadBytes()) == "\u{1}tunnel")
    #expect(reader.takeUnreadBytes().readableBytes == 0)
  }
}
