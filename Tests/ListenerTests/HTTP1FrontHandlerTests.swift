import NIOCore
import NIOEmbedded
import SallyportCore
import SallyportWire
import Testing

@testable import SallyportListener

/// The front on a channel without a socket: writes, reads and leases.
@Suite struct HTTP1FrontHandlerTests {
  private static let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"

  /// Hands the test the streams and notes what their delegates hear.
  private final class Receiver: RequestReceiver {
    let heard: NIOLoopBoundBox<[String]>
    let kept: NIOLoopBoundBox<[any ClientStream]>
    let atOnce: NIOLoopBoundBox<(@Sendable (any ClientStream) -> Void)?>

    init(on loop: EmbeddedEventLoop) {
      self.heard = NIOLoopBoundBox([], eventLoop: loop)
      self.kept = NIOLoopBoundBox([], eventLoop: loop)
      self.atOnce = NIOLoopBoundBox(nil, eventLoop: loop)
    }

    func receive(_ head: RequestHead, on stream: any ClientStream, of connection: ConnectionFacts) -> any ClientStreamDelegate {
      self.kept.value.append(stream)
      let delegate = Delegate(name: head.target.path, receiver: self)
      self.atOnce.value?(stream)
      return delegate
    }

    func refuse(_ malformed: MalformedMessage, on stream: any ClientStream, of connection: ConnectionFacts) {
      self.heard.value.append("refused \(malformed.status)")
      self.kept.value.append(stream)
    }

    func connectionFailed(_ problem: Problem, from address: ClientAddress, listener: String) {
      self.heard.value.append("failed \(problem.code)")
    }
  }

  private final class Delegate: ClientStreamDelegate {
    let name: String
    let receiver: Receiver

    init(name: String, receiver: Receiver) {
      self.name = name
      self.receiver = receiver
    }

    func clientSentBody(_ bytes: ByteBuffer) { self.receiver.heard.value.append("\(self.name) body \(String(buffer: bytes))") }
    func clientSentEnd(trailers: HeaderFields) { self.receiver.heard.value.append("\(self.name) end") }
    func clientFlowChanged(paused: Bool) { self.receiver.heard.value.append("\(self.name) paused \(paused)") }
    func clientGone(_ reason: ClientGone) { self.receiver.heard.value.append("\(self.name) gone \(reason)") }
  }

  /// Counts the reads and writes that reach the channel.
  private final class Counter: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    var reads = 0
    var writes = 0

