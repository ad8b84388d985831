import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import SallyportCore
import Testing

@testable import SallyportAudit

@Suite struct LogSeriesTests {
  private let temporary = TemporaryDirectory()
  private let disk: FaultyDirectory
  private let now = NIOLockedValueBox(Samples.received)
  private let key = CheckpointKey()

  init() throws {
    self.disk = FaultyDirectory(try POSIXLogDirectory(self.temporary.path))
  }

  private func series(_ rotation: LogRotation = LogRotation(size: nil), closed: @escaping @Sendable () -> Void = {}) -> LogSeries {
    LogSeries(
      LogSeries.Parts(
        series: .requests, directory: self.disk, key: self.key, isSynced: false, rotation: rotation,
        clock: { [now] in now.withLockedValue { $0 } }, closedFile: closed))
  }

  private func advance(seconds: Int64) {
    self.now.withLockedValue { $0 = WallTime(nanosecondsSinceEpoch: $0.nanosecondsSinceEpoch + seconds * 1_000_000_000) }
  }

  @discardableResult
  private func append(_ texts: String..., to series: inout LogSeries) -> SeriesFile.Outcome {
    let lines = ChainedLines.records(texts)
    var ends: [Int] = []
    lines.withUnsafeReadableBytes { bytes in
      while let length = bytes.lineLength(from: ends.last ?? 0) { ends.append((ends.last ?? 0) + length) }
    }
    return series.append(lines) { written in ends.last { $0 <= written } ?? 0 }
  }

  /// Every link and number of the files, looked at by the rule of the manual.
  private func expectChain(_ names: [String], location: SourceLocation = #_sourceLocation) throws {
    var link = ChainValue.none
    var number: UInt64 = 0
    for name in names {
      for line in try self.temporary.lines(name) {
        let sealed = try #require(Array(line.utf8).withUnsafeBytes { SealedLine($0).map { ($0.value, $0.sequence) } })
        let body = try #require(line.range(of: #","sallyport.dev/chain":""#).map { line[..<$0.lowerBound] })
        link = Array(body.utf8).withUnsafeBytes { link.next($0) }
        number += 1
        #expect(sealed.0 == link && sealed.1 == number, "\(name): record \(number)", sourceLocation: location)
      }
    }
  }

  private var closed: [String] { self.temporary.names.filter { ClosedFile(name: $0) != nil } }

  @Test func everyRecordHasItsNumberAndItsLinkAndAFileBeginsAndEndsSigned() throws {
    var series = self.series()
    try series.prepare()
    #expect(self.append("one", to: &series).problem == nil)
    #expect(self.append("two", "three", to: &series).problem == nil)
    series.close()
    #expect(try self.temporary.records("requests.jsonl") == ["one", "two", "three"])
    #expect(try self.temporary.events("requests.jsonl") == ["fileOpened", "checkpoint"])
    try self.expectChain(["requests.jsonl"])
    let annotations = try ChainedLines.read(self.temporary.text("requests.jsonl")!)
    #expect(annotations.map { $0["sallyport.dev/sequence"] } == ["1", "2", "3", "4", "5"])
    #expect(annotations[0]["sallyport.dev/previous-chain"] == String(repeating: "0", count: 64))
    #expect(annotations[0]["sallyport.dev/file"] == "1")
    #expect(annotations[4]["sallyport.dev/signature"]?.count == 88)
  }

  @Test func aRestartGoesOnWhereTheChainEnded() throws {
    for number in 0..<5 {
      var series = self.series()
      try series.prepare()
      self.append("\(number)", to: &series)
      // Every other process is killed.
      if number.isMultiple(of: 2) { series.close() }
    }
    #expect(try self.temporary.records("requests.jsonl") == ["0", "1", "2", "3", "4"])
    try self.expectChain(["requests.jsonl"])
  }

  @Test(arguments: [0, 1, 100, 1_000, 1_150, 1_300, 1_450, 10_000])
  func theChainHoldsWhateverFitsOnTheDisk(_ room: Int) throws {
    var series = self.series()
    try series.prepare()
    self.append("zero", to: &series)
    self.disk.set { $0.room = room }
    let outcome = self.append("one", "two", "three", "four", "five", to: &series)
    self.disk.set { $0.room = nil }
    let kept = outcome.kept
    let length = ChainedLines.record("one").readableBytes
    #expect(kept == 0 || kept == length || outcome.problem == nil || kept > length)
    #expect(self.append("after", to: &series).problem == nil)
    let records = try self.temporary.records("requests.jsonl")
    #expect(records.first == "zero" && records.last == "after")
    #expect(ChainedLines.records(Array(records.dropFirst().dropLast())).readableBytes == kept, "what counts as written is in the file")
    try self.expectChain(["requests.jsonl"])
  }

