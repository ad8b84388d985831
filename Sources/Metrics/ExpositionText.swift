/// Writes metrics in Prometheus' text format, version 0.0.4.
///
/// See https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
public enum ExpositionText {
  /// What `Content-Type` says of it.
  public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// Families in the order of their names, series in the order of their labels: two scrapes can be compared line by line.
  public static func write(_ families: [MetricFamily]) -> String {
    var text = ""
    for family in families.sorted(by: { $0.name < $1.name }) {
      text += "# HELP \(family.name) \(self.escaped(help: family.help))\n# TYPE \(family.name) \(family.kind.rawValue)\n"
      let samples = family.samples.map { (labels: self.labels($0.labels), value: $0.value) }
      for sample in samples.sorted(by: { $0.labels < $1.labels }) {
        switch sample.value {
        case .number(let number): self.line(family.name, sample.labels, self.number(number), to: &text)
        case .distribution(let counts): self.write(counts, of: family.name, sample.labels, to: &text)
        }
      }
    }
    return text
  }

  private static func write(_ histogram: HistogramCounts, of name: String, _ labels: String, to text: inout String) {
    let prefix = labels.isEmpty ? "" : labels + ","
    var below: UInt64 = 0
    for (bound, count) in zip(histogram.bounds.values, histogram.counts) {
      below += count
      self.line(name + "_bucket", "\(prefix)le=\"\(self.number(bound))\"", "\(below)", to: &text)
    }
    self.line(name + "_bucket", "\(prefix)le=\"+Inf\"", "\(histogram.count)", to: &text)
    self.line(name + "_sum", labels, self.number(histogram.sum), to: &text)
    self.line(name + "_count", labels, "\(histogram.count)", to: &text)
  }

  private static func line(_ name: String, _ labels: String, _ value: String, to text: inout String) {
    text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
  }

  private static func labels(_ labels: [MetricLabel]) -> String {
    labels.map { "\($0.name)=\"\(self.escaped(value: $0.value))\"" }.joined(separator: ",")
  }

  /// Whole numbers without a fraction, as people write them.
  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    if value == value.rounded(), abs(value) < 9_007_199_254_740_992 { return "\(Int64(value))" }
    return "\(value)"
  }

  private static func escaped(help: String) -> String {
    help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
  }

  private static func escaped(value: String) -> String {
    self.escaped(help: value).replacing("\"", with: "\\\"")
  }
}
