import SallyportConfiguration
import SallyportStrictYAML
import TestSupport
import Testing

@Suite struct TokenSectionTests {
  private static let least = """
    apiVersion: sallyport.dev/v1alpha1
    kind: Gateway
    listeners:
    - {name: main, address: "[::1]:8443", tls: {certificateFile: server.pem, privateKeyFile: server.key}}
    authentication:
      tokens:
      - jwt:
          issuer: {url: "https://idp.example.org/realm", audiences: [kubernetes]}
          claimMappings:
            username: {claim: sub}
            groups: {claim: groups}
    credentials: [{name: nobody, none: {}}]
    upstreams: [{name: app, servers: ["https://app.example.org"]}]
    routes:
    - {name: all, upstream: app, credential: nobody, authenticate: [token]}
    audit: {directory: /var/log/sallyport}
    """

  private func jwt(_ configuration: GatewayConfiguration) throws -> GatewayConfiguration.Authentication.JWT {
    guard case .jwt(let jwt)? = configuration.authentication.tokens.first else { throw Missing() }
    return jwt
  }

  private struct Missing: Error {}

  @Test func anIssuersNamesAreItsOwnUnlessToldOtherwise() throws {
    let jwt = try self.jwt(load(Self.least))
    #expect(jwt.username.prefix == "https://idp.example.org/realm#")
    #expect(jwt.groups?.prefix == "https://idp.example.org/realm#")
    #expect(jwt.algorithms.count == 10)
    let written = try self.jwt(load(Self.least.replacing("{claim: sub}", with: "{claim: sub, prefix: \"\"}")))
    #expect(written.username.prefix == "")
  }

  @Test(arguments: [
    ("https://idp.example.org/realm", "http://idp.example.org", "8:21: authentication.tokens[0].jwt.issuer.url: is not encrypted;"),
    ("https://idp.example.org/realm", "idp.example.org", "8:21: authentication.tokens[0].jwt.issuer.url: is not an https URL;"),
    ("https://idp.example.org/realm", "https://u@idp.example.org", "8:21: authentication.tokens[0].jwt.issuer.url: has credentials in it;"),
    (
      "https://idp.example.org/realm", "https://idp.example.org/?a=b",
      "8:21: authentication.tokens[0].jwt.issuer.url: has a query or fragment;"
    ),
    ("[kubernetes]", "[]", "8:65: authentication.tokens[0].jwt.issuer.audiences: has too few items;"),
    (
      "username: {claim: sub}", "username: {expression: 'claims.sub'}",
      "10:20: authentication.tokens[0].jwt.claimMappings.username.expression: is not supported in this version;"
    ),
    (
      "groups: {claim: groups}", "extra: [{key: a, valueExpression: x}]",
      "11:26: authentication.tokens[0].jwt.claimMappings.extra[0].valueExpression: is not supported in this version;"
    ),
    (
      "      claimMappings:", "      userValidationRules: []\n      claimMappings:",
      "9:7: authentication.tokens[0].jwt.userValidationRules: is not supported in this version;"
    ),
    (
      "      claimMappings:", "      claimValidationRules: [{expression: a}]\n      claimMappings:",
      "9:31: authentication.tokens[0].jwt.claimValidationRules[0].expression: is not supported in this version;"
    ),
    (
      "      claimMappings:", "      algorithms: [HS256]\n      claimMappings:",
      "9:20: authentication.tokens[0].jwt.algorithms[0]: is not a known word;"
    ),
    (
      "      claimMappings:", "      algorithms: [none]\n      claimMappings:",
      "9:20: authentication.tokens[0].jwt.algorithms[0]: is not a known word;"
    ),
    (
      "  - jwt:", "  - tokenReview: {upstream: cluster}\n  - jwt:",
      "7:29: authentication.tokens[0].tokenReview.upstream: names no upstream;"
    ),
    (
      "  - jwt:", "  - tokenReview: {upstream: app}\n  - jwt:",
      "7:29: authentication.tokens[0].tokenReview.upstream: names an upstream that is no API server;"
    ),
    ("authenticate: [token]", "authenticate: [token], require: {}", "15:82: routes[0].require: requires nothing;"),
    (
      "authenticate: [token]", "authenticate: [token], require: {methods: [passwordFile]}",
      "15:93: routes[0].require.methods[0]: is not accepted by the route;"
    ),
  ]) func whatIsWrongIsSaid(old: String, new: String, fault: String) {
    let found = faults(in: Self.least, replacing: old, by: new)
    #expect(found.count == 1 && found[0].hasPrefix(fault), "\(found)")
  }

