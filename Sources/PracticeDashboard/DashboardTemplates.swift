import Mustache

/// The pages. Values are escaped by the engine; only what a template of these has made goes in as it is.
enum DashboardTemplates {
  static let layout = template(
    """
    <!doctype html>
    <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
    <title>{{title}} – practice dashboard</title><style>{{{style}}}</style></head>
    <body>
    <header><a class="brand" href="{{base}}/">Practice dashboard</a>
    {{#user}}<p class="who">signed in as <strong>{{user}}</strong></p>{{/user}}</header>
    <main>{{{content}}}</main>
    <footer>A stand-in behind Sallyport: what you see the API has told you, asked through the gateway by your own token.</footer>
    </body></html>

    """)

  static let overview = template(
    """
    <section class="card"><h1>Who you are</h1>
    <dl><dt>User</dt><dd>{{user}}</dd>{{#uid}}<dt>UID</dt><dd>{{.}}</dd>{{/uid}}
    <dt>Groups</dt><dd>{{#groups}}<span class="tag">{{.}}</span> {{/groups}}{{^groups}}none{{/groups}}</dd></dl></section>
    <section class="card"><h2>Namespaces</h2>
    <div class="scroll"><table><thead><tr><th scope="col">Name</th><th scope="col">Status</th><th scope="col">Created</th></tr></thead><tbody>
    {{#namespaces}}
    <tr><td><a href="{{base}}/namespaces/{{name}}">{{name}}</a></td><td>{{phase}}</td><td class="time">{{created}}</td></tr>
    {{/namespaces}}
    {{^namespaces}}
    <tr><td colspan="3">none</td></tr>
    {{/namespaces}}
    </tbody></table></div></section>
    """)

  static let pods = template(
    """
    <nav aria-label="Breadcrumb"><a href="{{base}}/">Namespaces</a> / {{namespace}}</nav>
    <section class="card"><h1>Pods in {{namespace}}</h1>
    <div class="scroll"><table><thead><tr><th scope="col">Name</th><th scope="col">Status</th><th scope="col">Node</th><th scope="col">Created</th>
    </tr></thead><tbody>
    {{#pods}}
    <tr><td><a href="{{base}}/namespaces/{{namespace}}/pods/{{name}}">{{name}}</a></td>
    <td><span class="{{#isRunning}}good{{/isRunning}}{{^isRunning}}other{{/isRunning}}">{{phase}}</span></td>
    <td>{{node}}</td><td class="time">{{created}}</td></tr>
    {{/pods}}
    {{^pods}}
    <tr><td colspan="4">none</td></tr>
    {{/pods}}
    </tbody></table></div>
    <p><a href="{{base}}/namespaces/{{namespace}}/secrets">Secrets of this namespace</a></p></section>
    """)

  static let pod = template(
    """
    <nav aria-label="Breadcrumb"><a href="{{base}}/">Namespaces</a> / <a href="{{base}}/namespaces/{{namespace}}">{{namespace}}</a> / {{name}}</nav>
    <section class="card"><h1>{{name}}</h1>
    <dl><dt>Status</dt><dd><span class="{{#isRunning}}good{{/isRunning}}{{^isRunning}}other{{/isRunning}}">{{phase}}</span></dd>
    <dt>Node</dt><dd>{{node}}</dd><dt>Address</dt><dd>{{address}}</dd><dt>Created</dt><dd class="time">{{created}}</dd>
    {{#containers}}<dt>Container</dt><dd>{{name}}, {{image}}</dd>{{/containers}}</dl>
    {{#isRunning}}<p class="actions"><a class="button" href="{{base}}/namespaces/{{namespace}}/pods/{{name}}/terminal">Open a terminal (exec)</a></p>{{/isRunning}}
    </section>
    """)

  /// The script takes the place of what stands in it.
  static let terminal = template(
    """
    <nav aria-label="Breadcrumb"><a href="{{base}}/">Namespaces</a> / <a href="{{base}}/namespaces/{{namespace}}">{{namespace}}</a> /
    <a href="{{base}}/namespaces/{{namespace}}/pods/{{name}}">{{name}}</a> / terminal</nav>
    <section class="card" data-exec="{{base}}/namespaces/{{namespace}}/pods/{{name}}/exec">
    <h1>Terminal in {{name}}</h1>
    <p><span role="status" class="other">This page needs its script.</span></p>
    <pre role="log" aria-label="What the terminal shows" tabindex="0"></pre>
    <form autocomplete="off"><label for="line">Line to send</label>
    <input id="line" autocapitalize="off" spellcheck="false" disabled>
    <button disabled>Send</button>
    <button type="button" data-key="3" disabled>Ctrl-C</button> <button type="button" data-key="4" disabled>Ctrl-D</button></form>
    <button type="button" data-again hidden>Start it again</button>
    </section>
    <script src="{{base}}/terminal.js"></script>
    """)

  static let secrets = template(
    """
    <nav aria-label="Breadcrumb"><a href="{{base}}/">Namespaces</a> / <a href="{{base}}/namespaces/{{namespace}}">{{namespace}}</a> / secrets</nav>
    <section class="card"><h1>Secrets in {{namespace}}</h1>
    <div class="scroll"><table><thead><tr><th scope="col">Name</th><th scope="col">Type</th><th scope="col">Created</th></tr></thead><tbody>
    {{#secrets}}
    <tr><td>{{name}}</td><td>{{type}}</td><td class="time">{{created}}</td></tr>
    {{/secrets}}
    {{^secrets}}
    <tr><td colspan="3">none</td></tr>
    {{/secrets}}
    </tbody></table></div></section>
    """)

  static let refusal = template(
    """
    <section class="card refusal"><p class="status">{{status}}</p><h1>{{title}}</h1><p>{{message}}</p>
    <p><a href="{{base}}/">Back to the namespaces</a></p></section>
    """)

  /// A text of this file; one that cannot be compiled is a fault of the program, which the first page of a test shows.
  private static func template(_ text: String) -> MustacheTemplate {
    do {
      return try MustacheTemplate(string: text)
    } catch {
      preconditionFailure("a template of the dashboard cannot be compiled: \(error)")
    }
  }
}
