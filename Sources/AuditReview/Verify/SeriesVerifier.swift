import Foundation
import SallyportAudit

/// Follows the chain of one series through its files.
///
/// After a fault it goes on with what the next record says of itself, so that one change is one finding and not as many as
/// there are records behind it.
struct SeriesVerifier {
  private let series: AuditSeries
  private let keys: [String: CheckpointPublicKey]
  /// What the log must hold, by number.
  private var wanted: [UInt64: [ChainAnchor]] = [:]
  private let heads: [ChainAnchor]
  private let liveDirectories: Set<String>

  /// The number of the last record, and the links that it may have: after a fault there are two, what it says and what it
  /// should say.
  private var sequence: UInt64 = 0
  private var links: [ChainValue] = [.none]
  private var firstSequence: UInt64?
  private var hasBegun = false
  private var fileNumber: UInt64 = 0
  private var firstFile: (number: UInt64, opening: ChainValue, place: String)?
  private var tombstone: (through: UInt64, link: ChainValue)?

  private var summary: VerificationReport.Series
  private var lastLine: [UInt8] = []
  /// When the first record behind the last signature was written, and where that is.
  private var unsignedSince: (time: WallTime, place: String)?
  private var isUnsignedReported = false

  /// Longer than a signature is ever late on a machine that works.
  private static let signatureDelay: Duration = .seconds(300)

  init(
    _ series: AuditSeries, keys: [String: CheckpointPublicKey], anchors: [ChainAnchor], heads: [ChainAnchor],
    liveDirectories: Set<String>
  ) {
    self.series = series
    self.keys = keys
    self.heads = heads
    self.liveDirectories = liveDirectories
    self.summary = VerificationReport.Series(series: series.rawValue)
    for anchor in anchors + heads where anchor.series == series.rawValue { self.wanted[anchor.sequence, default: []].append(anchor) }
  }

  // MARK: - A file

  mutating func read(_ file: LogFile, into report: inout VerificationReport, progress: (Int) -> Void) throws(ReviewFault) {
    self.begin(file, into: &report)
    self.summary.files += 1
    self.summary.bytes += file.size
    let reader = try LineReader(file.path)
    do throws(ReviewFault) {
      while let line = try reader.next() {
        guard line.isWhole else {
          self.tornEnd(file, line, into: &report)
          break
        }
        self.read(line, of: file, into: &report)
        if line.number & 0xFFFF == 0 { progress(reader.bytesRead) }
      }
    } catch {
      report.add(.cut, file.path, error.description)
    }
  }

  private mutating func begin(_ file: LogFile, into report: inout VerificationReport) {
    guard let header = file.header else {
      report.add(.changed, "\(file.path):1", "is not the record that opens a file: it was changed, removed, or is no record of this log")
      self.hasBegun = true
      if file.order != .max { self.fileNumber = file.order }
      return
    }
    defer { self.fileNumber = header.number }
    guard self.hasBegun else {
      self.hasBegun = true
      self.firstFile = (header.number, header.opening, "\(file.path):1")
      self.links = [header.opening]
      self.sequence = 0
      self.isResuming = true
      return
    }
    switch header.number {
    case self.fileNumber + 1:
      if !self.links.contains(header.opening) {
        report.add(
          .cut, "\(file.path):1",
          "does not go on from where the file before it ends: that one was cut, changed or replaced, or this one was")
      }
    case self.fileNumber: report.add(.file, file.path, "is file \(header.number) of its series, of which there is another one")
    case ...self.fileNumber:
      report.add(.file, file.path, "is file \(header.number) of its series and stands behind file \(self.fileNumber)")
    default:
      report.add(
        .file, file.path, "is file \(header.number) of its series; \(Self.range(self.fileNumber + 1, header.number - 1)) missing")
    }
    if !self.links.contains(header.opening) { self.isResuming = true }
    self.links = [header.opening]
  }

  private static func range(_ first: UInt64, _ last: UInt64) -> String {
    first == last ? "file \(first) is" : "files \(first) to \(last) are"
  }

  /// Whether the next record's number is taken as it is: where the log begins, and behind a gap.
  private var isResuming = false

