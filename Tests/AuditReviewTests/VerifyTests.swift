import Foundation
import NIOCore
import NIOPosix
import SallyportAudit
import TestSupport
import Testing

@testable import SallyportAuditReview

@Suite struct VerifyTests {
  typealias Kind = VerificationReport.Finding.Kind

  /// The kinds of what is found, in order.
  private func findings(_ report: VerificationReport) -> [Kind] { report.findings.map(\.kind) }

  // MARK: - An honest log

  @Test func aLogThatNobodyTouchedIsGood() throws {
    let log = try WrittenLog(records: 100)
    let report = try log.verify()
    #expect(report.findings == [])
    #expect(report.series.map(\.series) == ["requests", "unauthenticated"])
    // The records, the one that opens the file, and the signature at the end.
    #expect(report.series[0].records == 102)
    #expect(report.series[0].unsigned == 0)
    #expect(report.text.hasSuffix("The log is as it was written.\n"))
  }

  @Test func aLogOfManyFilesWrittenByManyProcessesIsGood() throws {
    let log = try WrittenLog(records: 0, rotation: LogRotation(size: 20_000))
    for round in 0..<8 { try log.write(40, from: round * 40) }
    try log.waitForCompression()
    let report = try log.verify()
    #expect(report.findings == [])
    #expect(report.series[0].files > 8)
    #expect(log.names.contains { $0.hasSuffix(".jsonl.gz") })
  }

  @Test func aLogThatIsBeingWrittenIsGood() throws {
    let log = try WrittenLog(records: 10)
    let writer = try AuditLog(log.configuration)
    _ = writer.append(WrittenLog.record(11), to: .requests, on: MultiThreadedEventLoopGroup.singleton.next())
    let report = try log.verify()
    #expect(report.findings == [])
    #expect(report.series[0].unsigned == 1)
    let last = try #require(report.series[0].lastTime)
    #expect(try #require(log.lines().last).contains(#""stageTimestamp":"\#(last)""#))
    writer.close()
  }

  @Test func whatRetentionRemovedIsAccountedFor() throws {
    let log = try WrittenLog(records: 200, rotation: LogRotation(size: 10_000, keep: 3, compresses: false))
    let report = try log.verify()
    #expect(report.findings == [])
    #expect(report.series[0].removedFiles > 3)
    #expect(report.series[0].files == 4)
  }

  @Test func aTornLineOfAKilledProcessIsANoteAndNoFinding() throws {
    let log = try WrittenLog(records: 10)
    try log.put(log.lines() + ["{\"kind\":\"Ev"])
    try log.write(5, from: 10)
    let report = try log.verify()
    #expect(report.findings == [])
    #expect(report.notes.contains { $0.contains(".torn-") })
  }

  // MARK: - Attacks on records

  @Test func aRecordThatWasChangedIsFoundWithItsPlaceAndItsName() throws {
    let log = try WrittenLog(records: 100)
    var lines = try log.lines()
    lines[50] = lines[50].replacingOccurrences(of: "pod-49", with: "pod-48")
    try log.put(lines)
    let report = try log.verify()
    #expect(self.findings(report) == [.changed])
    #expect(report.findings[0].place == log.path() + ":51")
    #expect(report.findings[0].auditID == "00000000-0000-4000-8000-000000000049")
    #expect(report.findings[0].message.contains("record 51"))
  }

  @Test func aLinkThatWasChangedIsOneFinding() throws {
    let log = try WrittenLog(records: 100)
    var lines = try log.lines()
    let link = lines[50].suffix(68).prefix(64)
    lines[50] = lines[50].replacingOccurrences(of: String(link), with: String(link.reversed()))
    try log.put(lines)
    #expect(self.findings(try log.verify()) == [.changed])
  }

  @Test func recordsThatWereRemovedAreCounted() throws {
    let log = try WrittenLog(records: 100)
    var lines = try log.lines()
    lines.removeSubrange(50..<53)
    try log.put(lines)
    let report = try log.verify()
    #expect(self.findings(report) == [.removed])
    #expect(report.findings[0].message == "records 51 to 53 in front of it are missing")
    #expect(report.findings[0].place == log.path() + ":51")
  }

  @Test func aRecordThatWasAddedIsFound() throws {
    let log = try WrittenLog(records: 100)
    var lines = try log.lines()
    lines.insert(String(buffer: WrittenLog.record(1)), at: 50)
    try log.put(lines)
    #expect(self.findings(try log.verify()) == [.changed])
    lines[50] = lines[10]
    try log.put(lines)
    #expect(self.findings(try log.verify()) == [.reordered])
  }

  @Test func recordsThatWereExchangedAreFound() throws {
    let log = try WrittenLog(records: 100)
    var lines = try log.lines()
    lines.swapAt(50, 51)
    try log.put(lines)
    #expect(self.findings(try log.verify()) == [.removed, .reordered])
  }

