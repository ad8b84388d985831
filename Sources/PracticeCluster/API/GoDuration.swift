/// Durations as Go writes them: `1h30m`, `500ms`, `1ns`.
enum GoDuration {
  static func parse(_ text: String) -> Duration? {
    if text == "0" { return .zero }
    var rest = Substring(text)
    var total = 0.0
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
      rest = rest.dropFirst(digits.count)
      let unit = rest.prefix { !$0.isNumber && $0 != "." }
      rest = rest.dropFirst(unit.count)
      guard let number = Double(digits), let seconds = self.seconds(in: unit) else { return nil }
      total += number * seconds
    }
    return .seconds(total)
  }

  private static func seconds(in unit: Substring) -> Double? {
    switch unit {
    case "ns": 1e-9
    case "us", "µs": 1e-6
    case "ms": 1e-3
    case "s": 1
    case "m": 60
    case "h": 3600
    default: nil
    }
  }
}
