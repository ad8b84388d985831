import Foundation
import NIOConcurrencyHelpers
import NIOCore
import SallyportJOSE
import SallyportJSON
import SallyportPKI
import TestSupport
import Testing

@testable import SallyportCommands

/// How a user signs in for kubectl: what is kept, what is asked, and what is never shown.
@Suite struct SignInTests {
  private let directory = TemporaryDirectory()
  private let pki: TestPKI

  init() throws { self.pki = try TestPKI() }

  private var cache: SignInCache {
    get throws { try SignInCache(environment: ["XDG_CACHE_HOME": self.directory.path]) }
  }

  private func signIn(at provider: TestProvider) throws -> SignIn {
    let gateway = try TokenGateway(
      GatewayAddress(provider.issuer), clientID: "kubectl", authorities: Array(self.pki.serverAuthority.certificatePEM.utf8))
    return SignIn(gateway: gateway, session: "default", cache: try self.cache)
  }

  private static func token(_ name: String, lasts seconds: Int, _ more: String = "") -> String {
    let ends = Int(Date().timeIntervalSince1970) + seconds
    let claims = #"{"sub":"\#(name)","exp":\#(ends)\#(more)}"#
    return "e30.\(Base64URL.encode(claims.utf8)).AAAA"
  }

  private static func answer(_ token: String, lasts seconds: Int) -> String {
    #"{"access_token":"\#(token)","token_type":"Bearer","expires_in":\#(seconds)}"#
  }

