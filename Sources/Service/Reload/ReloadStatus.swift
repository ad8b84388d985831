import CoreMetrics
import NIOConcurrencyHelpers
import SallyportMetrics

import struct Foundation.Date

/// How the last reload went, for `readyz` and metrics.
final class ReloadStatus: Sendable {
  private let fault = NIOLockedValueBox<StartFault?>(nil)
  private let successes: Counter
  private let failures: Counter
  private let isLastGood: Meter
  private let lastSuccess: Meter

  /// The start counts as the first time that a configuration was read well.
  init(_ metrics: MetricRegistry, now: Date = Date()) {
    metrics.declare("sallyport_reloads_total", .counter, help: "Attempts to read the configuration anew, by their result.")
    metrics.declare(
      "sallyport_reload_last_successful", .gauge, help: "Whether the last attempt to read the configuration went well: 1 or 0.")
    metrics.declare(
      "sallyport_reload_last_success_timestamp_seconds", .gauge,
      help: "When the configuration that is in force was read, as seconds of the Unix epoch.")
    self.successes = Counter(label: "sallyport_reloads_total", dimensions: [("result", "success")], factory: metrics)
    self.failures = Counter(label: "sallyport_reloads_total", dimensions: [("result", "failure")], factory: metrics)
    self.isLastGood = Meter(label: "sallyport_reload_last_successful", dimensions: [], factory: metrics)
    self.lastSuccess = Meter(label: "sallyport_reload_last_success_timestamp_seconds", dimensions: [], factory: metrics)
    self.isLastGood.set(1)
    self.lastSuccess.set(now.timeIntervalSince1970)
  }

  func succeeded(now: Date = Date()) {
    self.fault.withLockedValue { $0 = nil }
    self.successes.increment()
    self.isLastGood.set(1)
    self.lastSuccess.set(now.timeIntervalSince1970)
  }

  func failed(_ fault: StartFault) {
    self.fault.withLockedValue { $0 = fault }
    self.failures.increment()
    self.isLastGood.set(0)
  }

  /// A gateway whose reload failed serves as well as before: replicas that all went out of service for a slip in a file
  /// would make an outage of it.
  var readiness: ReadinessState {
    guard let fault = self.fault.withLockedValue({ $0 }), let first = fault.messages.first else { return .ok }
    let more = fault.messages.count > 1 ? " (and \(fault.messages.count - 1) more)" : ""
    return .warning("the last reload failed and the configuration before it is kept: \(first)\(more)")
  }
}
