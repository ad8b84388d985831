import Foundation
import NIOConcurrencyHelpers
import NIOCore
import SallyportCore
import Testing

@testable import SallyportAudit

@Suite struct SeriesFileTests {
  private let temporary = TemporaryDirectory()
  private let disk: FaultyDirectory
  private let now = NIOLockedValueBox(Samples.received)

  init() throws {
    self.disk = FaultyDirectory(try POSIXLogDirectory(self.temporary.path))
  }

  private func file(isSynced: Bool = false) -> SeriesFile {
    SeriesFile("log", in: self.disk, isSynced: isSynced, clock: { [now] in now.withLockedValue { $0 } })
  }

  private func advance(seconds: Int64) {
    self.now.withLockedValue { $0 = WallTime(nanosecondsSinceEpoch: $0.nanosecondsSinceEpoch + seconds * 1_000_000_000) }
  }

  /// Appends lines, each of which counts on its own.
  @discardableResult
  private func append(_ lines: [String], to file: inout SeriesFile) -> SeriesFile.Outcome {
    var buffer = ByteBuffer()
    let ends = lines.map { line in
      buffer.writeString(line + "\n")
      return buffer.readableBytes
    }
    return file.append(buffer) { written in ends.last { $0 <= written } ?? 0 }
  }

  @Test func linesAreAppendedInOrder() throws {
    var file = self.file()
    #expect(self.append(["one"], to: &file).kept == 4)
    #expect(self.append(["two", "three"], to: &file).problem == nil)
    #expect(self.temporary.text("log") == "one\ntwo\nthree\n")
  }

  @Test func aWriteInManyPartsIsOneAppend() throws {
    self.disk.set { $0.writeSize = 1 }
    var file = self.file()
    #expect(self.append(["one", "two"], to: &file).kept == 8)
    #expect(self.temporary.text("log") == "one\ntwo\n")
    #expect(self.disk.calls("write") == 8)
  }

  @Test(arguments: 0...12)
  func whateverFitsOnAFullDiskOnlyWholeAppendsStay(_ room: Int) throws {
    var file = self.file()
    self.append(["zero"], to: &file)
    self.disk.set { $0.room = room }
    let outcome = self.append(["one", "two", "six"], to: &file)
    let kept = room / 4 * 4
    #expect(outcome.kept == kept)
    #expect((outcome.problem == nil) == (room == 12))
    #expect(self.temporary.text("log") == "zero\n" + "one\ntwo\nsix\n".prefix(kept))
    if let problem = outcome.problem {
      #expect(problem.status == 503)
      #expect(problem.detail.contains("log: write") && problem.detail.contains("No space left"))
    }

    self.disk.set { $0.room = nil }
    #expect(self.append(["after"], to: &file).problem == nil)
    #expect(self.temporary.text("log") == "zero\n" + "one\ntwo\nsix\n".prefix(kept) + "after\n")
  }

  @Test func anAppendOfSeveralLinesIsInTheFileWholeOrNotAtAll() throws {
    var file = self.file()
    self.disk.set { $0.room = 5 }
    let outcome = file.append(ByteBuffer(string: "one\ntwo\n")) { $0 == 8 ? 8 : 0 }
    #expect(outcome.kept == 0)
    #expect(self.temporary.text("log") == "")
  }

  @Test func aTornEndThatCannotBeCutAtOnceIsCutBeforeTheNextAppend() throws {
    var file = self.file()
    self.append(["one"], to: &file)
    self.disk.set { faults in
      faults.room = 2
      faults.errors = ["truncate": EIO, "rename": EIO]
    }
    #expect(self.append(["two"], to: &file).kept == 0)
    #expect(self.temporary.text("log") == "one\ntw")
    // Room alone does not help: a line must not follow half a line.
    self.disk.set { $0.room = nil }
    #expect(self.append(["three"], to: &file).problem?.code == "auditUnwritable")
    #expect(self.temporary.text("log") == "one\ntw")
    self.disk.set { $0.errors = [:] }
    #expect(self.append(["four"], to: &file).problem == nil)
    #expect(self.temporary.text("log") == "one\nfour\n")
  }

  @Test func aFileThatCannotBeCutIsSetAsideAndANewOneBegun() throws {
    var file = self.file()
    self.append(["one"], to: &file)
    self.disk.set { faults in
      faults.room = 2
      faults.errors = ["truncate": EIO]
    }
    self.append(["two"], to: &file)
    self.disk.set { $0.room = nil }
    #expect(self.append(["three"], to: &file).problem == nil)
    #expect(self.temporary.text("log") == "three\n")
    #expect(self.temporary.text("log.damaged-20260301T090507.000123Z") == "one\ntw")
  }

  @Test func aDiskThatNeverCutsIsNotFilledWithFiles() throws {
    var file = self.file()
    self.disk.set { $0.errors = ["truncate": EIO] }
    for _ in 0..<50 {
      self.disk.set { $0.room = 2 }
      #expect(self.append(["one"], to: &file).problem != nil)
    }
    #expect(self.temporary.names.count == 2)
    self.advance(seconds: 2)
    self.append(["one"], to: &file)
    #expect(self.temporary.names.count == 3)
  }

  @Test func aLogThatWasCutInPlaceIsMendedFromItsNewEnd() throws {
    var file = self.file()
    self.append(["one two three"], to: &file)
    #expect(truncate(self.temporary.file("log"), 0) == 0)
    self.disk.set { $0.room = 2 }
    #expect(self.append(["four"], to: &file).kept == 0)
    self.disk.set { $0.room = nil }
    #expect(self.append(["five"], to: &file).problem == nil)
    #expect(self.temporary.text("log") == "five\n")
  }

