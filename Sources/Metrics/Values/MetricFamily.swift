/// All series of one name at one moment, as a scrape shows them.
public struct MetricFamily: Sendable, Equatable {
  /// The kinds that Prometheus tells apart.
  public enum Kind: String, Sendable {
    case counter, gauge, histogram
  }

  /// Letters, digits, `_` and `:`, as in `sallyport_requests_total`.
  public let name: String
  /// A sentence for whoever reads the scrape.
  public let help: String
  public let kind: Kind
  public var samples: [MetricSample]

  public init(_ name: String, _ kind: Kind, help: String, samples: [MetricSample] = []) {
    self.name = name
    self.help = help
    self.kind = kind
    self.samples = samples
  }

  /// A family with one series without labels.
  public init(_ name: String, _ kind: Kind, help: String, value: Double) {
    self.init(name, kind, help: help, samples: [MetricSample(value)])
  }
}

/// One series: its labels and what it holds.
public struct MetricSample: Sendable, Equatable {
  public enum Value: Sendable, Equatable {
    case number(Double)
    case distribution(HistogramCounts)
  }

  public let labels: [MetricLabel]
  public let value: Value

  public init(_ value: Double, _ labels: MetricLabel...) {
    self.init(.number(value), labels)
  }

  public init(_ value: Value, _ labels: [MetricLabel]) {
    self.labels = labels
    self.value = value
  }
}

/// A label of a series. Values come from the configuration and from constants, never from a client.
public struct MetricLabel: Sendable, Hashable {
  public let name: String
  public let value: String

  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}
