import Foundation
import SallyportAudit

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Reads what is appended to a log, over the changes of its files.
///
/// ``poll(_:)`` is to be called again and again; nothing of the log is lost between two calls, whatever becomes of the files
/// meanwhile: the one that was read is read to its end, also when it has another name by then.
public final class LogFollower {
  private final class Tail {
    let path: String
    let series: AuditSeries
    var reader: LineReader?
    var inode: UInt64?

    init(path: String, series: AuditSeries) {
      self.path = path
      self.series = series
    }
  }

  private let filter: RecordFilter
  private let tails: [Tail]

  /// Begins at the end of what is there now.
  ///
  /// - Parameter directory: the audit directory
  public init(_ directory: String, _ filter: RecordFilter) throws(ReviewFault) {
    guard FileManager.default.fileExists(atPath: directory) else { throw ReviewFault("\(directory): there is no such directory") }
    self.filter = filter
    self.tails = AuditSeries.allCases.map { Tail(path: "\(directory)/\($0.fileName)", series: $0) }
    for tail in self.tails {
      try self.open(tail)
      // What is there is passed over; the last line may be half written and is waited for.
      while try tail.reader?.next(takesRest: false) != nil {}
    }
  }

  /// Hands out what was appended since the last call, of each series in order.
  public func poll(_ found: (ReviewedRecord, [UInt8]) -> Void) throws(ReviewFault) {
    for tail in self.tails {
      try self.drain(tail, found)
      // The file was closed and a new one begun: what was written to the old one in between is read first.
      while let inode = Self.inode(of: tail.path), inode != tail.inode {
        try self.drain(tail, found)
        try self.open(tail)
        try self.drain(tail, found)
      }
    }
  }

  private func drain(_ tail: Tail, _ found: (ReviewedRecord, [UInt8]) -> Void) throws(ReviewFault) {
    while let line = try tail.reader?.next(takesRest: false) {
      guard let record = ReviewedRecord(line.bytes), self.filter.admits(record) else { continue }
      found(record, Array(line.bytes))
    }
  }

  private func open(_ tail: Tail) throws(ReviewFault) {
    guard let inode = Self.inode(of: tail.path) else { return }
    tail.reader = try LineReader(tail.path)
    tail.inode = inode
  }

  private static func inode(of path: String) -> UInt64? {
    var status = stat()
    return stat(path, &status) == 0 ? UInt64(status.st_ino) : nil
  }
}