  @Test func aFileThatIsFullIsClosedAndTheNextGoesOnFromItsEnd() throws {
    var series = self.series(LogRotation(size: 4_000))
    try series.prepare()
    for number in 0..<60 { #expect(self.append("\(number)", to: &series).problem == nil) }
    series.close()
    #expect(self.closed.count >= 3)
    #expect(self.closed.allSatisfy { (self.temporary.bytes($0)?.count ?? 0) <= 4_000 })
    try self.expectChain(self.closed + ["requests.jsonl"])
    let records = try (self.closed + ["requests.jsonl"]).flatMap(self.temporary.records)
    #expect(records == (0..<60).map(String.init))
    #expect(self.closed.first == "requests-000001-20260301T090507Z.jsonl")
    for name in self.closed {
      #expect(try self.temporary.events(name).first == "fileOpened")
      #expect(try self.temporary.events(name).last == "fileClosed")
    }
  }

  @Test func aFileIsClosedAtMidnight() throws {
    var series = self.series(LogRotation(size: nil, every: .seconds(86_400)))
    try series.prepare()
    self.append("today", to: &series)
    self.advance(seconds: 14 * 3600)
    #expect(series.maintain() == nil)
    #expect(self.closed == [])
    self.advance(seconds: 3600)
    #expect(series.maintain() == nil)
    self.append("tomorrow", to: &series)
    #expect(try self.closed.map(self.temporary.records) == [["today"]])
    #expect(try self.temporary.records("requests.jsonl") == ["tomorrow"])
    try self.expectChain(self.closed + ["requests.jsonl"])
  }

  @Test func aSignatureIsWrittenWhereThereIsSomethingToSign() throws {
    var series = self.series()
    try series.prepare()
    for _ in 0..<3 { #expect(series.maintain() == nil) }
    #expect(try self.temporary.events("requests.jsonl") == ["fileOpened"])
    self.append("one", to: &series)
    for _ in 0..<3 { #expect(series.maintain() == nil) }
    #expect(try self.temporary.events("requests.jsonl") == ["fileOpened", "checkpoint"])
  }

  @Test func whatIsTooManyIsRemovedBehindASignedNoticeOfIt() throws {
    var series = self.series(LogRotation(size: 2_000, keep: 2))
    try series.prepare()
    for number in 0..<60 { self.append("\(number)", to: &series) }
    series.close()
    #expect(self.closed.count == 2)
    let events = try (self.closed + ["requests.jsonl"]).flatMap { try ChainedLines.read(self.temporary.lines($0).joined(separator: "\n")) }
    let removals = events.filter { $0["sallyport.dev/event"] == "filesRemoved" }
    let last = try #require(removals.last)
    let first = try #require(ClosedFile(name: self.closed[0]))
    #expect(last["sallyport.dev/removed-through"] == "\(first.number - 1)")
    #expect(last["sallyport.dev/removed-chain"] == events.first?["sallyport.dev/previous-chain"])
    #expect(last["sallyport.dev/removed-because"] == "keep")
  }

  @Test func whatIsTooOldIsRemovedWithoutARequest() throws {
    var series = self.series(LogRotation(size: nil, every: .seconds(3600), maximumAge: .seconds(2 * 3600)))
    try series.prepare()
    for _ in 0..<4 {
      self.append("one", to: &series)
      self.advance(seconds: 3600)
      #expect(series.maintain() == nil)
    }
    #expect(self.closed.count == 3)
    self.advance(seconds: 5 * 3600)
    #expect(series.maintain() == nil)
    #expect(self.closed.count == 1)
  }

  @Test func aNoticeThatCannotBeWrittenKeepsWhatItSpeaksOf() throws {
    var series = self.series(LogRotation(size: 2_000, keep: 1))
    try series.prepare()
    while self.closed.count < 1 { self.append("x", to: &series) }
    let kept = self.closed
    self.disk.set { $0.room = 0 }
    for _ in 0..<20 { self.append("y", to: &series) }
    #expect(Set(kept).isSubset(of: self.closed))
    self.disk.set { $0.room = nil }
    for _ in 0..<20 { #expect(self.append("z", to: &series).problem == nil) }
    #expect(self.closed.count == 1)
    series.close()
  }

  @Test func aFileThatWasMovedAwayGetsItsEndAndANewOneIsBegun() throws {
    var series = self.series()
    try series.prepare()
    self.append("one", to: &series)
    #expect(rename(self.temporary.file("requests.jsonl"), self.temporary.file("moved")) == 0)
    // Until somebody says so, records go to the file, wherever it is.
    self.append("two", to: &series)
    #expect(series.reopen() == nil)
    self.append("three", to: &series)
    #expect(try self.temporary.records("moved") == ["one", "two"])
    #expect(try self.temporary.events("moved") == ["fileOpened", "fileClosed"])
    #expect(try self.temporary.records("requests.jsonl") == ["three"])
    try self.expectChain(["moved", "requests.jsonl"])
    // And nobody has to say so.
    #expect(unlink(self.temporary.file("requests.jsonl")) == 0)
    #expect(series.maintain() == nil)
    self.append("four", to: &series)
    #expect(try self.temporary.records("requests.jsonl") == ["four"])
  }

  @Test func reopeningAFileThatNobodyMovedChangesNothing() throws {
    var series = self.series()
    try series.prepare()
    self.append("one", to: &series)
    let before = self.temporary.text("requests.jsonl")
    #expect(series.reopen() == nil)
    #expect(self.temporary.text("requests.jsonl") == before)
  }

  @Test func aFileThatWasCutInPlaceIsSetAsideAndTheChainGoesOn() throws {
    var series = self.series()
    try series.prepare()
    self.append("one", "two", to: &series)
    #expect(truncate(self.temporary.file("requests.jsonl"), 0) == 0)
    self.append("three", to: &series)
    #expect(series.maintain() == nil)
    self.append("four", to: &series)
    #expect(try self.temporary.records("requests.jsonl.cut-20260301T090507.000123Z") == ["three"])
    #expect(try self.temporary.events("requests.jsonl") == ["fileOpened", "setAside"])
    #expect(try self.temporary.records("requests.jsonl") == ["four"])
  }

  @Test func aFileThatIsNoneOfThisLogIsSetAside() throws {
    self.temporary.put("{\"kind\":\"Event\"}\n", in: "requests.jsonl")
    var series = self.series()
    try series.prepare()
    self.append("one", to: &series)
    #expect(self.temporary.text("requests.jsonl.unchained-20260301T090507.000123Z") == "{\"kind\":\"Event\"}\n")
    #expect(try self.temporary.events("requests.jsonl") == ["fileOpened", "setAside"])
  }

  @Test func aLogThatWasPutBackSaysSoWhenItIsOpened() throws {
    var series = self.series()
    try series.prepare()
    self.append("one", to: &series)
    _ = series.maintain()
    let old = try #require(self.temporary.text("requests.jsonl"))
    self.append("two", to: &series)
    series.close()
    self.temporary.put(old, in: "requests.jsonl")
    var next = self.series()
    try next.prepare()
    #expect(try self.temporary.events("requests.jsonl") == ["fileOpened", "checkpoint", "recordsMissing"])
  }

  @Test func aClosedFileIsFollowedAlsoWhenTheProcessDiedBehindItsMove() throws {
    var series = self.series()
    try series.prepare()
    self.append("one", to: &series)
    #expect(rename(self.temporary.file("requests.jsonl"), self.temporary.file("requests-000001-20260301T090507Z.jsonl")) == 0)
    var next = self.series()
    try next.prepare()
    self.append("two", to: &next)
    try self.expectChain(["requests-000001-20260301T090507Z.jsonl", "requests.jsonl"])
  }
}

@Suite struct LogCompressorTests {
  private let temporary = TemporaryDirectory()

  @Test func aClosedFileIsCompressedAndTheFirstLineOfTheResultIsFound() throws {
    let directory = try POSIXLogDirectory(self.temporary.path)
    let name = "requests-000001-20260301T090507Z.jsonl"
    let text = (0..<20_000).map { "{\"line\":\($0)}\n" }.joined()
    self.temporary.put(text, in: name)
    self.temporary.put("half", in: "requests-000002-20260301T090507Z.jsonl.gz.part")
    self.temporary.put("open\n", in: "requests.jsonl")
    let compressor = LogCompressor(directory)
    compressor.start()
    for _ in 0..<3_000 where self.temporary.names.count != 2 || !self.temporary.names[0].hasSuffix(".gz") { usleep(10_000) }
    #expect(self.temporary.names == ["\(name).gz", "requests.jsonl"])
    let first = try directory.reading("\(name).gz") { file throws(SystemError) in try Gzip.firstLine(of: file, in: directory) }
    #expect(first.map { String(decoding: $0, as: UTF8.self) } == "{\"line\":0}\n")
    #expect((self.temporary.bytes("\(name).gz")?.count ?? .max) < text.utf8.count / 3)
    compressor.close()
  }
}

/// A file has the name of a closed one before its last record is in it: whoever compresses it then would lose that.
@Suite struct ClosingTests {
  @Test func aFileIsCompressedWithItsLastRecord() throws {
    let temporary = TemporaryDirectory()
    let disk = FaultyDirectory(try POSIXLogDirectory(temporary.path))
    let closing = NIOLock()
    let compressor = LogCompressor(disk, closing: closing)
    disk.set { faults in
      faults.afterRename = {
        // It looks in the worst moment, and has time to take what it finds.
        compressor.start()
        usleep(100_000)
      }
    }
    var parts = LogSeries.Parts(
      series: .requests, directory: disk, key: CheckpointKey(), isSynced: false, rotation: LogRotation(size: 3000),
      clock: { Samples.received })
    parts.closing = closing
    parts.closedFile = { compressor.start() }
    var series = LogSeries(parts)
    try series.prepare()
    for number in 0..<40 { #expect(series.append(ChainedLines.records(["\(number)"])) { $0 }.problem == nil) }
    series.close()
    for _ in 0..<1000 where temporary.names.contains(where: { ClosedFile(name: $0)?.isCompressed == false }) { usleep(10_000) }
    compressor.close()
    let files = temporary.names.filter { ClosedFile(name: $0) != nil }
    #expect(files.count > 1 && files.allSatisfy { $0.hasSuffix(".gz") })
    for file in files {
      let last = try #require(try Self.lines(temporary.bytes(file) ?? []).last)
      #expect(last.contains(#""sallyport.dev/event":"fileClosed""#), "\(file): \(last)")
    }
  }

  private static func lines(_ packed: [UInt8]) throws -> [Substring] {
    let inflater = try #require(GzipInflater())
    var text = [UInt8](repeating: 0, count: 1024 * 1024)
    let step = packed.withUnsafeBytes { input in text.withUnsafeMutableBytes { inflater.inflate(input, into: $0) } }
    let count = try #require(step).produced
    return String(decoding: text[..<count], as: UTF8.self).split(separator: "\n")
  }
}

@Suite struct RecordPrinterTests {
  /// A pipe of the system, which takes some 64 KiB and then makes its writer wait.
  private func pipe() -> (read: Int32, write: Int32) {
    var ends: [Int32] = [0, 0]
    #expect(Glibc.pipe(&ends) == 0)
    return (ends[0], ends[1])
  }

  private func readAll(_ descriptor: Int32) -> String {
    String(decoding: FileHandle(fileDescriptor: descriptor, closeOnDealloc: true).readDataToEndOfFile(), as: UTF8.self)
  }

  @Test func whatIsInTheFileIsPrintedAsItStandsThere() throws {
    let temporary = TemporaryDirectory()
    let (read, write) = self.pipe()
    let log = try AuditLog(
      AuditLogConfiguration(directory: temporary.path, printsRecords: true), files: { $0 }, clock: WallTime.now, output: write)
    for number in 0..<100 {
      _ = log.append(ChainedLines.record("\(number)"), to: .requests, on: MultiThreadedEventLoopGroup.singleton.next())
    }
    log.close()
    Glibc.close(write)
    func records(_ lines: [String]) -> [String] { lines.filter { $0.contains("\"text\"") } }
    let printed = records(self.readAll(read).split(separator: "\n").map(String.init))
    #expect(printed.count == 100)
    #expect(printed == records(try temporary.lines("requests.jsonl")))
  }

  @Test func aReaderThatStandsStillDelaysNothingAndIsToldWhatItMissed() async throws {
    let (read, write) = self.pipe()
    let printer = RecordPrinter(to: write)
    let line = ByteBuffer(string: String(repeating: "x", count: 99_999) + "\n")
    let start = ContinuousClock.now
    for _ in 0..<1_000 { printer.print(line) }
    #expect(ContinuousClock.now - start < .seconds(20), "nobody reads, and nobody waits")
    // Now somebody does, and what is printed from then on is behind the notice.
    let reader = Task.detached { self.readAll(read) }
    for _ in 0..<50 {
      try await Task.sleep(for: .milliseconds(20))
      printer.print(line)
    }
    printer.close()
    Glibc.close(write)
    let text = await reader.value
    #expect(text.contains("\"sallyport.dev/event\":\"outputLost\""))
    #expect(text.split(separator: "\n").allSatisfy { $0.utf8.count == 99_999 || $0.hasPrefix("{\"kind\"") }, "whole lines only")
  }
}
