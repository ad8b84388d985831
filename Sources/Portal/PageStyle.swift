/// The style of every page.
enum PageStyle {
  static let css = """
    :root { color-scheme: light dark; --back: #eef1f5; --card: #fff; --text: #1a2230; --soft: #55607a; --line: #c3cad6;
      --field: #fff; --accent: #1f5fbf; --on-accent: #fff; --accent-dark: #174a96; --bad: #a3161f; --bad-back: #fdecec; --bad-line: #e3a5a8; }
    @media (prefers-color-scheme: dark) { :root { --back: #10151d; --card: #1a212c; --text: #e6eaf1; --soft: #a3aec2; --line: #3d4859;
      --field: #121821; --accent: #7db0ff; --on-accent: #0b1a30; --accent-dark: #a6c9ff; --bad: #ffb4b4; --bad-back: #3a1a1e; --bad-line: #7c3a40; } }
    * { box-sizing: border-box }
    body { margin: 0; min-height: 100vh; display: flex; flex-direction: column; align-items: center; padding: clamp(1rem, 8vh, 6rem) 1rem 2rem;
      background: var(--back); color: var(--text); font: 1rem/1.5 system-ui, "DejaVu Sans", sans-serif; }
    main { width: 100%; max-width: 25rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 2rem; }
    main.wide { max-width: 44rem } main > :last-child, main > form:last-child > :last-child { margin-bottom: 0 }
    header { display: flex; align-items: center; gap: .6rem; margin-bottom: 1.25rem; color: var(--soft); overflow-wrap: anywhere }
    header img { flex: none; height: 2rem; max-width: 8rem } header svg { flex: none; width: 1.75rem; height: 1.75rem; fill: none; stroke: var(--accent); stroke-width: 2 }
    h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1.25rem } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
    p { margin: 0 0 1rem } form { margin: 0 } form.way + form.way { margin-top: 1rem } form.way + .note { margin-top: 1.25rem }
    label { display: block; font-weight: 600; margin-bottom: .25rem }
    input { display: block; width: 100%; font: inherit; color: inherit; background: var(--field); border: 1px solid var(--soft); border-radius: .4rem;
      padding: .6rem .7rem; margin-bottom: 1rem; min-height: 2.75rem }
    button, a.button { display: block; width: 100%; font: inherit; font-weight: 600; text-align: center; text-decoration: none; cursor: pointer;
      color: var(--on-accent); background: var(--accent); border: 2px solid var(--accent); border-radius: .4rem; padding: .55rem 1rem; min-height: 2.75rem }
    button:hover, a.button:hover { background: var(--accent-dark); border-color: var(--accent-dark) }
    button.quiet { color: var(--accent); background: transparent } button.quiet:hover { color: var(--accent-dark); background: transparent }
    a { color: var(--accent) }
    :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
    .alert { color: var(--bad); background: var(--bad-back); border: 1px solid var(--bad-line); border-radius: .4rem; padding: .6rem .8rem }
    .or { display: flex; align-items: center; gap: .75rem; margin: 1.5rem 0; color: var(--soft) }
    .or::before, .or::after { content: ""; flex: 1; border-top: 1px solid var(--line) }
    .note { color: var(--soft); font-size: .925rem } .name { font-weight: 600; overflow-wrap: anywhere }
    dl { display: grid; grid-template-columns: max-content 1fr; gap: .5rem 1.5rem; margin: 0 0 1.5rem } dt { color: var(--soft) }
    dd { margin: 0; overflow-wrap: anywhere } dd ul { margin: 0; padding: 0; list-style: none }
    pre { overflow-x: auto; background: var(--field); border: 1px solid var(--line); border-radius: .4rem; padding: .8rem; margin: 0 0 1.5rem;
      font: .875rem/1.5 ui-monospace, "DejaVu Sans Mono", monospace; user-select: all }
    @media (max-width: 30rem) { main { padding: 1.25rem } dl { grid-template-columns: 1fr; gap: 0 } dd { margin-bottom: .75rem } }
    """
}
