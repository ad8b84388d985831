import Foundation
import SallyportAudit

/// A file of the log, as found in a directory or named by somebody.
struct LogFile: Sendable, Equatable {
  let path: String
  let series: AuditSeries
  /// What its first record says; `nil` where that is none that opens a file.
  let header: Header?
  let size: Int

  struct Header: Sendable, Equatable {
    let number: UInt64
    /// The link that the file goes on from.
    let opening: ChainValue
  }

  var name: String { (self.path as NSString).lastPathComponent }

  /// Whether it is the file that is written to.
  var isCurrent: Bool { self.name == self.series.fileName }

  /// Its place in the series: by its first record, or its name; what has neither comes last.
  var order: UInt64 { self.header?.number ?? ClosedFile(name: self.name)?.number ?? .max }

  init?(path: String) throws(ReviewFault) {
    let name = (path as NSString).lastPathComponent
    let reader = try LineReader(path, bufferSize: 16 * 1024)
    var header: Header?
    var stated: AuditSeries?
    if let first = try reader.next(), let facts = EventFacts(first.bytes), facts.kind == .fileOpened, let number = facts.number("file"),
      let opening = facts.chain("previous-chain")
    {
      header = Header(number: number, opening: opening)
      stated = facts.text("series").flatMap(AuditSeries.init)
    }
    guard let series = stated ?? AuditSeries.allCases.first(where: { name.hasPrefix($0.rawValue) }) else { return nil }
    self.path = path
    self.series = series
    self.header = header
    self.size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
  }
}

/// The files of a log, in the order of their writing.
struct LogFiles {
  private(set) var files: [LogFile] = []
  /// The directories among the paths.
  private(set) var directories: [String] = []

  /// - Parameter paths: directories of a log, or single files
  init(_ paths: [String], series: [AuditSeries] = AuditSeries.allCases) throws(ReviewFault) {
    for path in paths {
      var isDirectory: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
        throw ReviewFault("\(path): there is no such file")
      }
      if isDirectory.boolValue {
        self.directories.append(path)
        for name in try Self.names(in: path) {
          if let file = try LogFile(path: "\(path)/\(name)") { self.files.append(file) }
        }
      } else {
        guard let file = try LogFile(path: path) else { throw ReviewFault("\(path): is no audit log of Sallyport") }
        self.files.append(file)
      }
    }
    self.files = self.files.filter { series.contains($0.series) }
    self.files.sort { ($0.series.rawValue, $0.order, $0.name) < ($1.series.rawValue, $1.order, $1.name) }
    self.dropDoubles()
  }

  /// Whether the same files are there; they may have grown.
  func isSame(as other: LogFiles) -> Bool {
    self.files.elementsEqual(other.files) { $0.path == $1.path && $0.header == $1.header }
  }

  /// A log's files, not what stands beside them: locks, keys, heads, torn ends, what is being compressed.
  private static func names(in directory: String) throws(ReviewFault) -> [String] {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else {
      throw ReviewFault("\(directory): cannot be read")
    }
    return names.sorted().filter { name in
      AuditSeries.allCases.contains { name.hasPrefix($0.rawValue) } && !name.hasSuffix(".part") && !name.contains(".torn-")
        && !name.contains(".unchained-")
    }
  }

  /// While a file is compressed, both forms of it are there for a moment.
  private mutating func dropDoubles() {
    let names = Set(self.files.map(\.path))
    self.files.removeAll { $0.path.hasSuffix(".gz") && names.contains(String($0.path.dropLast(3))) }
  }
}
