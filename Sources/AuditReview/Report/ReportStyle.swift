/// What the report's page looks like, and the script that filters its table.
enum ReportStyle {
  static let css = """
    :root { --paper: #fff; --ink: #1b1f24; --quiet: #5c6670; --line: #d8dde3; --panel: #f6f8fa;
      --good: #2f6fb3; --denied: #c0362c; --unknown: #b7791f; --error: #7d3cae; }
    @media (prefers-color-scheme: dark) { :root { --paper: #14171b; --ink: #e6e9ec; --quiet: #9aa5b1; --line: #333b44; --panel: #1d2228;
      --good: #6aa9e9; --denied: #ef7b72; --unknown: #e0b050; --error: #c493ea; } }
    * { box-sizing: border-box; }
    body { margin: 0 auto; max-width: 75rem; padding: 1.5rem; background: var(--paper); color: var(--ink);
      font: 0.9375rem/1.45 system-ui, "Segoe UI", "Liberation Sans", "DejaVu Sans", sans-serif; }
    h1 { margin: 0; font-size: 1.6rem; } h2 { margin: 0 0 0.6rem; font-size: 1rem; }
    header p { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; margin: 0.2rem 0 1.2rem; color: var(--quiet); }
    section { margin: 0 0 1.2rem; padding: 1rem; background: var(--panel); border: 1px solid var(--line); border-radius: 0.5rem; }
    .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: 0.5rem 1.5rem; }
    .tile b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; } .tile span { color: var(--quiet); }
    .tile.denied b { color: var(--denied); } .tile.unknown b { color: var(--unknown); } .tile.error b { color: var(--error); }
    .columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 0 1.2rem; }
    svg { display: block; width: 100%; } svg .grid { stroke: var(--line); } svg .axis { fill: var(--quiet); font-size: 12px; }
    rect.good { fill: var(--good); } rect.denied { fill: var(--denied); } rect.unknown { fill: var(--unknown); } rect.error { fill: var(--error); }
    .legend { margin: 0.5rem 0 0; color: var(--quiet); line-height: 1.7; }
    .legend span { display: inline-block; width: 0.8em; height: 0.8em; margin: 0 0.3em 0 1em; border-radius: 2px; }
    .legend .good { background: var(--good); } .legend .denied { background: var(--denied); } .legend .unknown { background: var(--unknown); }
    .legend .error { background: var(--error); }
    table { width: 100%; border-collapse: collapse; }
    th { text-align: left; font-weight: 500; } td, th { padding: 0.2rem 0.5rem 0.2rem 0; vertical-align: top; overflow-wrap: anywhere; }
    .counts th { width: 45%; } .bar svg { height: 0.8rem; } .count { width: 5rem; text-align: right; font-variant-numeric: tabular-nums; }
    .list th { min-width: 9rem; } .list td { color: var(--quiet); } .none { color: var(--quiet); margin: 0; }
    .records { font-size: 0.8125rem; } .records thead th { border-bottom: 2px solid var(--line); font-weight: 600; }
    .records td { border-bottom: 1px solid var(--line); } .records td:first-child { white-space: nowrap; font-variant-numeric: tabular-nums; }
    .records td:nth-child(2) { min-width: 6rem; } .records td:nth-child(4) { min-width: 14rem; } .records td:nth-child(6) { min-width: 11rem; }
    .records thead th, .records td:nth-child(3), .records td:nth-child(7), .records td:nth-child(8) { white-space: nowrap; }
    tr.denied td:nth-child(5), tr.denied td:nth-child(6) { color: var(--denied); } tr.unknown td:nth-child(5) { color: var(--unknown); }
    tr.error td:nth-child(5) { color: var(--error); }
    .scroll { overflow-x: auto; } .filter { display: flex; gap: 0.6rem; align-items: center; margin: 0 0 0.6rem; }
    input, select { font: inherit; padding: 0.35rem 0.6rem; color: var(--ink); background: var(--paper); border: 1px solid var(--line); border-radius: 0.3rem; }
    input { flex: 1; } #shown { color: var(--quiet); white-space: nowrap; }
    @media print {
      :root { --paper: #fff; --ink: #000; --quiet: #444; --line: #bbb; --panel: #fff;
        --good: #2f6fb3; --denied: #c0362c; --unknown: #b7791f; --error: #7d3cae; }
      body { max-width: none; padding: 0; font-size: 9.5pt; } .filter { display: none; } .columns { grid-template-columns: 1fr 1fr; }
      section { break-inside: avoid; padding: 0.6rem; } main > section:last-of-type { break-inside: auto; border: none; padding: 0; }
      tr { break-inside: avoid; } thead { display: table-header-group; } .records { font-size: 7.5pt; } .records td:nth-child(n) { min-width: 0; }
      .records td, .records th { padding-right: 0.3rem; }
      .records td:nth-child(8) { min-width: 5.5em; white-space: normal; }
      .scroll { overflow: visible; } rect, .legend span { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
      @page { margin: 1.2cm; } }
    """

  static let script = """
    (function () {
      var filter = document.getElementById("filter"), kind = document.getElementById("kind"), body = document.getElementById("rows");
      if (!body) { return; }
      var rows = Array.prototype.map.call(body.rows, function (row) { return { row: row, text: row.textContent.toLowerCase() }; });
      function apply() {
        var words = filter.value.toLowerCase().split(/\\s+/).filter(Boolean), count = 0;
        rows.forEach(function (entry) {
          var fits = (!kind.value || entry.row.className === kind.value) && words.every(function (word) { return entry.text.indexOf(word) >= 0; });
          entry.row.hidden = !fits;
          if (fits) { count += 1; }
        });
        document.getElementById("shown").textContent = count + " records";
      }
      filter.addEventListener("input", apply);
      kind.addEventListener("change", apply);
    })();
    """
}
