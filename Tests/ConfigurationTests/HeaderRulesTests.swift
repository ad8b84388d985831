import SallyportConfiguration
import SallyportTemplates
import SallyportWire
import Testing

/// A configuration with every key that is about what routes say in headers and pages.
let everyTemplateKey = """
  apiVersion: sallyport.dev/v1alpha1
  kind: Gateway
  listeners:
  - {name: main, address: "[::1]:8443", tls: {certificateFile: server.pem, privateKeyFile: server.key, clientCAFile: ca.pem}}
  authentication: {clientCertificates: {}, tokens: [{tokenReview: {upstream: kubernetes}}]}
  credentials: [{name: front-proxy, requestHeaders: {certificateFile: a.pem, privateKeyFile: a.key}}, {name: nobody, none: {}}]
  upstreams:
  - {name: kubernetes, kind: kubernetes, servers: ["https://10.0.0.1:6443"], caFile: cluster-ca.pem}
  - {name: app, servers: ["https://app.example.org"]}
  routes:
  - {name: api, match: {path: /api}, upstream: kubernetes, credential: front-proxy, authenticate: [token]}
  - name: app
    upstream: app
    credential: nobody
    authenticate: [clientCertificate, token]
    setHeaders:
      X-User: "{{user}}"
      X-Sub: "{{claims.sub}} {{claims.realm_access.roles}}"
    removeHeaders: [Cookie, X-Debug]
    errorPages: [{statuses: [401, 403], file: denied.html}]
  errorPages: [{file: error.html}]
  audit: {directory: audit}
  """

@Suite struct HeaderRulesTests {
  @Test func everyKeyIsRead() throws {
    let read = try load(everyTemplateKey)
    let rules = try #require(read.routes.last?.headers)
    #expect(rules.set.map(\.name.description) == ["X-User", "X-Sub"] && rules.remove.map(\.description) == ["Cookie", "X-Debug"])
    #expect(rules.set.map(\.template.source) == ["{{user}}", "{{claims.sub}} {{claims.realm_access.roles}}"])
    #expect(read.claimsInTemplates == ["realm_access.roles", "sub"])
    #expect(read.routes.first?.headers.isEmpty == true)
  }

  private func faults(_ old: String, _ new: String) -> [String] {
    SallyportConfigurationTests.faults(in: everyTemplateKey, replacing: old, by: new)
  }

  @Test(arguments: [
    ("{{usr}}", "has a tag (number 1) that names nothing known; did you mean `user`?"),
    ("{{user}} {{claim.sub}}", "has a tag (number 2) that names nothing known; did you mean `claims.sub`?"),
    ("{{certificate.serail}}", "has a tag (number 1) that names nothing known; did you mean `certificate.serial`?"),
    ("{{auditId}}", "has a tag (number 1) that names nothing known; did you mean `auditID`?"),
    ("{{user", "has a tag (number 1) that is not closed; write {{name}}, {{#name}}…{{/name}} or {{^name}}…{{/name}}"),
    (
      "{{> other}}",
      "has a tag (number 1) that is of a kind that is not read here; write {{name}}, {{#name}}…{{/name}} or {{^name}}…{{/name}}"
    ),
    ("a\\nb", "holds a control character or a line break; write it on one line, without tabs"),
    ("", "is empty; write a value, or list the name in removeHeaders"),
  ]) func aTemplateWithAFaultIsTold(_ template: String, _ message: String) {
    #expect(self.faults("\"{{user}}\"", "\"\(template)\"") == ["17:13: routes[1].setHeaders.X-User: \(message)"])
  }

  @Test func whatIsNamedAndUnknownIsShownWhatThereIs() {
    let fault = self.faults("{{user}}", "{{somebody.whoever}}").first ?? ""
    #expect(fault.hasSuffix("known here: \(HeaderTemplateName.words.joined(separator: ", "))"))
  }

