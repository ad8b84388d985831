import Testing

@testable import SallyportService

@Suite struct ReadinessTests {
  @Test func allIsWell() {
    let readiness = Readiness()
    readiness.add("ping") { .ok }
    readiness.add("audit") { .ok }
    let report = readiness.report()
    #expect(report.isGood(without: []))
    #expect(report.text("readyz", excluding: []) == "[+]ping ok\n[+]audit ok\nreadyz check passed\n")
  }

  @Test func aFailureIsNamedWithItsReason() {
    let readiness = Readiness()
    readiness.add("ping") { .ok }
    readiness.add("audit") { .failed("requests.jsonl: No space left on device") }
    let report = readiness.report()
    #expect(!report.isGood(without: []))
    #expect(
      report.text("readyz", excluding: [])
        == "[+]ping ok\n[-]audit failed: requests.jsonl: No space left on device\nreadyz check failed\n")
  }

  @Test func aWarningIsShownAndNotCounted() {
    let readiness = Readiness()
    readiness.add("reload") { .warning("two\nlines") }
    #expect(readiness.report().isGood(without: []))
    #expect(readiness.report().text("readyz", excluding: []) == "[+]reload ok, but: two;lines\nreadyz check passed\n")
  }

  @Test func whatIsExcludedDoesNotCount() {
    let readiness = Readiness()
    readiness.add("audit") { .failed("full") }
    let report = readiness.report()
    #expect(report.isGood(without: ["audit"]))
    #expect(
      report.text("readyz", excluding: ["audit", "etcd"])
        == "[+]audit excluded: ok\nwarn: some health checks cannot be excluded: no matches for etcd\nreadyz check passed\n")
  }

  @Test func aCheckUnderAKnownNameTakesItsPlace() {
    let readiness = Readiness()
    readiness.add("catalogue") { .failed("not yet") }
    readiness.add("catalogue") { .ok }
    #expect(readiness.report().results.map(\.name) == ["catalogue"])
    #expect(readiness.report().isGood(without: []))
  }
}
