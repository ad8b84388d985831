import Dispatch
import NIOConcurrencyHelpers
import NIOCore
import SallyportCore

/// Appends to one file from many event loops.
///
/// ``WritingTurns`` says who writes, ``SeriesFile`` how. Event loops write themselves where the promise is `written`; the
/// writer's own thread does so where it is `synced`, takes over when an event loop has served others for long enough, and
/// looks after a file that cannot be written.
final class SeriesWriter: Sendable {
  private struct Entry: Sendable {
    let lines: ByteBuffer
    let promise: EventLoopPromise<Result<Void, Problem>>
  }

  /// Bytes of records that may wait for a slow disk.
  private static let waitingLimit = 16 * 1024 * 1024
  /// How often an event loop writes what others left before it goes back to its own work.
  private static let roundsForOthers = 4

  private let turns = NIOLockedValueBox(WritingTurns<Entry>(waitingLimit: SeriesWriter.waitingLimit))
  /// Only whoever has the turn takes this lock, so that nobody ever waits for it.
  private let file: NIOLockedValueBox<SeriesFile>
  private let isSynced: Bool
  private let thread: DispatchQueue
  private let retryDelay: DispatchTimeInterval
  private let closed = DispatchSemaphore(value: 0)

  /// Opens the file.
  ///
  /// - Parameter retryDelay: how long after a failure the file is tried again, if no append does so before
  init(_ file: SeriesFile, label: String, isSynced: Bool, retryDelay: DispatchTimeInterval) throws(SystemError) {
    var file = file
    try file.prepare()
    self.file = NIOLockedValueBox(file)
    self.isSynced = isSynced
    self.thread = DispatchQueue(label: label)
    self.retryDelay = retryDelay
  }

  var waitingBytes: Int { self.turns.withLockedValue { $0.waitingBytes } }

  var problem: Problem? { self.turns.withLockedValue { $0.problem } }

  func append(_ lines: ByteBuffer, on eventLoop: any EventLoop) -> Answer<Result<Void, Problem>> {
    guard let last = lines.readableBytesView.last else { return .now(.success(())) }
    guard last == UInt8(ascii: "\n") else { return .now(.failure(.auditLineIncomplete)) }
    var future: EventLoopFuture<Result<Void, Problem>>?
    let arrival = self.turns.withLockedValue { turns in
      let entry = {
        let promise = eventLoop.makePromise(of: Result<Void, Problem>.self)
        future = promise.futureResult
        return Entry(lines: lines, promise: promise)
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

  /// Writes what several left, in one go, and tells each.
  private func write(_ entries: [Entry]) -> Problem? {
    var lines = entries[0].lines
    var ends = [lines.readableBytes]
    for entry in entries.dropFirst() {
      lines.writeImmutableBuffer(entry.lines)
      ends.append(lines.readableBytes)
    }
    let outcome = self.file.withLockedValue { file in
      file.append(lines) { written in ends.last { $0 <= written } ?? 0 }
    }
    for (entry, end) in zip(entries, ends) {
      entry.promise.succeed(end <= outcome.kept ? .success(()) : .failure(outcome.problem ?? .auditUnwritable))
    }
    return outcome.problem
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
