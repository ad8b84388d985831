import NIOConcurrencyHelpers
import NIOCore
import SallyportCore

/// One series of the log: its records as a chain over all its files, of which one is written to.
///
/// ``SeriesFile`` promises whole lines, ``Chain`` joins them, and this type decides when a file begins and ends. What it has
/// to say of the log itself it says in the log: as signed events, which go in front of the records with which they are
/// written. Only whoever has the writer's turn calls it.
struct LogSeries: Sendable {
  /// What a series is made of.
  struct Parts: Sendable {
    let series: AuditSeries
    let directory: any LogDirectory
    let key: CheckpointKey
    let isSynced: Bool
    let rotation: LogRotation
    let clock: @Sendable () -> WallTime
    /// Held while a file has the name of a closed one and not its last record yet: nobody looks for closed files meanwhile.
    var closing = NIOLock()
    /// Called when a file was closed, which can be compressed now.
    var closedFile: @Sendable () -> Void = {}
    /// Given every line that is in the file.
    var written: (@Sendable (ByteBuffer) -> Void)?
  }

  /// What will be written as an event with the next records.
  private enum Notice {
    case setAside(SetAsidePiece)
    case missing(known: ChainHead, found: Chain)
    case removed(ClosedFiles.Removal)
    case mark(LogEvent.Kind)
    case gateway(GatewayEvent)
  }

  private let parts: Parts
  private let keyName: String
  private var file: SeriesFile
  private var chain = Chain.start
  /// Of the file that is written to, or that was before an empty one.
  private var number: UInt64 = 0
  /// What the file's first record goes on from, and when that was written.
  private var opening = ChainValue.none
  private var opened: WallTime
  /// The last record that a signature speaks for.
  private var signedThrough: UInt64 = 0
  private var seenOpenings = 0
  private var isKnown = false
  private var isRetentionDue = true
  private var notices: [Notice] = []
  private var removals: [String] = []
  private var batch = SealedBatch()

  init(_ parts: Parts) {
    self.parts = parts
    self.keyName = parts.key.publicKey.identifier
    self.file = SeriesFile(parts.series.fileName, in: parts.directory, isSynced: parts.isSynced, clock: parts.clock)
    self.opened = parts.clock()
  }

  /// Opens the file and goes on from its end. A disk that is full does not keep the log from being opened.
  mutating func prepare() throws(SystemError) {
    try self.admit()
    _ = self.sign(.checkpoint)
  }

  /// Appends lines; as ``SeriesFile/append(_:keeping:)``, whose numbers here are those of the unsealed lines.
  mutating func append(_ lines: ByteBuffer, keeping: (Int) -> Int) -> SeriesFile.Outcome {
    do throws(SystemError) {
      try self.admit()
      if self.isFull(for: lines.readableBytes) { try self.rotate() }
    } catch {
      return SeriesFile.Outcome(kept: 0, problem: self.file.problem(error))
    }
    return self.write(lines, keeping: keeping)
  }

  /// What is to be done about once a minute: a signature over what is new, a file that is old enough closed, closed files
  /// that are old enough removed, and a look at what others did to the file.
  mutating func maintain() -> Problem? {
    do throws(SystemError) {
      try self.admit()
      switch try self.file.condition() {
      case .asLeft: break
      case .moved: try self.goOnInNewFile()
      case .cut:
        try self.file.setAside(as: "cut")
        try self.admit()
      }
      if self.isOldEnough { try self.rotate() }
      self.isRetentionDue = true
      self.planRemovals()
    } catch {
      return self.file.problem(error)
    }
    return self.sign(.checkpoint)
  }

  /// Goes on in whatever file has the series' name now, for somebody who moved the old one away.
  mutating func reopen() -> Problem? {
    do throws(SystemError) {
      try self.admit()
      guard try self.file.condition() != .asLeft else { return nil }
    } catch {
      return self.file.problem(error)
    }
    return self.maintain()
  }

