import SallyportConfiguration
import Testing

/// A configuration with every key of the token exchange.
let everyTokenExchangeKey = """
  apiVersion: sallyport.dev/v1alpha1
  kind: Gateway
  listeners:
  - {name: main, address: "[::1]:8443", tls: {certificateFile: server.pem, privateKeyFile: server.key, clientCAFile: ca.pem}}
  authentication: {clientCertificates: {}, passwords: [{passwordFile: {file: users.yaml}}]}
  issuer:
    url: "https://gateway.example.org:8443/.sallyport"
    signingKeysDirectory: keys
    tokenExchange:
      tokenLifetime: 2h
      clients:
      - id: kubectl
        public: {signIn: [password, clientCertificate]}
      - {id: reports, secretHashFile: reports.hash, audiences: [sallyport, reports], scopes: [read, write]}
      - {id: runner, certificateUser: runner.example.org, audiences: [kubernetes], insecureDirectAudience: true}
  credentials:
  - name: token
    idToken: {audience: kubernetes}
  upstreams: [{name: kubernetes, kind: kubernetes, servers: ["https://10.0.0.1:6443"], caFile: cluster-ca.pem}]
  routes:
  - {name: api, upstream: kubernetes, credential: token, authenticate: [token], require: {methods: [issuedToken]}}
  audit: {directory: audit}
  """

@Suite struct TokenExchangeSectionTests {
  @Test func everyKeyIsRead() throws {
    let read = try load(everyTokenExchangeKey)
    let exchange = try #require(read.issuer?.tokenExchange)
    #expect(exchange.tokenLifetime == .seconds(7200) && read.issuer?.longestTokenLifetime == .seconds(7200))
    #expect(exchange.clients.map(\.id) == ["kubectl", "reports", "runner"])
    #expect(exchange.clients[0].authentication == .public(signIn: [.password, .clientCertificate]))
    #expect(exchange.clients[0].audiences == ["sallyport"] && exchange.clients[0].scopes.isEmpty)
    guard case .secret(let file) = exchange.clients[1].authentication else {
      Issue.record("no secret")
      return
    }
    #expect(file.path == "/etc/sallyport/reports.hash" && exchange.clients[1].scopes == ["read", "write"])
    #expect(read.namedFiles.contains { $0.use == .passwords && $0.file == file })
    #expect(exchange.clients[2].authentication == .certificate(user: "runner.example.org"))
    #expect(exchange.clients[2].insecureDirectAudience && !exchange.clients[1].insecureDirectAudience)
  }

  @Test func withoutTheSectionNobodyGetsATokenAndItsLifetimeHasADefault() throws {
    let without = everyTokenExchangeKey.replacing(#/\n  tokenExchange:(\n    .*)+/#, with: "").replacing("[token]", with: "[password]")
      .replacing(", require: {methods: [issuedToken]}", with: "").replacing("clientCertificates: {}, ", with: "")
    #expect(try load(without).issuer?.tokenExchange == nil)
    let short = try load(everyTokenExchangeKey.replacing("    tokenLifetime: 2h\n", with: ""))
    #expect(short.issuer?.tokenExchange?.tokenLifetime == .seconds(3600))
  }

  @Test(arguments: [
    (
      "tokenLifetime: 2h", "tokenLifetime: 13h",
      "10:20: issuer.tokenExchange.tokenLifetime: is out of range; write a duration from 1m to 12h"
    ),
    ("id: reports", "id: kubectl", "14:12: issuer.tokenExchange.clients[1].id: is the id of an earlier client; choose another"),
    ("id: reports", "id: \"a b\"", "14:12: issuer.tokenExchange.clients[1].id: is not a name;"),
    ("secretHashFile: reports.hash, ", "", "14:7: issuer.tokenExchange.clients[1]: has none of the keys"),
    ("certificateUser:", "public: {}, certificateUser:", "issuer.tokenExchange.clients[2].certificateUser: stands beside `public`"),
    ("[password, clientCertificate]", "[password, saml]", "issuer.tokenExchange.clients[0].public.signIn[1]: is not a known word;"),
    (
      "[password, clientCertificate]", "[password, password]",
      "13:35: issuer.tokenExchange.clients[0].public.signIn[1]: stands in the list twice; remove it"
    ),
    ("[read, write]", "[\"read it\"]", "issuer.tokenExchange.clients[1].scopes[0]: is not a scope;"),
    (
      "[sallyport, reports]", "[sallyport, kubernetes]",
      "issuer.tokenExchange.clients[1].audiences[1]: is an upstream's own: whoever holds a token for it goes past the gateway;"
    ),
    (
      "audiences: [kubernetes], insecure", "audiences: [sallyport], insecure",
      "issuer.tokenExchange.clients[2].insecureDirectAudience: is true, and no audience is an upstream's own; remove it"
    ),
    (
      "idToken: {audience: kubernetes}", "idToken: {audience: sallyport}",
      "routes[0].credential: shows an API server tokens for `sallyport`, which is this gateway's own audience;"
    ),
    (
      "clientCertificates: {}, ", "",
      "13:35: issuer.tokenExchange.clients[0].public.signIn[1]: is not configured; add authentication.clientCertificates"
    ),
    (
      ", clientCAFile: ca.pem", "", "issuer.tokenExchange.clients[2].certificateUser: cannot happen: no listener has a clientCAFile;"
    ),
    (
      ", passwords: [{passwordFile: {file: users.yaml}}]", "",
      "issuer.tokenExchange.clients[0].public.signIn[0]: is not configured; add authentication.passwords"
    ),
    (
      "authenticate: [token], require: {methods: [issuedToken]}", "authenticate: [password]",
      "issuer.tokenExchange: has tokens for this gateway, and no route accepts them; list token in a route's `authenticate`"
    ),
  ]) func whatIsWrongIsToldWithItsPlace(old: String, new: String, fault: String) {
    let found = faults(in: everyTokenExchangeKey, replacing: old, by: new)
    #expect(found.contains { $0.contains(fault) }, "\(found)")
  }

  /// Ways to sign in that only tokens are given for are of use, and a route may take such tokens alone.
  @Test func whatTokensAreGivenForCountsAsUsed() throws {
    #expect(try load(everyTokenExchangeKey).routes[0].authenticate == [.token])
    let unused = everyTokenExchangeKey.replacing(
      "public: {signIn: [password, clientCertificate]}", with: "public: {signIn: [clientCertificate]}")
    #expect(faults(in: unused).contains { $0.contains("authentication.passwords: is used by no route") })
  }
}
