import Foundation
import Testing

@testable import SallyportAuditReview

@Suite struct SummaryTests {
  private let folder: ReviewFolder

  init() throws {
    self.folder = try ReviewFolder()
    var lines: [SampleLine] = []
    for hour in 8..<12 {
      for number in 0..<10 {
        var line = SampleLine()
        line.user = number < 7 ? "alice" : number < 9 ? "bob" : "carol-\(hour)"
        line.time = "2026-03-01T\(hour < 10 ? "0" : "")\(hour):\(10 + number):00.000000Z"
        if number == 3 {
          line.code = 403
          line.annotations["sallyport.dev/decision"] = "deny"
          line.annotations["sallyport.dev/rule"] = "no-<b>shells</b>"
        }
        if number == 4 { line.code = 502 }
        if number == 5 { line.impersonated = "root" }
        if number == 6 { line.verb = "delete" }
        lines.append(line)
        // What is not at its end is not counted.
        line.stage = "RequestReceived"
        lines.append(line)
      }
    }
    try self.folder.put(lines)
    var failed = SampleLine()
    failed.user = nil
    failed.code = 401
    failed.address = "198.51.100.9"
    failed.time = "2026-03-01T09:30:00.000000Z"
    var handshake = failed
    handshake.code = nil
    handshake.annotations["sallyport.dev/error"] = "handshakeFailed: …"
    try self.folder.put([failed, handshake, failed], in: "unauthenticated.jsonl")
  }

  @Test func itCountsWhatTheLogHolds() throws {
    let summary = try LogSummary.of([self.folder.path])
    #expect(summary.requests == 43)
    #expect(summary.denied == 4)
    #expect(summary.failedSignIns == 3)
    #expect(summary.errors == 4)
    #expect(summary.changes == 4)
    #expect(summary.impersonations == 4)
    #expect(summary.users.first == .init(name: "alice", count: 28))
    #expect(summary.deniedByRule == [.init(name: "no-<b>shells</b>", count: 4)])
    #expect(summary.failuresByAddress == [.init(name: "198.51.100.9", count: 3)])
    #expect(summary.asOthers == [.init(name: "alice as root", count: 4)])
    #expect(summary.hours.map(\.requests) == [10, 13, 10, 10])
    #expect(summary.hours[1].failedSignIns == 3)
    #expect(summary.firstSeen.first?.user == "carol-11")
    #expect(summary.text.contains("43 requests"))
  }

  @Test func anHourInWhichNothingHappenedIsThere() throws {
    let folder = try ReviewFolder()
    try folder.put(
      ["2026-02-28T23:59:59.000000Z", "2026-03-01T02:00:00.000000Z"].map { time in
        var line = SampleLine()
        line.time = time
        return line
      })
    let hours = try LogSummary.of([folder.path]).hours
    #expect(hours.map(\.hour) == ["2026-02-28T23", "2026-03-01T00", "2026-03-01T01", "2026-03-01T02"])
    #expect(hours.map(\.requests) == [1, 0, 0, 1])
  }

  @Test func whoWasSeenBeforeIsNotNew() throws {
    let summary = try LogSummary.of([self.folder.path], since: WallTimeBound("2026-03-01T10:00:00Z"))
    #expect(summary.requests == 20)
    #expect(summary.firstSeen.map(\.user) == ["carol-11", "carol-10"])
  }

  @Test func theReportIsOnePageAndNothingOfTheLogIsMarkup() throws {
    let page = try LogReport.of([self.folder.path]).html
    #expect(page.contains("no-&lt;b&gt;shells&lt;/b&gt;"))
    #expect(!page.contains("no-<b>"))
    #expect(
      !page.contains("http://") && !page.contains("https://") && !page.contains("src=") && !page.contains("@import")
        && !page.contains("url("))
    #expect(page.contains("alice as root") && page.contains("198.51.100.9"))
    // Denied, errors, as root, failed sign-ins; not the rest.
    #expect(page.matches(of: #/<tr class="/#).count == 4 + 4 + 4 + 3)
    let short = try LogReport.of([self.folder.path], rows: 5)
    #expect(short.notable.count == 5 && short.more == 10)
  }

  @Test func hostileTextStaysText() throws {
    var line = SampleLine()
    line.user = "</script><script>alert(1)</script>\"'&\u{202E}"
    line.code = 403
    line.annotations["sallyport.dev/decision"] = "deny"
    line.annotations["sallyport.dev/rule"] = "\"><img src=x onerror=alert(1)>"
    let folder = try ReviewFolder()
    try folder.put([line])
    let page = try LogReport.of([folder.path]).html
    #expect(page.matches(of: #/<script/#).count == 1)
    #expect(!page.contains("<img") && !page.contains("\u{202E}"))
  }
}