  @Test func aPasswordBecomesATokenThatIsKept() async throws {
    let provider = try await TestProvider(certificate: self.pki.server)
    let token = Self.token("bob", lasts: 300)
    provider.answer { _, channel in TestProvider.send(Self.answer(token, lasts: 300), to: channel) }
    let signIn = try self.signIn(at: provider)
    let signedIn = try await signIn.signIn(username: "bob", password: "pass:word é")
    #expect(!"\(signedIn)".contains(token) && !String(reflecting: signedIn).contains(token))
    let request = try #require(provider.requests.last)
    #expect(request.path == "/.sallyport/token" && request.body == "grant_type=client_credentials&client_id=kubectl")
    #expect(request.head.contains("Basic \(Data("bob:pass:word é".utf8).base64EncodedString())"))
    // It is given out without anybody being asked, until shortly before it ends.
    #expect(try await signIn.token(asking: nil).text == token)
    #expect(provider.requests.count == 1)
    let late = Date().addingTimeInterval(290)
    await #expect { _ = try await signIn.token(at: late, asking: nil) } throws: { error in
      "\(error)".contains("has ended. Run: sallyport login --server https://localhost:")
    }
    // Somebody at a terminal is asked for the password alone.
    #expect(
      try await signIn.token(at: late) { prompt throws(CommandFailure) in prompt.hasPrefix("Password of bob at ") ? "again" : "" }.text
        == token)
    #expect(provider.requests.last?.head.contains(Data("bob:again".utf8).base64EncodedString()) == true)
    for name in try FileManager.default.contentsOfDirectory(atPath: self.directory.file("sallyport")) {
      let mode = try FileManager.default.attributesOfItem(atPath: self.directory.file("sallyport/\(name)"))[.posixPermissions] as? Int
      #expect(mode == 0o600, "\(name)")
    }
    await provider.close()
  }

  @Test func aRefusalIsToldAndKeepsWhatWasThere() async throws {
    let provider = try await TestProvider(certificate: self.pki.server)
    let token = Self.token("bob", lasts: 300)
    provider.answer { _, channel in TestProvider.send(Self.answer(token, lasts: 300), to: channel) }
    let signIn = try self.signIn(at: provider)
    await #expect { _ = try await signIn.token(asking: nil) } throws: { "\($0)".contains("You have not signed in at https://localhost") }
    _ = try await signIn.signIn(username: "bob", password: "secret-1")
    provider.answer { _, channel in
      TestProvider.send(
        #"{"error":"invalid_client","error_description":"The credentials were not accepted."}"#, status: "401 Unauthorized", to: channel)
    }
    await #expect { _ = try await signIn.signIn(username: "bob", password: "secret-2") } throws: { error in
      "\(error)".contains("The credentials were not accepted.") && !"\(error)".contains("secret-2")
    }
    #expect(try await signIn.token(asking: nil).text == token)
    await provider.close()
  }

  @Test func anotherAuthoritysGatewayIsNotAsked() async throws {
    let provider = try await TestProvider(certificate: self.pki.server)
    let gateway = try TokenGateway(
      GatewayAddress(provider.issuer), clientID: "kubectl", authorities: Array(self.pki.clientAuthority.certificatePEM.utf8))
    await #expect(throws: CommandFailure.self) { _ = try await gateway.signIn(username: "bob", password: "secret") }
    #expect(provider.requests.isEmpty)
    await provider.close()
  }

  // MARK: - The cache

  @Test func whatOthersCanReadIsNotUsed() async throws {
    let address = try GatewayAddress("https://Gateway.example.org:443/")
    #expect(address.description == "https://gateway.example.org")
    let token = SignedIn.Token(text: "t", ends: .distantFuture)
    do {
      let entry = try self.cache.open(address, clientID: "kubectl", session: "a")
      try entry.write(SignedIn(token: token))
      #expect(try entry.read()?.token == token)
    }
    #expect(try self.cache.open(address, clientID: "kubectl", session: "b").read() == nil)
    let folder = self.directory.file("sallyport")
    let file = try #require(try FileManager.default.contentsOfDirectory(atPath: folder).first { $0.hasSuffix(".json") })
    try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: "\(folder)/\(file)")
    #expect { try self.cache.open(address, clientID: "kubectl", session: "a").read() } throws: { "\($0)".contains("chmod go= ") }
    // A link may lead to what somebody else can change.
    try FileManager.default.removeItem(atPath: "\(folder)/\(file)")
    let target = try self.directory.write("{}", to: "elsewhere")
    try FileManager.default.createSymbolicLink(atPath: "\(folder)/\(file)", withDestinationPath: target)
    #expect(throws: CommandFailure.self) { try self.cache.open(address, clientID: "kubectl", session: "a").read() }
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder)
    #expect(throws: CommandFailure.self) { _ = try self.cache.open(address, clientID: "kubectl", session: "a") }
    #expect(throws: CommandFailure.self) { _ = try SignInCache(environment: ["XDG_CACHE_HOME": "relative"]) }
    #expect(try SignInCache(environment: ["HOME": "/home/x"]).directory == "/home/x/.cache/sallyport")
  }

  // MARK: - kubectl

  @Test func kubectlIsUnderstoodAndAnswered() throws {
    let info = try ExecInfo(
      #"""
      {"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":true,
       "cluster":{"server":"https://g:1","certificate-authority-data":"UEVN"}}}
      """#)
    #expect(info.isInteractive && info.server == "https://g:1" && info.authorities == Array("PEM".utf8))
    #expect(try !ExecInfo(#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{}}"#).isInteractive)
    #expect(try ExecInfo(nil).isInteractive)
    for text in ["", "{}", #"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1alpha1","spec":{}}"#] {
      #expect(throws: CommandFailure.self) { _ = try ExecInfo(text) }
    }
    #expect(try ExecInfo(#"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","spec":{}}"#).version == .v1beta1)
    let json = ExecCredential.json(SignedIn.Token(text: "a.b.c", ends: Date(timeIntervalSince1970: 1_800_000_015)))
    #expect(
      try JSONReader.read(json.utf8)
        == JSONReader.read(
          Array(
            #"""
            {"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",
             "status":{"expirationTimestamp":"2027-01-15T08:00:00Z","token":"a.b.c"}}
            """#.utf8)))
  }

  // MARK: - The browser

  @Test func onlyTheAnswerToThisAttemptIsTaken() {
    func read(_ target: String) -> [String: String]? { LoopbackReceiver.parameters(of: target, state: "s-1") }
    #expect(read("/callback?code=c%20d&state=s-1") == ["code": "c d", "state": "s-1"])
    #expect(read("/callback?code=c+d%2Be%2520&state=s-1") == ["code": "c d+e%20", "state": "s-1"])
    for target in [
      "/callback?code=c", "/callback?code=c&state=s-2", "/callback?code=c&state=", "/?code=c&state=s-1",
      "/callback?code=c&code=d&state=s-1",
    ] {
      #expect(read(target) == nil, "\(target)")
    }
  }

  /// The whole flow with a provider that checks PKCE, and a browser that is a stray page first.
  @Test func aBrowserSignsInAndARefreshTokenRenews() async throws {
    let provider = try await TestProvider(certificate: self.pki.server)
    let issuer = provider.issuer
    let asked = Asked()
    provider.answer { [weak provider] path, channel in
      let form = Self.form(provider?.requests.last?.body ?? "")
      switch path {
      case "/.well-known/openid-configuration":
        TestProvider.send(
          #"{"issuer":"\#(issuer)","authorization_endpoint":"\#(issuer)/authorize","token_endpoint":"\#(issuer)/token"}"#, to: channel)
      case "/token" where form["grant_type"] == "authorization_code":
        let challenge = asked.value["code_challenge"]
        let isGood =
          form["code"] == "the-code" && form["redirect_uri"] == asked.value["redirect_uri"]
          && CodeFlow.challenge(form["code_verifier"] ?? "") == challenge
        let nonce = asked.value["nonce"] ?? ""
        let token = Self.token("olga", lasts: 20, #","iss":"\#(issuer)","aud":"kubectl-client","nonce":"\#(nonce)""#)
        isGood
          ? TestProvider.send(#"{"id_token":"\#(token)","refresh_token":"r-1","expires_in":20}"#, to: channel)
          : TestProvider.send(#"{"error":"invalid_grant"}"#, status: "400 Bad Request", to: channel)
      case "/token" where form["grant_type"] == "refresh_token" && form["refresh_token"] == "r-1":
        let token = Self.token("olga", lasts: 300, #","iss":"\#(issuer)","aud":["kubectl-client"]"#)
        TestProvider.send(#"{"id_token":"\#(token)","refresh_token":"r-2"}"#, to: channel)
      default: TestProvider.send(#"{"error":"invalid_grant"}"#, status: "400 Bad Request", to: channel)
      }
    }
    let signIn = try self.signIn(at: provider)
    let flow = CodeFlow(
      Provider(
        issuer: issuer, clientID: "kubectl-client", scopes: ["openid"], authorities: Array(self.pki.serverAuthority.certificatePEM.utf8),
        exchanges: false), timeout: .seconds(60))
    let signedIn = try await signIn.signIn(by: flow) { url in
      let query = Self.form(String(url.split(separator: "?", maxSplits: 1)[1]))
      asked.set(query)
      Task {
        for answer in ["code=stray&state=x", "code=the-code&state=\(query["state"] ?? "")"] {
          let redirect = try #require(URLComponents(string: query["redirect_uri"] ?? ""))
          let browser = try await RawTLSClient.connect(port: try #require(redirect.port), tls: nil)
          try await browser.send("GET \(redirect.path)?\(answer) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
          _ = try await browser.readToEnd()
          await browser.close()
        }
      }
    }
    #expect(asked.value["code_challenge_method"] == "S256" && asked.value["response_type"] == "code")
    #expect(JWTClaims.read(signedIn.token.text)?["sub"]?.string == "olga" && signedIn.renewal?.refreshToken == "r-1")
    // Shortly before it ends it is renewed without anybody being asked, and the provider's new refresh token is kept.
    let renewed = try await signIn.token(at: Date().addingTimeInterval(10), asking: nil)
    #expect(renewed.text != signedIn.token.text && renewed.ends > signedIn.ends)
    let kept = try self.cache.open(GatewayAddress(issuer), clientID: "kubectl", session: "default").read()
    #expect(kept?.renewal?.refreshToken == "r-2")
    // When the provider renews no more, the user is told what to do.
    await #expect { _ = try await signIn.token(at: Date().addingTimeInterval(3600), asking: nil) } throws: { error in
      "\(error)".contains("could not be renewed") && "\(error)".contains("sallyport login") && !"\(error)".contains("r-2")
    }
    await provider.close()
  }

  /// A provider takes a refresh token once: what it gave in its place is kept, whatever becomes of the rest.
  @Test func aNewRefreshTokenIsKeptThoughTheGatewayRefuses() async throws {
    let provider = try await TestProvider(certificate: self.pki.server)
    let issuer = provider.issuer
    provider.answer { path, channel in
      switch path {
      case "/.well-known/openid-configuration":
        TestProvider.send(
          #"{"issuer":"\#(issuer)","authorization_endpoint":"\#(issuer)/authorize","token_endpoint":"\#(issuer)/token"}"#, to: channel)
      case "/token":
        let token = Self.token("olga", lasts: 300, #","iss":"\#(issuer)","aud":"kubectl-client""#)
        TestProvider.send(#"{"id_token":"\#(token)","refresh_token":"r-2"}"#, to: channel)
      default: TestProvider.send(#"{"error":"temporarily_unavailable"}"#, status: "503 Service Unavailable", to: channel)
      }
    }
    let cache = try self.cache
    func entry() throws -> SignInCache.Entry { try cache.open(GatewayAddress(issuer), clientID: "kubectl", session: "default") }
    let known = Provider(
      issuer: issuer, clientID: "kubectl-client", scopes: ["openid"], authorities: Array(self.pki.serverAuthority.certificatePEM.utf8),
      exchanges: true)
    try entry().write(
      SignedIn(token: .init(text: "old", ends: .distantPast), renewal: .init(provider: known, refreshToken: "r-1")))
    let signIn = try self.signIn(at: provider)
    await #expect { _ = try await signIn.token(asking: nil) } throws: { "\($0)".contains("could not be renewed") }
    #expect(try entry().read()?.renewal?.refreshToken == "r-2")
    await provider.close()
  }

  private static func form(_ text: String) -> [String: String] {
    Dictionary(
      text.split(separator: "&").map { pair in
        let halves = pair.split(separator: "=", maxSplits: 1).map { String($0).removingPercentEncoding ?? "" }
        return (halves[0], halves.count > 1 ? halves[1] : "")
      }
    ) { first, _ in first }
  }
}

/// What a browser was asked to open.
private final class Asked: Sendable {
  private let box = NIOLockedValueBox<[String: String]>([:])
  var value: [String: String] { self.box.withLockedValue { $0 } }
  func set(_ value: [String: String]) { self.box.withLockedValue { $0 = value } }
}
