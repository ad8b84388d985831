import Dispatch
import NIOConcurrencyHelpers
import NIOCore
import SallyportCore

/// Appends to one file from many event loops.
///
/// ``WritingTurns`` says who writes, ``LogSeries`` what and how. Event loops write themselves where the promise is `written`; the
/// writer's own thread does so where it is `synced`, takes over when an event loop has served others for long enough,
/// looks after a file that cannot be written, and does about once a minute what a log needs.
final class SeriesWriter: Sendable {
  private enum Entry: Sendable {
    case lines(ByteBuffer, EventLoopPromise<Result<Void, Problem>>)
    case chore(Chore)
  }

  /// What is done to the log itself, in the order of the writing.
  private enum Chore: Sendable {
    case maintain, reopen
    case record(GatewayEvent)
  }

  /// Bytes of records that may wait for a slow disk.
  private static let waitingLimit = 16 * 1024 * 1024
  /// How often an event loop writes what others left before it goes back to its own work.
  private static let roundsForOthers = 4

  private let turns = NIOLockedValueBox(WritingTurns<Entry>(waitingLimit: SeriesWriter.waitingLimit))
  /// Only whoever has the turn takes this lock, so that nobody ever waits for it.
  private let file: NIOLockedValueBox<LogSeries>
  private let isSynced: Bool
  private let thread: DispatchQueue
  private let retryDelay: DispatchTimeInterval
  private let maintenanceInterval: DispatchTimeInterval
  private let closed = DispatchSemaphore(value: 0)

  /// Opens the file.
  ///
  /// - Parameter timing: how long after a failure the file is tried again, if no append does so before; how often new records
  ///   are signed and old files looked after
  init(_ parts: LogSeries.Parts, _ timing: (retryDelay: DispatchTimeInterval, maintenance: DispatchTimeInterval)) throws(SystemError) {
    var file = LogSeries(parts)
    try file.prepare()
    self.file = NIOLockedValueBox(file)
    self.isSynced = parts.isSynced
    self.thread = DispatchQueue(label: "audit.\(parts.series.rawValue)")
    self.retryDelay = timing.retryDelay
    self.maintenanceInterval = timing.maintenance
    self.maintainLater()
  }

  var waitingBytes: Int { self.turns.withLockedValue { $0.waitingBytes } }

  var problem: Problem? { self.turns.withLockedValue { $0.problem } }

  func append(_ lines: ByteBuffer, on eventLoop: any EventLoop) -> Answer<Result<Void, Problem>> {
    guard lines.readableBytes > 0 else { return .now(.success(())) }
    guard lines.withUnsafeReadableBytes(Chain.isRecord) else { return .now(.failure(.auditLineIncomplete)) }
    var future: EventLoopFuture<Result<Void, Problem>>?
    let arrival = self.turns.withLockedValue { turns in
      let entry = {
        let promise = eventLoop.makePromise(of: Result<Void, Problem>.self)
        future = promise.futureResult
        return Entry.lines(lines, promise)
      }
      return self.isSynced
        ? turns.arriveForThread(bytes: lines.readableBytes, entry) : turns.arrive(bytes: lines.readableBytes, entry)
    }
    switch arrival {
    case .write:
      let problem = self.write(lines)
      self.goOn(after: problem, rounds: Self.roundsForOthers)
      return .now(problem.map(Result.failure) ?? .success(()))
    case .callThread:
      self.thread.async { self.goOn(after: self.problem, rounds: .max) }
    case .wait:
      break
    case .refuse(let problem):
      return .now(.failure(problem))
    }
    return .later(future!)  // an entry that waits was made, and its future with it
  }

  /// Writes one append whole or not at all.
  private func write(_ lines: ByteBuffer) -> Problem? {
    let length = lines.readableBytes
    return self.file.withLockedValue { $0.append(lines) { $0 == length ? length : 0 } }.problem
  }

  /// Goes on with the turn that this thread has, until nobody waits or the turn is handed over.
  private func goOn(after first: Problem?, rounds: Int) {
    var problem = first
    var roundsLeft = rounds
    while true {
      switch self.turns.withLockedValue({ $0.next(after: problem, roundsLeft: roundsLeft) }) {
      case .write(let entries):
        problem = self.write(entries)
        roundsLeft -= 1
      case .handOver:
        self.thread.async { [problem] in self.goOn(after: problem, rounds: .max) }
        return
      case .rest(let retryLater):
        if retryLater { self.retryLater() }
        return
      case .close:
        self.closeFile()
        return
      }
    }
  }

  /// Writes what several left, in one go, and tells each; then does what is to be done to the log.
  private func write(_ entries: [Entry]) -> Problem? {
    var lines = ByteBuffer()
    var waiting: [(end: Int, promise: EventLoopPromise<Result<Void, Problem>>)] = []
    var chores: [Chore] = []
    for entry in entries {
      switch entry {
      case .lines(let more, let promise):
        if waiting.isEmpty { lines = more } else { lines.writeImmutableBuffer(more) }
        waiting.append((lines.readableBytes, promise))
      case .chore(let chore): chores.append(chore)
      }
    }
    var problem: Problem?
    if !waiting.isEmpty {
      let ends = waiting.map(\.end)
      let outcome = self.file.withLockedValue { file in
        file.append(lines) { written in ends.last { $0 <= written } ?? 0 }
      }
      for (end, promise) in waiting {
        promise.succeed(end <= outcome.kept ? .success(()) : .failure(outcome.problem ?? .auditUnwritable))
      }
      problem = outcome.problem
    }
    for chore in chores {
      problem = self.file.withLockedValue { file in
        switch chore {
        case .maintain: file.maintain()
        case .reopen: file.reopen()
        case .record(let event): file.record(event)
        }
      }
    }
    return problem
  }

  /// Does something to the log in its turn; returns at once.
  ///
  /// - Returns: `false` where the log is closed
  private func enqueue(_ chore: Chore) -> Bool {
    switch self.turns.withLockedValue({ $0.arriveForThread(bytes: 0) { .chore(chore) } }) {
    case .callThread: self.thread.async { self.goOn(after: self.problem, rounds: .max) }
    case .wait, .write: break
    case .refuse(let problem): return problem != .auditClosed
    }
    return true
  }

  /// Looks whether somebody moved the file away, and goes on in a new one then.
  func reopen() { _ = self.enqueue(.reopen) }

  /// Writes an event in its turn.
  func record(_ event: GatewayEvent) { _ = self.enqueue(.record(event)) }

  private func maintainLater() {
    self.thread.asyncAfter(deadline: .now() + self.maintenanceInterval) { [weak self] in
      guard let self, self.enqueue(.maintain) else { return }
      self.maintainLater()
    }
  }

  private func retryLater() {
    self.thread.asyncAfter(deadline: .now() + self.retryDelay) { [weak self] in self?.retry() }
  }

  /// Sees whether a failing file can be written again.
  private func retry() {
    guard self.turns.withLockedValue({ $0.beginRetry() }) else { return }
    self.goOn(after: self.file.withLockedValue { $0.probe() }, rounds: .max)
  }

  /// Writes what waits and closes the file; returns when that is done.
  func close() {
    if self.turns.withLockedValue({ $0.close() }) {
      self.closeFile()
    }
    self.closed.wait()
    self.closed.signal()
  }

  private func closeFile() {
    self.file.withLockedValue { $0.close() }
    self.closed.signal()
  }

  deinit {
    self.file.withLockedValue { $0.close() }
  }
}
