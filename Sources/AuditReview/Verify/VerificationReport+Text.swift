extension VerificationReport {
  /// The report for people, with a newline at its end.
  public var text: String {
    var lines = self.series.flatMap(Self.lines)
    lines += self.notes.map { "note: \($0)" }
    lines += self.findings.map { finding in
      "\(finding.place): \(finding.kind.rawValue): \(finding.message)" + (finding.auditID.map { " (auditID \($0))" } ?? "")
    }
    if self.moreFindings > 0 { lines.append("and \(self.moreFindings) findings more") }
    lines.append(
      self.isGood
        ? "The log is as it was written." : "The log is NOT as it was written: \(self.findings.count + self.moreFindings) finding(s).")
    return lines.map(\.withoutControls).joined(separator: "\n") + "\n"
  }

  private static func lines(_ series: Series) -> [String] {
    var lines = [
      "\(series.series): \(series.files) file(s), \(series.records) records, \(series.bytes) bytes, \(series.firstTime ?? "-") to \(series.lastTime ?? "-")"
    ]
    if series.removedFiles > 0 { lines.append("  files 1 to \(series.removedFiles) were removed as configured") }
    if let anchor = series.anchor { lines.append("  signed through record \(series.signedThrough); anchor \(anchor)") }
    if series.unsigned > 0 { lines.append("  \(series.unsigned) record(s) behind the last signature") }
    return lines
  }
}

extension String {
  /// What stands in a log or a file's name must not drive the reader's terminal.
  var withoutControls: String {
    String(self.unicodeScalars.map { ($0.value < 0x20 && $0 != "\n") || (0x7F...0x9F).contains($0.value) ? "\u{FFFD}" : Character($0) })
  }
}
