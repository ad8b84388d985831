import NIOCore

/// A command on its way, and whoever waits for the reply.
struct RedisExchange {
  let command: RedisCommand
  let promise: EventLoopPromise<RESPValue>
}

/// Sends commands and hands out replies on one connection; ``RedisConnectionStateMachine`` decides.
final class RedisConnectionHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = RedisExchange
  typealias OutboundOut = ByteBuffer

  private struct Waiting {
    let promise: EventLoopPromise<RESPValue>
    let deadline: NIODeadline
  }

  private let greeting: [RedisCommand]
  private let timeout: TimeAmount
  private let ready: EventLoopPromise<Void>
  private let ended: EventLoopPromise<Void>
  private var machine: RedisConnectionStateMachine
  private var reader = RESPReader()
  private var waiting = CircularBuffer<Waiting>()
  private var watch: Scheduled<Void>?

  /// - Parameters:
  ///   - ready: is told when commands may be sent, or why they will never be
  ///   - ended: is told when none may be sent any more
  init(greeting: [RedisCommand], timeout: TimeAmount, ready: EventLoopPromise<Void>, ended: EventLoopPromise<Void>) {
    self.greeting = greeting
    self.timeout = timeout
    self.ready = ready
    self.ended = ended
    self.machine = RedisConnectionStateMachine(greeting: greeting.count)
  }

  // MARK: - Out

  func channelActive(context: ChannelHandlerContext) {
    var buffer = context.channel.allocator.buffer(capacity: 128)
    for command in self.greeting { command.write(to: &buffer) }
    context.writeAndFlush(self.wrapOutboundOut(buffer), promise: nil)
    self.watch(until: .now() + self.timeout, context)
    context.fireChannelActive()
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let exchange = self.unwrapOutboundIn(data)
    guard self.machine.send() else {
      exchange.promise.fail(RedisFault(self.machine.isReady ? "too many commands wait for the server" : "the connection has ended"))
      promise?.succeed(())
      return
    }
    let deadline = NIODeadline.now() + self.timeout
    self.waiting.append(Waiting(promise: exchange.promise, deadline: deadline))
    if self.watch == nil { self.watch(until: deadline, context) }
    var buffer = context.channel.allocator.buffer(capacity: 256)
    exchange.command.write(to: &buffer)
    context.write(self.wrapOutboundOut(buffer), promise: promise)
  }

  /// Closed from here: whoever waits is told so now, and not when the server has taken its leave.
  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    _ = self.settle(RedisFault("the client is closed"))
    context.close(mode: mode, promise: promise)
  }

  // MARK: - In

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    self.reader.append(self.unwrapInboundIn(data))
    do throws(RESPReader.Fault) {
      while let reply = try self.reader.next() {
        switch self.machine.received(reply) {
        case .nothing: break
        case .becomeReady:
          self.watch?.cancel()
          self.watch = nil
          self.ready.succeed(())
        case .deliver: self.waiting.removeFirst().promise.succeed(reply)
        case .close(let fault): return self.end(fault, context)
        }
      }
    } catch {
      self.end(RedisFault("the server does not speak RESP: \(error.reason)"), context)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.end(RedisFault("the server has closed the connection"), context)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    self.end(RedisFault("the connection failed: \(error)"), context)
  }

  /// Whatever ended the connection, and also where nothing was said of it: nobody waits for a handler that is gone.
  func handlerRemoved(context: ChannelHandlerContext) {
    _ = self.settle(RedisFault("the connection has ended"))
  }

  // MARK: - Time

  /// One look at the oldest command at its deadline, whoever that is then: a timer for each would be one more for each request.
  private func watch(until deadline: NIODeadline, _ context: ChannelHandlerContext) {
    self.watch = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
      self.watch = nil
      guard self.machine.isReady else { return self.end(RedisFault("the server did not greet in time"), context) }
      guard let oldest = self.waiting.first else { return }
      if oldest.deadline <= .now() { return self.end(RedisFault("the server did not answer in time"), context) }
      self.watch(until: oldest.deadline, context)
    }
  }

  // MARK: - The end

  private func end(_ fault: RedisFault, _ context: ChannelHandlerContext) {
    // Where a reply was the cause, the machine has closed itself.
    if self.settle(fault) || context.channel.isActive { context.close(promise: nil) }
  }

  /// Nothing is sent or received any more: all who wait are told so, and after them nobody begins to wait.
  ///
  /// - Returns: whether it is now for the first time
  private func settle(_ fault: RedisFault) -> Bool {
    let wasOpen = self.machine.close()
    self.watch?.cancel()
    self.watch = nil
    self.ready.fail(fault)
    self.ended.succeed(())
    while let waiting = self.waiting.popFirst() { waiting.promise.fail(fault) }
    return wasOpen
  }
}
