import NIOCore
import SallyportAudit
import SallyportAuthentication
import SallyportCore
import SallyportPortal
import SallyportWire

import struct Foundation.Date

/// Signing in by way of an OpenID provider: there, and back (OpenID Connect Core section 3.1).
///
/// 1. The sign-in page's form, one of ours that this browser was shown, begins: ``SignInFlow`` goes sealed into a cookie, and the
///    browser is led to the provider.
/// 2. The provider sends the browser back to ``OpenIDProvider/callbackPath``: ``CallbackJudge`` says whether that belongs to a sign-in
///    of this browser.
/// 3. The code is exchanged and the id_token verified; a session begins as with any other way to sign in.
extension PortalPath {
  // MARK: There

  func lead(_ form: FormFields, _ shown: SignInForm, _ request: StrippedRequest, _ exchange: Exchange) {
    var shown = shown
    shown.alert = .providerUnavailable
    let id = form.text("provider") ?? ""
    guard let provider = self.generation.authenticator.openIDProviders.first(where: { $0.formID == id }) else {
      return self.refuse(shown, .providerUnknown, request, exchange)
    }
    // The form's token was good, so that the browser has its cookie.
    guard let browser = FormTokens.cookie(among: request.ownCookies?.browsers ?? []), let origin = OwnOrigin(of: request.head) else {
      return self.refuse(shown, .formRefused, request, exchange)
    }
    let metadata = self.generation.authenticator.metadata(of: provider, on: exchange.stream.eventLoop)
    exchange.wait(for: metadata) { [shown] metadata, exchange in
      switch metadata {
      case .failure(let problem): self.refuse(shown, problem, request, exchange)
      case .success(let metadata):
        let now = Date()
        let flow = SignInFlow.begin(
          at: provider.issuer, redirectURI: origin.url(provider.callbackPath), returningTo: shown.target, at: now)
        guard let sealed = self.portal.flows.seal(flow, for: browser) else {
          return self.refuse(shown, .authenticationFailed, request, exchange)
        }
        let address = ProviderAddress.with(provider.question(flow), at: metadata.authorizationEndpoint)
        let page = OwnPage.page(self.pages(request).onward(to: provider.name, at: address))
          .setting(flow.cookieName, to: sealed, forSeconds: Int(SignInFlow.lifetime))
        let others = self.portal.flows.names(toRemoveFrom: request.ownCookies?.flows ?? [], for: browser, at: now)
        exchange.answer(others.reduce(page) { $0.removing(OwnCookies.flowPrefix + $1) })
      }
    }
  }

  // MARK: And back

  /// - Throws: ``Problem`` 403 for what is no navigation: nobody but a person comes back
  func finish(at provider: OpenIDProvider, _ request: StrippedRequest, _ exchange: Exchange) throws(Problem) {
    if let mode = request.head.fields.first(named: "Sec-Fetch-Mode")?.value, mode != "navigate" { throw .callbackNotNavigated }
    if let destination = request.head.fields.first(named: "Sec-Fetch-Dest")?.value, destination != "document" {
      throw .callbackNotNavigated
    }
    var shown = SignInForm()
    shown.alert = .flowOver
    let callback: Callback
    do throws(Callback.Fault) {
      callback = try Callback(query: request.head.target.query)
    } catch {
      return self.refuse(shown, .callbackUnreadable.with(detail: error.description), request, exchange)
    }
    // Whoever has begun nothing here has nobody asked.
    if case .foreign(let detail) = self.judgement(of: callback, at: provider, namesItself: false, request) {
      return self.refuse(shown, .callbackForeign.with(detail: detail), request, exchange)
    }
    let metadata = self.generation.authenticator.metadata(of: provider, on: exchange.stream.eventLoop)
    exchange.wait(for: metadata) { [shown] metadata, exchange in
      switch metadata {
      // The sign-in is still good: to load the page again may help.
      case .failure(let problem):
        var shown = shown
        shown.alert = .providerUnavailable
        self.refuse(shown, problem, request, exchange)
      case .success(let metadata): self.finish(callback, at: provider, metadata, shown, request, exchange)
      }
    }
  }

