import Foundation

/// Times as Kubernetes writes them: `2026-01-02T03:04:05Z`.
enum Timestamp {
  static func text(_ date: Date) -> String { date.formatted(.iso8601) }
  static func date(_ text: String) -> Date? { try? Date(text, strategy: .iso8601) }
}

/// How long ago something was, as `kubectl get` shows it: apimachinery's `duration.HumanDuration`.
enum Age {
  static func text(since timestamp: String?, now: Date = Date()) -> String {
    guard let timestamp, let date = Timestamp.date(timestamp) else { return "<unknown>" }
    return self.text(seconds: Int(now.timeIntervalSince(date)))
  }

  static func text(seconds: Int) -> String {
    guard seconds >= 0 else { return seconds < -1 ? "<invalid>" : "0s" }
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400)
    let years = days / 365
    func pair(_ large: Int, _ largeUnit: String, _ small: Int, _ smallUnit: String) -> String {
      small == 0 ? "\(large)\(largeUnit)" : "\(large)\(largeUnit)\(small)\(smallUnit)"
    }
    if seconds < 120 { return "\(seconds)s" }
    if minutes < 10 { return pair(minutes, "m", seconds % 60, "s") }
    if hours < 3 { return "\(minutes)m" }
    if hours < 8 { return pair(hours, "h", minutes % 60, "m") }
    if hours < 48 { return "\(hours)h" }
    if days < 8 { return pair(days, "d", hours % 24, "h") }
    if years < 2 { return "\(days)d" }
    if years < 8 { return pair(years, "y", days % 365, "d") }
    return "\(years)y"
  }
}
