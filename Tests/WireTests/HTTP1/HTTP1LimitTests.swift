import NIOCore
import SallyportWire
import Testing

@Suite struct HTTP1LimitTests {
  private let limits = MessageLimits(headBytes: 200, fieldCount: 4, trailerBytes: 50)

  /// A head of exactly `length` bytes.
  private func head(ofLength length: Int) -> String {
    let start = "GET / HTTP/1.1\r\nHost: h\r\nX-A: "
    return start + String(repeating: "a", count: length - start.utf8.count - 4) + "\r\n\r\n"
  }

  @Test func aHeadUpToTheLimitIsReadAndOneByteMoreIsNot() {
    #expect(RequestTranscript(reading: self.head(ofLength: 200), limits: self.limits).completeCount == 1)
    let refused = RequestTranscript(reading: self.head(ofLength: 201), limits: self.limits)
    #expect(refused.failure?.status == 431)
    #expect(refused.requests.isEmpty)
  }

  @Test func aRequestLineWithoutEndIsRefusedAsSoonAsTheLimitIsPassed() {
    var reader = HTTP1RequestReader(limits: self.limits)
    for sent in 1...200 {
      reader.receive(ByteBuffer(string: "A"))
      #expect(throws: Never.self, "after \(sent) bytes") { _ = try reader.next() }
    }
    reader.receive(ByteBuffer(string: "A"))
    #expect(throws: MalformedMessage(status: 431, MalformedMessage.tooLong)) { _ = try reader.next() }
  }

  @Test func fieldsAreCountedAsTheyCome() {
    let head = "GET / HTTP/1.1\r\nHost: h\r\nA: 1\r\nB: 2\r\nC: 3\r\n"
    #expect(RequestTranscript(reading: head + "\r\n", limits: self.limits).completeCount == 1)
    #expect(RequestTranscript(reading: head + "D: 4\r\n", limits: self.limits).failure?.status == 431, "without waiting for the end")
    let framed = "GET / HTTP/1.1\r\nHost: h\r\nA: 1\r\nB: 2\r\nContent-Length: 0\r\n"
    #expect(RequestTranscript(reading: framed + "C: 4\r\n", limits: self.limits).failure?.status == 431, "framing fields count too")
  }

  @Test func tenThousandFieldsAreRefused() {
    let fields = (0..<10_000).map { "X-\($0): 1\r\n" }.joined()
    #expect(RequestTranscript(reading: "GET / HTTP/1.1\r\nHost: h\r\n\(fields)\r\n").failure?.status == 431)
  }

  @Test func trailersHaveLimitsOfTheirOwn() {
    let head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    let fits = "X-A: " + String(repeating: "a", count: 41) + "\r\n\r\n"
    #expect(fits.utf8.count == 50)
    #expect(RequestTranscript(reading: head + fits, limits: self.limits).completeCount == 1)
    #expect(RequestTranscript(reading: head + "a" + fits, limits: self.limits).failure?.status == 431)
    #expect(RequestTranscript(reading: head + String(repeating: "a", count: 51), limits: self.limits).failure?.status == 431)
    let many = RequestTranscript(reading: head + "A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\nE: 1\r\n", limits: self.limits)
    #expect(many.failure?.status == 431)
  }

  @Test func theLimitIsOfEachHeadAndNotOfTheConnection() {
    let text = String(repeating: self.head(ofLength: 200), count: 20)
    #expect(RequestTranscript(reading: text, limits: self.limits).completeCount == 20)
  }

  @Test func aResponsesHeadHasLimitsToo() {
    let head = "HTTP/1.1 200 OK\r\nX-A: " + String(repeating: "a", count: 300)
    #expect(ResponseTranscript(reading: head, answering: .get, limits: self.limits).failure != nil)
    let fields = "HTTP/1.1 200 OK\r\nA: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\nE: 1\r\n"
    #expect(ResponseTranscript(reading: fields, answering: .get, limits: self.limits).failure != nil)
  }
}

extension MalformedMessage {
  fileprivate static let tooLong = "The head or trailer section is longer than this server reads."
}
