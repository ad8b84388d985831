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
  /// Whether the process ends now: what is cut from here on was cut by us.
  var isEnding = false
  private var counts = LoopCounts()
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

  func exchangeEnded(_ record: AuditRecord, _ measure: RequestMeasure, isStream: Bool) {
    self.openExchanges -= 1
    self.counts.requestEnded(record, measure, isStream: isStream, at: .now())
  }

  func handshakeCompleted(_ connection: ConnectionFacts, _ certificate: HandshakeCertificate) {
    self.counts.handshakeCompleted(connection, certificate)
  }

  func connectionFailed(_ problem: Problem) { self.counts.connectionFailed(problem) }

  /// What is under way, and what was counted up to now.
  var state: LoopState {
    var counts = self.counts
    counts.records = self.audit.counts
    return LoopState(
      exchanges: self.openExchanges, streams: self.streams.count - self.streams.tunnelCount, tunnels: self.streams.tunnelCount,
      counts: counts)
  }
}
