import NIOCore
import SallyportAudit
import SallyportAuthentication
import SallyportCore
import SallyportPolicy
import SallyportPortal
import SallyportWire

import struct Foundation.Date

/// The pages by which people sign in and out with a browser, and where they read who they are.
///
/// | path | GET, HEAD | POST |
/// |---|---|---|
/// | `/.sallyport/sign-in` | the form | begins a session and leads on |
/// | `/.sallyport/sign-out` | asks whether | ends the session and cuts what it let in |
/// | `/.sallyport/callback`, `…/callback/ID` | begins a session for whom an OpenID provider has sent back | |
/// | `/.sallyport/backchannel-logout` | | ends the sessions of whom a provider has signed out |
/// | `/.sallyport/whoami` | who the sender is: a page for a browser, JSON for a program | |
///
/// A form counts if it is one of ours that this browser was shown (``FormTokens``), and was not sent by another site's page.
struct PortalPath {
  private enum Place {
    case signIn, signOut, whoami, backchannelLogout
    case callback(OpenIDProvider)
  }

  private let place: Place
  let generation: Generation
  let portal: ServedPortal

  /// - Returns: `nil` where the request is for something else, or its host has no such pages
  init?(for request: StrippedRequest, _ generation: Generation) {
    guard let portal = generation.portal, portal.serves(HostName(of: request.head)) else { return nil }
    // By bytes: Swift's own comparison sees through Unicode normalisation.
    switch Array(request.head.target.path.utf8) {
    case Array("/.sallyport/sign-in".utf8): self.place = .signIn
    case Array("/.sallyport/sign-out".utf8): self.place = .signOut
    case Array("/.sallyport/whoami".utf8): self.place = .whoami
    case let path:
      guard let place = Self.place(ofProviders: path, generation.authenticator.openIDProviders) else { return nil }
      self.place = place
    }
    self.generation = generation
    self.portal = portal
  }

  private static func place(ofProviders path: [UInt8], _ providers: [OpenIDProvider]) -> Place? {
    guard !providers.isEmpty else { return nil }
    if path == Array("/.sallyport/backchannel-logout".utf8) { return .backchannelLogout }
    return providers.first { path == Array($0.callbackPath.utf8) }.map { .callback($0) }
  }

  /// - Throws: ``Problem`` 405 for a method that does nothing here, 415 for a body that is no form
  func take(_ request: StrippedRequest, _ exchange: Exchange) throws(Problem) {
    switch (self.place, request.head.method) {
    case (.signIn, .get), (.signIn, .head): self.showSignIn(request, exchange)
    case (.signOut, .get), (.signOut, .head): self.showSignOut(request, exchange)
    case (.whoami, .get), (.whoami, .head): self.showWhoAmI(request, exchange)
    case (.signIn, .post):
      try self.readForm(request, exchange) { form, exchange in self.signIn(form, request, exchange) }
    case (.signOut, .post):
      try self.readForm(request, exchange) { form, exchange in self.signOut(form, request, exchange) }
    // A HEAD would use the code up.
    case (.callback(let provider), .get): try self.finish(at: provider, request, exchange)
    case (.backchannelLogout, .post): self.endSessions(request, exchange)
    case (.signIn, _), (.signOut, _): throw .portalMethod
    case (.callback, _): throw .callbackMethod
    case (.backchannelLogout, _): throw .backchannelMethod
    case (.whoami, _): throw .ownDocumentReadOnly
    }
  }

  /// The page that says what is wrong at a path of the gateway's own; `nil` for a program, and where there are no such pages.
  static func page(for problem: Problem, answering head: RequestHead, _ generation: Generation, auditID: String) -> OwnPage? {
    guard OwnPaths.covers(head.target.path), ErrorResponder.form(for: head) == .page, let portal = generation.portal,
      portal.serves(HostName(of: head))
    else { return nil }
    let pages = PortalPages(site: portal.name, theme: portal.theme, acceptLanguage: head.fields.first(named: "Accept-Language")?.utf8Value)
    let heading = "\(problem.status) \(HTTP1Writer.reasonPhrase(problem.status))"
    return .page(pages.problem(problem, heading: heading, reference: auditID), status: problem.status, problem: problem)
  }

  // MARK: Signing in

