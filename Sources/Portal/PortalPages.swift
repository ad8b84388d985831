import Foundation
import Mustache
public import SallyportCore

/// A page, ready to be sent.
public struct PortalPage: Sendable {
  public let html: String
  private let policy: String

  init(html: String, policy: String) {
    self.html = html
    self.policy = policy
  }

  /// The fields that every page leaves with, beside its length: it is shown by whoever asked for it, kept by nobody, put into no
  /// frame, and tells no other site where its reader came from. (Without any referrer browsers would hide the origin of the
  /// forms, too, by which a foreign one is known.)
  public var fields: [(name: String, value: String)] {
    [
      ("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store"), ("Content-Security-Policy", self.policy),
      ("X-Frame-Options", "DENY"), ("Referrer-Policy", "same-origin"), ("X-Content-Type-Options", "nosniff"),
      ("Cross-Origin-Opener-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-origin"), ("Vary", "Accept-Language"),
    ]
  }
}

/// Makes the pages by which people sign in and out with a browser. They need no script, and load nothing.
public struct PortalPages: Sendable {
  private let texts: PortalTexts
  private let site: String
  private let theme: PortalTheme

  /// - Parameters:
  ///   - site: what the gateway is called on its pages
  ///   - acceptLanguage: what the browser asks for
  public init(site: String, theme: PortalTheme = .plain, acceptLanguage: String?) {
    self.site = site
    self.theme = theme
    self.texts = PortalTexts.best(for: acceptLanguage)
  }

  /// Why somebody was not signed in, in the words of a page: it says no more than the answer to a request would.
  public enum Alert: Sendable {
    case wrong, throttled, unavailable, pageTooOld, noCertificate, cannotSignOut
    case providerRefused, providerUnavailable, flowOver
  }

  /// An OpenID provider, as the pages show it.
  public struct Provider: Sendable {
    /// What a form calls it; empty for one without an id.
    public var id: String
    public var name: String

    public init(id: String, name: String) {
      self.id = id
      self.name = name
    }
  }

  /// What the sign-in page shows.
  public struct SignIn: Sendable {
    public var alert: Alert?
    /// Who is signed in already.
    public var current: String?
    /// What was typed before.
    public var userName = ""
    public var target = ReturnTarget.root
    public var token: String
    public var takesPasswords: Bool
    public var takesCertificates: Bool
    public var providers: [Provider] = []
    /// Whom the connection's certificate names.
    public var certificate: String?

    public init(token: String, takesPasswords: Bool, takesCertificates: Bool) {
      self.token = token
      self.takesPasswords = takesPasswords
      self.takesCertificates = takesCertificates
    }
  }

  public func signIn(_ page: SignIn) -> PortalPage {
    let providers = page.providers.map { provider -> [String: Any] in
      [
        "id": provider.id, "label": "\(self.texts.continueWith) \(provider.name)", "token": page.token, "target": page.target,
        "isQuiet": page.takesPasswords,
      ]
    }
    return self.page(
      "sign-in", title: page.alert.map { "\(self.texts.problem): \(self.text(of: $0))" } ?? self.texts.signIn,
      [
        "t": self.texts, "alert": page.alert.map(self.text(of:)), "current": page.current, "target": page.target, "token": page.token,
        "takesPasswords": page.takesPasswords, "takesCertificates": page.takesCertificates,
        "takesMore": page.takesPasswords && (page.takesCertificates || !providers.isEmpty), "providers": providers,
        "isCertificateQuiet": page.takesPasswords || !providers.isEmpty, "certificate": page.certificate, "userName": page.userName,
        "focusesName": page.userName.isEmpty, "focusesPassword": !page.userName.isEmpty, "isRefused": page.alert == .wrong,
      ])
  }

  public func signOut(current: String?, token: String, alert: Alert? = nil) -> PortalPage {
    self.page(
      "sign-out", title: self.texts.signOut,
      ["t": self.texts, "alert": alert.map(self.text(of:)), "current": current, "token": token])
  }