@Suite struct JoinTests {
  private let ours: ReviewFolder
  private let theirs: ReviewFolder

  init() throws {
    self.ours = try ReviewFolder()
    self.theirs = try ReviewFolder()
  }

  private func line(_ number: Int, _ change: (inout SampleLine) -> Void = { _ in }) -> SampleLine {
    var line = SampleLine()
    line.auditID = "00000000-0000-4000-8000-\(String(format: "%012d", number))"
    line.time = "2026-03-01T09:\(String(format: "%02d", number / 60)):\(String(format: "%02d", number % 60)).000000Z"
    change(&line)
    return line
  }

  private func joined(components: Bool = false) throws -> (LogJoin.Result, [LogJoin.Difference]) {
    var differences: [LogJoin.Difference] = []
    let result = try LogJoin(includesComponents: components).run([self.ours.path], apiServerLogs: [self.theirs.file("audit.log")]) {
      differences.append($0)
    }
    return (result, differences)
  }

  @Test func whatWentThroughIsJoinedWhateverItsStages() throws {
    try self.ours.put(
      (0..<50).flatMap { number in
        [self.line(number) { $0.stage = "RequestReceived" }, self.line(number)]
      })
    try self.theirs.put(
      (0..<50).map { number in
        self.line(number) { line in
          line.stage = "ResponseComplete"
          line.annotations = [:]
        }
      }, in: "audit.log")
    let (result, differences) = try self.joined()
    #expect(
      result
        == {
          var wanted = LogJoin.Result(); wanted.matched = 50; return wanted
        }())
    #expect(differences == [])
  }

  @Test func whoWentAroundIsNamed() throws {
    try self.ours.put([self.line(1), self.line(2) { $0.annotations["sallyport.dev/upstream"] = nil }, self.line(3)])
    try self.theirs.put(
      [
        self.line(1), self.line(4) { $0.user = "mallory" }, self.line(5) { $0.user = "system:node:one" },
      ], in: "audit.log")
    let (result, differences) = try self.joined()
    #expect(result.matched == 1 && result.onlyAtAPIServer == 1 && result.onlyAtSallyport == 1 && result.ownComponents == 1)
    #expect(!result.isGood)
    #expect(differences.map(\.kind) == [.onlyAtSallyport, .onlyAtAPIServer])
    #expect(differences[1].user == "mallory")
    #expect(differences[1].text.contains("around the proxy: mallory"))
    #expect(try self.joined(components: true).0.onlyAtAPIServer == 2)
  }

  @Test func whatIsNotTheSameIsTold() throws {
    try self.ours.put([
      self.line(1), self.line(2), self.line(3), self.line(4),
      self.line(5) { $0.uri = "/api/v1/x?token=REDACTED" },
    ])
    try self.theirs.put(
      [
        self.line(1) { $0.user = "root" }, self.line(2) { $0.uri = "/other" }, self.line(3) { $0.address = "203.0.113.1" },
        self.line(4) { $0.impersonated = "root" }, self.line(5) { $0.uri = "/api/v1/x?token=secret" },
      ], in: "audit.log")
    let (result, differences) = try self.joined()
    #expect(result.matched == 5 && result.different == 4)
    #expect(differences.map { $0.detail ?? "" }.map { $0.prefix(4) } == ["user", "URI ", "addr", "as -"])
  }

  @Test func aLongLogIsJoinedInLittleMemory() throws {
    // Whatever waits longer than the window is told at once, and nothing is told twice.
    try self.ours.put(
      (0..<6_000).map { number in
        var line = self.line(0)
        line.auditID = "00000000-0000-4000-8000-\(String(format: "%012d", number))"
        line.time = "2026-03-01T\(String(format: "%02d:%02d:%02d", number / 3600, number / 60 % 60, number % 60)).000000Z"
        return line
      })
    try self.theirs.put(
      (0..<6_000).filter { $0 % 100 != 0 }.map { number in
        var line = self.line(0)
        line.auditID = "00000000-0000-4000-8000-\(String(format: "%012d", number))"
        line.time = "2026-03-01T\(String(format: "%02d:%02d:%02d", number / 3600, number / 60 % 60, number % 60)).000000Z"
        return line
      }, in: "audit.log")
    let (result, differences) = try self.joined()
    #expect(result.matched == 5_940 && result.onlyAtSallyport == 60)
    #expect(differences.count == 60)
  }
}