  private func showSignIn(_ request: StrippedRequest, _ exchange: Exchange) {
    let query = request.head.target.query.flatMap { FormFields(query: $0.utf8) }
    exchange.wait(for: self.current(request, exchange)) { outcome, exchange in
      var shown = SignInForm(target: ReturnTarget.checked(query?.text("return")))
      if case .identified(let identity) = outcome { shown.current = identity.username }
      exchange.answer(self.page(shown, request, exchange))
    }
  }

  private func signIn(_ form: FormFields, _ request: StrippedRequest, _ exchange: Exchange) {
    var shown = SignInForm(target: ReturnTarget.checked(form.text("return")))
    guard self.isOurs(form, .signIn, request) else {
      shown.alert = .pageTooOld
      return self.refuse(shown, .formRefused, request, exchange)
    }
    if form.text("by") == "oidc" { return self.lead(form, shown, request, exchange) }
    let eventLoop = exchange.stream.eventLoop
    let presented = request.ownCookies?.sessions ?? []
    let address = request.origin?.client ?? exchange.connection.clientAddress
    let answer: Answer<SignInOutcome>
    if form.text("by") == "certificate" {
      answer = self.generation.authenticator.signIn(
        certificate: exchange.connection.clientCertificate, from: address, replacing: presented, on: eventLoop)
      shown.alert = .noCertificate
    } else {
      shown.userName = form.text("username") ?? ""
      shown.alert = .wrong
      answer = self.generation.authenticator.signIn(
        username: shown.userName, password: form.secret("password") ?? Secret([]), from: address, replacing: presented,
        on: eventLoop)
    }
    exchange.wait(for: answer) { [shown] outcome, exchange in
      switch outcome {
      case .signedIn(let cookie, let identity, let ended):
        self.portal.endings.tell(ended)
        exchange.record.subject = .identity(identity)
        exchange.record.signIn = .signedIn
        exchange.answer(OwnPage.redirect(to: shown.target).setting(OwnCookies.sessionName, to: cookie))
      case .refused(let problem):
        var shown = shown
        switch problem.status {
        case 429: shown.alert = .throttled
        case 503: shown.alert = .unavailable
        default: break
        }
        self.refuse(shown, problem, request, exchange)
      }
    }
  }

  struct SignInForm {
    var target = ReturnTarget.root
    var alert: PortalPages.Alert?
    var userName = ""
    var current: String?
  }

  /// - Parameter cookie: one of ours that is over
  func refuse(
    _ shown: SignInForm, _ problem: Problem, _ request: StrippedRequest, _ exchange: Exchange, removing cookie: String? = nil
  ) {
    exchange.record.signIn = .refused
    let page = self.page(shown, request, exchange, problem: problem)
    exchange.answer(cookie.map { page.removing($0) } ?? page)
  }

  private func page(_ shown: SignInForm, _ request: StrippedRequest, _ exchange: Exchange, problem: Problem? = nil) -> OwnPage {
    let authenticator = self.generation.authenticator
    return self.showing(request, .signIn, status: problem?.status ?? 200, problem: problem) { pages, token in
      var page = PortalPages.SignIn(
        token: token, takesPasswords: authenticator.sessionRules?.takesPasswords == true,
        takesCertificates: authenticator.sessionRules?.takesCertificates == true)
      page.alert = shown.alert
      page.current = shown.current
      page.userName = shown.userName
      page.target = shown.target
      page.providers = authenticator.openIDProviders.map { .init(id: $0.formID, name: $0.name) }
      page.certificate = authenticator.certificateName(of: exchange.connection.clientCertificate)
      return pages.signIn(page)
    }
  }

  // MARK: Signing out

  private func showSignOut(_ request: StrippedRequest, _ exchange: Exchange) {
    exchange.wait(for: self.current(request, exchange)) { outcome, exchange in
      guard case .identified(let identity) = outcome else {
        return exchange.answer(OwnPage.page(self.pages(request).signedOut()))
      }
      exchange.answer(self.showing(request, .signOut) { $0.signOut(current: identity.username, token: $1) })
    }
  }

