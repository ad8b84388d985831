import NIOCore
import SallyportAudit
import SallyportCore

import struct Foundation.Date

/// The streams and tunnels of one event loop, so that none outlasts what it was admitted by.
///
/// One timer serves all. Time is the clock's, because certificates end by it; a clock that was set is noticed within a
/// minute.
final class StreamRegistry {
  struct ID: Hashable {
    fileprivate let number: UInt64
  }

  private struct Entry {
    let stream: any CuttableStream
    let facts: StreamFacts
  }

  /// How far a look at the deadlines is put off, so that many that fall close together are found by one.
  private static let slack = TimeAmount.milliseconds(200)
  private static let longestSleep = TimeAmount.minutes(1)

  private let eventLoop: any EventLoop
  private let now: () -> Date
  private var lastNumber: UInt64 = 0
  private var entries: [ID: Entry] = [:]
  private var deadlines = StreamDeadlines()
  private var timer: (deadline: NIODeadline, scheduled: Scheduled<Void>)?

  /// - Parameter now: the time by which credentials end
  init(eventLoop: any EventLoop, now: @escaping () -> Date = { Date() }) {
    self.eventLoop = eventLoop
    self.now = now
  }

  var count: Int { self.entries.count }
  private(set) var tunnelCount = 0
  /// What is known of each.
  var facts: [StreamFacts] { self.entries.values.map(\.facts) }

  /// Enters a stream; whoever enters it removes it when it has ended.
  func add(_ stream: any CuttableStream, _ facts: StreamFacts, limits: StreamLimits) -> ID {
    self.lastNumber += 1
    let id = ID(number: self.lastNumber)
    self.entries[id] = Entry(stream: stream, facts: facts)
    if facts.isTunnel { self.tunnelCount += 1 }
    if let deadline = StreamDeadlines.deadline(for: facts.subject, limits, began: self.now()) {
      self.deadlines.insert(id, deadline)
      self.setTimer()
    }
    return id
  }

  func remove(_ id: ID) {
    if self.entries.removeValue(forKey: id)?.facts.isTunnel == true { self.tunnelCount -= 1 }
    self.deadlines.remove(id)
  }

  /// Cuts every stream for which `condition` holds: a session that ended, a revoked certificate, a route that is gone.
  ///
  /// - Returns: how many there were
  func cutAll(_ reason: StreamEnd.Reason, where condition: (StreamFacts) -> Bool) -> Int {
    let found = self.entries.filter { condition($0.value.facts) }
    for entry in found.values { entry.stream.cut(reason) }
    return found.count
  }

  /// Cuts every stream that `objection` gives a reason against: a reload that would not let it in any more.
  ///
  /// - Returns: how many there were
  func review(_ objection: (StreamFacts) -> StreamEnd.Reason?) -> Int {
    let found = self.entries.values.compactMap { entry in objection(entry.facts).map { (entry.stream, $0) } }
    for (stream, reason) in found { stream.cut(reason) }
    return found.count
  }

  private func setTimer() {
    guard let soonest = self.deadlines.soonest else { return }
    let left = soonest.timeIntervalSince(self.now())
    let sleep = left >= 60 ? Self.longestSleep : .nanoseconds(Int64(max(0, left) * 1e9)) + Self.slack
    let deadline = self.eventLoop.now + sleep
    if let timer {
      guard deadline < timer.deadline else { return }
      timer.scheduled.cancel()
    }
    let scheduled = self.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] in
      guard let self else { return }
      self.timer = nil
      for (id, reason) in self.deadlines.due(at: self.now()) { self.entries[id]?.stream.cut(reason) }
      self.setTimer()
    }
    self.timer = (deadline, scheduled)
  }
}
