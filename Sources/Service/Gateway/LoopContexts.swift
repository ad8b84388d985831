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

  /// What is under way on all event loops, and what they counted.
  func state() async -> LoopState {
    var sum = LoopState()
    for eventLoop in self.eventLoops {
      if let state = try? await eventLoop.submit({ self.context(of: eventLoop).state }).get() { sum.add(state) }
    }
    return sum
  }

  /// New requests begin with another generation, also on connections that are there.
  func adopt(_ generation: Generation) async {
    for eventLoop in self.eventLoops {
      try? await eventLoop.submit { self.context(of: eventLoop).generation = generation }.get()
    }
  }

  /// Cuts the streams and tunnels that a generation would not let in any more; their closing records say why.
  ///
  /// - Returns: how many there were
  func reviewStreams(by generation: Generation) async -> Int {
    var count = 0
    for eventLoop in self.eventLoops {
      count += (try? await eventLoop.submit { self.context(of: eventLoop).streams.review(generation.objection(to:)) }.get()) ?? 0
    }
    return count
  }

  /// From here on the gateway cuts connections itself.
  func beginEnd() async {
    for eventLoop in self.eventLoops {
      try? await eventLoop.submit { self.context(of: eventLoop).isEnding = true }.get()
    }
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
