import SallyportAudit

/// Reads the records of one series, file after file, that a filter admits.
final class RecordReader {
  struct Found {
    let record: ReviewedRecord
    /// The line as it stands in the log, without its newline.
    let line: [UInt8]
  }

  private var files: [LogFile]
  private let filter: RecordFilter
  private let needles: [[ByteSearch]]
  private var reader: LineReader?
  private let progress: (Int) -> Void
  private var bytesBefore = 0
  private var current: LogFile?
  private var lines = 0

  /// - Parameter progress: called now and then with the bytes that were read of the files
  init(_ files: [LogFile], _ filter: RecordFilter, progress: @escaping (Int) -> Void = { _ in }) {
    self.files = files.reversed()
    self.filter = filter
    self.needles = filter.needles()
    self.progress = progress
  }

  /// The next record; `nil` at the end.
  func next() throws(ReviewFault) -> Found? {
    while true {
      if self.reader == nil {
        guard let file = self.files.popLast() else { return nil }
        self.reader = try LineReader(file.path)
        self.current = file
      }
      while let line = try self.reader!.next() {  // made above
        self.lines += 1
        if self.lines & 0x3FFF == 0 { self.progress(self.bytesBefore + self.reader!.bytesRead) }
        if let found = self.read(line.bytes) { return found }
      }
      self.bytesBefore += self.current?.size ?? 0
      self.reader = nil
    }
  }

  private func read(_ line: UnsafeRawBufferPointer) -> Found? {
    for alternatives in self.needles where !alternatives.contains(where: { $0.occurs(in: line) }) { return nil }
    guard let record = ReviewedRecord(line), self.filter.admits(record) else { return nil }
    return Found(record: record, line: Array(line))
  }
}

/// The records of both series in the order of their times.
final class MergedRecords {
  private var readers: [RecordReader]
  private var waiting: [RecordReader.Found?]

  init(_ paths: [String], _ filter: RecordFilter, progress: @escaping (_ read: Int, _ total: Int) -> Void = { _, _ in }) throws(ReviewFault)
  {
    let files = try LogFiles(paths).files
    let total = files.reduce(0) { $0 + $1.size }
    var read = [Int](repeating: 0, count: AuditSeries.allCases.count)
    let progressed = { (index: Int, bytes: Int) in
      read[index] = bytes
      progress(read.reduce(0, +), total)
    }
    self.readers = AuditSeries.allCases.enumerated().map { index, series in
      RecordReader(files.filter { $0.series == series }, filter) { progressed(index, $0) }
    }
    self.waiting = []
    for reader in self.readers { self.waiting.append(try reader.next()) }
  }

  func next() throws(ReviewFault) -> RecordReader.Found? {
    let first = self.waiting.indices.filter { self.waiting[$0] != nil }.min {
      self.waiting[$0]!.record.time < self.waiting[$1]!.record.time
    }
    guard let first, let found = self.waiting[first] else { return nil }
    self.waiting[first] = try self.readers[first].next()
    return found
  }
}
