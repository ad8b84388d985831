import CoreMetrics
import NIOConcurrencyHelpers

/// One series that swift-metrics counts in: a counter, a gauge or a histogram, as its family was declared.
final class Instrument: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler, TimerHandler, Sendable {
  let kind: MetricFamily.Kind
  private let state: NIOLockedValueBox<State>

  private enum State {
    case number(Double)
    case distribution(HistogramCounts)
  }

  init(_ kind: MetricFamily.Kind, _ bounds: HistogramBounds) {
    self.kind = kind
    self.state = NIOLockedValueBox(kind == .histogram ? .distribution(HistogramCounts(bounds)) : .number(0))
  }

  var value: MetricSample.Value {
    self.state.withLockedValue { state in
      switch state {
      case .number(let number): .number(number)
      case .distribution(let counts): .distribution(counts)
      }
    }
  }

  // MARK: Counters

  func increment(by amount: Int64) { self.increment(by: Double(amount)) }

  /// Also a meter's; a counter never goes back.
  func increment(by amount: Double) {
    guard self.kind != .counter || amount >= 0 else { return }
    self.add(amount)
  }

  func reset() { self.assign(0) }

  // MARK: Gauges

  func set(_ value: Int64) { self.assign(Double(value)) }
  func set(_ value: Double) { self.assign(value) }
  func decrement(by amount: Double) { self.add(-amount) }

  // MARK: Distributions

  func record(_ value: Int64) { self.record(Double(value)) }

  func record(_ value: Double) {
    self.state.withLockedValue { state in
      switch state {
      case .number: state = .number(value)
      case .distribution(var counts):
        counts.observe(value)
        state = .distribution(counts)
      }
    }
  }

  /// Prometheus' durations are in seconds.
  func recordNanoseconds(_ duration: Int64) { self.record(Double(duration) / 1e9) }
  func preferDisplayUnit(_ unit: TimeUnit) {}

  private func add(_ amount: Double) {
    self.state.withLockedValue { state in
      if case .number(let number) = state { state = .number(number + amount) }
    }
  }

  private func assign(_ value: Double) {
    self.state.withLockedValue { state in
      if case .number = state { state = .number(value) }
    }
  }
}
