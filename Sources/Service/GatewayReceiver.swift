import NIOCore
import SallyportAudit
import SallyportCore
import SallyportWire

/// Takes what the listeners read and starts an exchange for it, on the connection's own event loop.
struct GatewayReceiver: RequestReceiver {
  let contexts: LoopContexts

  func receive(_ head: RequestHead, on stream: any ClientStream, of connection: ConnectionFacts) -> any ClientStreamDelegate {
    let loop = self.contexts.context(of: stream.eventLoop)
    let exchange = Exchange(
      head, record: loop.openRecord(AuditedRequest(head), of: connection), stream: stream, connection: connection, loop: loop)
    RequestPath(generation: loop.generation).walk(head, exchange)
    return exchange
  }

  func refuse(_ malformed: MalformedMessage, on stream: any ClientStream, of connection: ConnectionFacts) {
    let loop = self.contexts.context(of: stream.eventLoop)
    let exchange = Exchange(
      nil, record: loop.openRecord(AuditedRequest(malformed), of: connection), stream: stream, connection: connection, loop: loop)
    exchange.answer(Problem(malformed))
  }

  func connectionFailed(_ problem: Problem, from address: ClientAddress, listener: String) {
    guard let loop = self.contexts.current() else { return }
    let record = AuditRecord(
      failedConnection: problem, from: address, listener: listener, auditID: AuditID(), received: .now(),
      configuration: loop.generation.hash)
    loop.audit.write(record) { _ in }
  }
}

/// The contexts of all event loops, found by the event loop.
struct LoopContexts: Sendable {
  private let contexts: [ObjectIdentifier: NIOLoopBound<LoopContext>]
  let eventLoops: [any EventLoop]

  /// Makes a context for each event loop of the group.
  init(group: any EventLoopGroup, log: AuditLog, generation: Generation) async throws {
    var contexts: [ObjectIdentifier: NIOLoopBound<LoopContext>] = [:]
    var eventLoops: [any EventLoop] = []
    for eventLoop in group.makeIterator() {
      contexts[ObjectIdentifier(eventLoop)] = try await eventLoop.submit {
        NIOLoopBound(LoopContext(eventLoop: eventLoop, log: log, generation: generation), eventLoop: eventLoop)
      }.get()
      eventLoops.append(eventLoop)
    }
    self.contexts = contexts
    self.eventLoops = eventLoops
  }

  /// The context of an event loop; must be called on it.
  func context(of eventLoop: any EventLoop) -> LoopContext {
    guard let bound = self.contexts[ObjectIdentifier(eventLoop)] else {
      // Listeners are started on the group that the contexts were made from, so there is no other event loop.
      preconditionFailure("a connection on an event loop of another group")
    }
    return bound.value
  }

  /// The context of the event loop that this is called on.
  func current() -> LoopContext? {
    self.eventLoops.first { $0.inEventLoop }.map(self.context(of:))
  }
}