  @Test func anAppendCountsOnlyWhenTheDiskHasItWhereThatIsPromised() throws {
    var file = self.file(isSynced: true)
    try file.prepare()
    let before = self.disk.calls("sync")
    #expect(self.append(["one"], to: &file).problem == nil)
    #expect(self.disk.calls("sync") == before + 1)
    self.disk.set { $0.errors = ["sync": EIO] }
    let outcome = self.append(["two"], to: &file)
    #expect(outcome.kept == 0)
    #expect(outcome.problem?.detail.contains("sync") == true)
    #expect(self.temporary.text("log") == "one\n")
    self.disk.set { $0.errors = [:] }
    #expect(self.append(["three"], to: &file).problem == nil)
    #expect(self.temporary.text("log") == "one\nthree\n")
  }

  @Test func withoutThatPromiseNothingIsSynced() throws {
    var file = self.file()
    self.append(["one"], to: &file)
    #expect(self.disk.calls("sync") == 0)
  }

  @Test(arguments: ["", "whole\n", "half", "\n", "whole\nhalf", "whole\n\0\0\0", "whole\n" + String(repeating: "h", count: 200_000)])
  func aTornLastLineIsMovedToAFileOfItsOwn(_ content: String) throws {
    self.temporary.put(content, in: "log")
    var file = self.file()
    #expect(self.append(["next"], to: &file).problem == nil)
    let whole = content.lastIndex(of: "\n").map { String(content[...$0]) } ?? ""
    let torn = String(content.dropFirst(whole.count))
    #expect(self.temporary.text("log") == whole + "next\n")
    #expect(self.temporary.text("log.torn-20260301T090507.000123Z") == (torn.isEmpty ? nil : torn))
  }

  @Test func twoTornLinesOfOneInstantAreTwoFiles() throws {
    for content in ["a", "b"] {
      self.temporary.put(content, in: "log")
      var file = self.file()
      try file.prepare()
      file.close()
    }
    #expect(self.temporary.text("log.torn-20260301T090507.000123Z") == "a")
    #expect(self.temporary.text("log.torn-20260301T090507.000123Z-2") == "b")
  }

  @Test func aTornLineThatCannotBeCopiedStays() throws {
    self.temporary.put("whole\nhalf", in: "log")
    self.disk.set { $0.room = 2 }
    var file = self.file()
    #expect(throws: SystemError.self) { try file.prepare() }
    #expect(self.temporary.text("log") == "whole\nhalf")
    self.disk.set { $0.room = nil }
    try file.prepare()
    #expect(self.temporary.text("log") == "whole\n")
    #expect(self.temporary.text("log.torn-20260301T090507.000123Z-2") == "half")
  }

  @Test func aProbeFindsAFullDiskAndLeavesNothingBehind() throws {
    var file = self.file()
    #expect(file.probe() == nil)
    self.disk.set { $0.room = 100 }
    #expect(file.probe()?.code == "auditUnwritable")
    #expect(try FileManager.default.contentsOfDirectory(atPath: self.temporary.path) == ["log"])
    #expect(self.temporary.text("log") == "")
  }
}

@Suite struct POSIXLogDirectoryTests {
  private let temporary = TemporaryDirectory()

  @Test func aMissingDirectoryIsMadeWithItsParentsForOwnerAndGroupAlone() throws {
    let path = self.temporary.file("a/b/c/")
    let directory = try POSIXLogDirectory(path)
    let file = try directory.open("log", .existingOrNew)
    directory.close(file)
    let attributes = FileManager.default
    let directoryMode = try attributes.attributesOfItem(atPath: self.temporary.file("a/b"))[.posixPermissions] as? Int
    let fileMode = try attributes.attributesOfItem(atPath: path + "log")[.posixPermissions] as? Int
    #expect((directoryMode ?? 0o777) & ~0o750 == 0)
    #expect((fileMode ?? 0o777) & ~0o640 == 0)
  }

  @Test func whatIsNoDirectoryIsRefused() {
    self.temporary.put("", in: "file")
    #expect(throws: SystemError.self) { try POSIXLogDirectory(self.temporary.file("file")) }
    #expect(throws: SystemError.self) { try POSIXLogDirectory(self.temporary.file("file/under")) }
  }

  @Test func linksAndPipesAndDirectoriesAreNoLogs() throws {
    self.temporary.put("precious", in: "target")
    let directory = try POSIXLogDirectory(self.temporary.path)
    try FileManager.default.createSymbolicLink(atPath: self.temporary.file("link"), withDestinationPath: self.temporary.file("target"))
    #expect(mkfifo(self.temporary.file("pipe"), 0o600) == 0)
    #expect(mkdir(self.temporary.file("sub"), 0o700) == 0)
    for name in ["link", "pipe", "sub"] {
      #expect(throws: SystemError.self, "\(name)") { try directory.open(name, .existingOrNew) }
    }
  }

  @Test func aFileOfAnotherUserIsNoLog() throws {
    self.temporary.put("", in: "log")
    let directory = try POSIXLogDirectory(self.temporary.path, owner: geteuid() + 1)
    #expect(throws: SystemError(call: "open (another user's file)", name: self.temporary.file("log"), number: EPERM)) {
      try directory.open("log", .existingOrNew)
    }
  }

  @Test func theDirectoryStaysTheSameWhenItsPathIsGivenToAnother() throws {
    let path = self.temporary.file("logs")
    let directory = try POSIXLogDirectory(path)
    try FileManager.default.moveItem(atPath: path, toPath: path + "-moved")
    let file = try directory.open("log", .existingOrNew)
    directory.close(file)
    #expect(self.temporary.names == ["logs-moved"])
    #expect(FileManager.default.fileExists(atPath: path + "-moved/log"))
  }
}