  @Test func aLogThatWasCutIsFound() throws {
    let log = try WrittenLog(records: 100)
    let lines = try log.lines()
    try log.put(Array(lines.prefix(60)))
    let report = try log.verify()
    #expect(self.findings(report) == [.cut])
    #expect(report.findings[0].message.contains("ends at record 60") && report.findings[0].message.contains("record 102 was signed"))
    // And in the middle of a line.
    try log.put(lines.prefix(60) + [String(lines[60].prefix(100))])
    #expect(self.findings(try log.verify()) == [.cut, .cut])
  }

  // MARK: - A chain that was written anew

  /// Writes the links of a log anew, as somebody does who knows how but has not the key.
  private func rechained(_ lines: [String], from start: Int, keepingEvents: Bool = true) throws -> [String] {
    var link = ChainValue.none
    var number = 0
    var result: [String] = []
    for (index, line) in lines.enumerated() {
      if !keepingEvents, index >= start, line.contains("sallyport.dev/event") { continue }
      number += 1
      let sequence = try #require(line.range(of: #","sallyport.dev/sequence":""#))
      let end = try #require(line.range(of: #","sallyport.dev/chain":""#))
      let rest = line[sequence.upperBound..<end.lowerBound].drop { $0.isNumber }
      let body = String(line[..<sequence.upperBound]) + "\(number)" + rest
      link = Array(body.utf8).withUnsafeBytes { link.next($0) }
      result.append("\(body),\"sallyport.dev/chain\":\"\(link)\"}}\n")
    }
    return result
  }

  @Test func aChainThatWasWrittenAnewIsGivenAwayByItsSignatures() throws {
    let log = try WrittenLog(records: 100)
    var lines = try log.lines()
    #expect(try self.rechained(lines, from: 0) == lines, "the attack does what the writer does")
    lines[50] = lines[50].replacingOccurrences(of: "pod-49", with: "pod-48")
    try log.put(self.rechained(lines, from: 50))
    let report = try log.verify()
    // The signature does not fit, and the head knows another record of that number.
    #expect(Set(self.findings(report)) == [.signature])
    #expect(report.findings.contains { $0.message == "the signature is not good" })
  }

  @Test func aChainWrittenAnewWithoutItsSignaturesIsCutShort() throws {
    let log = try WrittenLog(records: 100)
    var lines = try log.lines()
    lines[50] = lines[50].replacingOccurrences(of: "pod-49", with: "pod-48")
    try log.put(self.rechained(lines, from: 50, keepingEvents: false))
    #expect(self.findings(try log.verify()) == [.cut])
  }

  @Test func recordsWithoutASignatureForTooLongAreFound() throws {
    // Every 256th record's time is looked at.
    let log = try WrittenLog(records: 600)
    let lines = try log.lines().enumerated().map { index, line in
      index > 20
        ? line.replacingOccurrences(of: "\"stageTimestamp\":\"2026-03-01T09:0", with: "\"stageTimestamp\":\"2026-03-01T10:0") : line
    }
    try log.put(self.rechained(lines, from: 1, keepingEvents: false))
    try FileManager.default.removeItem(atPath: log.path(".requests.head"))
    #expect(self.findings(try log.verify()) == [.signature])
  }

