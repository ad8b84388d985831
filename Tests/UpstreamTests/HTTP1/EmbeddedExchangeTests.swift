import NIOCore
import NIOEmbedded
import NIOTLS
import SallyportCore
import SallyportWire
import Testing

@testable import SallyportUpstream

@Suite struct EmbeddedExchangeTests {
  @Test func aRequestWithoutABodyIsOneWriteAtOnce() throws {
    let bench = try EmbeddedBench()
    let (first, _) = try bench.send(try credentialed())
    bench.eventLoop.run()
    #expect(try bench.written(0).count == 1)
    first.sendEnd(trailers: HeaderFields())
    try bench.receive(okay, on: 0)
    // On a pooled connection the write does not wait for the tick's end.
    _ = try bench.send(try credentialed(.get, "/version"))
    let writes = try bench.written(0)
    #expect(writes.count == 1)
    #expect(writes.first?.hasPrefix("GET /version HTTP/1.1\r\n") == true)
  }

  @Test func headAndABodyThatIsThereLeaveInOneWrite() throws {
    let bench = try EmbeddedBench()
    let (warm, _) = try bench.send(try credentialed())
    bench.eventLoop.run()
    warm.sendEnd(trailers: HeaderFields())
    try bench.receive(okay, on: 0)
    _ = try bench.written(0)

    let (exchange, delegate) = try bench.send(try credentialed(.post, framing: .length(8)))
    exchange.sendBody(ByteBuffer(string: "body"))
    exchange.sendBody(ByteBuffer(string: "more"))
    exchange.sendEnd(trailers: HeaderFields())
    #expect(try bench.written(0).isEmpty)
    bench.eventLoop.run()
    let writes = try bench.written(0)
    #expect(writes.count == 1)
    #expect(writes[0].hasSuffix("\r\n\r\nbodymore"))
    #expect(delegate.events.isEmpty)
  }

  @Test func theDelegateHearsOfTheAnswerInOrderAndOfTheReadsEnd() throws {
    let bench = try EmbeddedBench()
    let (_, delegate) = try bench.send(try credentialed())
    bench.eventLoop.run()
    try bench.receive("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\none", on: 0)
    #expect(delegate.events == ["informational 103", "head 200", "body one", "read complete"])
    try bench.receive("two", on: 0)
    #expect(delegate.events.suffix(2) == ["body two", "end"])
  }

  @Test func nothingOfAnAnswerReachesTheNextUserOfTheConnection() throws {
    let bench = try EmbeddedBench()
    let (first, firstDelegate) = try bench.send(try credentialed())
    bench.eventLoop.run()
    let next = try credentialed(.get, "/second")
    var second: (UpstreamExchange, EmbeddedDelegate)?
    // The next request begins inside the call that ends the first.
    firstDelegate.onEnd = { second = try? bench.send(next) }
    try bench.receive(okay, on: 0)
    let (_, secondDelegate) = try #require(second)
    #expect(bench.channels.count == 1)
    #expect(secondDelegate.events.isEmpty)
    // What the first still does is too late to touch the second.
    first.setResponseFlow(paused: true)
    first.sendBody(ByteBuffer(string: "late"))
    first.sendEnd(trailers: HeaderFields())
    first.cancel()
    bench.eventLoop.run()
    #expect(bench.channels[0].isActive)
    try bench.receive(okay, on: 0)
    #expect(secondDelegate.events == ["head 200", "body ok", "end"])
    #expect(firstDelegate.events == ["head 200", "body ok", "end"])
    #expect(try bench.written(0).count == 2)
  }

  @Test func aChangedFlowReachesOnlyThePresentUser() throws {
    let bench = try EmbeddedBench()
    let (first, firstDelegate) = try bench.send(try credentialed(.post, framing: .chunked))
    bench.eventLoop.run()
    bench.channels[0].isWritable = false
    bench.channels[0].pipeline.fireChannelWritabilityChanged()
    bench.channels[0].isWritable = true
    bench.channels[0].pipeline.fireChannelWritabilityChanged()
    #expect(firstDelegate.events == ["paused", "resumed"])
    first.sendEnd(trailers: HeaderFields())
    bench.eventLoop.run()
    try bench.receive(okay, on: 0)
    let heard = firstDelegate.events
    bench.channels[0].isWritable = false
    bench.channels[0].pipeline.fireChannelWritabilityChanged()
    #expect(firstDelegate.events == heard)
  }

  @Test func aPausedAnswerStopsReadingAndTheNextUserReadsAgain() throws {
    let bench = try EmbeddedBench()
    let (exchange, _) = try bench.send(try credentialed())
    bench.eventLoop.run()
    try bench.receive("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", on: 0)
    exchange.setResponseFlow(paused: true)
    #expect(bench.isReading(0) == false)
    try bench.receive("ok", on: 0)
    #expect(bench.isReading(0) == true)
  }

  @Test func aPauseBeforeThereIsAConnectionHolds() throws {
    let bench = try EmbeddedBench()
    let (exchange, _) = try bench.send(try credentialed())
    exchange.setResponseFlow(paused: true)
    bench.eventLoop.run()
    #expect(bench.isReading(0) == false)
  }

  @Test func aBodyThatComesBeforeTheConnectionPausesItsSender() throws {
    let bench = try EmbeddedBench()
    let (exchange, delegate) = try bench.send(try credentialed(.post, framing: .length(8)))
    exchange.sendBody(ByteBuffer(string: "body"))
    #expect(delegate.events == ["paused"])
    exchange.sendBody(ByteBuffer(string: "more"))
    bench.eventLoop.run()
    #expect(delegate.events == ["paused", "resumed"])
    #expect(try bench.written(0).joined().hasSuffix("\r\n\r\nbodymore"))
  }

