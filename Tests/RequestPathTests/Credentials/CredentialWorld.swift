import Foundation
import NIOCore
import SallyportIssuer
import SallyportJOSE
import SallyportJSON
import SallyportPKI
import SallyportPracticeCluster
import TestSupport
import Testing

/// A gateway whose routes differ in how the upstream is told who asks: one host for each way out. A practice cluster that
/// believes all of them is behind it, and an identity provider beside it.
struct CredentialWorld: Sendable {
  /// What the upstream is told by, and the host of the route.
  enum WayOut: String, Sendable, CaseIterable {
    case requestHeaders, idToken, clientCertificate, impersonation, phantomToken, passthrough

    var host: String { "\(self.rawValue.lowercased()).test" }
    /// What the record calls it; a token that is made in place of one that introspection did not answer with is an id_token.
    func audited(_ way: WayIn) -> String { self == .phantomToken && way != .opaque ? "idToken" : self.rawValue }
    /// Whether the record has what the upstream's log can know it by.
    func hasIdentifier(_ way: WayIn) -> Bool {
      [.idToken, .clientCertificate].contains(self) || self == .phantomToken && way != .opaque
    }
    /// Whether the upstream is shown a token.
    var isToken: Bool { ![.requestHeaders, .clientCertificate].contains(self) }
    /// The ways in that it is for.
    var waysIn: [WayIn] { self == .passthrough ? [.jwt] : WayIn.allCases }
  }

  /// How a client says who it is.
  enum WayIn: String, Sendable, CaseIterable {
    case certificate, password, jwt, opaque
  }

  /// What a client sends and whom it must be known as.
  struct Client: Sendable {
    let certificate: TestCertificate?
    let fields: [String]
    let username: String
    let groups: [String]
  }

  /// What is not as usual.
  struct Change: Sendable {
    var algorithm = SigningKey.Algorithm.es256
    /// The audience that the cluster asks for.
    var clusterAudience = "kubernetes"
    /// Whether the cluster trusts the minting authority.
    var trustsMinting = true
    /// Whether the cluster knows the issuer.
    var knowsIssuer = true
    var minting = "caCertificateFile: minting-ca.pem, caPrivateKeyFile: minting-ca.key"
    /// More of the issuer's section, and files that it names.
    var issuer = ""
    var files: [String: String] = [:]
    /// Routes behind those of the ways out.
    var routes: [String] = []
    var authentication: [String] = []
    var certificate: @Sendable (inout CertificateProfile) -> Void = { _ in }
  }

  let house: House
  let provider: TestProvider
  /// The minting authority, and one that the cluster trusts beside it.
  let minting: CertificateAuthority
  let nextMinting: CertificateAuthority
  /// PEM.
  private let providerAuthority: String
  private let key: TokenMint.Key
  private let mint: TokenMint
  private let alice: TestCertificate

  static let audience = "kubernetes"

  static func with<Result>(_ change: Change = Change(), _ body: (CredentialWorld) async throws -> Result) async throws -> Result {
    let pki = try TestPKI()
    let minting = try CertificateAuthority(.authority("Test Minting CA"))
    let nextMinting = try CertificateAuthority(.authority("Test Minting CA 2"))
    let key = try TokenMint.Key(.es256)
    let provider = try await TestProvider(certificate: pki.server)
    try Self.serve(provider, key)
    var plan = House.Plan()
    let providerCA = pki.serverAuthority.certificatePEM
    plan.prepare = { _, directory in
      try directory.write(providerCA, to: "idp-ca.pem")
      try directory.write("secret\n", to: "introspection-secret")
      try directory.write(minting.certificatePEM, to: "minting-ca.pem")
      try directory.write(minting.privateKeyPEM, to: "minting-ca.key")
      try directory.write("there-is-none-yet\n", to: "gateway-token")
      _ = try KeyRotation(KeyDirectory(directory.file("issuer")), tokenLifetime: 300).rotate(change.algorithm, at: Date())
    }
    if change.trustsMinting { plan.practice = { $0.clientCA = ($0.clientCA ?? "") + minting.certificatePEM + nextMinting.certificatePEM } }
    plan.authentication = [
      "tokens:", "- jwt:",
      "    issuer: {url: \"\(provider.issuer)\", audiences: [kubernetes], certificateAuthorityFile: idp-ca.pem}",
      "    claimMappings: {username: {claim: email, prefix: \"\"}, groups: {claim: groups, prefix: \"\"}}",
      "- introspection:", "    url: \"\(provider.issuer)/introspect\"", "    clientID: sallyport",
      "    clientSecretFile: introspection-secret", "    certificateAuthorityFile: idp-ca.pem",
      "    answer: jwt", "    issuer: \"\(provider.issuer)\"", "    audiences: [kubernetes]",
      "    claimMappings: {username: {claim: email, prefix: \"\"}, groups: {claim: groups, prefix: \"\"}}",
    ]
    plan.sections = ["issuer: {url: \"https://localhost:1/.sallyport\", signingKeysDirectory: issuer\(change.issuer)}"]
    plan.files = change.files
    plan.credentials = [
      "{name: idToken, idToken: {audience: \(Self.audience)}}",
      "{name: clientCertificate, clientCertificate: {\(change.minting)}}",
      "{name: impersonation, impersonation: {tokenFile: gateway-token}}",
      "{name: phantomToken, phantomToken: {audience: \(Self.audience)}}", "{name: passthrough, passthrough: {}}",
    ]
    plan.routesBefore =
      WayOut.allCases.map { way in
        let credential = way == .requestHeaders ? "front-proxy" : way.rawValue
        return "{name: \(way.rawValue), match: {hosts: [\(way.host)]}, upstream: kubernetes, credential: \(credential), "
          + "authenticate: [clientCertificate, password, token]}"
      } + change.routes
    plan.authentication += change.authentication
    do {
      let result = try await House.with(plan) { house in
        try house.directory.write("\(house.cluster?.gatewayToken() ?? "")\n", to: "gateway-token")
        // The port is known now, and the URL of the issuer with it.
        try house.change("localhost:1/", to: "localhost:\(house.port)/")
        try await house.reload()
        let world = CredentialWorld(
          house: house, provider: provider, minting: minting, nextMinting: nextMinting, providerAuthority: providerCA, key: key,
          mint: TokenMint(issuer: provider.issuer, now: Int(Date().timeIntervalSince1970)),
          alice: try house.pki.client("alice", groups: ["view", "dev"], change.certificate))
        if change.knowsIssuer { world.believe(audience: change.clusterAudience) }
        return try await body(world)
      }
      await provider.close()
      return result
    } catch {
      await provider.close()
      throw error
    }
  }

