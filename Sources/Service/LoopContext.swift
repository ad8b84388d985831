import NIOCore
import SallyportAudit
import SallyportCore

/// What the exchanges of one event loop share: no lock, no hop.
final class LoopContext {
  let eventLoop: any EventLoop
  let audit: AuditBatch
  /// The configuration that new requests start with; a request keeps the one that it started with.
  var generation: Generation
  /// How many requests of this event loop are unanswered.
  private(set) var openExchanges = 0
  private var whenIdle: EventLoopPromise<Void>?

  init(eventLoop: any EventLoop, log: AuditLog, generation: Generation) {
    self.eventLoop = eventLoop
    self.audit = AuditBatch(log: log, eventLoop: eventLoop)
    self.generation = generation
  }

  /// Opens the audit record of a request that has just been read.
  func openRecord(_ request: AuditedRequest, of connection: ConnectionFacts) -> AuditRecord {
    AuditRecord(request, of: connection, auditID: AuditID(), received: .now(), configuration: self.generation.hash)
  }

  func exchangeBegan() { self.openExchanges += 1 }

  func exchangeEnded() {
    self.openExchanges -= 1
    guard self.openExchanges == 0 else { return }
    self.whenIdle?.succeed(())
    self.whenIdle = nil
  }

  /// Completes when no request of this event loop is unanswered.
  func idle() -> EventLoopFuture<Void> {
    guard self.openExchanges > 0 else { return self.eventLoop.makeSucceededVoidFuture() }
    let promise = self.whenIdle ?? self.eventLoop.makePromise()
    self.whenIdle = promise
    return promise.futureResult
  }
}
