import Foundation
import TestSupport
import Testing

/// What a browser does of itself: keeps cookies, says what it is about, reads forms. One connection for each request.
final class Browser: Sendable {
  static let session = "__Host-sallyport-session"
  static let browser = "__Host-sallyport-browser"
  static let navigation = [
    "Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Accept: text/html,application/xhtml+xml,*/*;q=0.8",
  ]

  let house: House
  let certificate: TestCertificate?
  private let cookies = Observed<[String: String]>([:])

  init(_ house: House, certificate: TestCertificate? = nil) {
    self.house = house
    self.certificate = certificate
  }

  /// The session's cookie.
  var sessionID: String? { self.cookies.value[Self.session] }

  func set(_ name: String, to value: String?) { self.cookies.update { $0[name] = value } }

  /// The field with all cookies, with its line end.
  var cookieField: String {
    let cookies = self.cookies.value.sorted { $0.key < $1.key }
    return cookies.isEmpty ? "" : "Cookie: \(cookies.map { "\($0.key)=\($0.value)" }.joined(separator: "; "))\r\n"
  }

  private func ask(_ head: String, _ fields: [String], body: String? = nil) async throws -> Answer {
    let length = body.map { "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: \($0.utf8.count)\r\n" } ?? ""
    let answer = try await self.house.ask(
      "\(head) HTTP/1.1\r\nHost: localhost\r\n\(self.cookieField)\(fields.map { $0 + "\r\n" }.joined())\(length)\r\n\(body ?? "")",
      as: self.certificate)
    for cookie in answer.values("Set-Cookie") {
      let pair = cookie.split(separator: ";")[0].split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      self.set(pair[0], to: cookie.contains("Max-Age=0") ? nil : pair[1])
    }
    return answer
  }

  /// Goes somewhere, as from the address line.
  func go(_ target: String) async throws -> Answer { try await self.ask("GET \(target)", Self.navigation) }

  /// Comes from another site's page, as behind a redirect of a provider's.
  func arrive(_ target: String, _ fields: [String]? = nil) async throws -> Answer {
    try await self.ask(
      "GET \(target)",
      fields ?? ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Accept: text/html"])
  }

  /// Asks as a script of a page does.
  func fetch(_ target: String, _ fields: String...) async throws -> Answer {
    try await self.ask("GET \(target)", ["Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors", "Accept: */*"] + fields)
  }

  /// Sends a form from a page of this host.
  func send(_ form: [(String, String)], to target: String, _ fields: String...) async throws -> Answer {
    try await self.post(Self.encoded(form), to: target, fields)
  }

  func post(_ body: String, to target: String, _ fields: [String] = []) async throws -> Answer {
    let own = fields.contains { $0.hasPrefix("Origin") } ? [] : ["Origin: https://localhost", "Sec-Fetch-Site: same-origin"]
    return try await self.ask("POST \(target)", own + ["Accept: text/html"] + fields, body: body)
  }

  static func encoded(_ form: [(String, String)]) -> String {
    let plain = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")
    return form.map { "\($0.0)=\($0.1.addingPercentEncoding(withAllowedCharacters: plain) ?? "")" }.joined(separator: "&")
  }

  /// The token of the first form of a page.
  static func token(in page: Answer) throws -> String {
    try String(#require(page.body.firstMatch(of: /name="token" value="([A-Za-z0-9_-]+)"/), "no form: \(page)").1)
  }

  /// Opens the sign-in page and sends its form.
  @discardableResult
  func signIn(_ person: Person, password: String? = nil, returningTo target: String = "/") async throws -> Answer {
    try await self.signIn(as: person.name, password ?? person.password, returningTo: target)
  }

  func signIn(as name: String, _ password: String, returningTo target: String = "/") async throws -> Answer {
    let page = try await self.go("/.sallyport/sign-in")
    return try await self.send(
      [
        ("token", try Self.token(in: page)), ("return", target), ("username", name), ("password", password),
        ("by", "password"),
      ], to: "/.sallyport/sign-in")
  }

  func signInByCertificate() async throws -> Answer {
    let page = try await self.go("/.sallyport/sign-in")
    return try await self.send([("token", try Self.token(in: page)), ("return", "/"), ("by", "certificate")], to: "/.sallyport/sign-in")
  }

  /// Presses a provider's button.
  ///
  /// - Returns: the page that leads on
  func startAtProvider(_ id: String = "", returningTo target: String = "/") async throws -> Answer {
    let page = try await self.go("/.sallyport/sign-in")
    return try await self.send(
      [("token", try Self.token(in: page)), ("return", target), ("provider", id), ("by", "oidc")], to: "/.sallyport/sign-in")
  }

  /// Where a page leads to by itself.
  static func address(in page: Answer) throws -> String {
    let refresh = try #require(page.body.firstMatch(of: /http-equiv="refresh" content="0; url=([^"]+)"/), "leads nowhere: \(page)").1
    let link = try #require(page.body.firstMatch(of: /<a class="button" href="([^"]+)"/)).1
    #expect(refresh == link)
    return String(refresh).replacing("&amp;", with: "&").replacing("&#61;", with: "=")
  }

  /// The names of the sign-ins' cookies that are kept.
  var flows: [String] { self.cookies.value.keys.filter { $0.hasPrefix("__Host-sallyport-flow-") }.sorted() }

  func cookie(_ name: String) -> String? { self.cookies.value[name] }

  func signOut() async throws -> Answer {
    let page = try await self.go("/.sallyport/sign-out")
    return try await self.send([("token", try Self.token(in: page))], to: "/.sallyport/sign-out")
  }
}

extension House.Plan {
  /// A house whose one route is for people who sign in.
  static func signIn(_ session: String = "{}", accepting methods: String = "session") -> House.Plan {
    var plan = House.Plan()
    plan.authentication = ["signIn: {name: Example, form: true, clientCertificate: true, session: \(session)}"]
    plan.route = ["match: {path: /}", "authenticate: [\(methods)]"]
    return plan
  }

  /// The same before a scripted server that answers everything alike.
  static func signInBeforeScript(accepting methods: String = "session", answer: String = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    -> House.Plan
  {
    var plan = self.signIn(accepting: methods)
    plan.behind = .script { moment, peer in if case .end = moment { peer.send(answer) } }
    plan.kind = "generic"
    return plan
  }
}