  private static let introspection = """
      - introspection:
          url: https://idp.example.org/introspect
          clientID: sallyport
          clientSecretFile: secret
          claimMappings: {username: {claim: username}}

    """

  private func introspection(_ old: String = "", _ new: String = "") -> String {
    Self.least.replacing("  - jwt:", with: (old.isEmpty ? Self.introspection : Self.introspection.replacing(old, with: new)) + "  - jwt:")
  }

  @Test func anIntrospectionEndpointIsReadWithItsDefaults() throws {
    let read = try load(self.introspection())
    guard case .introspection(let endpoint)? = read.authentication.tokens.first else { throw Missing() }
    guard case .basic(let secret) = endpoint.clientAuthentication else { throw Missing() }
    #expect(secret.path.hasSuffix("secret") && endpoint.timeout == .seconds(5) && endpoint.answer == .json)
    #expect(endpoint.username.prefix == "https://idp.example.org/introspect#")
    #expect(endpoint.groups == nil && endpoint.issuer == nil && endpoint.audiences.isEmpty)
    #expect(read.namedFiles.contains { $0.use == .passwords && $0.file.path.hasSuffix("secret") })
  }

  @Test(arguments: [
    ("https://idp", "http://idp", "8:12: authentication.tokens[0].introspection.url: is not encrypted;"),
    ("      clientID: sallyport\n", "", "8:7: authentication.tokens[0].introspection.clientID:"),
    ("      clientSecretFile: secret\n", "", "8:7: authentication.tokens[0].introspection.clientSecretFile:"),
    ("      clientSecretFile: secret\n", "      clientSecret: secret\n", "10:7: authentication.tokens[0].introspection.clientSecret:"),
    ("clientID: sallyport", "clientID: a\n      timeout: 1h", "10:16: authentication.tokens[0].introspection.timeout:"),
    ("clientID: sallyport", "clientID: a\n      audiences: []", "10:18: authentication.tokens[0].introspection.audiences:"),
    (
      "clientID: sallyport", "clientID: a\n      insecurePlaintext: true",
      "10:26: authentication.tokens[0].introspection.insecurePlaintext: is true while the url is https;"
    ),
    (
      "clientID: sallyport", "clientID: a\n      clientAuthentication: none",
      "10:29: authentication.tokens[0].introspection.clientAuthentication: is not a known word;"
    ),
    (
      "clientID: sallyport", "clientID: a\n      clientKeyFile: k",
      "10:22: authentication.tokens[0].introspection.clientKeyFile: is of no use with a secret;"
    ),
    (
      "clientID: sallyport", "clientID: a\n      clientAuthentication: privateKeyJWT\n      clientKeyFile: k",
      "12:25: authentication.tokens[0].introspection.clientSecretFile: is of no use with privateKeyJWT;"
    ),
    (
      "clientSecretFile: secret", "clientAuthentication: privateKeyJWT",
      "8:7: authentication.tokens[0].introspection.clientKeyFile: is missing;"
    ),
    (
      "clientID: sallyport", "clientID: a\n      algorithms: [ES256]",
      "10:19: authentication.tokens[0].introspection.algorithms: is of use for signed answers alone;"
    ),
    (
      "clientID: sallyport", "clientID: a\n      answer: introspectionJWT",
      "10:15: authentication.tokens[0].introspection.answer: has the answers signed by nobody;"
    ),
    (
      "clientID: sallyport", "clientID: a\n      answer: jwt\n      issuer: https://idp.example.org",
      "10:15: authentication.tokens[0].introspection.answer: has tokens for anybody's audience;"
    ),
    (
      "clientID: sallyport", "clientID: a\n      answer: jws",
      "10:15: authentication.tokens[0].introspection.answer: is not a known word;"
    ),
  ]) func whatIsWrongWithAnEndpointIsSaid(old: String, new: String, fault: String) {
    let found = faults(in: self.introspection(old, new))
    #expect(found.contains { $0.hasPrefix(fault) }, "\(found)")
  }

