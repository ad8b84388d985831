import NIOCore
import SallyportCore

/// One file of whole lines, which mends itself.
///
/// Records pass through ``append(_:keeping:)`` and nowhere else, each of their bytes once and in the order of the file:
/// what a later version wants to compute over that order, such as a chain of hashes, is computed there.
///
/// After a write that failed half-way the file is cut back behind the last append that is whole. Where even that fails,
/// it is set aside under the name `….damaged-<time>` and a new one begun. A last line without its end, found when the
/// file is opened (the process was killed while it wrote), is moved to `….torn-<time>`. Whatever cannot be done now is
/// tried again with the next append.
struct SeriesFile {
  /// What became of an append.
  struct Outcome {
    /// How many bytes from the front are in the file: all, or what the caller said is whole.
    let kept: Int
    let problem: Problem?
  }

  private let directory: any LogDirectory
  private let name: String
  private let isSynced: Bool
  /// Bytes after which the file becomes the predecessor of a new one; `nil`: it grows.
  private let rotationSize: Int?
  private let clock: @Sendable () -> WallTime

  private var descriptor: Int32?
  private var size = 0
  /// Bytes at the file's end that belong to no record that was reported as written.
  private var excess = 0
  private var lastSetAside: WallTime?

  /// Opens the file, or leaves that to the first append: see ``prepare()``.
  init(
    _ name: String, in directory: any LogDirectory, isSynced: Bool, rotationSize: Int? = nil, clock: @escaping @Sendable () -> WallTime
  ) {
    self.directory = directory
    self.name = name
    self.isSynced = isSynced
    self.rotationSize = rotationSize
    self.clock = clock
  }

  /// Appends lines.
  ///
  /// - Parameters:
  ///   - lines: whole lines of one or several appends
  ///   - keeping: given a number of bytes, the length of those appends at the front that are wholly among them
  mutating func append(_ lines: ByteBuffer, keeping: (Int) -> Int) -> Outcome {
    do throws(SystemError) {
      let file = try self.readyFile(for: lines.readableBytes)
      return self.write(lines, to: file, keeping: keeping)
    } catch {
      return Outcome(kept: 0, problem: self.problem(error))
    }
  }

  private mutating func write(_ lines: ByteBuffer, to file: Int32, keeping: (Int) -> Int) -> Outcome {
    var written = 0
    var failure: SystemError?
    do throws(SystemError) {
      try lines.withBytes { bytes throws(SystemError) in try self.directory.writeAll(file, bytes, written: &written) }
    } catch {
      failure = error
    }
    var kept = failure == nil ? written : keeping(written)
    if self.isSynced, kept > 0 {
      do throws(SystemError) {
        try self.directory.sync(file)
      } catch {
        // The kernel may have forgotten what it could not store and report the next sync as good: nothing of this append
        // counts. Earlier ones were synced on their own.
        failure = error
        kept = 0
      }
    }
    self.size += kept
    guard let failure else { return Outcome(kept: kept, problem: nil) }
    self.excess = written - kept
    // If this fails, the next append finds `excess` and goes on from there.
    try? self.cutExcess(of: file)
    return Outcome(kept: kept, problem: self.problem(failure))
  }

  private func problem(_ error: SystemError) -> Problem {
    .auditUnwritable.with(detail: "\(self.name): \(error)")
  }

  /// Makes the file fit to be appended to: opened, without a torn end, with room in its budget.
  mutating func prepare() throws(SystemError) {
    _ = try self.readyFile(for: 0)
  }

  /// Sees whether the file can be written, without writing to it: used while it could not, so that readiness comes back
  /// without a request having to fail first.
  mutating func probe() -> Problem? {
    do throws(SystemError) {
      try self.prepare()
      // A file of its own finds a full or failing disk as an append would.
      let probe = ".probe-\(self.name)"
      let file = try self.directory.open(probe, .existingOrNew)
      defer {
        self.directory.close(file)
        try? self.directory.remove(probe)
      }
      let block = ByteBuffer(repeating: UInt8(ascii: "\n"), count: 16 * 1024)
      var written = 0
      try block.withBytes { bytes throws(SystemError) in try self.directory.writeAll(file, bytes, written: &written) }
      try self.directory.sync(file)
      return nil
    } catch {
      return self.problem(error)
    }
  }

  mutating func close() {
    if let file = self.descriptor { self.directory.close(file) }
    self.descriptor = nil
  }

  private mutating func readyFile(for byteCount: Int) throws(SystemError) -> Int32 {
    var file: Int32
    if let descriptor { file = descriptor } else { file = try self.open() }
    if self.excess > 0 {
      do throws(SystemError) {
        try self.cutExcess(of: file)
      } catch {
        file = try self.setAside(file, because: error)
      }
    }
    if let rotationSize, self.size > 0, self.size + byteCount > rotationSize {
      file = try self.replace(file, movingItTo: "\(self.name).1")
    }
    return file
  }

  private mutating func cutExcess(of file: Int32) throws(SystemError) {
    // Counted from the end that the file has now: somebody may have emptied it by hand.
    let size = try self.directory.size(of: file)
    try self.directory.truncate(file, to: max(0, size - self.excess))
    self.excess = 0
  }

  /// Not more than once a second, so that a disk with such faults is not filled with files.
  private mutating func setAside(_ file: Int32, because error: SystemError) throws(SystemError) -> Int32 {
    let now = self.clock()
    if let last = self.lastSetAside, abs(now.nanosecondsSinceEpoch - last.nanosecondsSinceEpoch) < 1_000_000_000 { throw error }
    self.lastSetAside = now
    return try self.replace(file, movingItTo: "\(self.name).damaged-\(now.compact)")
  }

  private mutating func replace(_ file: Int32, movingItTo newName: String) throws(SystemError) -> Int32 {
    try self.directory.rename(self.name, to: newName)
    self.close()
    self.excess = 0
    return try self.open()
  }

  private mutating func open() throws(SystemError) -> Int32 {
    let file = try self.directory.open(self.name, .existingOrNew)
    do throws(SystemError) {
      self.size = try TornLine.remove(from: file, named: self.name, in: self.directory, now: self.clock())
      if self.isSynced { try self.directory.syncNames() }
    } catch {
      self.directory.close(file)
      throw error
    }
    self.descriptor = file
    return file
  }
}

extension ByteBuffer {
  /// The readable bytes; unlike NIO's own this passes a typed error on.
  fileprivate func withBytes<Failure: Error>(_ body: (UnsafeRawBufferPointer) throws(Failure) -> Void) throws(Failure) {
    let result = self.withUnsafeReadableBytes { bytes -> Result<Void, Failure> in
      do throws(Failure) {
        return .success(try body(bytes))
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }
}

extension WallTime {
  /// The time as part of a file's name: `20260301T090507.000123Z`.
  var compact: String { self.description.filter { $0 != "-" && $0 != ":" } }
}
