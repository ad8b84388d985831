import NIOCore
import SallyportAudit
@_spi(Authenticator) import SallyportCore
import SallyportMetrics
import SallyportWire
import Testing

@testable import SallyportService

@Suite struct LoopCountsTests {
  private func record(code: Int, _ subject: Subject?, change: (inout AuditRecord) -> Void = { _ in }) -> AuditRecord {
    let connection = ConnectionFacts(
      listener: "main", clientAddress: ClientAddress(ip: "192.0.2.1", port: 1), isTrustedPeer: false, tlsVersion: "TLSv1.3",
      serverName: nil, clientCertificate: nil)
    var ids = AuditIDSource()
    var record = AuditRecord(
      AuditedRequest(MalformedMessage("unread")), of: connection, auditID: ids.next(), received: .now(), configuration: "")
    record.subject = subject
    record.response = AuditRecord.Response(code: code)
    change(&record)
    return record
  }

  private let alice = Subject.identity(Identity(username: "alice", groups: [], method: .clientCertificate))

  private func lines(_ counts: LoopCounts, routes: [String], _ name: String) -> [String] {
    ExpositionText.write(RequestMetrics.families(LoopState(counts: counts), routes: routes))
      .split(separator: "\n").map(String.init).filter { $0.hasPrefix(name + "{") || $0.hasPrefix(name + " ") }
  }

  @Test func requestsAreCountedByRouteCodeAndProof() {
    let numbers = RouteNumbers()
    var counts = LoopCounts()
    var measure = RequestMeasure()
    counts.requestEnded(self.record(code: 400, nil), measure, isStream: false, at: .now())
    measure.route = numbers.number(of: "api")
    #expect(numbers.number(of: "api") == measure.route)
    for _ in 0..<3 { counts.requestEnded(self.record(code: 200, self.alice), measure, isStream: false, at: .now()) }
    counts.requestEnded(self.record(code: 200, .anonymous), measure, isStream: false, at: .now())
    #expect(
      self.lines(counts, routes: numbers.all, "sallyport_requests_total") == [
        #"sallyport_requests_total{route="",code="400",authentication="none"} 1"#,
        #"sallyport_requests_total{route="api",code="200",authentication="anonymous"} 1"#,
        #"sallyport_requests_total{route="api",code="200",authentication="clientCertificate"} 3"#,
      ])
    #expect(
      self.lines(counts, routes: numbers.all, "sallyport_authentications_total")
        == [#"sallyport_authentications_total{method="clientCertificate",result="accepted"} 3"#])
  }

  @Test func denialsAreCountedByRule() {
    var counts = LoopCounts()
    counts.requestEnded(
      self.record(code: 403, self.alice) { $0.decision = .deny(rule: "secrets/no-reads", message: "no") }, RequestMeasure(),
      isStream: false,
      at: .now())
    #expect(
      self.lines(counts, routes: [""], "sallyport_policy_denials_total")
        == [#"sallyport_policy_denials_total{route="",rule="secrets/no-reads"} 1"#])
  }

  @Test func refusedCredentialsAreCountedByTheReasonAlone() {
    var counts = LoopCounts()
    let throttled = Problem("credentialsThrottled", blame: .client, status: 429, message: "")
    counts.requestEnded(self.record(code: 429, nil) { $0.problem = throttled }, RequestMeasure(), isStream: false, at: .now())
    #expect(
      self.lines(counts, routes: [""], "sallyport_authentications_total")
        == [#"sallyport_authentications_total{method="",result="credentialsThrottled"} 1"#])
    #expect(
      self.lines(counts, routes: [""], "sallyport_problems_total")
        == [#"sallyport_problems_total{problem="credentialsThrottled",blame="client"} 1"#])
  }

  @Test func aStreamsLengthIsNoLatency() {
    var counts = LoopCounts()
    let measure = RequestMeasure()
    counts.requestEnded(self.record(code: 200, self.alice), measure, isStream: true, at: measure.began + .hours(1))
    counts.requestEnded(self.record(code: 200, self.alice), measure, isStream: false, at: measure.began + .milliseconds(20))
    #expect(
      self.lines(counts, routes: [""], "sallyport_request_duration_seconds_count") == [
        #"sallyport_request_duration_seconds_count{route=""} 1"#
      ])
    #expect(counts.routes[0].whole.sum < 1)
  }

  @Test func theUpstreamsPartIsFromForwardingToTheHead() {
    var counts = LoopCounts()
    var measure = RequestMeasure()
    measure.forwarded = measure.began + .milliseconds(5)
    measure.answered = measure.began + .milliseconds(35)
    counts.requestEnded(self.record(code: 200, self.alice), measure, isStream: false, at: measure.began + .seconds(2))
    #expect(abs(counts.routes[0].upstream.sum - 0.03) < 0.000_001)
    #expect(abs(counts.routes[0].whole.sum - 2) < 0.000_001)
  }

  @Test func eventLoopsAreAdded() {
    var one = LoopCounts()
    var other = LoopCounts()
    var measure = RequestMeasure()
    one.requestEnded(self.record(code: 200, self.alice), measure, isStream: false, at: .now())
    measure.route = 3
    other.requestEnded(self.record(code: 200, self.alice), measure, isStream: false, at: .now())
    other.records.count(7, to: .requests, written: true)
    one.add(other)
    one.add(other)
    #expect(one.routes.map { $0.outcomes.entries.reduce(0) { $0 + $1.count } } == [1, 0, 0, 2])
    #expect(one.records.requests.written == 14)
  }

  @Test func aTallyIsBounded() {
    var tally = Tally<Int>(limit: 3)
    for number in 0..<10 { tally.count(number) }
    tally.count(1)
    #expect(tally.entries.map(\.key) == [0, 1, 2])
    #expect(tally.entries[1].count == 2)
    #expect(tally.others == 7)
  }
}
