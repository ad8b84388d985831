import SallyportWire
import Testing

/// Inputs that once were read wrongly or that the random tests brought up, and how they must be read.
///
/// A complaint of the differential tests prints its bytes as a literal: put it here together with the mend.
@Suite struct RegressionTests {
  private struct Case {
    let why: String
    let bytes: String
    /// The targets of the requests that are read, or the statuses of the responses.
    let reads: [String]
    let refuses: Bool
  }

  private static let requests: [Case] = [
    Case(
      why: "close wins over keep-alive in HTTP/1.0, so what follows is not read",
      bytes: "POST /a HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\nContent-Length: 1\r\n\r\nbGET /b HTTP/1.0\r\n\r\n",
      reads: ["/a"], refuses: false),
    Case(
      why: "tabs may stand around a length", bytes: "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length:\t1\t\r\n\r\nb", reads: ["/a"],
      refuses: false),
    Case(
      why: "a chunked body of a method that has none is no second request",
      bytes: "GET /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1A\r\nGET /smuggled HTTP/1.1\r\n\r\n\r\n0\r\n\r\n",
      reads: ["/a"],
      refuses: false),
    Case(
      why: "CL.TE", bytes: "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG", reads: [],
      refuses: true),
    Case(
      why: "TE.TE by a blank before the colon",
      bytes: "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding : identity\r\n\r\n0\r\n\r\n", reads: [],
      refuses: true),
    Case(
      why: "TE.0: a method that needs no body does not make its chunks a request",
      bytes: "OPTIONS /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n13\r\nGET /b HTTP/1.1\r\n\r\n\r\n0\r\n\r\n",
      reads: ["/a"],
      refuses: false),
    Case(
      why: "a chunk extension that ends with a bare LF hides a request from one of two readers",
      bytes:
        "GET /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;\nx\r\n2d\r\n0\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n0\r\n\r\n",
      reads: ["/a"], refuses: true),
    Case(
      why: "a trailer does not frame the next message",
      bytes:
        "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 40\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n",
      reads: ["/a"], refuses: true),
    Case(
      why: "an NBSP is no blank",
      bytes: "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\u{A0}chunked\r\n\r\n0\r\n\r\n", reads: [], refuses: true),
    Case(
      why: "the length 2^64 + 5 is not 5",
      bytes: "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551621\r\n\r\nhelloGET /b HTTP/1.1\r\nHost: h\r\n\r\n",
      reads: [],
      refuses: true),
    Case(
      why: "an underscore makes no framing field",
      bytes: "POST /a HTTP/1.1\r\nHost: h\r\nContent_Length: 5\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n", reads: ["/a", "/b"],
      refuses: false),
  ]

  private static let responses: [Case] = [
    Case(
      why: "an answer before the answer cannot end the connection",
      bytes: "HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", reads: [], refuses: true),
    Case(
      why: "HTTP/1.0 has no answers before the answer",
      bytes: "HTTP/1.0 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", reads: [], refuses: true),
    Case(
      why: "bytes behind an answer without a body are nobody's",
      bytes: "HTTP/1.1 304 Not Modified\r\nContent-Length: 38\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", reads: ["304"],
      refuses: true),
    Case(
      why: "Proxy-Connection says nothing",
      bytes: "HTTP/1.1 200 OK\r\nProxy-Connection: close\r\nContent-Length: 1\r\n\r\nb", reads: ["200"], refuses: false),
  ]

  @Test func requestsOfOldAreReadAsTheyMust() {
    for old in Self.requests {
      let transcript = RequestTranscript(reading: old.bytes)
      #expect(transcript.requests.map(\.target) == old.reads, "\(old.why)")
      #expect((transcript.failure != nil) == old.refuses, "\(old.why)")
      #expect(old.refuses || transcript.isBetweenMessages, "\(old.why)")
    }
  }

  @Test func responsesOfOldAreReadAsTheyMust() {
    for old in Self.responses {
      let transcript = ResponseTranscript(reading: old.bytes, answering: .get)
      #expect(transcript.responses.map { "\($0.status)" } == old.reads, "\(old.why)")
      #expect((transcript.failure != nil) == old.refuses, "\(old.why)")
    }
  }
}
