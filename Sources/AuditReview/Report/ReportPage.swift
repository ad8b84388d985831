/// The report as HTML: one file without any outside resource, and without a script where none is needed.
struct ReportPage {
  private let report: LogReport
  private var summary: LogSummary { self.report.summary }

  init(_ report: LogReport) {
    self.report = report
  }

  var html: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="robots" content="noindex">
    <title>Audit report, \(self.period.html)</title>
    <style>\(ReportStyle.css)</style>
    </head>
    <body>
    <header>
    <h1>Audit report</h1>
    <p>\(self.period.html) <span class="made">made \(self.report.made.shownTime(16).html) UTC by Sallyport</span></p>
    </header>
    <main>
    <section class="tiles" aria-label="Numbers">\(self.tiles)</section>
    <section><h2>Requests by hour</h2>\(ReportChart.hours(self.summary.hours))
    <p class="legend"><span class="good"></span>served <span class="denied"></span>denied <span class="unknown"></span>failed&nbsp;sign-in \
    <span class="error"></span>server&nbsp;error</p></section>
    <div class="columns">
    \(self.panel("Denied by rule", ReportChart.counts(self.summary.deniedByRule, kind: "denied")))
    \(self.panel("Denied users", ReportChart.counts(self.summary.deniedUsers, kind: "denied")))
    \(self.panel("Failed sign-ins by address", ReportChart.counts(self.summary.failuresByAddress, kind: "unknown")))
    \(self.panel("As somebody else", ReportChart.counts(self.summary.asOthers, kind: "good")))
    \(self.panel("Users", ReportChart.counts(self.summary.users, kind: "good")))
    \(self.panel("Resources", ReportChart.counts(self.summary.resources, kind: "good")))
    \(self.panel("First seen", self.firstSeen))
    \(self.panel("Status", ReportChart.counts(self.summary.codes, kind: "good")))
    </div>
    <section><h2>Worth a look</h2>\(self.table)</section>
    </main>
    <script>\(ReportStyle.script)</script>
    </body>
    </html>

    """
  }

  private var period: String {
    guard let first = self.summary.firstTime, let last = self.summary.lastTime else { return "no records" }
    return "\(first.shownTime(16)) to \(last.shownTime(16)) UTC"
  }

  private var tiles: String {
    [
      ("requests", self.summary.requests, ""), ("changes", self.summary.changes, ""), ("denied", self.summary.denied, "denied"),
      ("failed sign-ins", self.summary.failedSignIns, "unknown"), ("server errors", self.summary.errors, "error"),
      ("tunnels", self.summary.tunnels, ""), ("as somebody else", self.summary.impersonations, ""),
    ].map { name, count, kind in
      "<div class=\"tile \(count > 0 ? kind : "")\"><b>\(Self.grouped(count))</b><span>\(name)</span></div>"
    }.joined()
  }

  /// `1,234,567`
  private static func grouped(_ number: Int) -> String {
    var text = ""
    for (index, digit) in String(number).reversed().enumerated() {
      if index > 0, index % 3 == 0 { text = "," + text }
      text = String(digit) + text
    }
    return text
  }

  private func panel(_ title: String, _ content: String) -> String { "<section><h2>\(title.html)</h2>\(content)</section>" }

  private var firstSeen: String {
    guard !self.summary.firstSeen.isEmpty else { return "<p class=\"none\">Nobody new.</p>" }
    let rows = self.summary.firstSeen.prefix(10).map { entry in
      "<tr><th scope=\"row\">\(entry.user.html)</th><td>\(entry.time.shownTime(16).html)</td><td>\(entry.method.html)</td><td>\(entry.address.html)</td></tr>"
    }
    return "<table class=\"list\"><tbody>\(rows.joined())</tbody></table>"
  }

  private var table: String {
    guard !self.report.notable.isEmpty else { return "<p class=\"none\">Nothing.</p>" }
    let rows = self.report.notable.reversed().map(Self.row).joined(separator: "\n")
    let more = self.report.more > 0 ? "<p class=\"none\">\(Self.grouped(self.report.more)) older ones are not shown.</p>" : ""
    return """
      <p class="filter"><input id="filter" type="search" placeholder="Filter: words, each of which must be in a row" aria-label="Filter">
      <select id="kind" aria-label="Kind"><option value="">all kinds</option><option value="denied">denied</option>\
      <option value="unknown">failed sign-in</option><option value="error">server error</option><option value="good">served</option></select>
      <span id="shown">\(Self.grouped(self.report.notable.count)) records</span></p>
      <div class="scroll"><table class="records"><thead><tr><th>Time (UTC)</th><th>User</th><th>Verb</th><th>What</th><th>Status</th>\
      <th>Why</th><th>How</th><th>Address</th></tr></thead><tbody id="rows">
      \(rows)
      </tbody></table></div>\(more)
      """
  }

  private static func row(_ record: ReviewedRecord) -> String {
    let kind =
      record.isDenied ? "denied" : record.isFailedSignIn ? "unknown" : (record.code ?? 0) >= 500 ? "error" : "good"
    let user = record.impersonatedUser.map { "\(record.user) as \($0)" } ?? record.user
    let why = record.isDenied ? record.rule ?? "(default)" : record.error ?? ""
    let cells = [
      record.time.shownTime(19).html, user.html, record.verb.html, record.object.html, record.code.map(String.init) ?? "-",
      why.html, (record.method ?? "").html, (record.addresses.first ?? "").html,
    ]
    return "<tr class=\"\(kind)\" title=\"auditID \(record.auditID.html)\">\(cells.map { "<td>\($0)</td>" }.joined())</tr>"
  }
}

extension String {
  /// The first characters of a time, with a blank between day and hour.
  func shownTime(_ length: Int) -> String { String(self.prefix(length)).replacing("T", with: " ") }
}
