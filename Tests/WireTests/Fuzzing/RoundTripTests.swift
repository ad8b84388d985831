import NIOCore
import SallyportWire
import Testing

/// What was read and is written again reads as the same message: nothing is lost, nothing joins, nothing splits.
@Suite struct RoundTripTests {
  private let cases = UInt64(min(fuzzCases, 20_000) / 5)

  @Test func aRequestThatIsPassedOnReadsTheSame() throws {
    var complete = 0
    for seed in 0..<self.cases {
      var grammar = MessageGrammar(seed: seed &+ 2 << 32, rarity: 30)
      let bytes = grammar.requests()
      let once = RequestTranscript(reading: bytes)
      let rewritten = try self.rewriteRequests(bytes)
      var twice = RequestTranscript(reading: rewritten)
      for index in twice.requests.indices {
        twice.requests[index].fields.removeAll { $0 == "Host: added" }
        // An absolute target loses its authority, and every message leaves as HTTP/1.1: both by design.
        twice.requests[index].version = once.requests[index].version
        twice.requests[index].keepsConnection = once.requests[index].keepsConnection
        if once.requests[index].target.contains(":/") { twice.requests[index].target = once.requests[index].target }
      }
      #expect(twice.failure == nil, "seed \(seed): \(bytes.quoted)")
      #expect(twice.requests == once.requests.filter(\.isComplete), "seed \(seed): \(bytes.quoted)")
      complete += twice.completeCount
    }
    #expect(complete > Int(self.cases) / 2)
  }

  @Test func aResponseThatIsPassedOnReadsTheSame() throws {
    var complete = 0
    for seed in 0..<self.cases {
      var grammar = MessageGrammar(seed: seed &+ 2 << 32, rarity: 30)
      let (names, bytes) = grammar.responses()
      let methods = names.map { SallyportWire.Method($0) }
      let once = ResponseTranscript(reading: bytes, answering: methods, ends: true)
      guard once.failure == nil, once.responses.allSatisfy({ $0.isComplete && $0.version == .http11 }) else { continue }
      let twice = ResponseTranscript(reading: try self.rewriteResponses(bytes, answering: methods), answering: methods, ends: true)
      #expect(twice.failure == nil, "seed \(seed): \(bytes.quoted)")
      #expect(twice.responses == once.responses, "seed \(seed): \(bytes.quoted)")
      #expect(twice.heads.map(\.framing) == once.heads.map(\.framing), "seed \(seed): \(bytes.quoted)")
      complete += twice.completeCount
    }
    #expect(complete > Int(self.cases) / 4)
  }

  /// Writes the complete requests in `bytes` anew, as a proxy would.
  private func rewriteRequests(_ bytes: [UInt8]) throws -> [UInt8] {
    var reader = HTTP1RequestReader(limits: MessageLimits())
    reader.receive(ByteBuffer(bytes: bytes))
    var complete = ByteBuffer()
    var current = ByteBuffer()
    var framing = BodyFraming.none
    while let event = try? reader.next() {
      switch event {
      case .head(let head):
        current.clear()
        framing = head.framing
        var host = ByteBuffer()
        if !head.fields.contains(.host) { host.writeString("Host: added\r\n") }
        HTTP1Writer.writeRequestHead(
          method: head.method, target: head.target.forwarded, fields: head.fields, additions: host, framing: framing, to: &current)
      case .body(let body): HTTP1Writer.writeBody(body, framing: framing, to: &current)
      case .end(let trailers):
        HTTP1Writer.writeEnd(trailers: trailers, framing: framing, to: &current)
        complete.writeBuffer(&current)
      }
    }
    return Array(complete.readableBytesView)
  }

  private func rewriteResponses(_ bytes: [UInt8], answering methods: [SallyportWire.Method]) throws -> [UInt8] {
    var reader = HTTP1ResponseReader(limits: MessageLimits())
    for method in methods { reader.expectResponse(to: method) }
    reader.receive(ByteBuffer(bytes: bytes))
    var written = ByteBuffer()
    var framing = BodyFraming.none
    while let event = try reader.next() {
      switch event {
      case .informational(let head), .head(let head):
        framing = head.framing
        HTTP1Writer.writeResponseHead(
          status: head.status, fields: head.fields, framing: framing, statedLength: head.statedLength,
          closes: false, to: &written)
      case .body(let body): HTTP1Writer.writeBody(body, framing: framing, to: &written)
      case .end(let trailers): HTTP1Writer.writeEnd(trailers: trailers, framing: framing, to: &written)
      }
    }
    return Array(written.readableBytesView)
  }
}
