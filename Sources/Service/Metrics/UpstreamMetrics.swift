import SallyportMetrics
import SallyportUpstream

/// Shows the pools of the upstreams.
enum UpstreamMetrics {
  typealias Statistics = UpstreamStatistics

  static func families(_ upstreams: [(name: String, Statistics)]) -> [MetricFamily] {
    func family(
      _ name: String, _ kind: MetricFamily.Kind, _ help: String, _ samples: (MetricLabel, Statistics) -> [MetricSample]
    ) -> MetricFamily {
      MetricFamily(name, kind, help: help, samples: upstreams.flatMap { samples(MetricLabel("upstream", $0.name), $0.1) })
    }
    return [
      family("sallyport_upstream_connections", .gauge, "Connections to an upstream, by state.") { name, statistics in
        [
          MetricSample(Double(statistics.idle), name, MetricLabel("state", "idle")),
          MetricSample(Double(max(0, statistics.connections - statistics.idle)), name, MetricLabel("state", "active")),
        ]
      },
      family("sallyport_upstream_waiting_requests", .gauge, "Requests that wait for a connection to an upstream.") { name, statistics in
        [MetricSample(Double(statistics.waiting), name)]
      },
      family("sallyport_upstream_connects_total", .counter, "Attempts to connect to an upstream, by their result.") { name, statistics in
        [
          MetricSample(Double(statistics.events.connected), name, MetricLabel("result", "success")),
          MetricSample(Double(statistics.events.connectsFailed), name, MetricLabel("result", "failure")),
        ]
      },
      family(
        "sallyport_upstream_retries_total", .counter, "Requests that were sent a second time because a kept connection had died."
      ) { name, statistics in
        [MetricSample(Double(statistics.events.retries), name)]
      },
    ]
  }
}
