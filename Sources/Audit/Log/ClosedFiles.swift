/// The closed files of a series, and which of them are no longer kept.
struct ClosedFiles {
  struct Removal: Sendable {
    let files: [ClosedFile]
    /// The number of the last of them, and the link that it closed with.
    let through: UInt64
    let closing: ChainValue
    let because: String
  }

  private let series: AuditSeries
  private let directory: any LogDirectory
  private let retention: Retention

  init(_ series: AuditSeries, in directory: any LogDirectory, rotation: LogRotation) {
    self.series = series
    self.directory = directory
    self.retention = Retention(rotation: rotation)
  }

  /// What is to be removed now.
  ///
  /// - Parameters:
  ///   - newest: the number of the newest file of the series
  ///   - closing: the link that one file closed with, which is known without reading
  func expired(at now: WallTime, newest: UInt64, closing: (number: UInt64, value: ChainValue)) -> Removal? {
    guard self.retention.hasLimit else { return nil }
    let files = ((try? self.directory.names()) ?? []).compactMap { name -> (file: ClosedFile, size: Int)? in
      guard let file = ClosedFile(name: name), file.series == self.series, file.number <= newest else { return nil }
      let size = try? self.directory.reading(name) { file throws(SystemError) in try self.directory.size(of: file) }
      return size.map { (file, $0) }
    }
    let (expired, because) = self.retention.expired(among: files, at: now)
    guard let last = expired.last?.number,
      let value = last == closing.number ? closing.value : self.closingValue(of: last, among: files.map(\.file))
    else { return nil }
    return Removal(files: expired, through: last, closing: value, because: because)
  }

  /// The link that a file closed with, as the first record of the file behind it says.
  private func closingValue(of number: UInt64, among files: [ClosedFile]) -> ChainValue? {
    guard let next = files.first(where: { $0.number == number + 1 }) else { return nil }
    let directory = self.directory
    let first = try? directory.reading(next.name) { file throws(SystemError) in
      next.isCompressed ? try Gzip.firstLine(of: file, in: directory) : try LineReading.first(of: file, in: directory)
    }
    return first.flatMap { $0 }?.withUnsafeBytes { EventFacts($0)?.chain("previous-chain") }
  }
}