    func read(context: ChannelHandlerContext) {
      self.reads += 1
      context.read()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
      self.writes += 1
      context.write(data, promise: promise)
    }
  }

  private struct Front {
    let channel: EmbeddedChannel
    let receiver: Receiver
    let counter: Counter

    init(timeouts: ListenerTimeouts = ListenerTimeouts()) throws {
      let loop = EmbeddedEventLoop()
      self.receiver = Receiver(on: loop)
      self.counter = Counter()
      let facts = ConnectionFacts(
        listener: "test", clientAddress: ClientAddress(ip: "192.0.2.1", port: 1), isTrustedPeer: false, tlsVersion: nil, serverName: nil,
        clientCertificate: nil)
      self.channel = EmbeddedChannel(loop: loop)
      try self.channel.pipeline.syncOperations.addHandlers([
        self.counter,
        HTTP1FrontHandler(receiver: self.receiver, facts: facts, limits: MessageLimits(), timeouts: timeouts, now: loop.now),
      ])
      try self.channel.connect(to: SocketAddress(ipAddress: "192.0.2.2", port: 2)).wait()
    }

    func receive(_ text: String) throws { try self.channel.writeInbound(ByteBuffer(string: text)) }

    func sent() throws -> String {
      var text = ""
      while let bytes = try self.channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: bytes) }
      return text
    }

    var heard: [String] { self.receiver.heard.value }
    func stream(_ index: Int) -> any ClientStream { self.receiver.kept.value[index] }
  }

  @Test func anAnswerLeavesInOneWriteAndNotBeforeTheFlush() throws {
    let front = try Front()
    try front.receive(Self.get)
    let stream = front.stream(0)
    stream.sendHead(ResponseHead(status: 200, framing: .length(5)))
    stream.sendBody(ByteBuffer(string: "hello"))
    stream.sendEnd(trailers: HeaderFields())
    #expect(try front.sent() == "")
    stream.flush()
    #expect(try front.sent() == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    #expect(front.counter.writes == 1)
    #expect(front.heard == ["/a end"])
  }

  @Test func aBodyOfUnknownLengthIsSentInChunks() throws {
    let front = try Front()
    try front.receive(Self.get)
    let stream = front.stream(0)
    stream.sendHead(ResponseHead(status: 200, framing: .chunked))
    stream.flush()
    #expect(try front.sent() == "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    stream.sendBody(ByteBuffer(string: "hello"))
    stream.sendBody(ByteBuffer())
    stream.flush()
    #expect(try front.sent() == "5\r\nhello\r\n")
    stream.sendEnd(trailers: HeaderFields())
    stream.flush()
    #expect(try front.sent() == "0\r\n\r\n")
  }

  @Test func aLargePartIsNotCopiedBehindItsHead() throws {
    let front = try Front()
    try front.receive(Self.get)
    let stream = front.stream(0)
    stream.sendHead(ResponseHead(status: 200, framing: .length(100_000)))
    stream.sendBody(ByteBuffer(repeating: 0x78, count: 100_000))
    stream.sendEnd(trailers: HeaderFields())
    stream.flush()
    #expect(front.counter.writes == 2)
    #expect(try front.sent().utf8.count == "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n".utf8.count + 100_000)
  }

  @Test func whatIsCalledOnAStreamThatEndedReachesNoOtherRequest() throws {
    let front = try Front()
    try front.receive(Self.get)
    let old = front.stream(0)
    old.answer(200, "one")
    try front.receive("GET /b HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(try front.sent() == "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none")
    // The second request waits for its answer; the first one's application has not noticed that it is over.
    old.answer(200, "late")
    old.sendInformational(ResponseHead(status: 103))
    old.setRequestFlow(paused: true)
    old.abandonRequestBody()
    old.abort()
    old.flush()
    #expect(front.channel.isActive)
    #expect(try front.sent() == "")
    front.stream(1).answer(200, "two")
    #expect(try front.sent() == "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo")
    #expect(front.heard == ["/a end", "/b end"])
  }

  @Test func anAnswerFromInsideReceiveIsComplete() throws {
    let front = try Front()
    front.receiver.atOnce.value = { $0.answer(401, "no") }
    try front.receive(Self.get + Self.get + Self.get)
    // A request without a body is complete with its head, so that none of these answers is an early one.
    let answer = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno"
    #expect(try front.sent() == answer + answer + answer)
    #expect(!front.heard.contains { $0.contains("gone") })
  }

  @Test func aPausedBodyHoldsBackTheChannelsReads() throws {
    let front = try Front()
    try front.receive("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
    front.stream(0).setRequestFlow(paused: true)
    let reads = front.counter.reads
    try front.receive("hello")
    front.channel.read()
    #expect(front.counter.reads == reads)
    #expect(front.heard == [])
    front.stream(0).setRequestFlow(paused: false)
    #expect(front.counter.reads == reads + 1)
    #expect(front.heard == ["/a body hello"])
  }

  @Test func aRequestHearsOnceThatItsClientIsGoneAndNothingAfter() throws {
    let front = try Front()
    try front.receive("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhel")
    try front.channel.close().wait()
    #expect(front.heard == ["/a body hel", "/a gone closed"])
    front.stream(0).answer(200, "late")
    #expect(front.heard == ["/a body hel", "/a gone closed"])
  }

  @Test func aRequestThatWasAnsweredHearsNothingOfTheEnd() throws {
    let front = try Front()
    try front.receive(Self.get)
    front.stream(0).sendHead(ResponseHead(status: 200))
    front.stream(0).sendEnd(trailers: HeaderFields())
    try front.channel.close().wait()
    #expect(front.heard == ["/a end"])
  }

  @Test func whatCannotTakeMoreIsToldToTheRequestFromItsBeginning() throws {
    let front = try Front()
    front.channel.isWritable = false
    front.channel.pipeline.fireChannelWritabilityChanged()
    try front.receive(Self.get)
    #expect(front.heard == [], "no request begins while the last answer is not taken")
    front.channel.isWritable = true
    front.channel.pipeline.fireChannelWritabilityChanged()
    #expect(front.heard == ["/a end"])
    front.channel.isWritable = false
    front.channel.pipeline.fireChannelWritabilityChanged()
    #expect(front.heard == ["/a end", "/a paused true"])
  }

  @Test func aHeadThatTakesTooLongIsReportedAndCut() throws {
    let front = try Front(timeouts: ListenerTimeouts(head: .seconds(5)))
    try front.receive("GET /a HT")
    front.channel.embeddedEventLoop.advanceTime(by: .seconds(6))
    #expect(front.heard == ["failed requestHeadTimedOut"])
    #expect(!front.channel.isActive)
  }

  @Test func aBodyThatStopsIsCutAndItsRequestHearsWhy() throws {
    let front = try Front(timeouts: ListenerTimeouts(body: .seconds(5)))
    try front.receive("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhel")
    front.channel.embeddedEventLoop.advanceTime(by: .seconds(3))
    try front.receive("l")
    front.channel.embeddedEventLoop.advanceTime(by: .seconds(3))
    #expect(front.channel.isActive)
    front.channel.embeddedEventLoop.advanceTime(by: .seconds(3))
    #expect(front.heard == ["/a body hel", "/a body l", "/a gone timedOut"])
    #expect(!front.channel.isActive)
  }

  @Test func anAnswerThatBreaksItsPromiseIsCut() throws {
    let front = try Front()
    try front.receive(Self.get)
    front.stream(0).answer(200, "one")
    try front.receive(Self.get)
    _ = try front.sent()
    let stream = front.stream(1)
    stream.sendHead(ResponseHead(status: 200, framing: .length(3)))
    stream.sendBody(ByteBuffer(string: "four"))
    #expect(!front.channel.isActive)
    #expect(try front.sent() == "")
  }
}