  /// Writes what happened to the gateway; where that fails, it is written with the next record.
  mutating func record(_ event: GatewayEvent) -> Problem? {
    self.notices.append(.gateway(event))
    do throws(SystemError) {
      try self.admit()
    } catch {
      return self.file.problem(error)
    }
    return self.write(ByteBuffer()) { $0 }.problem
  }

  mutating func probe() -> Problem? { self.file.probe() }

  mutating func close() {
    _ = self.sign(.checkpoint)
    self.file.close()
  }

  // MARK: - Files

  /// Opens the file where that has to be done, and finds out where its chain ends.
  private mutating func admit() throws(SystemError) {
    try self.file.prepare()
    guard self.file.openings != self.seenOpenings else { return }
    if self.file.size > 0, try !self.recognise() {
      try self.file.setAside(as: "unchained")
      try self.file.prepare()
    }
    if !self.isKnown { try self.recall() }
    self.isKnown = true
    self.seenOpenings = self.file.openings
    self.notices += self.file.setAside.map(Notice.setAside)
    self.file.recorded(self.file.setAside.count)
    self.planRemovals()
  }

  /// Reads the ends of a file that has content.
  ///
  /// - Returns: `false` where it is none that this chain goes on from
  private mutating func recognise() throws(SystemError) -> Bool {
    guard let ends = try self.file.ends(), let found = FileEnds(first: ends.first, last: ends.last) else { return false }
    if self.isKnown { return found.chain == self.chain && found.number == self.number }
    self.adopt(found)
    // The head is written behind the log, so that an honest log never ends before it.
    if let head = self.head(), head.file > found.number || head.chain.sequence > found.chain.sequence {
      self.notices.append(.missing(known: head, found: found.chain))
    }
    self.isKnown = true
    return true
  }

  /// Finds out where the chain ended when the file is new: somebody moved the one before, or nobody ever wrote here.
  private mutating func recall() throws(SystemError) {
    let head = self.head()
    if let found = self.newestFile(), found.number >= head?.file ?? 0 { return self.adopt(found) }
    guard let head else { return }
    self.chain = head.chain
    self.number = head.file
  }

  private mutating func adopt(_ found: FileEnds) {
    self.chain = found.chain
    self.number = found.number
    self.opening = found.opening
    self.opened = found.opened
  }

  private func head() -> ChainHead? {
    let name = ChainHead.fileName(self.parts.series)
    let bytes = try? self.parts.directory.reading(name) { file throws(SystemError) in
      try self.parts.directory.read(file, at: 0, count: self.parts.directory.size(of: file))
    }
    return bytes?.withUnsafeBytes { ChainHead($0, signedBy: self.parts.key.publicKey) }
  }

  /// The newest of the series' other files that are not compressed.
  private func newestFile() -> FileEnds? {
    let directory = self.parts.directory
    let names = (try? directory.names()) ?? []
    let found = names.compactMap { name -> FileEnds? in
      guard name.hasPrefix(self.parts.series.rawValue), !name.hasSuffix(".gz"), !name.contains(".torn-") else { return nil }
      return try? directory.reading(name) { file throws(SystemError) in
        guard let first = try LineReading.first(of: file, in: directory),
          let last = try LineReading.last(of: file, size: directory.size(of: file), in: directory)
        else { return nil }
        return FileEnds(first: first, last: last)
      }
    }
    return found.max { $0.chain.sequence < $1.chain.sequence }
  }

  private mutating func goOnInNewFile() throws(SystemError) {
    self.endFile()
    try self.admit()
  }

  /// The file, wherever it is now, gets its end.
  private mutating func endFile() {
    self.notices.append(.mark(.fileClosed))
    _ = self.write(ByteBuffer()) { $0 }
    self.file.close()
    self.isRetentionDue = true
  }

  private func isFull(for byteCount: Int) -> Bool {
    guard let limit = self.parts.rotation.size, self.file.size > 0 else { return false }
    // With the seals of the records, and room for the event that closes the file.
    return self.file.size + byteCount + byteCount / 4 + 1024 > limit
  }

