import NIOCore
import SallyportAudit
import SallyportCore

/// What the exchanges of one event loop share: no lock, no hop.
final class LoopContext {
  let eventLoop: any EventLoop
  let audit: AuditBatch
  /// The configuration that new requests start with; a request keeps the one that it started with.
  var generation: Generation
  /// What stays on this event loop: watches, other streams and tunnels.
  let streams: StreamRegistry
  private var auditIDs = AuditIDSource()
  /// How many requests of this event loop are unanswered.
  private(set) var openExchanges = 0

  init(eventLoop: any EventLoop, log: AuditLog, generation: Generation) {
    self.eventLoop = eventLoop
    self.audit = AuditBatch(log: log, eventLoop: eventLoop)
    self.generation = generation
    self.streams = StreamRegistry(eventLoop: eventLoop)
  }

  /// Opens the audit record of a request that has just been read.
  func openRecord(_ request: AuditedRequest, of connection: ConnectionFacts) -> AuditRecord {
    AuditRecord(request, of: connection, auditID: self.nextAuditID(), received: .now(), configuration: self.generation.hash)
  }

  func nextAuditID() -> AuditID { self.auditIDs.next() }

  func exchangeBegan() { self.openExchanges += 1 }

  func exchangeEnded() { self.openExchanges -= 1 }
}
