import NIOCore
import SallyportWire

/// A request as a reader gave it, flattened so that two readings can be compared.
struct ReadRequest: Equatable {
  var method = ""
  var target = ""
  var version = HTTPVersion.http11
  var fields: [String] = []
  var keepsConnection = true
  var body: [UInt8] = []
  var trailers: [String] = []
  var isComplete = false
}

/// What a reader found in the bytes of a connection.
struct RequestTranscript: Equatable {
  var requests: [ReadRequest] = []
  var framings: [BodyFraming] = []
  var expectations: [Bool] = []
  var failure: MalformedMessage?
  /// Whether the reader ended between two messages.
  var isBetweenMessages = false

  var completeCount: Int { self.requests.count { $0.isComplete } }

  /// Feeds `bytes` to a fresh reader, cut at `cuts` (ascending offsets).
  init(reading bytes: [UInt8], cutAt cuts: [Int] = [], limits: MessageLimits = MessageLimits()) {
    var reader = HTTP1RequestReader(limits: limits)
    var start = 0
    for end in cuts + [bytes.count] {
      reader.receive(ByteBuffer(bytes: bytes[start..<end]))
      start = end
      self.drain(&reader)
      if self.failure != nil { break }
    }
    self.isBetweenMessages = reader.isBetweenMessages
  }

  init(reading text: String, limits: MessageLimits = MessageLimits()) {
    self.init(reading: Array(text.utf8), limits: limits)
  }

  private mutating func drain(_ reader: inout HTTP1RequestReader) {
    do throws(MalformedMessage) {
      while let event = try reader.next() { self.note(event) }
    } catch {
      self.failure = error
    }
  }

  private mutating func note(_ event: RequestEvent) {
    switch event {
    case .head(let head):
      self.requests.append(
        ReadRequest(
          method: head.method.description, target: String(buffer: head.target.raw), version: head.version, fields: head.fields.lines,
          keepsConnection: head.keepsConnection))
      self.framings.append(head.framing)
      self.expectations.append(head.expectsContinue)
    case .body(let bytes):
      precondition(bytes.readableBytes > 0, "an empty body part")
      self.requests[self.requests.count - 1].body += bytes.readableBytesView
    case .end(let trailers):
      self.requests[self.requests.count - 1].trailers = trailers.lines
      self.requests[self.requests.count - 1].isComplete = true
    }
  }
}

extension HeaderFields {
  /// Each field as `name: value`.
  var lines: [String] { self.map { "\($0.name): \($0.value)" } }
}