  private func tornEnd(_ file: LogFile, _ line: LineReader.Line, into report: inout VerificationReport) {
    let directory = (file.path as NSString).deletingLastPathComponent
    if file.name.contains(".damaged-") { return }
    if file.isCurrent, self.liveDirectories.contains(directory) { return }
    report.add(.cut, "\(file.path):\(line.number)", of: line.bytes.auditID, "the line has no end")
  }

  // MARK: - A record

  private mutating func read(_ line: LineReader.Line, of file: LogFile, into report: inout VerificationReport) {
    guard let sealed = SealedLine(line.bytes) else {
      return report.add(
        .changed, "\(file.path):\(line.number)", of: line.bytes.auditID, "is no record of this log: it was added, or changed at its end")
    }
    let previous = self.links.first { $0.next(sealed.body) == sealed.value }
    if let previous {
      if !self.isResuming, sealed.sequence != self.sequence + 1 {
        report.add(
          .changed, "\(file.path):\(line.number)", of: line.bytes.auditID, "has the number \(sealed.sequence) behind \(self.sequence)")
      }
      self.advance(to: sealed, links: [sealed.value], line, file, into: &report)
      self.readEvent(sealed, line, of: file, after: previous, into: &report)
      return
    }
    let place = "\(file.path):\(line.number)"
    let expected = self.sequence + 1
    if self.isResuming || sealed.sequence == expected {
      report.add(.changed, place, of: line.bytes.auditID, "record \(sealed.sequence) is not what was written")
      let computed = self.links.map { $0.next(sealed.body) }
      self.advance(to: sealed, links: [sealed.value] + computed, line, file, into: &report)
    } else if sealed.sequence > expected {
      let missing = sealed.sequence - expected
      report.add(
        .removed, place, of: line.bytes.auditID,
        missing == 1
          ? "record \(expected) in front of it is missing" : "records \(expected) to \(sealed.sequence - 1) in front of it are missing")
      self.advance(to: sealed, links: [sealed.value], line, file, into: &report)
    } else {
      report.add(.reordered, place, of: line.bytes.auditID, "record \(sealed.sequence) stands behind record \(self.sequence)")
    }
  }

  private mutating func advance(
    to sealed: SealedLine, links: [ChainValue], _ line: LineReader.Line, _ file: LogFile, into report: inout VerificationReport
  ) {
    self.isResuming = false
    if self.firstSequence == nil { self.firstSequence = sealed.sequence }
    self.sequence = sealed.sequence
    self.links = links
    self.summary.records += 1
    if !self.wanted.isEmpty, let wanted = self.wanted.removeValue(forKey: sealed.sequence) {
      let link = sealed.value.description
      for anchor in wanted where anchor.link != link {
        report.add(.signature, "\(file.path):\(line.number)", of: line.bytes.auditID, "is not the record that was known as \(anchor)")
      }
    }
    self.noteTime(line, file, into: &report)
  }

  private mutating func noteTime(_ line: LineReader.Line, _ file: LogFile, into report: inout VerificationReport) {
    // To copy a line costs less than to look for its time, which is wanted of the last one alone.
    self.lastLine.removeAll(keepingCapacity: true)
    self.lastLine.append(contentsOf: line.bytes)
    guard self.unsignedSince == nil || self.summary.firstTime == nil || self.summary.records & 0xFF == 0,
      let time = line.bytes.stageTimestamp
    else { return }
    if self.summary.firstTime == nil { self.summary.firstTime = time.description }
    guard let since = self.unsignedSince else {
      self.unsignedSince = (time, "\(file.path):\(line.number)")
      return
    }
    if !self.isUnsignedReported, since.time.advanced(by: Self.signatureDelay) < time {
      self.isUnsignedReported = true
      report.add(.signature, since.place, "from here on no signature speaks for the records, for more than five minutes")
    }
  }

  // MARK: - The log's own events

