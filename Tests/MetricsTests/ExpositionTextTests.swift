import SallyportMetrics
import Testing

@Suite struct ExpositionTextTests {
  @Test func familiesAndSeriesAreInOrderWithHelpAndType() {
    let text = ExpositionText.write([
      MetricFamily(
        "b_total", .counter, help: "Second.",
        samples: [MetricSample(2, MetricLabel("code", "404")), MetricSample(1, MetricLabel("code", "200"))]),
      MetricFamily("a", .gauge, help: "First.", value: 0.5),
    ])
    #expect(
      text == """
        # HELP a First.
        # TYPE a gauge
        a 0.5
        # HELP b_total Second.
        # TYPE b_total counter
        b_total{code="200"} 1
        b_total{code="404"} 2

        """)
  }

  @Test func whatCouldBreakALineIsEscaped() {
    let text = ExpositionText.write([
      MetricFamily("a", .gauge, help: "one\ntwo \\ three", samples: [MetricSample(1, MetricLabel("route", "a\"b\\c\nd"))])
    ])
    #expect(text == "# HELP a one\\ntwo \\\\ three\n# TYPE a gauge\na{route=\"a\\\"b\\\\c\\nd\"} 1\n")
  }

  @Test func aHistogramsBucketsAddUpToItsCount() {
    var counts = HistogramCounts(HistogramBounds([0.1, 1, 10]))
    for value in [0.05, 0.1, 0.5, 5, 50, 500] { counts.observe(value) }
    let text = ExpositionText.write([
      MetricFamily("seconds", .histogram, help: "", samples: [MetricSample(.distribution(counts), [MetricLabel("route", "api")])])
    ])
    #expect(
      text.split(separator: "\n").dropFirst(2) == [
        #"seconds_bucket{route="api",le="0.1"} 2"#, #"seconds_bucket{route="api",le="1"} 3"#, #"seconds_bucket{route="api",le="10"} 4"#,
        #"seconds_bucket{route="api",le="+Inf"} 6"#, #"seconds_sum{route="api"} 555.65"#, #"seconds_count{route="api"} 6"#,
      ])
  }

  @Test func countsOfSeveralEventLoopsAreAdded() {
    var one = HistogramCounts(.latency)
    var other = HistogramCounts(.latency)
    one.observe(0.004)
    other.observe(0.004)
    other.observe(1000)
    one.add(other)
    #expect(one.count == 3)
    #expect(one.counts[2] == 2)
    #expect(one.counts.reduce(0, +) == 2)
  }

  @Test(
    arguments: [(1, "1"), (0.25, "0.25"), (-3, "-3"), (.infinity, "+Inf"), (.nan, "NaN"), (1_764_000_000, "1764000000")]
      as [(Double, String)])
  func numbersAreWrittenAsPrometheusReadsThem(_ value: Double, _ text: String) {
    #expect(ExpositionText.write([MetricFamily("a", .gauge, help: "", value: value)]).hasSuffix("a \(text)\n"))
  }
}