  private func finish(
    _ callback: Callback, at provider: OpenIDProvider, _ metadata: ProviderMetadata, _ shown: SignInForm, _ request: StrippedRequest,
    _ exchange: Exchange
  ) {
    var shown = shown
    switch self.judgement(of: callback, at: provider, namesItself: metadata.namesItself, request) {
    case .foreign(let detail): self.refuse(shown, .callbackForeign.with(detail: detail), request, exchange)
    case .refused(let error, let flow):
      shown.alert = .providerRefused
      shown.target = ReturnTarget.checked(flow.target)
      let problem = Problem.providerSignedNobodyIn.with(detail: "\(provider.issuer) answers \(error)")
      self.refuse(shown, problem, request, exchange, removing: flow.cookieName)
    case .redeem(let code, let flow):
      shown.target = ReturnTarget.checked(flow.target)
      self.redeem(code, of: flow, at: provider, shown, request, exchange)
    }
  }

  private func judgement(
    of callback: Callback, at provider: OpenIDProvider, namesItself: Bool, _ request: StrippedRequest
  ) -> CallbackJudge.Judgement {
    let now = Date()
    let browser = FormTokens.cookie(among: request.ownCookies?.browsers ?? [])
    let flows = browser.map { browser in
      (request.ownCookies?.flows ?? []).compactMap { self.portal.flows.open($0.value, for: browser, at: now) }
    }
    return CallbackJudge(issuer: provider.issuer, namesItself: namesItself).judge(
      callback, flows: flows ?? [], redirectURI: OwnOrigin(of: request.head)?.url(provider.callbackPath) ?? "", at: now)
  }

  private func redeem(
    _ code: Secret, of flow: SignInFlow, at provider: OpenIDProvider, _ shown: SignInForm, _ request: StrippedRequest,
    _ exchange: Exchange
  ) {
    let code = AuthorizationCode(
      code: code, state: flow.state, nonce: flow.nonce, verifier: flow.verifier, redirectURI: flow.redirectURI)
    let answer = self.generation.authenticator.signIn(
      by: provider, code, from: request.origin?.client ?? exchange.connection.clientAddress,
      replacing: request.ownCookies?.sessions ?? [], on: exchange.stream.eventLoop)
    exchange.wait(for: answer) { outcome, exchange in
      switch outcome {
      case .signedIn(let cookie, let identity, let ended):
        self.portal.endings.tell(ended)
        exchange.record.subject = .identity(identity)
        exchange.record.signIn = .signedIn
        exchange.answer(
          OwnPage.redirect(to: shown.target).setting(OwnCookies.sessionName, to: cookie).removing(flow.cookieName))
      case .refused(let problem):
        var shown = shown
        shown.alert = problem.status == 503 ? .providerUnavailable : .providerRefused
        self.refuse(shown, problem, request, exchange, removing: flow.cookieName)
      }
    }
  }

  // MARK: Signed out here

  /// The page for somebody who is signed out here: the end, or the way to being signed out at the provider (RP-Initiated Logout 1.0
  /// section 2). Coming back from there does nothing, so that there is no state to be kept for it.
  func signedOut(_ logout: ProviderLogout?, _ request: StrippedRequest) -> PortalPage {
    guard let logout, let origin = OwnOrigin(of: request.head) else { return self.pages(request).signedOut() }
    var question = [("client_id", logout.provider.clientID), ("post_logout_redirect_uri", origin.url("/.sallyport/sign-out"))]
    if let idToken = logout.idToken {
      question.append(("id_token_hint", idToken.withBytes { String(decoding: $0, as: UTF8.self) }))
    } else {
      question.append(("logout_hint", logout.subject))
    }
    let address = ProviderAddress.with(question.map { (name: $0.0, value: $0.1) }, at: logout.endpoint)
    return self.pages(request).signedOut(goingOnTo: logout.provider.name, at: address)
  }

  // MARK: Signed out there

