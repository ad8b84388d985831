import SallyportCore

/// Whose turn it is to write a file: flat combining, as a state machine.
///
/// Whoever comes while nobody writes becomes the writer; whoever comes meanwhile leaves its entry and is told later. A
/// writer that is done with its own entry serves those that were left, all at once. So there is one writer at a time and
/// with it one order of records, nobody waits for a lock while a disk is slow, and without contention nobody waits at
/// all.
struct WritingTurns<Entry: Sendable>: Sendable {
  /// What to do with an entry that came.
  enum Arrival: Sendable {
    /// Nobody writes: write it, then ask ``next(after:roundsLeft:)``.
    case write
    /// It waits; somebody writes and will find it.
    case wait
    /// It waits, and the log's own thread has to be called to write it.
    case callThread
    case refuse(Problem)
  }

  /// What a writer does next.
  enum Next: Sendable {
    case write([Entry])
    /// Entries wait, and the writer has served enough of others: the log's own thread goes on as the writer.
    case handOver
    /// Nobody waits; the turn is over. With `retryLater`, ``beginRetry()`` is to be called in a while.
    case rest(retryLater: Bool)
    /// Nobody waits and nobody will come: close the file.
    case close
  }

  private var isWriting = false
  private var isRetryExpected = false
  private var isClosing = false
  private var waiting: [Entry] = []
  /// Bytes that wait for the writer.
  private(set) var waitingBytes = 0
  private let waitingLimit: Int

  /// Why the last write failed; `nil` after one that succeeded.
  private(set) var problem: Problem?

  /// - Parameter waitingLimit: bytes that may wait for the writer; beyond them entries are refused
  init(waitingLimit: Int) {
    self.waitingLimit = waitingLimit
  }

  /// An entry came that its bringer may write itself.
  mutating func arrive(bytes: Int, _ entry: () -> Entry) -> Arrival {
    if self.isClosing { return .refuse(.auditClosed) }
    if self.isWriting { return self.leave(bytes: bytes, entry) ?? .wait }
    self.isWriting = true
    return .write
  }

  /// An entry came that only the log's own thread may write.
  mutating func arriveForThread(bytes: Int, _ entry: () -> Entry) -> Arrival {
    if self.isClosing { return .refuse(.auditClosed) }
    if let refusal = self.leave(bytes: bytes, entry) { return refusal }
    if self.isWriting { return .wait }
    self.isWriting = true
    return .callThread
  }

  private mutating func leave(bytes: Int, _ entry: () -> Entry) -> Arrival? {
    guard self.waitingBytes + bytes <= self.waitingLimit else {
      return .refuse(.auditOverloaded.with(detail: "\(self.waitingBytes) bytes of audit records wait for the disk"))
    }
    self.waiting.append(entry())
    self.waitingBytes += bytes
    return nil
  }

  /// Takes the turn without an entry, to see whether a failing file can be written again.
  ///
  /// - Returns: `false` where there is no need: the file was written meanwhile, somebody is writing, or the log closes
  mutating func beginRetry() -> Bool {
    self.isRetryExpected = false
    guard self.problem != nil, !self.isWriting, !self.isClosing else { return false }
    self.isWriting = true
    return true
  }

  /// The writer wrote, or began its turn on the log's own thread.
  ///
  /// - Parameters:
  ///   - problem: why that failed
  ///   - roundsLeft: how often the writer will still serve others
  mutating func next(after problem: Problem?, roundsLeft: Int) -> Next {
    self.problem = problem
    guard self.waiting.isEmpty else {
      guard roundsLeft > 0 else { return .handOver }
      self.waitingBytes = 0
      defer { self.waiting.removeAll(keepingCapacity: false) }
      return .write(self.waiting)
    }
    self.isWriting = false
    if self.isClosing { return .close }
    guard problem != nil, !self.isRetryExpected else { return .rest(retryLater: false) }
    self.isRetryExpected = true
    return .rest(retryLater: true)
  }

  /// The log closes: what waits is still written, nothing new is taken.
  ///
  /// - Returns: whether the caller has to close the file; otherwise the writer will
  mutating func close() -> Bool {
    guard !self.isClosing else { return false }
    self.isClosing = true
    return !self.isWriting
  }
}
