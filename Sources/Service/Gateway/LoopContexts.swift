import NIOCore
import SallyportAudit

/// The contexts of all event loops, found by the event loop.
struct LoopContexts: Sendable {
  private let contexts: [ObjectIdentifier: NIOLoopBoundBox<LoopContext>]
  let eventLoops: [any EventLoop]

  /// Makes a context for each event loop of the group.
  init(group: any EventLoopGroup, log: AuditLog, generation: Generation) {
    var contexts: [ObjectIdentifier: NIOLoopBoundBox<LoopContext>] = [:]
    var eventLoops: [any EventLoop] = []
    for eventLoop in group.makeIterator() {
      contexts[ObjectIdentifier(eventLoop)] = .makeBoxSendingValue(
        LoopContext(eventLoop: eventLoop, log: log, generation: generation), eventLoop: eventLoop)
      eventLoops.append(eventLoop)
    }
    self.contexts = contexts
    self.eventLoops = eventLoops
  }

  /// The context of an event loop; must be called on it.
  func context(of eventLoop: any EventLoop) -> LoopContext {
    guard let box = self.contexts[ObjectIdentifier(eventLoop)] else {
      // Listeners are started on the group that the contexts were made from, so there is no other event loop.
      preconditionFailure("a connection on an event loop of another group")
    }
    return box.value
  }

  /// The context of the event loop that this is called on.
  func current() -> LoopContext? {
    self.eventLoops.first { $0.inEventLoop }.map(self.context(of:))
  }

  /// Waits until no request is unanswered, or the time is up. Returns how many are left.
  func waitUntilIdle(atMost limit: TimeAmount) async -> Int {
    let end = NIODeadline.now() + limit
    while true {
      let left = await self.openExchanges()
      guard left > 0, NIODeadline.now() < end else { return left }
      try? await Task.sleep(for: .milliseconds(20))
    }
  }

  private func openExchanges() async -> Int {
    var open = 0
    for eventLoop in self.eventLoops {
      open += (try? await eventLoop.submit { self.context(of: eventLoop).openExchanges }.get()) ?? 0
    }
    return open
  }

  /// Cuts the streams and tunnels for which `condition` holds; their closing records say why.
  ///
  /// - Returns: how many there were
  @discardableResult
  func cutStreams(_ reason: StreamEnd.Reason, where condition: @escaping @Sendable (StreamFacts) -> Bool = { _ in true }) async -> Int {
    var count = 0
    for eventLoop in self.eventLoops {
      count += (try? await eventLoop.submit { self.context(of: eventLoop).streams.cutAll(reason, where: condition) }.get()) ?? 0
    }
    return count
  }

  /// Waits until the records of every turn up to now are written.
  func flushRecords() async {
    for eventLoop in self.eventLoops {
      // Two turns: the first lets what is scheduled run, the second comes behind what that scheduled.
      for _ in 0..<2 { try? await eventLoop.submit {}.get() }
    }
  }
}
