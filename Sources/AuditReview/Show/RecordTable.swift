import Foundation

/// Writes records as a table for people.
///
/// The columns have the widths that fit most records; a longer value pushes the rest of its line, and nothing is cut, because
/// what is cut in a log is looked for in vain.
public struct RecordTable: Sendable {
  private let isColoured: Bool

  /// - Parameter isColoured: whether the output is a terminal that shows colours
  public init(isColoured: Bool) {
    self.isColoured = isColoured
  }

  public var header: String {
    self.styled("1", Self.columns("TIME", "USER", "VERB", "CODE", "HOW", "ADDRESS") + "  WHAT")
  }

  public func line(_ record: ReviewedRecord) -> String {
    if let event = record.event {
      return self.styled("2", "\(Self.shown(record.time))  -- \(event)\(Self.detail(of: record)) --")
    }
    let who = record.impersonatedUser.map { "\(record.user) as \($0)" } ?? (record.user.isEmpty ? "-" : record.user)
    let code = record.code.map(String.init) ?? "-"
    let columns = Self.columns(
      Self.shown(record.time), who, record.verb.isEmpty ? "-" : record.verb, code, record.method ?? "-", record.addresses.first ?? "-")
    let line = "\(columns)  \(record.object)\(Self.remark(on: record))".withoutControls
    return self.styled(self.style(of: record), line)
  }

  private static func columns(_ time: String, _ who: String, _ verb: String, _ code: String, _ how: String, _ address: String) -> String {
    [self.pad(time, 23), self.pad(who, 20), self.pad(verb, 8), self.pad(code, 4), self.pad(how, 17), self.pad(address, 15)].joined(
      separator: "  ")
  }

  private static func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  /// `2026-03-01 09:05:07.004`
  private static func shown(_ time: String) -> String {
    String(time.prefix(23).replacing("T", with: " "))
  }

  private static func remark(on record: ReviewedRecord) -> String {
    var remarks: [String] = []
    if record.isDenied { remarks.append("denied" + (record.rule.map { " by \($0)" } ?? "")) }
    if let error = record.error, !record.isDenied { remarks.append(error) }
    if !record.isLast { remarks.append(record.stage) }
    if let ended = record.annotations["sallyport.dev/ended"] {
      remarks.append("ended: \(ended) after \(record.annotations["sallyport.dev/duration"] ?? "?") s")
    }
    return remarks.isEmpty ? "" : "  (\(remarks.joined(separator: "; ")))"
  }

  private static func detail(of record: ReviewedRecord) -> String {
    let own: Set = ["event", "series", "file", "key", "sequence", "previous-chain", "removed-chain"]
    let facts = record.annotations.compactMap { key, value in
      key.hasPrefix("sallyport.dev/") && !own.contains(String(key.dropFirst(14))) ? "\(key.dropFirst(14)) \(value)" : nil
    }
    return facts.isEmpty ? "" : ": " + facts.sorted().joined(separator: ", ").withoutControls
  }

  private func style(of record: ReviewedRecord) -> String {
    switch record.code ?? 0 {
    case _ where record.isDenied: "1;31"
    case 500...: "31"
    case 401: "33"
    case 400...: "33"
    default: record.changesSomething ? "36" : ""
    }
  }

  private func styled(_ style: String, _ text: String) -> String {
    self.isColoured && !style.isEmpty ? "\u{1B}[\(style)m\(text)\u{1B}[0m" : text
  }
}
