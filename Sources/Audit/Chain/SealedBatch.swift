import NIOCore

/// What is appended to a file at once: the log's own events, then records, all joined to the chain.
struct SealedBatch: Sendable {
  /// The last event, as the head of the chain keeps it.
  struct Head: Sendable {
    let text: [UInt8]
    let sequence: UInt64
  }

  private(set) var bytes = ByteBuffer()
  private(set) var head: Head?
  private var lines = ByteBuffer()
  private var start = Chain.start
  private var end = Chain.start
  private var eventCount = 0
  private var eventBytes = 0

  /// The most memory that stays allocated between batches, in bytes.
  private static let keptCapacity = 1024 * 1024

  mutating func begin(after chain: Chain) {
    if self.bytes.capacity > Self.keptCapacity { self.bytes = ByteBuffer() } else { self.bytes.clear() }
    self.head = nil
    self.start = chain
    self.end = chain
    self.eventCount = 0
    self.eventBytes = 0
  }

  mutating func add(_ event: LogEvent, signedBy key: CheckpointKey, at time: WallTime) {
    let previous = self.end.value
    var line = LineBytes()
    event.encode(into: &line, id: AuditID(), at: time)
    line.withBytes { self.end.seal($0, signedBy: key, into: &self.bytes) }
    let text = self.bytes.getBytes(at: self.eventBytes, length: self.bytes.writerIndex - self.eventBytes) ?? []
    self.head = Head(text: Array("\(previous) ".utf8) + text, sequence: self.end.sequence)
    self.eventCount += 1
    self.eventBytes = self.bytes.writerIndex
  }

  /// - Returns: `false` where one of the lines is no record
  mutating func add(_ lines: ByteBuffer) -> Bool {
    self.lines = lines
    return lines.withUnsafeReadableBytes { self.end.seal($0, into: &self.bytes) }
  }

  // MARK: - When not all was written

  /// How many bytes of the records, as they were before they were joined, are wholly among the first sealed ones.
  func length(ofSealed count: Int) -> Int {
    if count == self.bytes.readableBytes { return self.lines.readableBytes }
    return self.lines.length(ofLines: self.recordCount(ofSealed: count))
  }

  /// The converse; nothing is kept of a batch whose records are not, so that a file does not begin twice.
  func sealedLength(of count: Int) -> Int {
    if count == self.lines.readableBytes { return self.bytes.readableBytes }
    guard count > 0 else { return 0 }
    return self.bytes.length(ofLines: self.eventCount + self.lines.lineCount(in: count))
  }

  /// Where the chain ends when so many bytes are in the file.
  func chain(ofSealed count: Int) -> Chain {
    if count == self.bytes.readableBytes { return self.end }
    let kept = self.bytes.lineCount(in: count)
    let before = self.bytes.length(ofLines: kept - 1)
    let value = self.bytes.withUnsafeReadableBytes { SealedLine(UnsafeRawBufferPointer(rebasing: $0[before..<count]))?.value }
    return Chain(value: value ?? self.end.value, sequence: self.start.sequence + UInt64(kept))
  }

  private func recordCount(ofSealed count: Int) -> Int { max(0, self.bytes.lineCount(in: count) - self.eventCount) }
}

extension ByteBuffer {
  /// How many whole lines are among the first bytes.
  fileprivate func lineCount(in count: Int) -> Int {
    self.withUnsafeReadableBytes { UnsafeRawBufferPointer(rebasing: $0[..<min(count, $0.count)]).lineCount }
  }

  /// How many bytes the first lines have.
  fileprivate func length(ofLines lines: Int) -> Int {
    self.withUnsafeReadableBytes { bytes in
      var start = 0
      for _ in 0..<max(0, lines) { start += bytes.lineLength(from: start) ?? 0 }
      return start
    }
  }
}