  private mutating func readEvent(
    _ sealed: SealedLine, _ line: LineReader.Line, of file: LogFile, after previous: ChainValue, into report: inout VerificationReport
  ) {
    self.summary.unsigned += 1
    guard let facts = EventFacts(line.bytes) else { return }
    let place = "\(file.path):\(line.number)"
    guard let signed = sealed.signed else {
      return report.add(.signature, place, of: line.bytes.auditID, "the event \(facts.kind.rawValue) is not signed")
    }
    guard let key = facts.text("key").flatMap({ self.keys[$0] }) else {
      return report.add(
        .signature, place, of: line.bytes.auditID, "is signed by the key \(facts.text("key") ?? "?"), which is none of those given")
    }
    guard key.isValid(signed.signature, of: signed.body, after: previous) else {
      return report.add(.signature, place, of: line.bytes.auditID, "the signature is not good")
    }
    self.summary.signedThrough = sealed.sequence
    self.summary.anchor = ChainAnchor(series: self.series.rawValue, sequence: sealed.sequence, link: sealed.value.description).description
    self.summary.unsigned = 0
    self.unsignedSince = nil
    self.isUnsignedReported = false
    self.understand(facts, place, line, file, into: &report)
  }

  private mutating func understand(
    _ facts: EventFacts, _ place: String, _ line: LineReader.Line, _ file: LogFile, into report: inout VerificationReport
  ) {
    switch facts.kind {
    case .fileOpened:
      if line.number != 1 { report.add(.file, place, of: line.bytes.auditID, "a file begins in the middle of another") }
      if facts.text("series") != self.series.rawValue { report.add(.file, place, of: line.bytes.auditID, "is of another series") }
    case .filesRemoved:
      if let through = facts.number("removed-through"), let link = facts.chain("removed-chain") { self.tombstone = (through, link) }
    case .recordsMissing:
      report.add(
        .recorded, place, of: line.bytes.auditID,
        "when it was opened, the log ended at record \(facts.text("found-sequence") ?? "?"), and record \(facts.text("known-sequence") ?? "?") had been written"
      )
    case .setAside:
      let name = facts.text("set-aside") ?? "?"
      switch facts.text("set-aside-because") {
      case "torn", "damaged": report.notes.append("\(place): \(name) was set aside (\(facts.text("set-aside-because") ?? ""))")
      default: report.add(.recorded, place, of: line.bytes.auditID, "\(name) was set aside: it did not go on from what had been written")
      }
    default: break
    }
  }

  // MARK: - The end

  /// - Parameter isWhole: whether the log was to be there from its beginning, or from what it says was removed
  mutating func finish(isWhole: Bool, into report: inout VerificationReport) {
    if let first = self.firstFile, isWhole {
      if let tombstone, first.number == tombstone.through + 1 {
        self.summary.removedFiles = tombstone.through
        if first.opening != tombstone.link {
          report.add(.file, first.place, "does not go on from the file that was removed in front of it")
        }
      } else if first.number > 1 {
        report.add(
          .file, first.place,
          "is file \(first.number) of its series; \(Self.range(1, first.number - 1)) missing, and the log does not say why")
      } else if first.opening != .none {
        report.add(.file, first.place, "is the first file of its series and goes on from another")
      }
    }
    for anchor in self.wanted.values.joined() where anchor.sequence < self.firstSequence ?? 0 {
      report.notes.append("record \(anchor.sequence) of \(self.series.rawValue) is older than what is left of the log")
    }
    for anchor in self.wanted.values.joined().sorted(by: { $0.sequence < $1.sequence }) where anchor.sequence > self.sequence {
      let isHead = self.heads.contains(anchor)
      report.add(
        .cut, self.series.fileName,
        "ends at record \(self.sequence), and record \(anchor.sequence) was \(isHead ? "signed" : "known"): the log was cut, or put back to an older state"
      )
    }
    self.summary.lastTime = self.lastLine.withUnsafeBytes { $0.stageTimestamp?.description }
    report.series.append(self.summary)
  }
}

extension UnsafeRawBufferPointer {
  /// The record's identifier, from the place where it stands in every record.
  var auditID: String? {
    let key = #""auditID":""#
    let prefix = String(decoding: self.prefix(200), as: UTF8.self)
    guard let range = prefix.range(of: key) else { return nil }
    let value = prefix[range.upperBound...].prefix(36)
    return value.utf8.count == 36 && value.allSatisfy({ $0.isHexDigit || $0 == "-" }) ? String(value) : nil
  }
}
