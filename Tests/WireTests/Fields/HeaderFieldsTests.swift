import NIOCore
import SallyportWire
import Testing

@Suite struct HeaderFieldsTests {
  /// The fields of a request as a reader gives them.
  private func parsed(_ lines: String...) throws -> HeaderFields {
    var reader = HTTP1RequestReader(limits: MessageLimits())
    reader.receive(ByteBuffer(string: "GET / HTTP/1.0\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n"))
    guard case .head(let head)? = try reader.next() else { throw MalformedMessage("no head") }
    return head.fields
  }

  private func written(_ fields: HeaderFields) -> String {
    var buffer = ByteBuffer()
    fields.write(to: &buffer)
    #expect(buffer.readableBytes == fields.byteCount)
    return String(buffer: buffer)
  }

  @Test func orderAndRepetitionsAreKept() throws {
    let fields = try self.parsed("B: 1", "a: 2", "b: 3", "A: 4")
    #expect(fields.lines == ["B: 1", "a: 2", "b: 3", "A: 4"])
    #expect(self.written(fields) == "B: 1\r\na: 2\r\nb: 3\r\nA: 4\r\n")
  }

  @Test func aSpellingThatIsNotTheUsualOneIsWrittenInTheUsualOne() throws {
    let fields = try self.parsed("A:1", "B:  2", "C: 3  ", "D:\t4\t", "E:", "F: ", "G:   ", "H: 8")
    #expect(self.written(fields) == "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: \r\nF: \r\nG: \r\nH: 8\r\n")
  }

  @Test func fieldsBetweenWhichOneIsMissingAreNotJoined() throws {
    var fields = try self.parsed("A: 1", "Cookie: secret", "B: 2", "Content-Length: 0", "C: 3")
    #expect(self.written(fields) == "A: 1\r\nCookie: secret\r\nB: 2\r\nC: 3\r\n")
    fields.removeAll(where: { $0.known == .cookie })
    #expect(self.written(fields) == "A: 1\r\nB: 2\r\nC: 3\r\n")
    fields.removeAll(where: { $0.hasName("a") })
    #expect(self.written(fields) == "B: 2\r\nC: 3\r\n")
    fields.removeAll(where: { _ in true })
    #expect(self.written(fields) == "")
    #expect(fields.isEmpty)
  }

  @Test func fieldsAreAppendedBehindTheParsedOnes() throws {
    let original = try self.parsed("A: 1", "B: 2")
    var fields = original
    try fields.append("X-Remote-User", "jane")
    fields.append(trusted: "Content-Length", 17)
    try fields.append("X-Empty", "")
    #expect(self.written(fields) == "A: 1\r\nB: 2\r\nX-Remote-User: jane\r\nContent-Length: 17\r\nX-Empty: \r\n")
    #expect(fields.first(.xRemoteUser)?.value == "jane")
    #expect(fields.first(.contentLength)?.value == "17")
    #expect(original.lines == ["A: 1", "B: 2"], "a copy has its own bytes")
  }

  @Test(arguments: ["", "a b", "a:", "a\r\nb", "a\n", "ä", "a\u{0}", "(a)", "a\"", " a", "a "])
  func aNameThatIsNoTokenIsNotAppended(name: String) {
    var fields = HeaderFields()
    #expect(throws: FieldError.name) { try fields.append(name, "1") }
    #expect(fields.isEmpty && self.written(fields) == "")
  }

  @Test(arguments: ["a\r\nX-Remote-User: admin", "a\rb", "a\nb", "\n", "a\u{0}", "\u{7F}", " a", "a ", "\ta", "a\t", " ", "\u{B}"])
  func aValueThatWouldBreakTheLineIsNotAppended(value: String) {
    var fields = HeaderFields()
    #expect(throws: FieldError.value(of: "X-A")) { try fields.append("X-A", value) }
    #expect(fields.isEmpty && self.written(fields) == "")
  }

  @Test func fieldsAreFoundByKindAndByName() throws {
    let fields = try self.parsed("accept: a", "X-Custom: b", "ACCEPT: c", "x-custom: d")
    #expect(fields.contains(.accept) && !fields.contains(.cookie))
    #expect(fields.first(.accept)?.value == "a")
    #expect(fields.all(.accept).map(\.value) == ["a", "c"])
    #expect(fields.all(.cookie).isEmpty)
    #expect(fields.first(named: "x-CUSTOM")?.value == "b")
    #expect(fields.first(named: "x-custo") == nil)
    #expect(fields.first(named: "") == nil)
    #expect(fields.first { $0.known == nil }?.name == "X-Custom")
  }

  @Test func removalByKindLeavesUnknownFields() throws {
    var fields = try self.parsed("Connection: x", "X-Custom: b", "TE: trailers", "X-Remote-User: a", "x_remote_group: b")
    fields.removeAll(.hopByHop)
    #expect(fields.lines == ["X-Custom: b", "X-Remote-User: a", "x_remote_group: b"])
    fields.removeAll(.identity)
    #expect(fields.lines == ["X-Custom: b"])
  }

  @Test func theTableKnowsWhichKindsItHolds() throws {
    var fields = try self.parsed("Connection: x", "X-Custom: b", "Cookie: 1", "Cookie: 2", "X-Remote-User: a")
    #expect(fields.kinds == [KnownFields(.connection), KnownFields(.cookie), KnownFields(.xRemoteUser)])
    var seen = 0
    fields.removeAll { field in
      guard field.known == .cookie else { return false }
      seen += 1
      return seen == 1
    }
    #expect(fields.contains(.cookie) && fields.all(.cookie).map(\.value) == ["2"])
    fields.removeAll(where: { $0.known == .cookie })
    #expect(!fields.contains(.cookie) && fields.first(.cookie) == nil)
    fields.removeAll(.hopByHop)
    #expect(fields.kinds == KnownFields(.xRemoteUser))
    try fields.append("Accept", "a/b")
    #expect(fields.kinds == [KnownFields(.accept), KnownFields(.xRemoteUser)])
  }

  @Test func kindsThatAreLeftOutAreNotWritten() throws {
    let fields = try self.parsed("Host: h", "X-Custom: b", "Expect: 100-continue", "Accept: a/b")
    var buffer = ByteBuffer()
    fields.write(to: &buffer, leavingOut: [KnownFields(.host), KnownFields(.expect)])
    #expect(String(buffer: buffer) == "X-Custom: b\r\nAccept: a/b\r\n")
  }

  @Test func aConditionMayThrowAndThenNothingIsRemoved() throws {
    struct Stop: Error {}
    var fields = try self.parsed("A: 1", "B: 2", "C: 3")
    #expect(throws: Stop.self) {
      try fields.removeAll(where: { field in
        if field.name == "C" { throw Stop() }
        return true
      })
    }
    #expect(fields.lines.last == "C: 3")
    #expect(self.written(fields).utf8.count == fields.byteCount)
  }

  @Test func fieldsOfABufferThatWasReadPartlyAreFoundInIt() throws {
    var reader = HTTP1RequestReader(limits: MessageLimits())
    var received = ByteBuffer(string: "0123456789GET / HTTP/1.0\r\nA: 1\r\n\r\n")
    received.moveReaderIndex(forwardBy: 10)
    reader.receive(received)
    guard case .head(var head)? = try reader.next() else {
      Issue.record("no head")
      return
    }
    try head.fields.append("B", "2")
    #expect(head.fields.lines == ["A: 1", "B: 2"])
    #expect(self.written(head.fields) == "A: 1\r\nB: 2\r\n")
  }
}
