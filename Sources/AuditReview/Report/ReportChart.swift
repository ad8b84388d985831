/// The report's charts, as SVG that takes its colours from the page.
enum ReportChart {
  /// Requests by hour as stacked bars: what went well, what was denied, who could not sign in, what failed.
  static func hours(_ hours: [LogSummary.Hour]) -> String {
    guard !hours.isEmpty else { return "<p class=\"none\">Nothing was requested.</p>" }
    // Of a long time the hours are added up, so that a bar can still be seen.
    let perBar = (hours.count + 199) / 200
    let bars = stride(from: 0, to: hours.count, by: perBar).map { start in
      hours[start..<min(hours.count, start + perBar)].dropFirst().reduce(into: hours[start]) { sum, hour in
        sum.requests += hour.requests
        sum.denied += hour.denied
        sum.failedSignIns += hour.failedSignIns
        sum.errors += hour.errors
      }
    }
    let (width, height, left, bottom) = (960.0, 220.0, 56.0, 30.0)
    let most = Double(max(1, bars.map(\.requests).max() ?? 1))
    let step = (width - left) / Double(bars.count)
    let barWidth = max(1, min(step * 0.8, 40))
    var svg = #"<svg viewBox="0 0 \#(number(width)) \#(number(height + bottom))" role="img" aria-label="Requests by hour">"#
    for part in 0...4 {
      let y = height - height * Double(part) / 4 * 0.95
      svg += #"<line class="grid" x1="\#(number(left))" x2="\#(number(width))" y1="\#(number(y))" y2="\#(number(y))"/>"#
      svg += #"<text class="axis" x="\#(number(left - 8))" y="\#(number(y + 4))" text-anchor="end">\#(Int(most * Double(part) / 4))</text>"#
    }
    let labelEvery = max(1, (bars.count + 7) / 8)
    for (index, bar) in bars.enumerated() {
      let x = left + step * Double(index) + (step - barWidth) / 2
      let failed = min(bar.requests, bar.denied + bar.failedSignIns + bar.errors)
      var y = height
      svg += "<g>"
      svg += "<title>\(title(of: bar))</title>"
      for (name, count) in [("good", bar.requests - failed), ("denied", bar.denied), ("unknown", bar.failedSignIns), ("error", bar.errors)]
      where count > 0 {
        let size = max(1, height * 0.95 * Double(count) / most)
        y -= size
        svg += #"<rect class="\#(name)" x="\#(number(x))" y="\#(number(y))" width="\#(number(barWidth))" height="\#(number(size))"/>"#
      }
      svg += "</g>"
      if index % labelEvery == 0 {
        svg +=
          #"<text class="axis" x="\#(number(x + barWidth / 2))" y="\#(number(height + 20))" text-anchor="middle">\#(label(bar.hour).html)</text>"#
      }
    }
    return svg + "</svg>"
  }

  private static func title(of bar: LogSummary.Hour) -> String {
    "\(label(bar.hour)) UTC: \(bar.requests) requests, \(bar.denied) denied, \(bar.failedSignIns) failed sign-ins, \(bar.errors) server errors"
      .html
  }

  /// `03-01 09h`
  private static func label(_ hour: String) -> String { hour.dropFirst(5).replacing("T", with: " ") + "h" }

  /// Names with bars behind their counts.
  static func counts(_ counts: [LogSummary.Count], kind: String, limit: Int = 10) -> String {
    guard let most = counts.first?.count, most > 0 else { return "<p class=\"none\">None.</p>" }
    let rows = counts.prefix(limit).map { entry in
      let width = max(0.5, 100 * Double(entry.count) / Double(most))
      return
        #"<tr><th scope="row">\#(entry.name.html)</th><td class="bar"><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect class="\#(kind)" width="\#(number(width))" height="10"/></svg></td><td class="count">\#(entry.count)</td></tr>"#
    }
    return "<table class=\"counts\"><tbody>\(rows.joined())</tbody></table>"
  }

  /// With one digit behind the point at most.
  private static func number(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(abs(tenths % 10))"
  }
}
