import Dispatch
import NIOConcurrencyHelpers
public import NIOCore
public import SallyportCore

/// The audit log of this process: two files of JSON lines in one directory.
///
/// **The promise.** A success of ``append(_:to:on:)`` means that write(2) took every byte, or with ``Durability/synced``
/// that the disk has them; until then no answer leaves. What is not in the file is reported as failed, the file holds
/// whole lines only, and the log comes back by itself when the disk does.
///
/// Several event loops append at once. There is one order of records in each file, and the records of one event loop are
/// in the order in which it appended them.
public final class AuditLog: Sendable {
  /// Whether the log can be written, for readiness.
  public enum State: Sendable, Equatable {
    case writable
    /// The last attempt failed; the next append tries again, and so does the log itself about once a second.
    case failing(Problem)
  }

  private let requests: SeriesWriter
  private let unauthenticated: SeriesWriter
  private let lock: NIOLockedValueBox<DirectoryLock?>

  /// Opens the log.
  ///
  /// The directory is locked for this process (`.lock`). A torn last line that a killed process left is moved to a file
  /// of its own.
  ///
  /// - Throws: `auditDirectoryInUse` where another process has the directory; `auditDirectory` where it or a file in it
  ///   cannot be opened, is a symbolic link, or belongs to another user
  public convenience init(_ configuration: AuditLogConfiguration) throws(Problem) {
    try self.init(configuration, files: { $0 }, clock: WallTime.now)
  }

  /// Opens the log on files that a test has put something before.
  init(
    _ configuration: AuditLogConfiguration, files: (POSIXLogDirectory) -> any LogDirectory, clock: @escaping @Sendable () -> WallTime,
    retryDelay: DispatchTimeInterval = .seconds(1)
  ) throws(Problem) {
    do throws(SystemError) {
      let directory = try POSIXLogDirectory(configuration.directory)
      self.lock = NIOLockedValueBox(try DirectoryLock(directory))
      let logDirectory = files(directory)
      let isSynced = configuration.durability == .synced
      self.requests = try SeriesWriter(
        SeriesFile(AuditSeries.requests.fileName, in: logDirectory, isSynced: isSynced, clock: clock),
        label: "audit.requests", isSynced: isSynced, retryDelay: retryDelay)
      // The file and its predecessor share the budget.
      self.unauthenticated = try SeriesWriter(
        SeriesFile(
          AuditSeries.unauthenticated.fileName, in: logDirectory, isSynced: isSynced, rotationSize: configuration.unauthenticatedBudget / 2,
          clock: clock),
        label: "audit.unauthenticated", isSynced: isSynced, retryDelay: retryDelay)
    } catch  where error.number == SystemError.wouldBlock {
      throw .auditDirectoryInUse.with(detail: "another process writes to the audit directory \(configuration.directory) (it holds .lock)")
    } catch {
      throw .auditDirectory.with(detail: error.description)
    }
  }

  /// Appends records.
  ///
  /// Where the promise is `written` and no other event loop is writing, the answer is there at once. Otherwise it comes
  /// on `eventLoop`; then an answer to a later append may come before that of an earlier one, though the records are in
  /// order.
  ///
  /// - Parameters:
  ///   - lines: one or several records as ``AuditRecord/encode(into:at:)`` writes them, each with its newline
  ///   - eventLoop: the caller's own
  /// - Returns: success once all lines are written; else why none of them counts as written (status 503)
  public func append(_ lines: ByteBuffer, to series: AuditSeries, on eventLoop: any EventLoop) -> Answer<Result<Void, Problem>> {
    switch series {
    case .requests: self.requests.append(lines, on: eventLoop)
    case .unauthenticated: self.unauthenticated.append(lines, on: eventLoop)
    }
  }

  /// Whether both files can be written, as far as is known.
  public var state: State {
    (self.requests.problem ?? self.unauthenticated.problem).map(State.failing) ?? .writable
  }

  /// Bytes of records that wait for the disk.
  public var waitingBytes: Int { self.requests.waitingBytes + self.unauthenticated.waitingBytes }

  /// Writes what waits, closes the files and gives the directory free; blocks until that is done. Appends that come
  /// later fail. To be called while the event loops still run: open answers are given on them.
  public func close() {
    self.requests.close()
    self.unauthenticated.close()
    self.lock.withLockedValue { $0 = nil }
  }
}