  @Test func anEventWithoutASignatureIsNone() throws {
    let log = try WrittenLog(records: 10)
    let lines = try log.lines().map { line in
      line.replacing(#/","sallyport.dev/signature":"[^"]*"/#, with: "\"")
    }
    try log.put(self.rechained(lines, from: 0))
    #expect(Set(self.findings(try log.verify())) == [.signature])
  }

  @Test func anotherKeysSignatureDoesNotCount() throws {
    let log = try WrittenLog(records: 10)
    let other = CheckpointKey()
    let report = try log.verify(key: other.publicKey.pem)
    #expect(Set(self.findings(report)) == [.signature])
    // Whoever makes the log anew with a key of his own is found by the true key.
    let forged = try WrittenLog(records: 10)
    let key = try String(contentsOfFile: log.path("checkpoint.pub"), encoding: .utf8)
    #expect(Set(self.findings(try forged.verify(key: key))) == [.signature])
  }

  // MARK: - Attacks on files

  private func rotated() throws -> (log: WrittenLog, closed: [String]) {
    let log = try WrittenLog(records: 120, rotation: LogRotation(size: 10_000, compresses: false))
    let closed = log.names.filter { $0.hasPrefix("requests-") }
    try #require(closed.count >= 5)
    return (log, closed)
  }

  @Test func aFileThatIsMissingIsNamed() throws {
    let (log, closed) = try self.rotated()
    try FileManager.default.removeItem(atPath: log.path(closed[2]))
    var report = try log.verify()
    #expect(self.findings(report) == [.file])
    #expect(report.findings[0].message.contains("file 3 is missing"))
    try FileManager.default.removeItem(atPath: log.path(closed[0]))
    report = try log.verify()
    #expect(report.findings.last?.message.contains("file 1 is missing") == true)
  }

  @Test func filesThatWereExchangedAreFound() throws {
    let (log, closed) = try self.rotated()
    // Their names say nothing; their first records do.
    try FileManager.default.moveItem(atPath: log.path(closed[1]), toPath: log.path("x"))
    try FileManager.default.moveItem(atPath: log.path(closed[2]), toPath: log.path(closed[1]))
    try FileManager.default.moveItem(atPath: log.path("x"), toPath: log.path(closed[2]))
    #expect(try log.verify().findings == [])
    // One in place of another is another matter.
    try FileManager.default.removeItem(atPath: log.path(closed[1]))
    try FileManager.default.copyItem(atPath: log.path(closed[3]), toPath: log.path(closed[1]))
    #expect(self.findings(try log.verify()).contains(.file))
  }

  @Test func aFileThatWasPutBackIsFound() throws {
    let log = try WrittenLog(records: 20)
    let old = try log.lines()
    try log.write(20, from: 20)
    try log.put(old)
    #expect(self.findings(try log.verify()) == [.cut])
    // The writer finds it, too, and what it finds stays in the log.
    try log.write(1, from: 99)
    #expect(self.findings(try log.verify()) == [.recorded])
  }

  @Test func aLogThatWasPutBackAsAWholeIsFoundByAnAnchor() throws {
    let log = try WrittenLog(records: 20)
    let old = (try log.lines(), try Data(contentsOf: URL(fileURLWithPath: log.path(".requests.head"))))
    try log.write(20, from: 20)
    let anchor = try #require(try log.verify().series[0].anchor.flatMap { ChainAnchor($0) })
    #expect(try log.verify(anchors: [anchor]).findings == [])
    try log.put(old.0)
    try old.1.write(to: URL(fileURLWithPath: log.path(".requests.head")))
    #expect(try log.verify().findings == [], "nothing in the directory gives it away")
    #expect(self.findings(try log.verify(anchors: [anchor])) == [.cut])
  }

  @Test func aFileOfTheOtherSeriesIsOutOfPlace() throws {
    let log = try WrittenLog(records: 20)
    try FileManager.default.removeItem(atPath: log.path("requests.jsonl"))
    try FileManager.default.copyItem(atPath: log.path("unauthenticated.jsonl"), toPath: log.path("requests.jsonl"))
    #expect(!(try log.verify().isGood))
  }

  @Test func aNoticeOfRemovalThatIsNotTrueDoesNotHelp() throws {
    let log = try WrittenLog(records: 200, rotation: LogRotation(size: 10_000, keep: 5, compresses: false))
    #expect(try log.verify().isGood)
    // One more than the log says.
    let closed = log.names.filter { $0.hasPrefix("requests-") }
    try FileManager.default.removeItem(atPath: log.path(closed[0]))
    #expect(self.findings(try log.verify()) == [.file])
  }

  @Test func aDamagedCompressedFileIsFound() throws {
    let log = try WrittenLog(records: 60, rotation: LogRotation(size: 10_000))
    try log.waitForCompression()
    let name = try #require(log.names.first { $0.hasPrefix("requests-") && $0.hasSuffix(".gz") })
    var bytes = try Data(contentsOf: URL(fileURLWithPath: log.path(name)))
    bytes.removeLast(20)
    try bytes.write(to: URL(fileURLWithPath: log.path(name)))
    #expect(self.findings(try log.verify()).contains(.cut))
  }

  // MARK: - A thousand places

  @Test func aThousandRandomEditsAreFound() throws {
    let log = try WrittenLog(records: 40)
    let original = try Data(contentsOf: URL(fileURLWithPath: log.path()))
    var generator = Chance(seed: 20_260_301)
    for edit in 0..<1_000 {
      var bytes = original
      let place = Int.random(in: 0..<bytes.count, using: &generator)
      switch edit % 4 {
      case 0:
        let before = bytes[place]
        var byte = UInt8.random(in: 0...255, using: &generator)
        while byte == before { byte = UInt8.random(in: 0...255, using: &generator) }
        bytes[place] = byte
      case 1: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &generator)
      case 2: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...2_000, using: &generator)))
      default:
        bytes.insert(
          contentsOf: (0..<Int.random(in: 1...20, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }, at: place)
      }
      if bytes == original { continue }
      try bytes.write(to: URL(fileURLWithPath: log.path()))
      let report = try log.verify()
      if report.isGood { Issue.record("edit \(edit) at byte \(place) was not found") }
    }
  }
}
