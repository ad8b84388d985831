import Dispatch
import NIOConcurrencyHelpers
public import NIOCore
public import SallyportCore

/// The audit log of this process: two series of files of JSON lines in one directory.
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
  private let compressor: LogCompressor?
  private let printer: RecordPrinter?
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
  ///
  /// - Parameter output: the descriptor that records are printed on
  init(
    _ configuration: AuditLogConfiguration, files: (POSIXLogDirectory) -> any LogDirectory, clock: @escaping @Sendable () -> WallTime,
    retryDelay: DispatchTimeInterval = .seconds(1), maintenanceInterval: DispatchTimeInterval = .seconds(60), output: Int32 = 1
  ) throws(Problem) {
    let keyFile = configuration.checkpointKeyFile ?? "\(configuration.directory)/\(CheckpointKeyFile.name)"
    let directory: POSIXLogDirectory
    do throws(SystemError) {
      directory = try POSIXLogDirectory(configuration.directory)
    } catch {
      throw .auditDirectory.with(detail: error.description)
    }
    let key = try CheckpointKeyFile.load(keyFile)
    do throws(SystemError) {
      self.lock = NIOLockedValueBox(try DirectoryLock(directory))
      let logDirectory = files(directory)
      // Of use to reviewers only; a disk that is full does not keep the log from being opened.
      try? logDirectory.replace(CheckpointKeyFile.publicName, with: Array(key.publicKey.pem.utf8))
      let printer = configuration.printsRecords ? RecordPrinter(to: output) : nil
      let closing = NIOLock()
      let compressor = configuration.rotation.compresses ? LogCompressor(logDirectory, closing: closing) : nil
      self.printer = printer
      self.compressor = compressor
      let timing = (retryDelay, maintenanceInterval)
      func parts(_ series: AuditSeries) -> LogSeries.Parts {
        var parts = LogSeries.Parts(
          series: series, directory: logDirectory, key: key, isSynced: configuration.durability == .synced,
          rotation: configuration.rotation(of: series), clock: clock)
        parts.closing = closing
        parts.closedFile = { compressor?.start() }
        if let printer { parts.written = { printer.print($0) } }
        return parts
      }
      self.requests = try SeriesWriter(parts(.requests), timing)
      self.unauthenticated = try SeriesWriter(parts(.unauthenticated), timing)
      // What a process that was killed had not compressed yet.
      compressor?.start()
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

  /// Looks whether somebody moved the files away, and goes on in new ones then; for SIGHUP, as logrotate sends it.
  ///
  /// Returns at once: it is done in turn with the records. Without it the log finds out by itself within a minute.
  public func reopen() {
    self.requests.reopen()
    self.unauthenticated.reopen()
  }

  /// Records what happened to the gateway; returns at once. What cannot be written now is written with the next record.
  public func record(_ event: GatewayEvent) { self.requests.record(event) }

  /// Writes what waits and a last signature, closes the files and gives the directory free; blocks until that is done.
  /// Appends that come later fail. To be called while the event loops still run: open answers are given on them.
  public func close() {
    self.requests.close()
    self.unauthenticated.close()
    self.compressor?.close()
    self.printer?.close()
    self.lock.withLockedValue { $0 = nil }
  }
}