  private func signOut(_ form: FormFields, _ request: StrippedRequest, _ exchange: Exchange) {
    guard self.isOurs(form, .signOut, request) else {
      exchange.record.signIn = .refused
      return exchange.answer(
        self.showing(request, .signOut, status: Problem.formRefused.status, problem: .formRefused) {
          $0.signOut(current: nil, token: $1, alert: .pageTooOld)
        })
    }
    // Who it was stands in the record.
    exchange.wait(for: self.current(request, exchange)) { outcome, exchange in
      if case .identified(let identity) = outcome { exchange.record.subject = .identity(identity) }
      let presented = request.ownCookies?.sessions ?? []
      let authenticator = self.generation.authenticator
      let eventLoop = exchange.stream.eventLoop
      // Where to be signed out, too, is read of the session, which then ends; the browser is led there last.
      let answer = authenticator.providerLogout(of: presented, on: eventLoop).flatMap { logout in
        authenticator.signOut(presented, on: eventLoop).map { ended in (ended, logout) }
      }
      exchange.wait(for: answer) { outcome, exchange in
        let (ended, logout) = outcome
        guard let ended else {
          exchange.record.signIn = .refused
          return exchange.answer(
            self.showing(request, .signOut, status: Problem.signOutFailed.status, problem: .signOutFailed) {
              $0.signOut(current: nil, token: $1, alert: .cannotSignOut)
            })
        }
        self.portal.endings.tell(ended)
        exchange.record.signIn = .signedOut
        exchange.answer(OwnPage.page(self.signedOut(logout, request)).removing(OwnCookies.sessionName))
      }
    }
  }

  // MARK: Who am I

  private func showWhoAmI(_ request: StrippedRequest, _ exchange: Exchange) {
    let accepted = self.generation.routes.accepted(at: HostName(of: request.head))
    let answer = self.generation.authenticator.authenticate(
      request, on: exchange.connection, accepting: accepted, memory: exchange.stream.memory, eventLoop: exchange.stream.eventLoop)
    exchange.wait(for: answer) { outcome, exchange in
      switch outcome {
      case .identified(let identity):
        exchange.record.subject = .identity(identity)
        guard ErrorResponder.form(for: request.head) == .page else { return exchange.answer(OwnPage.json(WhoAmI.json(identity))) }
        let kubeconfig = self.kubeconfig(for: identity, accepted, request)
        guard identity.session != nil else {
          return exchange.answer(OwnPage.page(self.pages(request).whoami(identity, token: nil, kubeconfig: kubeconfig)))
        }
        exchange.answer(self.showing(request, .signOut) { $0.whoami(identity, token: $1, kubeconfig: kubeconfig) })
      case .nothingPresented: self.refuse(.credentialsMissing, accepted, request, exchange)
      case .refused(let problem): self.refuse(problem, accepted, request, exchange)
      }
    }
  }

  private func refuse(_ problem: Problem, _ accepted: AcceptedMethods, _ request: StrippedRequest, _ exchange: Exchange) {
    if problem.status == 401, Navigation.isOne(request) {
      return exchange.answer(Navigation.toSignIn(from: request, because: problem))
    }
    let challenges = self.generation.authenticator.challenges(for: accepted, answering: problem)
    exchange.answer(problem, challenges: Navigation.challenges(challenges, for: request, accepting: accepted))
  }

  /// What kubectl can use here as it is, by what the user has.
  private func kubeconfig(for identity: Identity, _ accepted: AcceptedMethods, _ request: StrippedRequest) -> String? {
    guard let host = request.head.target.authority ?? request.head.fields.first(.host)?.utf8Value else { return nil }
    let method = identity.session?.signedInBy ?? identity.method
    if accepted.contains(.token),
      let clientID = self.generation.issuer?.clientOfKubectl(signingInBy: method, at: HostName(of: request.head))
    {
      let user = CopiedKubeconfig.User.plugin(
        name: identity.username, clientID: clientID, showsCertificate: method == .clientCertificate)
      return CopiedKubeconfig.text(host: host, user: user)
    }
    switch method {
    case .passwordFile, .ldap, .pam:
      return accepted.contains(.password) ? CopiedKubeconfig.text(host: host, user: .password(name: identity.username)) : nil
    case .clientCertificate:
      return accepted.contains(.clientCertificate) ? CopiedKubeconfig.text(host: host, user: .certificate(name: identity.username)) : nil
    case .jwt, .introspection, .tokenReview, .oidc, .issuedToken, .session, .gateway: return nil
    }
  }