  @Test func aClusterIsAskedAsSomebody() {
    let text = Self.least.replacing("  - jwt:", with: "  - tokenReview: {upstream: app}\n  - jwt:")
      .replacing("[{name: app,", with: "[{name: app, kind: kubernetes,")
    #expect(
      faults(in: text) == [
        "7:29: authentication.tokens[0].tokenReview.upstream: cannot be asked: no route to it has a credential that says who asks; "
          + "add a route to it with such a credential"
      ])
    let twice = text.replacing("  - jwt:", with: "  - tokenReview: {upstream: app}\n  - jwt:")
    #expect(faults(in: twice).contains { $0.hasPrefix("8:29: authentication.tokens[1].tokenReview.upstream: is asked already;") })
  }

  @Test func tokensAreConfiguredAndUsedTogether() {
    #expect(
      faults(in: leastKeys, replacing: "[password]", by: "[password, token]").map { $0.drop { $0 != "r" } }.count == 1)
    let unused = Self.least.replacing("authenticate: [token]", with: "authenticate: [], anonymous: [/x]")
    #expect(faults(in: unused).contains { $0.contains("authentication.tokens: is used by no route") })
  }

  @Test func aFileOfKubernetesIsReadAsItIs() throws {
    let directory = TemporaryDirectory()
    let path = try directory.write(
      """
      apiVersion: apiserver.config.k8s.io/v1beta1
      kind: AuthenticationConfiguration
      jwt:
      - issuer:
          url: https://one.example.org
          discoveryURL: https://internal.example.org/.well-known/openid-configuration
          audiences: [a, b]
          audienceMatchPolicy: MatchAny
          certificateAuthority: |
            -----BEGIN CERTIFICATE-----
        claimValidationRules:
        - {claim: hd, requiredValue: example.org}
        claimMappings:
          username: {claim: email, prefix: ""}
          groups: {claim: roles, prefix: "one:"}
          uid: {claim: sub}
      anonymous: {enabled: false}
      """, to: "authentication.yaml")
    let place = FilePlace(file: path, line: 1, column: 1, keyPath: "")
    let read = try GatewayConfiguration.Authentication.issuers(in: NamedFile(path: path, place: place))
    #expect(read.map(\.url) == ["https://one.example.org"])
    #expect(read.first?.uid == "sub" && read.first?.groups?.prefix == "one:" && read.first?.audiences == ["a", "b"])

    let refused = try directory.write(
      """
      apiVersion: apiserver.config.k8s.io/v1
      kind: AuthenticationConfiguration
      jwt:
      - issuer: {url: "https://one.example.org", audiences: [a]}
        claimMappings: {username: {expression: claims.email}}
        userValidationRules: [{expression: "!user.username.startsWith('system:')"}]
      anonymous: {enabled: true}
      """, to: "refused.yaml")
    do throws(FileFaults) {
      _ = try GatewayConfiguration.Authentication.issuers(in: NamedFile(path: refused, place: place))
      Issue.record("rules in CEL were taken")
    } catch {
      let text = error.description
      #expect(text.contains("jwt[0].claimMappings.username.expression: is not supported in this version"))
      #expect(text.contains("jwt[0].userValidationRules: is not supported in this version"))
      #expect(text.contains("anonymous.enabled: opens the API to anybody"))
    }
  }
}
