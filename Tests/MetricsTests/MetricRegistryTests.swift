import CoreMetrics
import SallyportMetrics
import Testing

@Suite struct MetricRegistryTests {
  private func lines(_ registry: MetricRegistry) async -> [String] {
    await registry.text().split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
  }

  @Test func instrumentsOfSwiftMetricsAreShown() async {
    let registry = MetricRegistry()
    registry.declare("sallyport_reloads_total", .counter, help: "Reloads.")
    Counter(label: "sallyport_reloads_total", dimensions: [("result", "success")], factory: registry).increment(by: 2)
    Meter(label: "sallyport_age_seconds", dimensions: [], factory: registry).set(1.5)
    CoreMetrics.Timer(label: "sallyport_refresh_seconds", dimensions: [], preferredDisplayUnit: .seconds, factory: registry)
      .recordNanoseconds(4_000_000)
    let lines = await self.lines(registry)
    #expect(lines.contains(#"sallyport_reloads_total{result="success"} 2"#))
    #expect(lines.contains("sallyport_age_seconds 1.5"))
    #expect(lines.contains(#"sallyport_refresh_seconds_bucket{le="0.0025"} 0"#))
    #expect(lines.contains(#"sallyport_refresh_seconds_bucket{le="0.005"} 1"#))
  }

  @Test func twoInstrumentsOfOneSeriesAreTheSame() async {
    let registry = MetricRegistry()
    for _ in 0..<3 { Counter(label: "a_total", dimensions: [("x", "1"), ("b", "2")], factory: registry).increment() }
    Counter(label: "a_total", dimensions: [("b", "2"), ("x", "1")], factory: registry).increment()
    #expect(await self.lines(registry) == [#"a_total{b="2",x="1"} 4"#])
  }

  @Test func aDeclaredFamilyIsShownBeforeAnythingWasCounted() async {
    let registry = MetricRegistry()
    registry.declare("a_total", .counter, help: "Nothing yet.")
    #expect(await registry.text() == "# HELP a_total Nothing yet.\n# TYPE a_total counter\n")
  }

  @Test func aLabelThatGrowsWithoutEndIsCutOff() async {
    let registry = MetricRegistry()
    for number in 0..<(MetricRegistry.seriesLimit + 100) {
      Counter(label: "a_total", dimensions: [("user", "\(number)")], factory: registry).increment()
    }
    let lines = await self.lines(registry)
    #expect(lines.count == MetricRegistry.seriesLimit + 1)
    #expect(lines.contains(#"a_total{user="other"} 100"#))
  }

  @Test func sourcesAreAskedAtEachScrapeAndJoined() async {
    let registry = MetricRegistry()
    registry.add { [MetricFamily("open", .gauge, help: "Open.", samples: [MetricSample(1, MetricLabel("part", "one"))])] }
    registry.add { [MetricFamily("open", .gauge, help: "Open.", samples: [MetricSample(2, MetricLabel("part", "two"))])] }
    #expect(await self.lines(registry) == [#"open{part="one"} 1"#, #"open{part="two"} 2"#])
  }

  @Test func aForeignNameIsMadeFit() async {
    let registry = MetricRegistry()
    Counter(label: "http.client-requests", dimensions: [("status.code", "2\"0")], factory: registry).increment()
    Counter(label: "2xx", dimensions: [], factory: registry).increment()
    #expect(await self.lines(registry) == ["_2xx 1", #"http_client_requests{status_code="2\"0"} 1"#])
  }

  @Test func aCounterDoesNotGoBack() async {
    let registry = MetricRegistry()
    let counter = FloatingPointCounter(label: "a_total", dimensions: [], factory: registry)
    counter.increment(by: 2.5)
    counter.increment(by: -1)
    #expect(await self.lines(registry) == ["a_total 2.5"])
  }
}
