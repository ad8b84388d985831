import Foundation
import SallyportConfiguration
import Testing

/// A configuration by which people sign in with a browser, with every key about that.
let everySignInKey = """
  apiVersion: sallyport.dev/v1alpha1
  kind: Gateway
  listeners:
  - name: main
    address: "[::1]:8443"
    tls: {certificateFile: server.pem, privateKeyFile: server.key, clientCAFile: clients.pem}
  authentication:
    clientCertificates: {}
    passwords:
    - passwordFile: {file: users.yaml}
    signIn:
      name: Example Corp
      form: true
      clientCertificate: true
      session: {idle: 10m, lifetime: 8h, refresh: 2m, perUser: 3, total: 500}
  credentials:
  - {name: nobody, none: {}}
  upstreams:
  - {name: app, servers: ["https://app.example.org"]}
  routes:
  - {name: all, upstream: app, credential: nobody, authenticate: [session], require: {methods: [session]}}
  audit: {directory: /var/log/sallyport}
  """

/// The same with sessions that several gateways share.
let everySharedSessionKey = everySignInKey.replacingOccurrences(
  of: "total: 500}",
  with: """
    total: 500, keyFile: session.key,
            redis: {url: rediss://Redis.example.org/2, username: sallyport, passwordFile: redis-password, caFile: redis-ca.pem, timeout: 500ms}}
    """)

/// The same with pages of an operator's own.
let everySignInThemeKey = everySignInKey.replacingOccurrences(
  of: "    form: true\n", with: "    form: true\n    accentColor: \"#Aa3300\"\n    logoFile: logo.svg\n")

@Suite struct SignInSectionTests {
  @Test func everyKeyIsRead() throws {
    let read = try load(everySignInKey)
    let signIn = try #require(read.authentication.signIn)
    #expect(signIn.name == "Example Corp" && signIn.form && signIn.clientCertificate)
    #expect(signIn.session.idle == .seconds(600) && signIn.session.lifetime == .seconds(28_800) && signIn.session.refresh == .seconds(120))
    #expect(signIn.session.perUser == 3 && signIn.session.total == 500)
    #expect(read.routes[0].authenticate == [.session] && read.routes[0].require?.methods == [.session])
  }

  @Test func pagesMayHaveAColourAndALogo() throws {
    let read = try load(everySignInThemeKey)
    let signIn = try #require(read.authentication.signIn)
    let colour = try #require(signIn.accentColor)
    #expect((colour.red, colour.green, colour.blue) == (0xAA, 0x33, 0))
    #expect(signIn.logoFile?.path.hasSuffix("/logo.svg") == true && read.namedFiles.contains { $0.use == .logo })
  }

  @Test(arguments: ["red", "#12345", "#1234567", "#12345g", "#+12345", "aa3300", "#\u{FF11}23456"]) func otherColoursAreFaults(
    _ text: String
  ) {
    let messages = faults(in: everySignInThemeKey, replacing: "\"#Aa3300\"", by: "\"\(text)\"")
    #expect(messages.contains { $0.contains("authentication.signIn.accentColor: is no colour") }, "\(messages)")
  }

  @Test func sessionsMayBeShared() throws {
    let read = try load(everySharedSessionKey)
    let shared = try #require(read.authentication.signIn?.session.shared)
    #expect(
      shared.keyFile.path.hasSuffix("/session.key") && shared.caFile?.path.hasSuffix("/redis-ca.pem") == true
        && shared.username == "sallyport")
    #expect(shared.url.description == "rediss://redis.example.org:6379/2" && shared.url.usesTLS && shared.timeout == .milliseconds(500))
    guard case .file(let file)? = shared.password else { return #expect(Bool(false), "no password file") }
    #expect(file.path.hasSuffix("/redis-password"))
    // Each is looked at by `check`, and watched for a reload.
    let named = Set(read.namedFiles.map(\.file.path))
    #expect(named.contains(shared.keyFile.path) && named.contains(shared.caFile?.path ?? "") && named.contains(file.path))
  }

