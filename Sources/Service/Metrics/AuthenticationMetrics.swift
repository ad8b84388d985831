import SallyportAuthentication
import SallyportMetrics

/// Shows what the memory of authentication knows.
enum AuthenticationMetrics {
  static func families(_ memory: AuthenticationMemory) -> [MetricFamily] {
    let statistics = memory.statistics
    return [
      MetricFamily(
        "sallyport_authentication_cache_hits_total", .counter,
        help: "Passwords that were found in the cache of judgements, by the judgement; not those that a kept connection remembers.",
        samples: [
          MetricSample(Double(statistics.acceptedHits), MetricLabel("judgement", "accepted")),
          MetricSample(Double(statistics.refusedHits), MetricLabel("judgement", "refused")),
        ]),
      MetricFamily(
        "sallyport_password_verifications_total", .counter, help: "Passwords that were hashed.", value: Double(statistics.verifications)),
      MetricFamily(
        "sallyport_password_verifications_running", .gauge, help: "Passwords that are being hashed or wait for it.",
        value: Double(statistics.running)),
    ]
  }
}
