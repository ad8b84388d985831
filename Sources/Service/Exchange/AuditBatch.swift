import NIOCore
import SallyportAudit
import SallyportCore

/// Gathers the audit records that one event loop makes in one turn, and writes them together.
///
/// A record costs one encoding into a buffer that is used again and again; the file is written once a turn, and only
/// then do the answers that wait for their records leave. Under load this is one write for many answers.
final class AuditBatch {
  /// What waits for a record: `true` once the record is in the file, `false` when it could not be written.
  typealias Waiter = (Bool) -> Void

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

  /// Adds a record to this turn's batch. `waiter` is called on the event loop, never before this call has returned.
  func write(_ record: AuditRecord, then waiter: @escaping Waiter) {
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

  /// For a record that the audit policy leaves out: `waiter` is called in its turn, and nothing is written.
  func pass(then waiter: @escaping Waiter) {
    self.passed.append(waiter)
    guard !self.isScheduled else { return }
    self.isScheduled = true
    self.eventLoop.assumeIsolated().execute { self.flush() }
  }

  private func flush() {
    self.isScheduled = false
    let passed = self.passed
    self.passed = []
    for waiter in passed { waiter(true) }
    self.flush(.requests)
    self.flush(.unauthenticated)
  }

  private func flush(_ series: AuditSeries) {
    var batch = self.take(series)
    guard !batch.waiters.isEmpty else { return }
    switch self.log.append(batch.lines, to: series, on: self.eventLoop) {
    case .now(let result):
      batch.lines.clear()
      self.giveBack(&batch.lines, series)
      self.counts.count(batch.waiters.count, to: series, written: result.isSuccess)
      // A waiter lets an answer leave, and the next request of that connection may be answered before it returns: that
      // writes a record here again, so nothing of the batch is held meanwhile.
      for waiter in batch.waiters { waiter(result.isSuccess) }
    case .later(let future):
      // The log still reads the buffer; the next turn gets its own.
      let bound = NIOLoopBound((self, batch.waiters), eventLoop: self.eventLoop)
      future.hop(to: self.eventLoop).whenComplete { result in
        let written = if case .success(.success) = result { true } else { false }
        let (batch, waiters) = bound.value
        batch.counts.count(waiters.count, to: series, written: written)
        for waiter in waiters { waiter(written) }
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

  /// Keeps an emptied buffer, so that its memory is used again.
  private func giveBack(_ lines: inout ByteBuffer, _ series: AuditSeries) {
    switch series {
    case .requests: swap(&lines, &self.requests.lines)
    case .unauthenticated: swap(&lines, &self.unauthenticated.lines)
    }
  }
}

extension Result {
  var isSuccess: Bool { if case .success = self { true } else { false } }
}