  /// Leads to a provider, by itself and by a link.
  ///
  /// Not by a redirect: browsers hold every redirect behind a form against `form-action`, those of the provider to others
  /// included, and the pages' policy names nobody but this host.
  public func onward(to provider: String, at address: String) -> PortalPage {
    self.page(
      "onward", title: "\(self.texts.goingOnTo) \(provider)", onward: address,
      ["t": self.texts, "heading": "\(self.texts.goingOnTo) \(provider)", "address": address, "label": "\(self.texts.goOn): \(provider)"])
  }

  /// The same for somebody who is signed out here already.
  public func signedOut(goingOnTo provider: String, at address: String) -> PortalPage {
    self.page(
      "onward", title: self.texts.signedOut, onward: address,
      [
        "t": self.texts, "heading": self.texts.signedOut, "note": self.texts.signedOutOnward, "address": address,
        "label": "\(self.texts.goOn): \(provider)",
      ])
  }

  public func signedOut() -> PortalPage { self.page("signed-out", title: self.texts.signedOut, ["t": self.texts]) }

  /// - Parameters:
  ///   - token: for the form that signs out; `nil` where there is no session to end
  ///   - kubeconfig: what can be copied for kubectl
  public func whoami(_ identity: Identity, token: String?, kubeconfig: String?) -> PortalPage {
    let method = identity.session?.signedInBy ?? identity.method
    let style = Date.ISO8601FormatStyle()
    return self.page(
      "whoami", title: self.texts.whoAmI, isWide: true,
      [
        "t": self.texts, "name": identity.username, "uid": identity.uid, "groups": identity.groups, "hasGroups": !identity.groups.isEmpty,
        "method": self.texts.methods[method.rawValue] ?? method.rawValue, "began": identity.session?.began.formatted(style),
        "beganText": identity.session.map { Self.shown($0.began) }, "ends": identity.expires?.formatted(style),
        "endsText": identity.expires.map(Self.shown), "token": token, "kubeconfig": kubeconfig,
      ])
  }

  /// - Parameter reference: by which an operator finds the record
  public func problem(_ problem: Problem, heading: String, reference: String) -> PortalPage {
    self.page(
      "problem", title: heading,
      ["t": self.texts, "heading": heading, "message": problem.message, "reference": reference.isEmpty ? nil : reference])
  }

  // MARK: Rendering

  private func text(of alert: Alert) -> String {
    switch alert {
    case .wrong: self.texts.wrong
    case .throttled: self.texts.throttled
    case .unavailable: self.texts.unavailable
    case .pageTooOld: self.texts.pageTooOld
    case .noCertificate: self.texts.certificateMissing
    case .cannotSignOut: self.texts.cannotSignOut
    case .providerRefused: self.texts.providerRefused
    case .providerUnavailable: self.texts.providerUnavailable
    case .flowOver: self.texts.flowOver
    }
  }

  /// Without the names of a language: a date that everybody reads alike.
  private static func shown(_ date: Date) -> String {
    date.formatted(.iso8601.year().month().day().dateTimeSeparator(.space).time(includingFractionalSeconds: false)) + " UTC"
  }

  private func page(_ name: String, title: String, isWide: Bool = false, onward: String? = nil, _ values: [String: Any?]) -> PortalPage {
    let content = PageTemplates.library.render(values.compactMapValues { $0 }, withTemplate: name) ?? ""
    var whole: [String: Any] = [
      "language": self.texts.language, "title": title, "site": self.site, "style": self.theme.css, "isWide": isWide, "content": content,
    ]
    if let onward { whole["onward"] = onward }
    if let logo = self.theme.logo { whole["logo"] = logo }
    return PortalPage(html: PageTemplates.library.render(whole, withTemplate: "layout") ?? "", policy: self.theme.policy)
  }
}
