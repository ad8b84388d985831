import Dispatch
import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import SallyportCore
import TestSupport
import Testing

@testable import SallyportAudit

@Suite struct AuditLogTests {
  private let temporary = TemporaryDirectory()

  private func log(
    _ durability: AuditLogConfiguration.Durability = .written, budget: Int = 1 << 20, disk: NIOLockedValueBox<FaultyDirectory?>? = nil,
    retryDelay: DispatchTimeInterval = .seconds(3600)
  ) throws -> AuditLog {
    try AuditLog(
      AuditLogConfiguration(
        directory: self.temporary.path, durability: durability, rotation: LogRotation(compresses: false), unauthenticatedBudget: budget),
      files: { directory in
        guard let disk else { return directory }
        let faulty = FaultyDirectory(directory)
        disk.withLockedValue { $0 = faulty }
        return faulty
      }, clock: { Samples.received }, retryDelay: retryDelay)
  }

  private static func line(_ text: String) -> ByteBuffer { ChainedLines.record(text) }

  private static func result(_ answer: Answer<Result<Void, Problem>>) async throws -> Result<Void, Problem> {
    switch answer {
    case .now(let result): result
    case .later(let future): try await future.get()
    }
  }

  private static func isNow(_ answer: Answer<Result<Void, Problem>>) -> Bool {
    if case .now = answer { true } else { false }
  }

  @Test func aloneAnAppendIsAnsweredAtOnceAndIsInTheFile() throws {
    let log = try self.log()
    let answer = log.append(Self.line("one"), to: .requests, on: MultiThreadedEventLoopGroup.singleton.next())
    guard case .now(.success) = answer else {
      Issue.record("\(answer)")
      return
    }
    #expect(try self.temporary.records("requests.jsonl") == ["one"])
    #expect(log.state == .writable)
    log.close()
  }

  @Test func theSeriesAreFilesOfTheirOwnAndAFloodOfOneLeavesTheOtherAlone() throws {
    let log = try self.log(budget: 40_000)
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    _ = log.append(Self.line("evidence"), to: .requests, on: loop)
    for number in 0..<2_000 {
      _ = log.append(Self.line("flood \(number) " + String(repeating: "x", count: 50)), to: .unauthenticated, on: loop)
    }
    log.close()
    #expect(try self.temporary.records("requests.jsonl") == ["evidence"])
    let files = self.temporary.names.filter { $0.hasPrefix("unauthenticated") }
    let flood = files.reduce(0) { $0 + (self.temporary.bytes($1) ?? []).count }
    #expect(files.count > 2 && flood <= 42_000 && flood > 15_000, "\(files): \(flood)")
    #expect(try self.temporary.records("unauthenticated.jsonl").last?.hasPrefix("flood 1999 ") == true)
  }

  @Test func noLineIsLostDoubledOrOvertakenWhenManyEventLoopsWrite() async throws {
    for durability in [AuditLogConfiguration.Durability.written, .synced] {
      let temporary = TemporaryDirectory()
      let log = try AuditLog(AuditLogConfiguration(directory: temporary.path, durability: durability))
      let failures = try await Self.appendFromManyLoops(to: log, loops: 4, count: durability == .written ? 3_000 : 300)
      #expect(failures.isEmpty)
      log.close()
      try Self.expectAll(temporary.records("requests.jsonl"), loops: 4, count: durability == .written ? 3_000 : 300, without: [])
    }
  }

  @Test func onAFailingDiskExactlyTheAppendsThatAreMissingWereReported() async throws {
    let disk = NIOLockedValueBox<FaultyDirectory?>(nil)
    let log = try self.log(disk: disk)
    let faulty = try #require(disk.withLockedValue { $0 })
    faulty.set { faults in
      faults.writeSize = 700
      faults.room = 4_321
    }
    // Somebody keeps making a little room, so that appends succeed, fail and tear all the time.
    let finished = NIOLockedValueBox(false)
    let janitor = Task.detached {
      var generator = Chance(seed: 5)
      while !finished.withLockedValue({ $0 }) {
        faulty.set { $0.room = Int.random(in: 0...2_000, using: &generator) }
        await Task.yield()
      }
    }
    let failures = try await Self.appendFromManyLoops(to: log, loops: 4, count: 2_000)
    finished.withLockedValue { $0 = true }
    await janitor.value
    #expect(!failures.isEmpty && failures.count < 8_000)
    try Self.expectAll(self.temporary.records("requests.jsonl"), loops: 4, count: 2_000, without: failures)

    faulty.set { $0.room = nil }
    guard case .now(.success) = log.append(Self.line("9-9"), to: .requests, on: MultiThreadedEventLoopGroup.singleton.next()) else {
      Issue.record("the log did not come back")
      return
    }
    #expect(log.state == .writable)
    #expect(try self.temporary.records("requests.jsonl").last == "9-9")
  }

