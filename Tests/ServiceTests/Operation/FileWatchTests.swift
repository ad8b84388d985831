import Foundation
import NIOCore
import SallyportConfiguration
import TestSupport
import Testing

@testable import SallyportService

@Suite struct FileWatchTests {
  private let directory = TemporaryDirectory()

  private func stamps(_ names: String...) -> [String: FileStamp] {
    Dictionary(uniqueKeysWithValues: names.map { ($0, FileStamp(self.directory.file($0))) })
  }

  private func time(_ milliseconds: Int64) -> NIODeadline { .uptimeNanoseconds(1_000_000_000) + .milliseconds(milliseconds) }
  private let settle = TimeAmount.seconds(1)

  // MARK: What a stamp sees

  @Test func theSameFileHasTheSameStamp() throws {
    try self.directory.write("one", to: "a")
    #expect(self.stamps("a") == self.stamps("a"))
  }

  @Test func anotherContentOfTheSameLengthIsSeen() throws {
    try self.directory.write("one", to: "a")
    let before = self.stamps("a")
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: self.directory.file("a")))
    try handle.write(contentsOf: Data("two".utf8))
    try handle.close()
    #expect(self.stamps("a") != before)
  }

  @Test func aFileThatComesOrGoesIsSeen() throws {
    let missing = self.stamps("a")
    try self.directory.write("one", to: "a")
    #expect(self.stamps("a") != missing)
    try FileManager.default.removeItem(atPath: self.directory.file("a"))
    #expect(self.stamps("a") == missing)
  }

  /// As the kubelet does: `users.yaml` leads to `..data/users.yaml`, `..data` to a folder that is replaced by a rename.
  @Test func kubernetesSwapOfALinkIsSeen() throws {
    let files = FileManager.default
    for version in ["..one", "..two"] {
      try files.createDirectory(atPath: self.directory.file(version), withIntermediateDirectories: false)
      try self.directory.write("same", to: "\(version)/users.yaml")
      // Nothing of the file itself may tell.
      try files.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: 1000)], ofItemAtPath: self.directory.file("\(version)/users.yaml"))
    }
    try files.createSymbolicLink(atPath: self.directory.file("..data"), withDestinationPath: "..one")
    try files.createSymbolicLink(atPath: self.directory.file("users.yaml"), withDestinationPath: "..data/users.yaml")
    let before = self.stamps("users.yaml")
    try files.createSymbolicLink(atPath: self.directory.file("..data_tmp"), withDestinationPath: "..two")
    #expect(rename(self.directory.file("..data_tmp"), self.directory.file("..data")) == 0)
    #expect(self.stamps("users.yaml") != before)
  }

  // MARK: When it is read

  @Test func whatDoesNotChangeIsNotRead() throws {
    try self.directory.write("one", to: "a")
    var watch = FileWatchStateMachine(known: self.stamps("a"))
    #expect(watch.observed(self.stamps("a"), at: self.time(0), settle: self.settle) == .none)
    #expect(watch.observed(self.stamps("a"), at: self.time(60_000), settle: self.settle) == .none)
  }

  @Test func aChangeIsReadWhenItHasLainStill() throws {
    try self.directory.write("one", to: "a")
    var watch = FileWatchStateMachine(known: self.stamps("a"))
    try self.directory.write("one and a half", to: "a")
    #expect(watch.observed(self.stamps("a"), at: self.time(0), settle: self.settle) == .settling)
    #expect(watch.observed(self.stamps("a"), at: self.time(900), settle: self.settle) == .settling)
    // It is still being written.
    try self.directory.write("two, which is longer", to: "a")
    #expect(watch.observed(self.stamps("a"), at: self.time(1000), settle: self.settle) == .settling)
    #expect(watch.observed(self.stamps("a"), at: self.time(1900), settle: self.settle) == .settling)
    #expect(watch.observed(self.stamps("a"), at: self.time(2000), settle: self.settle) == .reload)
  }

  @Test func whatWasReadIsNewsNoMoreHoweverTheReadingWent() throws {
    try self.directory.write("one", to: "a")
    var watch = FileWatchStateMachine(known: self.stamps("a"))
    try self.directory.write("broken", to: "a")
    _ = watch.observed(self.stamps("a"), at: self.time(0), settle: self.settle)
    #expect(watch.observed(self.stamps("a"), at: self.time(1000), settle: self.settle) == .reload)
    watch.read(at: self.stamps("a"))
    #expect(watch.observed(self.stamps("a"), at: self.time(5000), settle: self.settle) == .none)
    #expect(!watch.isSettling)
  }

  @Test func aChangeDuringTheReadingIsNotMissed() throws {
    try self.directory.write("one", to: "a")
    var watch = FileWatchStateMachine(known: self.stamps("a"))
    let before = self.stamps("a")
    try self.directory.write("changed while it was read", to: "a")
    watch.read(at: before)
    #expect(watch.observed(self.stamps("a"), at: self.time(0), settle: self.settle) == .settling)
    #expect(watch.observed(self.stamps("a"), at: self.time(1000), settle: self.settle) == .reload)
  }

  @Test func whatWasChangedBackIsLeftAlone() throws {
    try self.directory.write("one", to: "a")
    let known = self.stamps("a")
    var watch = FileWatchStateMachine(known: known)
    #expect(watch.observed(self.stamps("absent"), at: self.time(0), settle: self.settle) == .settling)
    #expect(watch.observed(known, at: self.time(500), settle: self.settle) == .none)
    #expect(watch.observed(known, at: self.time(5000), settle: self.settle) == .none)
  }

  @Test func aPolicyFileThatAPatternComesToNameIsSeen() throws {
    try FileManager.default.createDirectory(atPath: self.directory.file("policies"), withIntermediateDirectories: false)
    try self.directory.write("a", to: "policies/a.yaml")
    let pattern = self.directory.file("policies/*.yaml")
    let before = WatchedFiles(paths: [], patterns: [pattern]).stamps()
    try self.directory.write("b", to: "policies/b.yaml")
    let after = WatchedFiles(paths: [], patterns: [pattern]).stamps()
    #expect(before.count == 1 && after.count == 2)
    #expect(before != after)
  }
}
