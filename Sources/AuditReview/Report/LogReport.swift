import Foundation
import SallyportAudit

/// A report on a log: what a reviewer of a week wants to see, as one page.
public struct LogReport: Sendable {
  let summary: LogSummary
  /// What is worth a look, the newest last.
  let notable: [ReviewedRecord]
  /// Noteworthy records that the table has no room for.
  let more: Int
  let made: String

  /// - Parameter rows: how many records the table has at most; of more, the newest
  public static func of(
    _ paths: [String], since: WallTimeBound? = nil, until: WallTimeBound? = nil, rows: Int = 2000,
    progress: @escaping (_ read: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(ReviewFault) -> LogReport {
    var filter = RecordFilter()
    filter.until = until
    let records = try MergedRecords(paths, filter, progress: progress)
    var gathering = LogSummary.Gathering(since: since)
    var notable: [ReviewedRecord] = []
    var count = 0
    while let next = try records.next() {
      gathering.add(next.record)
      guard next.record.time >= since?.text ?? "", self.isNotable(next.record) else { continue }
      count += 1
      notable.append(next.record)
      if notable.count >= 2 * max(1, rows) { notable.removeFirst(notable.count - rows) }
    }
    notable = Array(notable.suffix(max(0, rows)))
    return LogReport(summary: gathering.finish(), notable: notable, more: count - notable.count, made: WallTime.now().description)
  }

  /// Denials, failed sign-ins, server errors, tunnels, somebody as somebody else, and changes of what gives rights or holds
  /// secrets.
  private static func isNotable(_ record: ReviewedRecord) -> Bool {
    if record.isDenied || record.isFailedSignIn || record.code == 101 || record.impersonatedUser != nil { return true }
    if (record.code ?? 0) >= 500 || record.code == 403 { return true }
    let sensitive: Set = [
      "secrets", "roles", "rolebindings", "clusterroles", "clusterrolebindings", "serviceaccounts", "certificatesigningrequests",
      "validatingwebhookconfigurations", "mutatingwebhookconfigurations", "nodes",
    ]
    return record.changesSomething && record.resource.map(sensitive.contains) ?? false
  }

  /// The page.
  public var html: String { ReportPage(self).html }
}
