import NIOCore
import SallyportWire

/// A response as a reader gave it, flattened so that two readings can be compared.
struct ReadResponse: Equatable {
  var status = 0
  var version = HTTPVersion.http11
  var fields: [String] = []
  var keepsConnection = true
  var isInformational = false
  var body: [UInt8] = []
  var trailers: [String] = []
  var isComplete = false
}

/// What a reader found in the bytes of an upstream connection.
struct ResponseTranscript: Equatable {
  var responses: [ReadResponse] = []
  var heads: [Head] = []
  var failure: MalformedMessage?
  var unread: [UInt8] = []

  struct Head: Equatable {
    var reason: String
    var framing: BodyFraming
    var statedLength: UInt64?
  }

  var completeCount: Int { self.responses.count { $0.isComplete } }

  /// Feeds `bytes` to a fresh reader that expects answers to `methods`.
  ///
  /// - Parameters:
  ///   - cuts: where the bytes are cut, as ascending offsets
  ///   - ends: whether the connection ends behind them
  init(
    reading bytes: [UInt8], answering methods: [SallyportWire.Method], cutAt cuts: [Int] = [], ends: Bool = false,
    limits: MessageLimits = MessageLimits()
  ) {
    var reader = HTTP1ResponseReader(limits: limits)
    for method in methods { reader.expectResponse(to: method) }
    do throws(MalformedMessage) {
      var start = 0
      for end in cuts + [bytes.count] {
        reader.receive(ByteBuffer(bytes: bytes[start..<end]))
        start = end
        while let event = try reader.next() { self.note(event) }
      }
      if ends, let event = try reader.connectionEnded() { self.note(event) }
    } catch {
      self.failure = error
    }
    self.unread = Array(reader.takeUnreadBytes().readableBytesView)
  }

  init(
    reading text: String, answering methods: SallyportWire.Method..., ends: Bool = false, limits: MessageLimits = MessageLimits()
  ) {
    self.init(reading: Array(text.utf8), answering: methods, ends: ends, limits: limits)
  }

  private mutating func note(_ event: ResponseEvent) {
    switch event {
    case .informational(let head): self.note(head, isInformational: true)
    case .head(let head): self.note(head, isInformational: false)
    case .body(let bytes):
      precondition(bytes.readableBytes > 0, "an empty body part")
      self.responses[self.responses.count - 1].body += bytes.readableBytesView
    case .end(let trailers):
      self.responses[self.responses.count - 1].trailers = trailers.lines
      self.responses[self.responses.count - 1].isComplete = true
    }
  }

  private mutating func note(_ head: ResponseHead, isInformational: Bool) {
    self.responses.append(
      ReadResponse(
        status: head.status, version: head.version, fields: head.fields.lines, keepsConnection: head.keepsConnection,
        isInformational: isInformational, isComplete: isInformational))
    self.heads.append(Head(reason: head.reason, framing: head.framing, statedLength: head.statedLength))
  }
}