  private var isOldEnough: Bool {
    guard let every = self.parts.rotation.every, self.file.size > 0 else { return false }
    let (seconds, attoseconds) = every.components
    let period = max(1, seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    return self.parts.clock().nanosecondsSinceEpoch / period != self.opened.nanosecondsSinceEpoch / period
  }

  private mutating func rotate() throws(SystemError) {
    let closed = ClosedFile(self.parts.series, number: self.number, at: self.parts.clock())
    do {
      self.parts.closing.lock()
      defer { self.parts.closing.unlock() }
      try self.file.moveAway(to: closed.name)
      self.endFile()
    }
    try self.admit()
    self.parts.closedFile()
  }

  /// Looks for closed files that are no longer kept. They are removed once the event that says so is in the log.
  private mutating func planRemovals() {
    guard self.isRetentionDue, self.removals.isEmpty else { return }
    self.isRetentionDue = false
    let files = ClosedFiles(self.parts.series, in: self.parts.directory, rotation: self.parts.rotation)
    let isNew = self.file.size == 0
    guard
      let removal = files.expired(
        at: self.parts.clock(), newest: self.number, closing: isNew ? (self.number, self.chain.value) : (self.number - 1, self.opening))
    else { return }
    self.removals = removal.files.map(\.name)
    self.notices.append(.removed(removal))
  }

  // MARK: - Writing

  private mutating func sign(_ kind: LogEvent.Kind) -> Problem? {
    do throws(SystemError) {
      try self.admit()
    } catch {
      return self.file.problem(error)
    }
    // Any event is a signature over all before it.
    if self.notices.isEmpty, self.chain.sequence > self.signedThrough { self.notices.append(.mark(kind)) }
    guard !self.notices.isEmpty || self.file.size == 0 else { return nil }
    return self.write(ByteBuffer()) { $0 }.problem
  }

  /// Writes the file's first record, what is to be said of the log, and lines, all at once.
  private mutating func write(_ lines: ByteBuffer, keeping: (Int) -> Int) -> SeriesFile.Outcome {
    let isNew = self.file.size == 0
    let previous = self.chain.value
    self.batch.begin(after: self.chain)
    for event in self.events(isNew: isNew) { self.batch.add(event, signedBy: self.parts.key, at: self.parts.clock()) }
    guard self.batch.add(lines) else { return SeriesFile.Outcome(kept: 0, problem: .auditLineIncomplete) }

    let outcome = self.file.append(self.batch.bytes) { written in
      self.batch.sealedLength(of: keeping(self.batch.length(ofSealed: written)))
    }
    guard outcome.kept > 0 else { return outcome }
    self.chain = self.batch.chain(ofSealed: outcome.kept)
    if isNew {
      self.number += 1
      self.opening = previous
      self.opened = self.parts.clock()
    }
    if let head = self.batch.head { self.eventsWritten(head) }
    if let written = self.parts.written { written(self.batch.bytes.getSlice(at: 0, length: outcome.kept) ?? ByteBuffer()) }
    return SeriesFile.Outcome(kept: self.batch.length(ofSealed: outcome.kept), problem: outcome.problem)
  }

  private func events(isNew: Bool) -> [LogEvent] {
    let (series, key) = (self.parts.series, self.keyName)
    let file = isNew ? self.number + 1 : self.number
    let first = isNew ? [LogEvent.fileOpened(series, file: file, previous: self.chain.value, key: key)] : []
    return first
      + self.notices.map { notice in
        switch notice {
        case .setAside(let piece): .setAside(series, file: file, key: key, piece)
        case .missing(let known, let found): .recordsMissing(series, file: file, key: key, known: known, found: found)
        case .removed(let removal): .filesRemoved(series, file: file, key: key, removal)
        case .mark(let kind): .mark(kind, series, file: file, key: key)
        case .gateway(let event): .gateway(event, series, file: file, key: key)
        }
      }
  }

  private mutating func eventsWritten(_ head: SealedBatch.Head) {
    self.notices = []
    self.signedThrough = head.sequence
    // Where that fails, the head is older than it could be, which proves less and breaks nothing.
    try? self.parts.directory.replace(ChainHead.fileName(self.parts.series), with: head.text)
    for name in self.removals { try? self.parts.directory.remove(name) }
    self.removals = []
  }
}
