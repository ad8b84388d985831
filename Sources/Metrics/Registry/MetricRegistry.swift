public import CoreMetrics
import NIOConcurrencyHelpers

/// Where metrics come together: the backend of swift-metrics, and what else a scrape gathers.
///
/// There are two ways to plug in.
///
/// **What happens seldom** (a reload, a refresh, a failure) is counted by an instrument of swift-metrics that is made once
/// and kept:
/// ```swift
/// registry.declare("sallyport_reloads_total", .counter, help: "Reloads of the configuration.")
/// let reloads = Counter(label: "sallyport_reloads_total", dimensions: [("result", "success")], factory: registry)
/// reloads.increment()
/// ```
/// An instrument takes a lock for an instant. A family has at most ``seriesLimit`` series: more are counted together in one
/// with the labels' values `other`, so that a label that somebody lets grow costs no memory.
///
/// **What happens with every request** is counted by whoever owns an event loop, in plain integers, and **what is a state**
/// (open connections, the age of something) is asked for when it is wanted. Both hand their families over through a
/// ``MetricSource``:
/// ```swift
/// registry.add { [MetricFamily("sallyport_catalogue_age_seconds", .gauge, help: "…", value: await catalogue.age)] }
/// ```
public final class MetricRegistry: MetricsFactory, Sendable {
  /// Gives what it knows when a scrape asks; families of one name from several sources are put together.
  public typealias MetricSource = @Sendable () async -> [MetricFamily]

  /// The most series of one family that instruments may make.
  public static let seriesLimit = 500

  private struct State {
    var declared: [String: MetricFamily] = [:]
    var bounds: [String: HistogramBounds] = [:]
    var instruments: [String: [[MetricLabel]: Instrument]] = [:]
    var sources: [MetricSource] = []
  }

  private let state = NIOLockedValueBox(State())

  public init() {}

  /// Says what an instrument's name means, before the first one of that name is made. Each declared family is shown with
  /// or without series.
  public func declare(_ name: String, _ kind: MetricFamily.Kind, help: String, bounds: HistogramBounds = .latency) {
    self.state.withLockedValue { state in
      state.declared[name] = MetricFamily(name, kind, help: help)
      state.bounds[name] = bounds
    }
  }

  /// Has a source asked at each scrape.
  public func add(_ source: @escaping MetricSource) {
    self.state.withLockedValue { $0.sources.append(source) }
  }

  /// Everything that is known now.
  public func collect() async -> [MetricFamily] {
    let (own, sources) = self.state.withLockedValue { state in (Self.families(of: state), state.sources) }
    var families = Dictionary(own.map { ($0.name, $0) }) { first, _ in first }
    for source in sources {
      for family in await source() {
        families[family.name, default: MetricFamily(family.name, family.kind, help: family.help)].samples += family.samples
      }
    }
    return Array(families.values)
  }

  /// Everything that is known now, in Prometheus' text format.
  public func text() async -> String { ExpositionText.write(await self.collect()) }

  private static func families(of state: State) -> [MetricFamily] {
    var families = state.declared
    for (name, series) in state.instruments {
      for (labels, instrument) in series {
        families[name, default: MetricFamily(name, instrument.kind, help: "")].samples.append(
          MetricSample(instrument.value, labels))
      }
    }
    return Array(families.values)
  }

  // MARK: swift-metrics

  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    self.instrument(label, dimensions, .counter)
  }

  public func makeFloatingPointCounter(label: String, dimensions: [(String, String)]) -> any FloatingPointCounterHandler {
    self.instrument(label, dimensions, .counter)
  }

  public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    self.instrument(label, dimensions, .gauge)
  }

  public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    self.instrument(label, dimensions, aggregate ? .histogram : .gauge)
  }

  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    self.instrument(label, dimensions, .histogram)
  }

  // Prometheus wants a counter to stay once it was shown: nothing is let go.
  public func destroyCounter(_ handler: any CounterHandler) {}
  public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
  public func destroyMeter(_ handler: any MeterHandler) {}
  public func destroyRecorder(_ handler: any RecorderHandler) {}
  public func destroyTimer(_ handler: any TimerHandler) {}

  private func instrument(_ label: String, _ dimensions: [(String, String)], _ kind: MetricFamily.Kind) -> Instrument {
    let name = MetricName.metric(label)
    let labels = dimensions.map { MetricLabel(MetricName.label($0.0), $0.1) }.sorted { $0.name < $1.name }
    return self.state.withLockedValue { state in
      if let known = state.instruments[name]?[labels] { return known }
      let isFull = (state.instruments[name]?.count ?? 0) >= Self.seriesLimit
      let labels = isFull ? labels.map { MetricLabel($0.name, "other") } : labels
      if let known = state.instruments[name]?[labels] { return known }
      let instrument = Instrument(state.declared[name]?.kind ?? kind, state.bounds[name] ?? .latency)
      state.instruments[name, default: [:]][labels] = instrument
      return instrument
    }
  }
}

/// Makes names fit for Prometheus: a library that dots its names is shown with underscores.
enum MetricName {
  static func metric(_ text: String) -> String { self.fit(text, extra: UInt8(ascii: ":")) }
  static func label(_ text: String) -> String { self.fit(text, extra: UInt8(ascii: "_")) }

  private static func fit(_ text: String, extra: UInt8) -> String {
    var bytes = text.utf8.map { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "_"), extra:
        byte
      default: UInt8(ascii: "_")
      }
    }
    if bytes.first.map({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) ?? true { bytes.insert(UInt8(ascii: "_"), at: 0) }
    return String(decoding: bytes, as: UTF8.self)
  }
}