  // MARK: Forms

  /// Reads a form that was sent from here; anything else is answered.
  private func readForm(
    _ request: StrippedRequest, _ exchange: Exchange, then: @escaping (FormFields, Exchange) -> Void
  ) throws(Problem) {
    if let foreign = BrowserOrigin.foreignness(of: request) {
      exchange.record.signIn = .refused
      throw .foreignForm.with(detail: foreign)
    }
    guard Self.isForm(request) else { throw .notAForm }
    // A browser has one session. Which of several is meant nobody can say, and to end all of them is more than was asked for.
    guard request.ownCookies?.sessions.count ?? 0 <= 1 else { throw .sessionUnclear }
    exchange.readBody(atMost: FormFields.longest) { exchange, body in
      guard let body else { return exchange.answer(Problem.formTooLong) }
      guard let form = FormFields(body.readableBytesView) else { return exchange.answer(Problem.formUnreadable) }
      then(form, exchange)
    }
  }

  static func isForm(_ request: StrippedRequest) -> Bool {
    let type = request.head.fields.first(.contentType)?.value.split(separator: ";").first?.lowercased()
    return type?.filter { $0 != " " } == "application/x-www-form-urlencoded"
  }

  func isOurs(_ form: FormFields, _ purpose: FormTokens.Purpose, _ request: StrippedRequest) -> Bool {
    let cookie = FormTokens.cookie(among: request.ownCookies?.browsers ?? [])
    return self.portal.tokens.isGood(form.secret("token"), for: purpose, cookie: cookie, at: Date())
  }

  /// A page with a form, and the cookie that the form goes with where the browser has none yet.
  private func showing(
    _ request: StrippedRequest, _ purpose: FormTokens.Purpose, status: Int = 200, problem: Problem? = nil,
    _ make: (PortalPages, _ token: String) -> PortalPage
  ) -> OwnPage {
    let known = FormTokens.cookie(among: request.ownCookies?.browsers ?? [])
    let cookie = known ?? FormTokens.newCookie()
    let token = self.portal.tokens.token(for: purpose, cookie: cookie, at: Date())
    let page = OwnPage.page(make(self.pages(request), token), status: status, problem: problem)
    return known == nil ? page.setting(OwnCookies.browserName, to: cookie) : page
  }

  func pages(_ request: StrippedRequest) -> PortalPages {
    PortalPages(
      site: self.portal.name, theme: self.portal.theme, acceptLanguage: request.head.fields.first(named: "Accept-Language")?.utf8Value)
  }

  /// Whom the session's cookie stands for.
  private func current(_ request: StrippedRequest, _ exchange: Exchange) -> Answer<AuthenticationOutcome> {
    guard request.ownCookies?.sessions.isEmpty == false else { return .now(.nothingPresented) }
    return self.generation.authenticator.session(of: request, on: exchange.connection, eventLoop: exchange.stream.eventLoop)
  }
}

extension Problem {
  static let portalMethod = Problem(
    "methodNotServed", blame: .client, status: 405, message: "This page takes GET, HEAD and POST.")
  static let notAForm = Problem(
    "notAForm", blame: .client, status: 415, message: "This page takes forms (application/x-www-form-urlencoded).")
  static let formTooLong = Problem("formTooLong", blame: .client, status: 413, message: "The form is too long.")
  static let formUnreadable = Problem("formUnreadable", blame: .client, status: 400, message: "The form cannot be read.")
  static let foreignForm = Problem(
    "foreignForm", blame: .client, status: 403, message: "The form was sent by another site's page, and is refused.")
  static let formRefused = Problem(
    "formRefused", blame: .client, status: 403, message: "The form is none that this browser was shown lately.",
    detail: "the form's token is missing, of another browser, or too old")
  static let sessionUnclear = Problem(
    "sessionUnclear", blame: .client, status: 400, message: "The browser sent more than one session; which one is meant is not clear.")
  static let signOutFailed = Problem(
    "signOutFailed", blame: .operator, status: 503, message: "Nobody can be signed out at the moment.",
    detail: "where sessions are kept cannot be asked")
}
