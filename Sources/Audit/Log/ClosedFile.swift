/// A file of a series that is written to no more: `requests-000012-20260301T090507Z.jsonl`, compressed with `.gz` behind it.
package struct ClosedFile: Sendable, Hashable {
  package let series: AuditSeries
  /// The file's number in its series, as its first record says.
  package let number: UInt64
  /// When it was closed, UTC.
  package let time: String
  package let isCompressed: Bool

  init(_ series: AuditSeries, number: UInt64, at time: WallTime, isCompressed: Bool = false) {
    self.series = series
    self.number = number
    self.time = Self.text(time)
    self.isCompressed = isCompressed
  }

  /// `nil` for a name that this program does not give: whoever else moves files is left alone.
  package init?(name: String) {
    var rest = name[...]
    self.isCompressed = rest.hasSuffix(".gz")
    if self.isCompressed { rest = rest.dropLast(3) }
    guard rest.hasSuffix(".jsonl") else { return nil }
    let parts = rest.dropLast(6).split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, let series = AuditSeries(rawValue: String(parts[0])), let number = UInt64(parts[1]), number > 0,
      Self.digits(number) == parts[1], parts[2].utf8.count == 16,
      parts[2].allSatisfy({ $0.isASCII && ($0.isNumber || $0 == "T" || $0 == "Z") })
    else { return nil }
    self.series = series
    self.number = number
    self.time = String(parts[2])
  }

  package var name: String {
    "\(self.series.rawValue)-\(Self.digits(self.number))-\(self.time).jsonl\(self.isCompressed ? ".gz" : "")"
  }

  private static func digits(_ number: UInt64) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
  }

  /// `20260301T090507Z`; of two such texts the earlier time's is the lesser.
  static func text(_ time: WallTime) -> String { "\(time.compact.prefix(15))Z" }
}

/// Which closed files are no longer kept.
struct Retention: Sendable {
  let rotation: LogRotation

  var hasLimit: Bool { self.rotation.keep != nil || self.rotation.maximumAge != nil || self.rotation.totalSize != nil }

  /// - Parameters:
  ///   - files: the closed files of a series with their sizes
  /// - Returns: those to remove, always the oldest by number: in the middle of a chain nothing is ever removed
  func expired(among files: [(file: ClosedFile, size: Int)], at now: WallTime) -> (files: [ClosedFile], because: String) {
    let files = files.sorted { ($0.file.number, $0.file.name) < ($1.file.number, $1.file.name) }
    var reasons: [String] = []
    var count = 0
    func raise(_ reason: String, to wanted: Int) {
      if wanted > 0 { reasons.append(reason) }
      count = max(count, wanted)
    }
    if let keep = self.rotation.keep {
      // A file that is being compressed is there twice for a moment, and one of those kept.
      let numbers = Set(files.map(\.file.number)).sorted()
      let oldestKept = numbers.dropLast(keep).last.map { $0 + 1 } ?? 0
      raise("keep", to: files.count { $0.file.number < oldestKept })
    }
    if let age = self.rotation.maximumAge {
      let limit = ClosedFile.text(now.advanced(by: .zero - age))
      raise("maxAge", to: files.prefix { $0.file.time < limit }.count)
    }
    if let totalSize = self.rotation.totalSize {
      // The file that is written to may grow to the size at which it is closed.
      var left = totalSize - (self.rotation.size ?? 0)
      let kept = files.reversed().prefix { file in
        left -= file.size
        return left >= 0
      }
      raise("totalSize", to: files.count - kept.count)
    }
    return (files.prefix(count).map(\.file), reasons.joined(separator: ","))
  }
}
