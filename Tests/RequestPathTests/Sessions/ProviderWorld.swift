import Foundation
import SallyportPKI
import TestSupport

/// A house that people sign in to by an OpenID provider on loopback.
struct ProviderWorld {
  static let pods = "/api/v1/namespaces/dev/pods"

  let house: House
  let provider: OpenIDTestProvider

  /// - Parameters:
  ///   - settings: more keys of `oidc`
  ///   - others: more providers of the list, in flow style
  static func with(
    session: String = "{}", form: Bool = true, settings: String = "logout: true", others: [String] = [],
    provider given: OpenIDTestProvider? = nil, _ body: (ProviderWorld) async throws -> Void
  ) async throws {
    let pki = try TestPKI()
    let provider: OpenIDTestProvider
    if let given { provider = given } else { provider = try await OpenIDTestProvider(certificate: pki.server) }
    let plan = Self.plan(provider, trusting: pki, session: session, form: form, settings: settings, others: others)
    do {
      try await House.with(plan) { house in
        try await body(ProviderWorld(house: house, provider: provider))
        let log = try house.records().map(\.text).joined() + house.log.text
        // No code, no token, no verifier is written down, whatever happened.
        for request in provider.https.requests where request.path == "/token" {
          for (name, value) in try OpenIDTestProvider.parameters(of: "https://x/?\(request.body)")
          where ["code", "code_verifier", "refresh_token"].contains(name) && value.utf8.count > 8 {
            if log.contains(value) { throw Leak(name: name) }
          }
        }
        if log.contains("eyJ") || log.contains(OpenIDTestProvider.clientSecret) { throw Leak(name: "a token or the client's secret") }
      }
    } catch {
      if given == nil { await provider.close() }
      throw error
    }
    if given == nil { await provider.close() }
  }

  struct Leak: Error {
    let name: String
  }

  static func plan(
    _ provider: OpenIDTestProvider, trusting pki: TestPKI, session: String = "{}", form: Bool = true, settings: String = "logout: true",
    others: [String] = []
  ) -> House.Plan {
    var plan = House.Plan()
    plan.files["idp-ca.pem"] = pki.serverAuthority.certificatePEM
    plan.files["client-secret"] = OpenIDTestProvider.clientSecret + "\n"
    plan.authentication = [
      "signIn:", "  name: Example", "  form: \(form)", "  clientCertificate: true", "  session: \(session)", "  oidc:",
      "  - \(Self.section(provider.issuer, settings))",
    ]
    plan.authentication += others.map { "  - \($0)" }
    plan.route = ["match: {path: /}", "authenticate: [session\(form ? "" : ", password")]"]
    return plan
  }

  static func section(_ issuer: String, _ more: String) -> String {
    "{issuer: \"\(issuer)\", certificateAuthorityFile: idp-ca.pem, clientID: \(OpenIDTestProvider.clientID), "
      + "clientSecretFile: client-secret, claimMappings: {username: {claim: email, prefix: \"\"}, groups: {claim: groups, prefix: \"\"}}"
      + "\(more.contains("name:") ? "" : ", name: Example IdP")\(more.isEmpty ? "" : ", \(more)")}"
  }

  /// Goes there and comes back.
  @discardableResult
  func signIn(_ browser: Browser, returningTo target: String = "/") async throws -> Answer {
    let page = try await browser.startAtProvider(returningTo: target)
    return try await browser.arrive(self.provider.callback(for: Browser.address(in: page)))
  }
}