  @Test(arguments: ["Authorization", "x_remote_user", "Content-Length", "Impersonate-User", "Audit-ID", "Sec-WebSocket-Protocol"])
  func aReservedNameIsAFault(_ name: String) {
    let remedy = "choose a name of your own, as in X-Token-Subject"
    #expect(
      self.faults("X-User:", "\(name):").first?.hasSuffix(": stands under a name that is not a route's to set or remove; \(remedy)") == true
    )
    #expect(
      self.faults("[Cookie,", "[\(name),") == ["19:19: routes[1].removeHeaders[0]: is not a route's to set or remove; \(remedy)"])
  }

  @Test func aNameStandsOnce() {
    #expect(
      self.faults("X-Sub:", "x_user:") == [
        "18:13: routes[1].setHeaders.x_user: stands under a name that is set already, in a spelling that servers take for the same; "
          + "remove one of the two"
      ])
    #expect(
      self.faults("X-Debug]", "x_user]") == [
        "19:27: routes[1].removeHeaders[1]: is set or removed already; remove it: a client's own field of a name that is set never goes on"
      ])
    #expect(self.faults("[Cookie, X-Debug]", "[]") == ["19:18: routes[1].removeHeaders: has too few items; list at least 1"])
    #expect(self.faults("X-Debug]", "\"X Debug\"]").first?.contains("is no header's name; use letters, digits and `-`") == true)
  }

  @Test func whatNobodyWhoIsLetInCanHaveIsAFault() {
    #expect(
      self.faults("authenticate: [clientCertificate, token]", "authenticate: [clientCertificate]") == [
        "18:12: routes[1].setHeaders.X-Sub: names a claim of a token, and the route accepts none; list token in the route's `authenticate`"
      ])
    #expect(self.faults("\"{{user}}\"", "\"{{certificate.serial}}\"").isEmpty)
    let onlyTokens = everyTemplateKey.replacing("\"{{user}}\"", with: "\"{{certificate.serial}}\"").replacing(
      "[clientCertificate, token]", with: "[token]"
    ).replacing("[token]}", with: "[token, clientCertificate]}")
    #expect(
      SallyportConfigurationTests.faults(in: onlyTokens) == [
        "17:13: routes[1].setHeaders.X-User: names a part of a certificate, and the route accepts none; "
          + "list clientCertificate in the route's `authenticate`"
      ])
    #expect(
      self.faults("authenticate: [clientCertificate, token]", "authenticate: []\n  anonymous: [/x]").contains(
        "18:13: routes[1].setHeaders.X-User: names something of a user, and the route lets in nobody in particular; remove it"))
  }
}

@Suite struct ErrorPageSectionTests {
  private func faults(_ old: String, _ new: String) -> [String] {
    SallyportConfigurationTests.faults(in: everyTemplateKey, replacing: old, by: new)
  }

  @Test func everyKeyIsRead() throws {
    let read = try load(everyTemplateKey)
    #expect(read.errorPages.map(\.statuses) == [[]] && read.errorPages.map(\.file.path) == ["/etc/sallyport/error.html"])
    #expect(read.routes.last?.errorPages.map(\.statuses) == [[401, 403]])
    #expect(
      read.namedFiles.filter { $0.use == .errorPage }.map(\.file.path) == ["/etc/sallyport/denied.html", "/etc/sallyport/error.html"])
  }

  @Test func aStatusHasOnePage() {
    #expect(
      self.faults("[401, 403]", "[401, 401]") == ["20:33: routes[1].errorPages[0].statuses[1]: has a page already; remove it"])
    #expect(self.faults("[401, 403]", "[200]").first?.hasPrefix("20:28: routes[1].errorPages[0].statuses[0]: ") == true)
    #expect(
      self.faults("errorPages: [{file: error.html}]", "errorPages: [{file: error.html}, {file: other.html}]") == [
        "21:34: errorPages[1]: is a second page for every other status; add statuses, or remove it"
      ])
    #expect(self.faults("errorPages: [{file: error.html}]", "errorPages: [{}]").first?.contains("errorPages[0].file: is missing") == true)
  }
}
