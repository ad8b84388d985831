/// Shows the records of a log that fit a filter, the oldest first.
public struct LogShow {
  private let filter: RecordFilter

  public init(_ filter: RecordFilter) {
    self.filter = filter
  }

  /// - Parameters:
  ///   - limit: how many records at most
  ///   - found: called with each record and its line as it stands in the log, without its newline
  public func run(
    _ paths: [String], limit: Int = .max, progress: @escaping (_ read: Int, _ total: Int) -> Void = { _, _ in },
    _ found: (ReviewedRecord, [UInt8]) -> Void
  ) throws(ReviewFault) {
    let records = try MergedRecords(paths, self.filter, progress: progress)
    var left = limit
    while left > 0, let next = try records.next() {
      found(next.record, next.line)
      left -= 1
    }
  }
}
