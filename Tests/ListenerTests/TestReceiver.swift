import NIOConcurrencyHelpers
import NIOCore
import SallyportCore
import SallyportWire

/// Takes requests as a small application would, and remembers what happened.
///
/// - `/echo` answers with the request's body; `/facts` with what is known of the connection, `/from` with whose it is;
/// - `/early` answers 413 without waiting for the body; `/held` sends an answer and holds the flush back;
/// - `/slow` takes nothing of the body for 300 ms, `/hold` never; `/count` answers with the body's length;
/// - `/trailers` answers with the request's trailers; `/none` answers 204; `/abort` breaks its answer off;
/// - `/stream` sends 4 MiB as fast as it may; `/hang` never answers; `/continue` asks for the body first.
final class TestReceiver: RequestReceiver {
  enum Event: Sendable, Equatable {
    case request(String)
    case refused(Int)
    case flow(paused: Bool)
    case gone(ClientGone)
    case failed(code: String, detail: String)
  }

  let events: AsyncStream<Event>
  private let sink: AsyncStream<Event>.Continuation
  /// How many bytes `/stream` has sent.
  var streamed: Int { self.count.withLockedValue { $0 } }
  private let count = NIOLockedValueBox(0)

  init() {
    (self.events, self.sink) = AsyncStream.makeStream(of: Event.self)
  }

  func noteStreamed(_ bytes: Int) { self.count.withLockedValue { $0 += bytes } }

  func note(_ event: Event) { self.sink.yield(event) }

  func receive(_ head: RequestHead, on stream: any ClientStream, of connection: ConnectionFacts) -> any ClientStreamDelegate {
    self.note(.request("\(head.method) \(head.target.path)"))
    let exchange = TestExchange(head: head, stream: stream, connection: connection, receiver: self)
    exchange.begin()
    return exchange
  }

  func refuse(_ malformed: MalformedMessage, on stream: any ClientStream, of connection: ConnectionFacts) {
    self.note(.refused(malformed.status))
    stream.answer(malformed.status, "unreadable")
  }

  func connectionFailed(_ problem: Problem, from address: ClientAddress, listener: String) {
    self.note(.failed(code: problem.code, detail: problem.detail))
  }

  /// The first event from now on for which `condition` holds.
  func first(where condition: (Event) -> Bool) async -> Event? {
    for await event in self.events where condition(event) { return event }
    return nil
  }

  /// The code of the next connection that fails.
  func nextFailure() async -> String? {
    for await event in self.events {
      if case .failed(let code, _) = event { return code }
    }
    return nil
  }
}

/// One request at the test's application.
final class TestExchange: ClientStreamDelegate {
  private let head: RequestHead
  private let stream: any ClientStream
  private let connection: ConnectionFacts
  private let receiver: TestReceiver
  private var body = ByteBuffer()
  private var received = 0
  private var isPaused = false
  private var left = 4 * 1024 * 1024

  init(head: RequestHead, stream: any ClientStream, connection: ConnectionFacts, receiver: TestReceiver) {
    self.head = head
    self.stream = stream
    self.connection = connection
    self.receiver = receiver
  }

  func begin() {
    switch self.head.target.path {
    case "/early":
      self.stream.abandonRequestBody()
      self.stream.answer(413, "too much")
    case "/hold": self.stream.setRequestFlow(paused: true)
    case "/slow":
      self.stream.setRequestFlow(paused: true)
      self.stream.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(300)) { self.stream.setRequestFlow(paused: false) }
    case "/none":
      self.stream.sendHead(ResponseHead(status: 204))
      self.stream.sendEnd(trailers: HeaderFields())
      self.stream.flush()
    case "/abort":
      self.stream.sendHead(ResponseHead(status: 200, framing: .chunked))
      self.stream.sendBody(ByteBuffer(string: "half an ans"))
      self.stream.flush()
      self.stream.abort()
    case "/continue": self.stream.sendInformational(ResponseHead(status: 100))
    case "/stream":
      self.stream.sendHead(ResponseHead(status: 200, framing: .chunked))
      self.pump()
    case "/facts":
      let certificate = self.connection.clientCertificate?.commonNames.joined(separator: ",") ?? "nobody"
      self.stream.answer(
        200,
        "\(certificate) \(self.connection.tlsVersion ?? "plain") \(self.connection.serverName ?? "-") \(self.connection.isTrustedPeer)"
          + (self.connection.httpVersion == .http2 ? " HTTP/2" : ""))
    case "/from": self.stream.answer(200, "\(self.connection.clientAddress) \(self.connection.isTrustedPeer)")
    default: break
    }
  }

  /// Sends until the client takes no more, one part a turn of the event loop.
  private func pump() {
    guard !self.isPaused else { return }
    guard self.left > 0 else {
      self.stream.sendEnd(trailers: HeaderFields())
      self.stream.flush()
      return
    }
    self.left -= 16 * 1024
    self.receiver.noteStreamed(16 * 1024)
    self.stream.sendBody(ByteBuffer(repeating: UInt8(ascii: "x"), count: 16 * 1024))
    self.stream.flush()
    self.stream.eventLoop.assumeIsolated().execute { self.pump() }
  }

  func clientSentBody(_ bytes: ByteBuffer) {
    self.received += bytes.readableBytes
    if self.head.target.path != "/count" { self.body.writeImmutableBuffer(bytes) }
  }

  func clientSentEnd(trailers: HeaderFields) {
    switch self.head.target.path {
    case "/echo", "/continue": self.stream.answer(200, String(buffer: self.body))
    case "/slow", "/count": self.stream.answer(200, "\(self.received)")
    case "/trailers":
      self.stream.sendHead(ResponseHead(status: 200, framing: .chunked))
      self.stream.sendBody(self.body)
      self.stream.sendEnd(trailers: trailers)
      self.stream.flush()
    default: break
    }
  }

  func clientFlowChanged(paused: Bool) {
    self.receiver.note(.flow(paused: paused))
    self.isPaused = paused
    if !paused, self.head.target.path == "/stream" { self.pump() }
  }

  func clientGone(_ reason: ClientGone) {
    self.receiver.note(.gone(reason))
    self.isPaused = true
    if case .malformed(let malformed) = reason { self.stream.answer(malformed.status, "unreadable") }
  }
}

extension ClientStream {
  /// A whole answer.
  func answer(_ status: Int, _ text: String) {
    self.sendHead(ResponseHead(status: status, framing: .length(UInt64(text.utf8.count))))
    self.sendBody(ByteBuffer(string: text))
    self.sendEnd(trailers: HeaderFields())
    self.flush()
  }
}
