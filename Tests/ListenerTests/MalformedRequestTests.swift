import SallyportListener
import TestSupport
import Testing

/// What cannot be read, or can be read in two ways, is answered once and ends its connection.
@Suite(.timeLimit(.minutes(5))) struct MalformedRequestTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: String
    var status = 400
  }

  private static func head(_ fields: String) -> String { "POST /echo HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n" }

  static let cases: [Case] = [
    Case(testDescription: "no request line", bytes: "hello\r\n\r\n"),
    Case(testDescription: "HTTP/2's preface", bytes: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", status: 505),
    Case(testDescription: "an unknown version", bytes: "GET / HTTP/1.2\r\nHost: x\r\n\r\n", status: 505),
    Case(testDescription: "two blanks in the request line", bytes: "GET  / HTTP/1.1\r\nHost: x\r\n\r\n"),
    Case(testDescription: "a blank in the target", bytes: "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n"),
    Case(testDescription: "bare line feeds", bytes: "GET / HTTP/1.1\nHost: x\n\n"),
    Case(testDescription: "a bare carriage return", bytes: "GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n"),
    Case(testDescription: "no host", bytes: "GET / HTTP/1.1\r\n\r\n"),
    Case(testDescription: "two hosts", bytes: "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"),
    Case(testDescription: "a blank before the colon", bytes: head("Transfer-Encoding : chunked\r\n")),
    Case(testDescription: "a folded field", bytes: head("A: b\r\n c\r\n")),
    Case(testDescription: "an empty field name", bytes: head(": b\r\n")),
    Case(testDescription: "NUL in a value", bytes: head("A: b\0c\r\n")),
    Case(testDescription: "a length and chunks", bytes: head("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n"),
    Case(testDescription: "two lengths", bytes: head("Content-Length: 5\r\nContent-Length: 6\r\n") + "hello"),
    Case(testDescription: "a length with a sign", bytes: head("Content-Length: +5\r\n") + "hello"),
    Case(testDescription: "an empty length", bytes: head("Content-Length:\r\n")),
    Case(testDescription: "a length beyond counting", bytes: head("Content-Length: 99999999999999999999999\r\n")),
    Case(testDescription: "a chunk size that is none", bytes: head("Transfer-Encoding: chunked\r\n") + "5x\r\nhello\r\n0\r\n\r\n"),
    Case(testDescription: "a chunk without its end", bytes: head("Transfer-Encoding: chunked\r\n") + "5\r\nhelloX\r\n0\r\n\r\n"),
    Case(
      testDescription: "a chunk size line without a carriage return",
      bytes: head("Transfer-Encoding: chunked\r\n") + "5\nhello\r\n0\r\n\r\n"),
    Case(testDescription: "a head that is too large", bytes: head("A: \(String(repeating: "a", count: 70_000))\r\n"), status: 431),
    Case(
      testDescription: "too many fields", bytes: head((0..<10_000).map { "A\($0): b\r\n" }.joined()), status: 431),
  ]

  @Test(arguments: cases) func isAnsweredOnceAndEndsTheConnection(_ malformed: Case) async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await fixture.connect()
    // What follows would be another request to whoever reads on.
    try await client.send(malformed.bytes + "GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n")
    let answer = try await client.readToEnd()
    #expect(answer.hasPrefix("HTTP/1.1 \(malformed.status) "))
    #expect(answer.contains("\r\nConnection: close\r\n"))
    #expect(answer.occurrences(of: "HTTP/1.1 ") == 1, "one answer, and nothing behind it")
    #expect(try await client.end() == nil)
    await fixture.listener.close()
  }

  @Test func aGoodRequestBeforeABadOneIsAnswered() async throws {
    let fixture = try await ListenerFixture.start()
    let client = try await fixture.connect()
    try await client.send("GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\nGET /echo HTTP/1.1\r\nHost : localhost\r\n\r\n")
    let answer = try await client.readToEnd()
    #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 400 "))
    #expect(answer.occurrences(of: "HTTP/1.1 ") == 2)
    await fixture.listener.close()
  }
}

extension String {
  /// How often a part occurs.
  fileprivate func occurrences(of part: String) -> Int {
    var count = 0
    var rest = self[...]
    while let range = rest.firstRange(of: part) {
      count += 1
      rest = rest[range.upperBound...]
    }
    return count
  }
}
