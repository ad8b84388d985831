import Crypto
import Foundation

/// How the pages look, in light and dark.
enum DashboardStyle {
  static let css = """
    :root { color-scheme: light dark; --ground: #f4f6f8; --card: #fff; --ink: #1b2733; --soft: #55636f; --line: #d9e0e6; --accent: #0b6b74;
      --good: #17703a; --good-ground: #e0f3e6; --bad: #a02020; --tag: #e6eef2 }
    @media (prefers-color-scheme: dark) { :root { --ground: #12181e; --card: #1b242c; --ink: #e4ebf0; --soft: #9fb0bd; --line: #31404c;
      --accent: #5cc7d1; --good: #8fdcaa; --good-ground: #183a26; --bad: #ff9a94; --tag: #283640 } }
    * { box-sizing: border-box }
    body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; background: var(--ground); color: var(--ink); display: flex;
      flex-direction: column; min-height: 100vh }
    header { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; align-items: baseline; padding: .9rem 1.25rem; background: var(--card);
      border-bottom: 1px solid var(--line) }
    .brand { font-weight: 700; color: var(--ink); text-decoration: none; font-size: 1.1rem }
    .who { margin: 0 0 0 auto; color: var(--soft) } .who strong { color: var(--ink) }
    main { width: 100%; max-width: 60rem; margin: 0 auto; padding: 1.25rem; flex: 1 }
    nav { margin: 0 0 .75rem; color: var(--soft) }
    .card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1.1rem 1.25rem; margin: 0 0 1.25rem }
    h1, h2 { font-size: 1.2rem; line-height: 1.3; margin: 0 0 .75rem }
    dl { display: grid; grid-template-columns: max-content 1fr; gap: .35rem 1.25rem; margin: 0 } dt { color: var(--soft) } dd { margin: 0;
      overflow-wrap: anywhere }
    .tag { background: var(--tag); border-radius: .3rem; padding: .1rem .5rem; display: inline-block; margin: 0 .15rem .15rem 0 }
    .scroll { overflow-x: auto }
    table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .5rem .75rem .5rem 0; white-space: nowrap }
    th { color: var(--soft); font-weight: 600; font-size: .9rem } tr + tr td, thead + tbody td { border-top: 1px solid var(--line) }
    .time { color: var(--soft); font-variant-numeric: tabular-nums }
    .good { background: var(--good-ground); color: var(--good); border-radius: .3rem; padding: .1rem .5rem } .other { color: var(--soft) }
    a { color: var(--accent) } a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: .2rem }
    .refusal h1 { color: var(--bad) } .status { font-size: 2.5rem; line-height: 1; font-weight: 700; color: var(--bad); margin: 0 0 .5rem }
    .actions { margin: 1.1rem 0 0 }
    button, .button { font: inherit; font-weight: 600; display: inline-block; min-height: 2.75rem; padding: .5rem 1rem; border-radius: .4rem;
      border: 1px solid var(--accent); background: var(--card); color: var(--accent); text-decoration: none; cursor: pointer }
    button[disabled] { border-color: var(--line); color: var(--soft); cursor: default }
    form + button { margin: .75rem 0 0 } [hidden] { display: none }
    pre { margin: 0 0 1rem; padding: .75rem .9rem; height: min(20rem, 50vh); overflow: auto; background: var(--ground); border: 1px solid var(--line);
      border-radius: .4rem; font: .9rem/1.4 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere }
    form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center } form label { width: 100% }
    input { font: .95rem ui-monospace, monospace; flex: 1 1 12rem; min-width: 0; min-height: 2.75rem; padding: .4rem .7rem; color: var(--ink);
      background: var(--card); border: 1px solid var(--soft); border-radius: .4rem }
    button:focus-visible, input:focus-visible, pre:focus-visible, .button:focus-visible { outline: 3px solid var(--accent);
      outline-offset: 2px }
    .bad { color: var(--bad); font-weight: 600 }
    footer { padding: 1rem 1.25rem; color: var(--soft); font-size: .9rem; text-align: center }
    """

  /// For `style-src`: these bytes and no others.
  static let hash = "sha256-\(Data(SHA256.hash(data: Data(css.utf8))).base64EncodedString())"
}