  @Test(arguments: [
    ("keyFile: session.key", "keyFile: has no effect on sessions in memory; add redis, or remove it"),
    (
      "redis: {url: rediss://redis}",
      "redis: has no keys to seal sessions by; add keyFile: a line of `openssl rand -base64 32`, the same for all gateways"
    ),
    (
      "keyFile: k, redis: {url: redis://redis}",
      "redis.url: would send the password in the clear; write rediss, or set insecurePlaintext: true"
    ),
    (
      "keyFile: k, redis: {url: rediss://redis, insecurePlaintext: true}",
      "redis.url: is rediss beside insecurePlaintext, which is for redis; write rediss, and remove insecurePlaintext"
    ),
    (
      "keyFile: k, redis: {url: redis://redis, insecurePlaintext: true, caFile: ca.pem}",
      "redis.caFile: has no effect without TLS; remove it, or remove insecurePlaintext"
    ),
    (
      "keyFile: k, redis: {url: rediss://redis, username: sallyport}",
      "redis.username: has no password; add passwordFile or passwordEnv, or remove it"
    ),
    (
      "keyFile: k, redis: {url: rediss://redis, passwordFile: p, passwordEnv: P}",
      "redis.passwordEnv: stands beside `passwordFile`; keep one of the two"
    ),
    (
      "keyFile: k, redis: {url: \"rediss://a@redis\"}",
      "redis.url: has more than a host and a port; write it as in rediss://redis.example.org:6379"
    ),
    (
      "keyFile: k, redis: {url: rediss://redis/x}",
      "redis.url: names no database; write its number behind the slash, as in rediss://redis.example.org/2"
    ),
    (
      "keyFile: k, redis: {url: https://redis}",
      "redis.url: is not the URL of a Redis server; write it as in rediss://redis.example.org:6379"
    ),
  ])
  func whatCannotBeSharedIsAFault(_ keys: String, _ fault: String) {
    let messages = faults(in: everySignInKey, replacing: "total: 500}", by: "total: 500, \(keys)}")
    #expect(messages.contains { $0.hasSuffix("authentication.signIn.session.\(fault)") }, "\(messages)")
  }

  @Test func whatIsNotSaidIsAsDocumented() throws {
    let signIn = try #require(
      try load(
        everySignInKey.replacing(/signIn:\n(?:.|\n)*?total: 500\}/, with: "signIn: {}").replacing("  clientCertificates: {}\n", with: "")
      ).authentication.signIn)
    #expect(signIn == .init() && signIn.form && !signIn.clientCertificate && signIn.name == "Sallyport")
    #expect(signIn.session.idle == .seconds(1800) && signIn.session.lifetime == .seconds(43_200) && signIn.session.refresh == .seconds(300))
  }

  @Test(arguments: [
    (
      "    clientCertificate: true\n", "",
      ["8:23: authentication.clientCertificates: is used by no route; remove it, or list clientCertificate in a route's `authenticate`"]
    ),
    (
      "form: true\n    clientCertificate: true", "form: false\n    clientCertificate: false",
      [
        "8:23: authentication.clientCertificates: is used by no route; remove it, or list clientCertificate in a route's `authenticate`",
        "10:3: authentication.passwords: is used by no route; remove it, or list password in a route's `authenticate`",
        "12:5: authentication.signIn: lets nobody sign in; set form or clientCertificate to true, or add oidc",
      ]
    ),
    (
      "  passwords:\n  - passwordFile: {file: users.yaml}\n", "",
      [
        "11:11: authentication.signIn.form: has no password store to ask; add authentication.passwords, or set form to false"
      ]
    ),
    (
      "  clientCertificates: {}\n", "",
      [
        "13:24: authentication.signIn.clientCertificate: is not configured; add authentication.clientCertificates"
      ]
    ),
    (
      ", clientCAFile: clients.pem", "",
      [
        "14:24: authentication.signIn.clientCertificate: cannot happen: no listener has a clientCAFile; add tls.clientCAFile to a listener"
      ]
    ),
    (
      "idle: 10m", "idle: 9h",
      [
        "15:21: authentication.signIn.session.idle: is longer than the session's lifetime; write a time of at most `lifetime`"
      ]
    ),
    ("idle: 10m", "idle: 10s", ["15:21: authentication.signIn.session.idle: is out of range; write a duration from 1m to 168h"]),
    (
      "name: Example Corp", "name: \"\"",
      [
        "12:11: authentication.signIn.name: is no name for a page; write up to 64 characters in one line"
      ]
    ),
    ("idle: 10m", "keyFile: a, redis: {}", ["15:34: authentication.signIn.session.redis.url: is missing; add this key"]),
    (
      "perUser: 3", "perUser: 0",
      [
        "15:62: authentication.signIn.session.perUser: is out of range; write a whole number from 1 to 1000"
      ]
    ),
  ]) func whatIsWrongIsSaidWhereItStands(old: String, new: String, expected: [String]) {
    #expect(faults(in: everySignInKey, replacing: old, by: new) == expected)
  }

  @Test func aSessionAndItsRouteNeedEachOther() {
    #expect(
      faults(in: everySignInKey, replacing: "[session], require: {methods: [session]}", by: "[password, clientCertificate]") == [
        "12:5: authentication.signIn: is used by no route; remove it, or list session in a route's `authenticate`"
      ])
    #expect(
      faults(in: leastKeys, replacing: "[password]", by: "[password, session]") == [
        "15:75: routes[0].authenticate[1]: is not configured; add authentication.signIn"
      ])
    #expect(
      faults(in: everySignInKey, replacing: "[session], require", by: "[password], require").contains {
        $0.contains("require.methods[0]: is not accepted by the route")
      })
  }
}
