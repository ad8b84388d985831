import NIOCore
import SallyportMetrics

/// What a scrape is told of the API descriptions that upstreams give of themselves.
enum CatalogueMetrics {
  static func families(_ statuses: [CatalogueStatus], unknownNames: Int, at now: NIODeadline) -> [MetricFamily] {
    func family(
      _ name: String, _ kind: MetricFamily.Kind, _ help: String, _ value: (CatalogueStatus) -> Double?
    ) -> MetricFamily {
      MetricFamily(
        name, kind, help: help,
        samples: statuses.compactMap { status in
          value(status).map { MetricSample($0, MetricLabel("upstream", status.upstream)) }
        })
    }
    let refreshes = MetricFamily(
      "sallyport_catalogue_refreshes_total", .counter, help: "How often an upstream was asked for its API description, by the result.",
      samples: statuses.flatMap { status in
        [("success", status.refreshes - status.failures), ("failure", status.failures)].map { result, count in
          MetricSample(Double(max(0, count)), MetricLabel("upstream", status.upstream), MetricLabel("result", result))
        }
      })
    return [
      family(
        "sallyport_catalogue_age_seconds", .gauge, "Time since an upstream last confirmed its API description; none before the first."
      ) { $0.age(at: now).map { Double($0.nanoseconds) / 1e9 } },
      family("sallyport_catalogue_loaded", .gauge, "Whether there is an API description of the upstream: 1 or 0.") { $0.isLoaded ? 1 : 0 },
      family("sallyport_catalogue_operations", .gauge, "Operations in the API description of an upstream.") { Double($0.operations) },
      family("sallyport_catalogue_stale_documents", .gauge, "Documents that an upstream lists and that could not be read as they are.") {
        Double($0.stale.count)
      },
      refreshes,
      MetricFamily(
        "sallyport_policy_unknown_names", .gauge,
        help: "Names in policies that the API description of their upstream does not have: slips, or APIs that are not installed.",
        value: Double(unknownNames)),
    ]
  }
}
