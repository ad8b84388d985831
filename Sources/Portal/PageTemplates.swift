import Mustache

/// The pages as templates. Every `{{name}}` is escaped for HTML; `{{{…}}}` stands for what was rendered by one of them, for
/// the style or the logo in base64, and for nothing that came from outside.
enum PageTemplates {
  static let library: MustacheLibrary = {
    var library = MustacheLibrary()
    for (name, text) in [
      ("layout", layout), ("sign-in", signIn), ("sign-out", signOut), ("signed-out", signedOut), ("whoami", whoami), ("problem", problem),
      ("onward", onward),
    ] {
      do {
        try library.register(text, named: name)
      } catch {
        // They are constants, and a test renders each.
        assertionFailure("the template \(name): \(error)")
      }
    }
    return library
  }()

  private static let layout = """
    {{% CONTENT_TYPE:HTML}}<!doctype html>
    <html lang="{{language}}">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="robots" content="noindex">
    {{#onward}}<meta http-equiv="refresh" content="0; url={{onward}}">
    {{/onward}}    <title>{{title}} – {{site}}</title>
    <style>{{{style}}}</style>
    </head>
    <body>
    <main{{#isWide}} class="wide"{{/isWide}}>
    <header>{{#logo}}<img src="{{{logo}}}" alt="">{{/logo}}{{^logo}}<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 21V11a8 8 0 0 1 16 0v10M2 21h20M9 21v-9a3 3 0 0 1 6 0v9"/></svg>{{/logo}}{{site}}</header>
    {{{content}}}
    </main>
    </body>
    </html>

    """

  private static let signIn = """
    {{% CONTENT_TYPE:HTML}}<h1>{{t.signIn}}</h1>
    {{#alert}}<p class="alert" id="alert" role="alert">{{alert}}</p>
    {{/alert}}{{#current}}<p>{{t.signedInAs}} <span class="name">{{current}}</span>.</p>
    <p><a class="button" href="{{target}}">{{t.goOn}}</a></p>
    <p class="note">{{t.otherUser}}</p>
    {{/current}}{{#takesPasswords}}<form method="post" action="/.sallyport/sign-in">
    <input type="hidden" name="token" value="{{token}}">
    <input type="hidden" name="return" value="{{target}}">
    <label for="username">{{t.userName}}</label>
    <input id="username" name="username" value="{{userName}}" type="text" autocomplete="username" autocapitalize="none" autocorrect="off" spellcheck="false" required maxlength="255"{{#focusesName}} autofocus{{/focusesName}}{{#isRefused}} aria-invalid="true" aria-describedby="alert"{{/isRefused}}>
    <label for="password">{{t.password}}</label>
    <input id="password" name="password" type="password" autocomplete="current-password" required maxlength="511"{{#focusesPassword}} autofocus{{/focusesPassword}}{{#isRefused}} aria-invalid="true" aria-describedby="alert"{{/isRefused}}>
    <button type="submit" name="by" value="password">{{t.signInButton}}</button>
    </form>
    {{/takesPasswords}}{{#takesMore}}<p class="or">{{t.or}}</p>
    {{/takesMore}}{{#providers}}<form class="way" method="post" action="/.sallyport/sign-in">
    <input type="hidden" name="token" value="{{token}}">
    <input type="hidden" name="return" value="{{target}}">
    <input type="hidden" name="provider" value="{{id}}">
    <button type="submit" name="by" value="oidc"{{#isQuiet}} class="quiet"{{/isQuiet}}>{{label}}</button>
    </form>
    {{/providers}}{{#takesCertificates}}{{#certificate}}<form class="way" method="post" action="/.sallyport/sign-in">
    <input type="hidden" name="token" value="{{token}}">
    <input type="hidden" name="return" value="{{target}}">
    <p class="note">{{t.certificateOffer}} <span class="name">{{certificate}}</span>.</p>
    <button type="submit" name="by" value="certificate"{{#isCertificateQuiet}} class="quiet"{{/isCertificateQuiet}}>{{t.certificateButton}}</button>
    </form>
    {{/certificate}}{{^certificate}}<p class="note">{{t.certificateMissing}}</p>
    {{/certificate}}{{/takesCertificates}}
    """

  private static let signOut = """
    {{% CONTENT_TYPE:HTML}}<h1>{{t.signOutQuestion}}</h1>
    {{#alert}}<p class="alert" role="alert">{{alert}}</p>
    {{/alert}}{{#current}}<p>{{t.signedInAs}} <span class="name">{{current}}</span>.</p>
    {{/current}}<form method="post" action="/.sallyport/sign-out">
    <input type="hidden" name="token" value="{{token}}">
    <button type="submit">{{t.signOutButton}}</button>
    </form>
    """

  private static let signedOut = """
    {{% CONTENT_TYPE:HTML}}<h1>{{t.signedOut}}</h1>
    <p role="status">{{t.signedOutNote}}</p>
    <p><a class="button" href="/.sallyport/sign-in">{{t.signInAgain}}</a></p>
    """

  private static let onward = """
    {{% CONTENT_TYPE:HTML}}<h1>{{heading}}</h1>
    {{#note}}<p role="status">{{note}}</p>
    {{/note}}<p class="note">{{t.goingOnNote}}</p>
    <p><a class="button" href="{{address}}">{{label}}</a></p>
    """

  private static let whoami = """
    {{% CONTENT_TYPE:HTML}}<h1>{{t.whoAmI}}</h1>
    <dl>
    <dt>{{t.name}}</dt><dd class="name">{{name}}</dd>
    {{#uid}}<dt>{{t.uid}}</dt><dd>{{uid}}</dd>
    {{/uid}}<dt>{{t.groups}}</dt><dd>{{#hasGroups}}<ul>{{#groups}}<li>{{.}}</li>{{/groups}}</ul>{{/hasGroups}}{{^hasGroups}}{{t.noGroups}}{{/hasGroups}}</dd>
    <dt>{{t.signedInBy}}</dt><dd>{{method}}</dd>
    {{#began}}<dt>{{t.since}}</dt><dd><time datetime="{{began}}">{{beganText}}</time></dd>
    {{/began}}{{#ends}}<dt>{{t.until}}</dt><dd><time datetime="{{ends}}">{{endsText}}</time></dd>
    {{/ends}}</dl>
    {{#token}}<form method="post" action="/.sallyport/sign-out">
    <input type="hidden" name="token" value="{{token}}">
    <button type="submit" class="quiet">{{t.signOutButton}}</button>
    </form>
    {{/token}}{{#kubeconfig}}<h2 id="kubeconfig">{{t.kubeconfig}}</h2>
    <p class="note">{{t.kubeconfigNote}}</p>
    <pre tabindex="0" aria-labelledby="kubeconfig">{{kubeconfig}}</pre>
    {{/kubeconfig}}
    """

  private static let problem = """
    {{% CONTENT_TYPE:HTML}}<h1>{{heading}}</h1>
    <p role="alert">{{message}}</p>
    {{#reference}}<p class="note">{{t.reference}}: <code>{{reference}}</code></p>
    {{/reference}}
    """
}
