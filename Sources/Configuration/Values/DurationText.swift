import SallyportStrictYAML

/// Durations as people write them: a whole number and one unit, `250ms`, `30s`, `5m`, `1h`.
enum DurationText {
  static func parse(_ text: String) throws(ValueFault) -> Duration {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int64(digits), let unit = self.milliseconds[String(text.dropFirst(digits.count))] else {
      throw ValueFault("is not a duration", "write a whole number and a unit, as in 250ms, 30s, 5m or 1h")
    }
    let (total, overflow) = number.multipliedReportingOverflow(by: unit)
    guard !overflow else { throw ValueFault("is too long a duration", "write a shorter one") }
    return .milliseconds(total)
  }

  /// The shortest way to write a duration of whole milliseconds.
  static func write(_ duration: Duration) -> String {
    let total = duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
    let unit = ["h", "m", "s"].first { total > 0 && total % self.milliseconds[$0]! == 0 } ?? "ms"
    return "\(total / self.milliseconds[unit]!)\(unit)"
  }

  private static let milliseconds: [String: Int64] = ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000]
}

extension YAMLCursor {
  func duration(in range: ClosedRange<Duration>) -> Duration? {
    self.parsed { text throws(ValueFault) in
      let duration = try DurationText.parse(text)
      guard range.contains(duration) else {
        let bounds = (DurationText.write(range.lowerBound), DurationText.write(range.upperBound))
        throw ValueFault("is out of range", "write a duration from \(bounds.0) to \(bounds.1)")
      }
      return duration
    }
  }
}