  /// Ends the sessions that a provider's logout token names (Back-Channel Logout 1.0 section 2.8): 200, or 400 and nothing has
  /// ended. Who sends it is no browser and has no credential but the token.
  func endSessions(_ request: StrippedRequest, _ exchange: Exchange) {
    guard Self.isForm(request) else { return self.refuseLogout(.formUnreadable, exchange) }
    exchange.readBody(atMost: Self.longestLogout) { exchange, body in
      guard let body, let form = FormFields(body.readableBytesView), let token = form.secret("logout_token") else {
        return self.refuseLogout(.formUnreadable, exchange)
      }
      let answer = self.generation.authenticator.signOut(by: token, on: exchange.stream.eventLoop)
      exchange.wait(for: answer) { outcome, exchange in
        switch outcome {
        case .refused(let problem): self.refuseLogout(problem, exchange)
        case .ended(_, let keys):
          self.portal.endings.tell(keys)
          exchange.record.signIn = .signedOut
          exchange.record.endedSessions = keys.map(Identity.Session.handle(of:))
          exchange.answer(OwnResponse(status: 200, body: []))
        }
      }
    }
  }

  /// A token's bytes, some of them escaped, and the name.
  private static let longestLogout = 96 * 1024

  private func refuseLogout(_ problem: Problem, _ exchange: Exchange) {
    exchange.record.signIn = .refused
    let body = Array(#"{"error":"invalid_request","error_description":"\#(problem.message)"}"#.utf8)
    exchange.answer(OwnResponse(status: problem.status, body: body), problem: problem)
  }
}

extension OpenIDProvider {
  /// Where it sends browsers back to. Each provider has a path of its own, so that none can have another's answer taken for its own.
  var callbackPath: String { "/.sallyport/callback" + (self.id.map { "/\($0)" } ?? "") }
  /// What the sign-in page's form calls it.
  var formID: String { self.id ?? "" }

  /// What is asked for at the authorization endpoint.
  func question(_ flow: SignInFlow) -> [(name: String, value: String)] {
    func text(_ secret: Secret) -> String { secret.withBytes { String(decoding: $0, as: UTF8.self) } }
    return [
      ("response_type", "code"), ("client_id", self.clientID), ("redirect_uri", flow.redirectURI),
      ("scope", self.scopes.joined(separator: " ")), ("state", text(flow.state)), ("nonce", text(flow.nonce)),
      ("code_challenge", flow.challenge), ("code_challenge_method", "S256"),
    ]
  }
}

extension SignInFlow {
  var cookieName: String { OwnCookies.flowPrefix + self.name }
}

/// The gateway as a browser has reached it.
struct OwnOrigin {
  private let authority: String

  /// - Returns: `nil` for a host that is none a browser writes
  init?(of head: RequestHead) {
    guard HostName(of: head) != nil, let authority = head.target.authority ?? head.fields.first(.host)?.utf8Value else { return nil }
    let isPlain = authority.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"):
        true
      default: false
      }
    }
    guard isPlain else { return nil }
    let lowered = authority.lowercased()
    self.authority = lowered.hasSuffix(":443") ? String(lowered.dropLast(":443".count)) : lowered
  }

  func url(_ path: String) -> String { "https://\(self.authority)\(path)" }
}

extension Problem {
  static let callbackMethod = Problem("methodNotServed", blame: .client, status: 405, message: "This page takes GET.")
  static let backchannelMethod = Problem("methodNotServed", blame: .client, status: 405, message: "Logout tokens are sent by POST.")
  static let callbackNotNavigated = Problem(
    "callbackNotNavigated", blame: .client, status: 403, message: "People come back here with a browser; this was sent by a page.")
  static let callbackUnreadable = Problem(
    "callbackUnreadable", blame: .client, status: 400, message: "The identity provider's answer cannot be read.")
  static let callbackForeign = Problem(
    "callbackForeign", blame: .client, status: 403, message: "This sign-in was not begun in this browser, or took too long.")
  static let providerSignedNobodyIn = Problem(
    "providerSignedNobodyIn", blame: .client, status: 401, message: "The identity provider did not sign anybody in.")
  static let providerUnknown = Problem(
    "providerUnknown", blame: .client, status: 400, message: "Nobody signs in by this identity provider here.")
}