  @Test func nobodyWaitsForASlowDiskButTheOneWhoWrites() async throws {
    let disk = NIOLockedValueBox<FaultyDirectory?>(nil)
    let log = try self.log(disk: disk)
    let faulty = try #require(disk.withLockedValue { $0 })
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 3)
    let loops = Array(group.makeIterator())
    faulty.set { $0.gatedWrites = 1 }
    let before = faulty.calls("write")
    let first = loops[0].submit { log.append(Self.line("0"), to: .requests, on: loops[0]) }
    faulty.arrived.wait()

    // The disk hangs. The others' event loops go on, and their answers are open.
    var answers: [Answer<Result<Void, Problem>>] = []
    for loop in loops[1...] {
      answers.append(try await loop.submit { log.append(Self.line("\(loop === loops[1] ? 1 : 2)"), to: .requests, on: loop) }.get())
    }
    #expect(answers.allSatisfy { !Self.isNow($0) })
    #expect(try self.temporary.records("requests.jsonl") == [])

    faulty.gate.signal()
    #expect(Self.isNow(try await first.get()))
    for answer in answers { try await Self.result(answer).get() }
    #expect(try self.temporary.records("requests.jsonl") == ["0", "1", "2"])
    #expect(faulty.calls("write") == before + 2)
    log.close()
    try await group.shutdownGracefully()
  }

  @Test func anEventLoopThatHasServedEnoughGoesBackToItsWork() async throws {
    let disk = NIOLockedValueBox<FaultyDirectory?>(nil)
    let log = try self.log(disk: disk)
    let faulty = try #require(disk.withLockedValue { $0 })
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    let loops = Array(group.makeIterator())
    faulty.set { $0.gatedWrites = 6 }
    let first = loops[0].submit { log.append(Self.line("0"), to: .requests, on: loops[0]) }
    // While each write hangs, the other event loop leaves one more.
    var answers: [Answer<Result<Void, Problem>>] = []
    for number in 1...5 {
      faulty.arrived.wait()
      answers.append(try await loops[1].submit { log.append(Self.line("\(number)"), to: .requests, on: loops[1]) }.get())
      faulty.gate.signal()
    }
    // Its own and four more: the sixth write is the log's own thread's, and the first event loop is free while it hangs.
    faulty.arrived.wait()
    #expect(Self.isNow(try await first.get()))
    #expect(try await loops[0].submit { 1 }.get() == 1)
    faulty.gate.signal()
    for answer in answers { try await Self.result(answer).get() }
    #expect(try self.temporary.records("requests.jsonl") == ["0", "1", "2", "3", "4", "5"])
    log.close()
    try await group.shutdownGracefully()
  }

  @Test func oneSyncServesAllThatWaitedForTheOneBefore() async throws {
    let disk = NIOLockedValueBox<FaultyDirectory?>(nil)
    let log = try self.log(.synced, disk: disk)
    let faulty = try #require(disk.withLockedValue { $0 })
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    faulty.set { $0.gatedWrites = 1 }
    let before = faulty.calls("sync")
    var answers = [log.append(Self.line("0"), to: .requests, on: loop)]
    faulty.arrived.wait()
    for number in 1...50 { answers.append(log.append(Self.line("\(number)"), to: .requests, on: loop)) }
    #expect(answers.allSatisfy { !Self.isNow($0) })
    faulty.gate.signal()
    for answer in answers { try await Self.result(answer).get() }
    #expect(faulty.calls("sync") == before + 2)
    #expect(try self.temporary.records("requests.jsonl") == (0...50).map(String.init))
    log.close()
  }

  @Test func aFailingLogSaysSoAndComesBackWithoutAnybodyAsking() async throws {
    for durability in [AuditLogConfiguration.Durability.written, .synced] {
      let temporary = TemporaryDirectory()
      let disk = NIOLockedValueBox<FaultyDirectory?>(nil)
      let log = try AuditLog(
        AuditLogConfiguration(directory: temporary.path, durability: durability),
        files: { directory in
          let faulty = FaultyDirectory(directory)
          disk.withLockedValue { $0 = faulty }
          return faulty
        }, clock: { Samples.received }, retryDelay: .milliseconds(2))
      let faulty = try #require(disk.withLockedValue { $0 })
      let loop = MultiThreadedEventLoopGroup.singleton.next()
      faulty.set { $0.errors = ["write": EIO] }
      let failed = try await Self.result(log.append(Self.line("lost"), to: .requests, on: loop))
      #expect(throws: Problem.auditUnwritable) { try failed.get() }
      // The answer is given first, and the state set in the next moment.
      for _ in 0..<30_000 where log.state == .writable { try await Task.sleep(for: .milliseconds(2)) }
      #expect(log.state == .failing(.auditUnwritable))
      faulty.set { $0.errors = [:] }
      // Bounded: the log looks every two milliseconds.
      for _ in 0..<30_000 where log.state != .writable { try await Task.sleep(for: .milliseconds(2)) }
      #expect(log.state == .writable)
      #expect(try temporary.records("requests.jsonl") == [])
      log.close()
    }
  }

  @Test func aTornLineOfAKilledProcessDoesNotStopTheNext() throws {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let first = try self.log()
    _ = first.append(Self.line("1"), to: .requests, on: loop)
    first.close()
    self.temporary.put(self.temporary.text("requests.jsonl")! + "{\"kind\":", in: "requests.jsonl")
    let log = try self.log()
    _ = log.append(Self.line("2"), to: .requests, on: loop)
    log.close()
    #expect(try self.temporary.records("requests.jsonl") == ["1", "2"])
    #expect(self.temporary.text("requests.jsonl.torn-20260301T090507.000123Z") == "{\"kind\":")
    #expect(try self.temporary.events("requests.jsonl") == ["fileOpened", "checkpoint", "setAside", "checkpoint"])
  }

  @Test func twoLogsDoNotWriteToOneDirectoryUntilTheFirstIsClosed() throws {
    let first = try self.log()
    #expect(throws: Problem.auditDirectoryInUse) { try self.log() }
    first.close()
    let second = try self.log()
    second.close()
  }

  @Test func aDirectoryThatCannotBeUsedIsNamed() throws {
    self.temporary.put("", in: "file")
    let configuration = AuditLogConfiguration(directory: self.temporary.file("file"))
    do throws(Problem) {
      _ = try AuditLog(configuration)
      Issue.record("opened")
    } catch {
      #expect(error == .auditDirectory)
      #expect(error.detail.contains(self.temporary.file("file")))
    }
    try FileManager.default.createSymbolicLink(
      atPath: self.temporary.file("requests.jsonl"), withDestinationPath: self.temporary.file("file"))
    #expect(throws: Problem.auditDirectory) { try self.log() }
  }

  @Test func closingWritesWhatWaitsAndRefusesWhatComesLater() async throws {
    let log = try self.log(.synced)
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let answers = (0..<100).map { log.append(Self.line("\($0)"), to: .requests, on: loop) }
    log.close()
    log.close()
    #expect(try self.temporary.records("requests.jsonl") == (0..<100).map(String.init))
    for answer in answers { try await Self.result(answer).get() }
    let late = try await Self.result(log.append(Self.line("late"), to: .requests, on: loop))
    #expect(throws: Problem.auditClosed) { try late.get() }
  }

  @Test func onlyWholeLinesAreTaken() throws {
    let log = try self.log()
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    guard case .now(.success) = log.append(ByteBuffer(), to: .requests, on: loop) else {
      Issue.record("nothing to write is written")
      return
    }
    guard case .now(.failure(.auditLineIncomplete)) = log.append(ByteBuffer(string: "a\nb"), to: .requests, on: loop) else {
      Issue.record("half a line was taken")
      return
    }
    log.close()
    #expect(try self.temporary.records("requests.jsonl") == [])
  }

  // MARK: - Many writers

  /// Appends `<loop>-<number>` from each event loop, several lines at a time now and then.
  ///
  /// - Returns: the lines that were reported as failed
  private static func appendFromManyLoops(to log: AuditLog, loops: Int, count: Int) async throws -> Set<String> {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
    let failed = NIOLockedValueBox(Set<String>())
    var done: [EventLoopFuture<Void>] = []
    for (index, loop) in group.makeIterator().enumerated() {
      done.append(
        loop.flatSubmit {
          var answers: [EventLoopFuture<Void>] = []
          var number = 0
          while number < count {
            let lines = (number..<min(count, number + 1 + number % 3)).map { "\(index)-\($0)" }
            number += lines.count
            let note = { @Sendable (result: Result<Void, Problem>) in
              if case .failure = result { failed.withLockedValue { $0.formUnion(lines) } }
            }
            switch log.append(ChainedLines.records(lines), to: .requests, on: loop) {
            case .now(let result): note(result)
            case .later(let future): answers.append(future.map(note))
            }
          }
          return EventLoopFuture.andAllSucceed(answers, on: loop)
        })
    }
    for future in done { try await future.get() }
    try await group.shutdownGracefully()
    return failed.withLockedValue { $0 }
  }

  private static func expectAll(_ lines: [String], loops: Int, count: Int, without failed: Set<String>) throws {
    for loop in 0..<loops {
      let expected = (0..<count).map { "\(loop)-\($0)" }.filter { !failed.contains($0) }
      #expect(lines.filter { $0.hasPrefix("\(loop)-") } == expected)
    }
    #expect(lines.count == loops * count - failed.count)
  }
}