  /// The URL of the gateway's issuer.
  var issuer: String { "https://localhost:\(self.house.port)/.sallyport" }

  /// Has the cluster believe the gateway's tokens for an audience.
  func believe(audience: String, issuer: String? = nil) {
    let authority = self.house.pki.serverAuthority.certificatePEM
    var provider = PracticeCluster.TokenIssuer(
      url: self.provider.issuer, audiences: [Self.audience], certificateAuthority: self.providerAuthority)
    provider.usernameClaim = "email"
    self.house.cluster?.believe([
      .init(url: issuer ?? self.issuer, audiences: [audience], certificateAuthority: authority), provider,
    ])
  }

  private static func serve(_ provider: TestProvider, _ key: TokenMint.Key) throws {
    let issuer = provider.issuer
    let keySet = try TokenMint.keySet(key)
    provider.answer { path, channel in
      switch path {
      case "/.well-known/openid-configuration": TestProvider.send(#"{"issuer":"\#(issuer)","jwks_uri":"\#(issuer)/keys"}"#, to: channel)
      case "/keys": TestProvider.send(keySet, to: channel)
      case "/introspect":
        let mint = TokenMint(issuer: issuer, now: Int(Date().timeIntervalSince1970))
        let token = try? mint.token(key, ["email": #""olga@example.org""#, "groups": #"["view","ops"]"#, "sub": #""o""#])
        TestProvider.send(token ?? "", type: "application/jwt", to: channel)
      default: TestProvider.send("", status: "404 Not Found", to: channel)
      }
    }
  }

  func client(_ way: WayIn) throws -> Client {
    switch way {
    case .certificate: Client(certificate: self.alice, fields: [], username: "alice", groups: ["view", "dev"])
    case .password: Client(certificate: nil, fields: [Person.bob.basic], username: "bob", groups: ["edit"])
    case .jwt: try self.bearer()
    case .opaque:
      Client(certificate: nil, fields: ["Authorization: Bearer opaque-1"], username: "olga@example.org", groups: ["view", "ops"])
    }
  }

  /// A client with a token of the provider's.
  func bearer(_ claims: [String: String] = [:]) throws -> Client {
    Client(
      certificate: nil, fields: ["Authorization: Bearer \(try self.mint.token(self.key, claims))"], username: "alice@example.org",
      groups: ["dev", "ops"])
  }

  /// Sends bytes to the route of a way out.
  func ask(_ head: String, _ fields: [String] = [], body: String = "", at host: String, as client: Client) async throws -> Answer {
    let length = body.isEmpty ? [] : ["Content-Type: application/json", "Content-Length: \(body.utf8.count)"]
    let lines = [head + " HTTP/1.1", "Host: \(host)"] + client.fields + length + fields
    return try await self.house.ask(lines.joined(separator: "\r\n") + "\r\n\r\n" + body, as: client.certificate) { $0.serverName = nil }
  }

  /// Asks the cluster who one is.
  func whoAmI(_ client: Client, by way: WayOut, _ fields: String...) async throws -> (answer: Answer, user: JSONValue?) {
    let answer = try await self.ask(
      "POST /apis/authentication.k8s.io/v1/selfsubjectreviews", fields,
      body: #"{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}"#, at: way.host, as: client)
    return (answer, (try? JSONReader.read(answer.body.utf8))?["status"]?["userInfo"])
  }

  /// The last request that the cluster got from clients.
  func lastRequest() throws -> RecordedRequest { try #require(self.house.cluster?.recordedRequests().last) }
}