  @Test func aChangeThatWasNotSentGoesByAnotherConnection() throws {
    let bench = try EmbeddedBench()
    _ = try bench.send(try credentialed())
    bench.eventLoop.run()
    try bench.receive(okay, on: 0)
    _ = try bench.written(0)
    let (exchange, delegate) = try bench.send(try credentialed(.post, framing: .length(4)))
    exchange.sendBody(ByteBuffer(string: "body"))
    // The server hangs up before the tick's end, when the request would have been written.
    bench.channels[0].pipeline.fireChannelInactive()
    bench.eventLoop.run()
    #expect(try bench.written(0).isEmpty)
    #expect(bench.channels.count == 2)
    exchange.sendEnd(trailers: HeaderFields())
    bench.eventLoop.run()
    #expect(try bench.written(1).joined().hasSuffix("\r\n\r\nbody"))
    try bench.receive(okay, on: 1)
    #expect(delegate.events.last == "end")
  }

  @Test func failuresAreHeardOnlyBehindTheCall() throws {
    let bench = try EmbeddedBench()
    bench.refuseConnections()
    let (_, unreachable) = try bench.send(try credentialed())
    #expect(unreachable.events.isEmpty)
    bench.eventLoop.run()
    #expect(unreachable.problem == .upstreamUnreachable)

    bench.pool.close()
    let (_, refused) = try bench.send(try credentialed())
    #expect(refused.events.isEmpty)
    bench.eventLoop.run()
    #expect(refused.problem == .upstreamBusy)
  }

  // MARK: Time

  @Test func anIdleConnectionEndsAfterItsTime() throws {
    let bench = try EmbeddedBench()
    _ = try bench.send(try credentialed())
    bench.eventLoop.run()
    bench.eventLoop.advanceTime(by: .seconds(20))
    try bench.receive(okay, on: 0)
    bench.eventLoop.advanceTime(by: .seconds(29))
    #expect(bench.channels[0].isActive)
    bench.eventLoop.advanceTime(by: .seconds(1))
    #expect(!bench.channels[0].isActive)
  }

  @Test func aQuietWatchIsNeverEnded() throws {
    let bench = try EmbeddedBench()
    let (_, delegate) = try bench.send(try credentialed(), responseHeadTimeout: .seconds(1))
    bench.eventLoop.run()
    try bench.receive("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", on: 0)
    bench.eventLoop.advanceTime(by: .hours(10))
    #expect(bench.channels[0].isActive)
    try bench.receive("2\r\nok\r\n0\r\n\r\n", on: 0)
    #expect(delegate.events.suffix(2) == ["body ok", "end"])
  }

  @Test func anAnswerThatDoesNotBeginInTimeIsATimeout() throws {
    let bench = try EmbeddedBench()
    let (exchange, delegate) = try bench.send(try credentialed(.post, framing: .chunked), responseHeadTimeout: .seconds(3))
    bench.eventLoop.run()
    // The time runs from the request's end.
    bench.eventLoop.advanceTime(by: .seconds(60))
    #expect(delegate.problem == nil)
    exchange.sendEnd(trailers: HeaderFields())
    bench.eventLoop.advanceTime(by: .milliseconds(2999))
    #expect(delegate.problem == nil)
    bench.eventLoop.advanceTime(by: .milliseconds(1))
    #expect(delegate.problem == .upstreamTimeout)
    #expect(delegate.problem?.status == 504)
    #expect(!bench.channels[0].isActive)
  }

  @Test func aHandshakeThatDoesNotEndInTimeIsATimeout() throws {
    let bench = try EmbeddedBench(tls: true)
    let (_, delegate) = try bench.send(try credentialed())
    bench.eventLoop.run()
    #expect(try bench.written(0).isEmpty)
    bench.eventLoop.advanceTime(by: .seconds(5))
    #expect(delegate.problem == .upstreamTimeout)
    #expect(!bench.channels[0].isActive)
  }

  @Test func aProtocolThatIsNotSpokenIsRefused() throws {
    let bench = try EmbeddedBench(tls: true)
    let (_, delegate) = try bench.send(try credentialed())
    bench.eventLoop.run()
    bench.channels[0].pipeline.fireUserInboundEventTriggered(TLSUserEvent.handshakeCompleted(negotiatedProtocol: "h2"))
    #expect(delegate.problem == .upstreamTLS)
    #expect(delegate.problem?.detail.contains("h2") == true)
    #expect(try bench.written(0).isEmpty)
    #expect(!bench.channels[0].isActive)
  }

  @Test func nothingIsSentBeforeTheHandshakeIsDone() throws {
    let bench = try EmbeddedBench(tls: true)
    _ = try bench.send(try credentialed())
    bench.eventLoop.run()
    #expect(try bench.written(0).isEmpty)
    bench.channels[0].pipeline.fireUserInboundEventTriggered(TLSUserEvent.handshakeCompleted(negotiatedProtocol: nil))
    #expect(try bench.written(0).count == 1)
  }

  @Test func whoWaitsTooLongForAConnectionIsTold() throws {
    let bench = try EmbeddedBench(connections: 1)
    _ = try bench.send(try credentialed())
    bench.eventLoop.run()
    let (_, waiting) = try bench.send(try credentialed())
    bench.eventLoop.advanceTime(by: .seconds(10))
    #expect(waiting.problem == .upstreamBusy)
  }
}
