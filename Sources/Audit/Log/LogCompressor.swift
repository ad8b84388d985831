import Dispatch
import NIOConcurrencyHelpers

/// Compresses closed files in the background, one after another.
///
/// The compressed file appears whole and before the other goes; whatever interrupts this, one of them is there, and the
/// work is done again at the next start.
final class LogCompressor: Sendable {
  private let directory: any LogDirectory
  private let closing: NIOLock
  private let queue = DispatchQueue(label: "audit.compression", qos: .utility)
  private let isClosed = NIOLockedValueBox(false)

  /// - Parameter closing: held by whoever gives a file the name of a closed one before its last record is in it: what is found
  ///   without it held is whole
  init(_ directory: any LogDirectory, closing: NIOLock = NIOLock()) {
    self.directory = directory
    self.closing = closing
  }

  /// Looks for files to compress; returns at once.
  func start() {
    self.queue.async { self.compressAll() }
  }

  /// Returns when nothing is being compressed any more.
  func close() {
    self.isClosed.withLockedValue { $0 = true }
    self.queue.sync {}
  }

  private func compressAll() {
    let names = self.closing.withLock { (try? self.directory.names()) ?? [] }.sorted()
    for name in names where name.hasSuffix(".gz.part") { try? self.directory.remove(name) }
    for name in names {
      guard let file = ClosedFile(name: name), !file.isCompressed, !self.isClosed.withLockedValue({ $0 }) else { continue }
      // A file that cannot be compressed now, because the disk is full, stays as it is and is tried again with the next.
      try? self.compress(name)
    }
  }

  private func compress(_ name: String) throws(SystemError) {
    let part = "\(name).gz.part"
    do throws(SystemError) {
      let isDone = try self.directory.reading(name) { input throws(SystemError) in try self.compress(input, to: part) }
      guard isDone else { return try self.directory.remove(part) }
      try self.directory.rename(part, to: "\(name).gz")
      try self.directory.syncNames()
    } catch {
      try? self.directory.remove(part)
      throw error
    }
    do throws(SystemError) {
      try self.directory.remove(name)
    } catch {
      // It was too old to be kept and is gone; so goes its compressed form.
      if error.number == SystemError.missing { try self.directory.remove("\(name).gz") }
      throw error
    }
  }

  private func compress(_ input: Int32, to part: String) throws(SystemError) -> Bool {
    let output = try self.directory.open(part, .new)
    defer { self.directory.close(output) }
    guard try Gzip.compress(input, to: output, in: self.directory, isCancelled: { self.isClosed.withLockedValue { $0 } }) else {
      return false
    }
    try self.directory.sync(output)
    return true
  }
}
