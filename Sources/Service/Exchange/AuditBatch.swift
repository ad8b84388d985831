import NIOCore
import SallyportAudit
import SallyportCore

/// Gathers the audit records that one event loop makes in one turn, and writes them together.
///
/// A record costs one encoding into a buffer that is used again and again; the file is written once a turn, and only
/// then do the answers that wait for their records leave. Under load this is one write for many answers.
final class AuditBatch {
  /// What waits for a record, and hears whether it is in the file.
  enum Waiter {
    /// The way of nearly every record: an exchange that holds an answer back. Costs no closure.
    case answer(of: Exchange)
    case call((Bool) -> Void)
    case nobody

    func tell(_ succeeded: Bool) {
      switch self {
      case .answer(let exchange): exchange.auditWritten(succeeded)
      case .call(let body): body(succeeded)
      case .nobody: break
      }
    }
  }

  private struct Pending {
    var lines = ByteBuffer()
    var waiters: [Waiter] = []
  }

  private let log: AuditLog
  private let eventLoop: any EventLoop
  private var requests = Pending()
  private var unauthenticated = Pending()
  /// What waits for a record that is not written.
  private var passed: [Waiter] = []
  private var isScheduled = false
  /// What became of the records, for metrics.
  private(set) var counts = LoopCounts.RecordCounts()

  init(log: AuditLog, eventLoop: any EventLoop) {
    self.log = log
    self.eventLoop = eventLoop
  }

  /// Adds a record to this turn's batch. `waiter` is told on the event loop, never before this call has returned.
  func write(_ record: AuditRecord, then waiter: Waiter) {
    let now = WallTime.now()
    switch record.series {
    case .requests:
      record.encode(into: &self.requests.lines, at: now)
      self.requests.waiters.append(waiter)
    case .unauthenticated:
      record.encode(into: &self.unauthenticated.lines, at: now)
      self.unauthenticated.waiters.append(waiter)
    }
    guard !self.isScheduled else { return }
    self.isScheduled = true
    self.eventLoop.assumeIsolated().execute { self.flush() }
  }

  /// For a record that the audit policy leaves out: `waiter` is told in its turn, and nothing is written.
  func pass(then waiter: Waiter) {
    self.passed.append(waiter)
    guard !self.isScheduled else { return }
    self.isScheduled = true
    self.eventLoop.assumeIsolated().execute { self.flush() }
  }

  private func flush() {
    self.isScheduled = false
    let passed = self.passed
    self.passed = []
    for waiter in passed { waiter.tell(true) }
    self.flush(.requests)
    self.flush(.unauthenticated)
  }

  private func flush(_ series: AuditSeries) {
    var batch = self.take(series)
    guard !batch.waiters.isEmpty else { return }
    switch self.log.append(batch.lines, to: series, on: self.eventLoop) {
    case .now(let result):
      self.counts.count(batch.waiters.count, to: series, written: result.isSuccess)
      // A waiter lets an answer leave, and the next request of that connection may be answered before it returns: that
      // writes a record here again, into the emptied memory.
      var waiters: [Waiter] = []
      swap(&waiters, &batch.waiters)
      batch.lines.clear()
      self.giveBack(&batch, series)
      for waiter in waiters { waiter.tell(result.isSuccess) }
      waiters.removeAll(keepingCapacity: true)
      self.giveBack(&waiters, series)
    case .later(let future):
      // The log still reads the buffer; the next turn gets its own.
      let bound = NIOLoopBound((self, batch.waiters), eventLoop: self.eventLoop)
      future.hop(to: self.eventLoop).whenComplete { result in
        let written = if case .success(.success) = result { true } else { false }
        let (batch, waiters) = bound.value
        batch.counts.count(waiters.count, to: series, written: written)
        for waiter in waiters { waiter.tell(written) }
      }
    }
  }

  private func take(_ series: AuditSeries) -> Pending {
    var taken = Pending()
    switch series {
    case .requests: swap(&taken, &self.requests)
    case .unauthenticated: swap(&taken, &self.unauthenticated)
    }
    return taken
  }

  /// Keeps the emptied memory to be used again, unless there are records again already.
  private func giveBack(_ emptied: inout Pending, _ series: AuditSeries) {
    switch series {
    case .requests: if self.requests.waiters.isEmpty { swap(&emptied, &self.requests) }
    case .unauthenticated: if self.unauthenticated.waiters.isEmpty { swap(&emptied, &self.unauthenticated) }
    }
  }

  private func giveBack(_ emptied: inout [Waiter], _ series: AuditSeries) {
    switch series {
    case .requests: if self.requests.waiters.isEmpty { swap(&emptied, &self.requests.waiters) }
    case .unauthenticated: if self.unauthenticated.waiters.isEmpty { swap(&emptied, &self.unauthenticated.waiters) }
    }
  }
}

extension Result {
  var isSuccess: Bool { if case .success = self { true } else { false } }
}
