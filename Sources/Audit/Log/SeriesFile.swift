import NIOCore
import SallyportCore

/// One file of whole lines, which mends itself.
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
  private let clock: @Sendable () -> WallTime

  private var descriptor: Int32?
  /// Bytes of whole lines in the file.
  private(set) var size = 0
  /// How often a file was opened: whoever remembers the number sees that it is another one, or that somebody else may have
  /// written to it.
  private(set) var openings = 0
  /// What was set aside and is not in the log yet.
  private(set) var setAside: [SetAsidePiece] = []
  /// Bytes at the file's end that belong to no record that was reported as written.
  private var excess = 0
  private var lastSetAside: WallTime?

  /// Opens the file, or leaves that to the first append: see ``prepare()``.
  init(_ name: String, in directory: any LogDirectory, isSynced: Bool, clock: @escaping @Sendable () -> WallTime) {
    self.directory = directory
    self.name = name
    self.isSynced = isSynced
    self.clock = clock
  }

  /// Appends lines.
  ///
  /// - Parameters:
  ///   - lines: whole lines of one or several appends
  ///   - keeping: given a number of bytes, the length of those appends at the front that are wholly among them
  mutating func append(_ lines: ByteBuffer, keeping: (Int) -> Int) -> Outcome {
    do throws(SystemError) {
      let file = try self.readyFile()
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

  func problem(_ error: SystemError) -> Problem {
    .auditUnwritable.with(detail: "\(self.name): \(error)")
  }

  /// Makes the file fit to be appended to: opened, without a torn end.
  mutating func prepare() throws(SystemError) {
    _ = try self.readyFile()
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

  /// The next append opens whatever then has the name.
  mutating func close() {
    if let file = self.descriptor { self.directory.close(file) }
    self.descriptor = nil
    self.excess = 0
    self.size = 0
  }

  private mutating func readyFile() throws(SystemError) -> Int32 {
    let file: Int32
    if let descriptor { file = descriptor } else { file = try self.open() }
    guard self.excess > 0 else { return file }
    do throws(SystemError) {
      try self.cutExcess(of: file)
      return file
    } catch {
      return try self.setAside(file, because: error)
    }
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
    try self.setAside(as: "damaged")
    return try self.open()
  }

  /// Gives the whole file another name, `<name>.<reason>-<time>`, and closes it.
  mutating func setAside(as reason: String) throws(SystemError) {
    let newName = "\(self.name).\(reason)-\(self.clock().compact)"
    let size = self.size
    try self.moveAway(to: newName)
    self.close()
    self.setAside.append(SetAsidePiece(name: newName, bytes: size, sha256: "", reason: reason))
  }

  /// Gives the file another name; what is appended still goes to it, until ``close()``.
  func moveAway(to newName: String) throws(SystemError) {
    try self.directory.rename(self.name, to: newName)
  }

  /// What stands in the log now.
  mutating func recorded(_ pieces: Int) { self.setAside.removeFirst(pieces) }

  /// What somebody else did to the file, as far as can be seen.
  enum Condition {
    case asLeft
    /// Its name is gone, or another file's.
    case moved
    /// It is shorter than what was written.
    case cut
  }

  func condition() throws(SystemError) -> Condition {
    guard let file = self.descriptor else { return .asLeft }
    guard try self.directory.isName(self.name, of: file) else { return .moved }
    return try self.directory.size(of: file) < self.size ? .cut : .asLeft
  }

  /// The first and the last line.
  func ends() throws(SystemError) -> (first: [UInt8], last: [UInt8])? {
    guard let file = self.descriptor, self.size > 0, let first = try LineReading.first(of: file, in: self.directory),
      let last = try LineReading.last(of: file, size: self.size, in: self.directory)
    else { return nil }
    return (first, last)
  }

  private mutating func open() throws(SystemError) -> Int32 {
    let file = try self.directory.open(self.name, .existingOrNew)
    do throws(SystemError) {
      let (size, piece) = try TornLine.remove(from: file, named: self.name, in: self.directory, now: self.clock())
      self.size = size
      if let piece { self.setAside.append(piece) }
      if self.isSynced { try self.directory.syncNames() }
    } catch {
      self.directory.close(file)
      throw error
    }
    self.descriptor = file
    self.openings += 1
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
