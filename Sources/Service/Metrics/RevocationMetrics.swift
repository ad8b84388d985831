import SallyportMetrics
import SallyportRevocation

import struct Foundation.Date

/// What an operator sees of revocation lists: how old they are, and whether one has ended.
enum RevocationMetrics {
  static func families(_ store: RevocationStore?, at now: Date) -> [MetricFamily] {
    guard let store else { return [] }
    let lists = store.status(at: now)
    func family(_ name: String, _ help: String, _ value: (RevocationStore.Status) -> Double) -> MetricFamily {
      MetricFamily(name, .gauge, help: help, samples: lists.map { MetricSample(value($0), MetricLabel("list", $0.place)) })
    }
    return [
      family("sallyport_revocation_list_age_seconds", "Time since the revocation list was issued.") {
        max(0, now.timeIntervalSince($0.thisUpdate))
      },
      family(
        "sallyport_revocation_list_next_update_timestamp_seconds",
        "When the revocation list ends, as seconds of the Unix epoch; from then on the certificates of its authority are refused."
      ) { $0.nextUpdate.timeIntervalSince1970 },
      MetricFamily(
        "sallyport_revocation_revoked_certificates", .gauge, help: "Certificates that the revocation lists revoke.",
        value: Double(store.revokedCount)),
    ]
  }

  /// Red where a list has ended: the users of its authority are refused here, and another replica may have a newer one.
  static func readiness(_ store: RevocationStore?, at now: Date) -> ReadinessState {
    guard let store else { return .ok }
    let lists = store.status(at: now)
    let stale = lists.filter { $0.nextUpdate <= now }
    guard stale.isEmpty else {
      return .failed(
        stale.map { "\($0.place): the revocation list of \($0.issuer) ended \(Self.words(now.timeIntervalSince($0.nextUpdate))) ago" }
          .joined(separator: "; "))
    }
    let warnings = store.warnings(at: now)
    guard warnings.isEmpty else { return .warning(warnings.joined(separator: "; ")) }
    // A list lasts until its successor is here, or nobody of that authority gets in: the last tenth of its life is late.
    let late = lists.filter { $0.nextUpdate.timeIntervalSince(now) < $0.nextUpdate.timeIntervalSince($0.thisUpdate) / 10 }
    guard late.isEmpty else {
      return .warning(
        late.map { "\($0.place): the revocation list of \($0.issuer) ends in \(Self.words($0.nextUpdate.timeIntervalSince(now)))" }
          .joined(separator: "; "))
    }
    return lists.map(\.thisUpdate).min().map { .noted("the oldest list is \(Self.words(now.timeIntervalSince($0))) old") } ?? .ok
  }

  private static func words(_ seconds: Double) -> String {
    switch seconds {
    case ..<120: "\(Int(max(0, seconds))) s"
    case ..<7200: "\(Int(seconds / 60)) min"
    case ..<172_800: "\(Int(seconds / 3600)) h"
    default: "\(Int(seconds / 86_400)) d"
    }
  }
}
