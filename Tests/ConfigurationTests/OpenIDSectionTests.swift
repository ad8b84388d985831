import Foundation
import SallyportConfiguration
import SallyportJOSE
import Testing

/// A configuration by which people sign in at OpenID providers, with every key about that.
let everyOpenIDKey = everySignInKey.replacingOccurrences(
  of: "    session: {",
  with: """
        oidc:
        - issuer: https://idp.example.org/realms/main
          name: Example IdP
          certificateAuthorityFile: idp-ca.pem
          clientID: sallyport
          clientAuthentication: privateKeyJWT
          clientKeyFile: client.key
          clientKeyID: key-1
          clientAssertionAudience: https://idp.example.org/token
          scopes: [openid, profile, groups, offline_access]
          algorithms: [RS256, ES256]
          claimMappings:
            username: {claim: email, prefix: ""}
            groups: {claim: realm_access.roles, prefix: "oidc:"}
            uid: {claim: sub}
            extra: [{key: example.org/department, claim: department}]
          claimValidationRules: [{claim: hd, requiredValue: example.org}]
          groupsFrom: userinfo
          refresh: true
          logout: true
        - {id: other, issuer: "https://other.example.org", discoveryURL: "https://other.example.org/d", clientID: x,
           clientSecretFile: secret, claimMappings: {username: {claim: sub}}}
        - {id: third, issuer: "http://third.example.org:8080", insecurePlaintext: true, name: Third, clientID: x, publicClient: true,
           refresh: false, claimMappings: {username: {claim: sub}}}
        session: {
    """)

@Suite struct OpenIDSectionTests {
  /// A provider as `oidc`, with no more than it needs.
  private static let least = """
    {issuer: "https://idp.example.org", clientID: sallyport, clientSecretFile: secret, claimMappings: {username: {claim: email}}}
    """

  private func with(_ oidc: String) -> String {
    everySignInKey.replacingOccurrences(of: "    session: {", with: "    oidc: \(oidc)\n    session: {")
  }

  private func found(_ oidc: String) -> [String] {
    faults(in: self.with(oidc)).map { $0.replacing(/^[0-9]+:[0-9]+: authentication\.signIn\.?/, with: "") }
  }

  @Test func everyKeyIsRead() throws {
    let read = try load(everyOpenIDKey)
    let providers = try #require(read.authentication.signIn?.oidc)
    #expect(providers.map(\.id) == [nil, "other", "third"] && providers.map(\.name) == ["Example IdP", "other.example.org", "Third"])
    let main = providers[0]
    #expect(main.issuer == "https://idp.example.org/realms/main" && main.clientID == "sallyport" && main.logout && main.refresh)
    #expect(main.scopes == ["openid", "profile", "groups", "offline_access"] && main.algorithms == [.rs256, .es256])
    #expect(main.username.claim == "email" && main.username.prefix == "" && main.uid == "sub" && main.extra.count == 1)
    #expect(main.groups?.claim == "realm_access.roles" && main.groups?.prefix == "oidc:" && main.groupsFrom == .userinfo)
    #expect(main.requirements.first?.requiredValue == "example.org")
    guard case .privateKeyJWT(let key, "key-1", "https://idp.example.org/token")? = main.clientAuthentication else {
      return #expect(Bool(false), "no key")
    }
    #expect(providers[1].discoveryURL == "https://other.example.org/d" && providers[1].scopes == ["openid"])
    // Names are kept apart as with tokens.
    #expect(providers[1].username.prefix == "https://other.example.org#" && providers[1].groupsFrom == .idToken && !providers[1].logout)
    #expect(providers[2].clientAuthentication == nil && providers[2].insecurePlaintext && !providers[2].refresh)
    // Each is looked at by `check`, and watched for a reload.
    let named = Set(read.namedFiles.map(\.file.path))
    #expect(named.contains(key.path) && named.contains { $0.hasSuffix("/idp-ca.pem") } && named.contains { $0.hasSuffix("/secret") })
  }

  @Test func oneProviderNeedsNoList() throws {
    let signIn = try #require(try load(self.with(Self.least)).authentication.signIn)
    #expect(signIn.oidc.count == 1 && signIn.oidc[0].name == "idp.example.org" && signIn.oidc[0].id == nil)
    // It is a way in by itself.
    let alone = self.with(Self.least).replacing("form: true", with: "form: false").replacing(
      "clientCertificate: true", with: "clientCertificate: false"
    ).replacing("  clientCertificates: {}\n", with: "").replacing("  passwords:\n  - passwordFile: {file: users.yaml}\n", with: "")
    #expect(try load(alone).authentication.signIn?.oidc.count == 1)
  }

  @Test(arguments: [
    ("{}", "oidc.issuer: is missing; add this key"),
    ("[]", "oidc: has too few items; list at least 1"),
    ("https://idp.example.org", "oidc: is"),
    ("{LEAST, audiences: [a]}", "oidc.audiences: is not a known key;"),
    ("{LEAST, userValidationRules: []}", "oidc.userValidationRules: is not supported in this version;"),
    ("{LEAST, scopes: [profile]}", "oidc.scopes: has no `openid`, without which there is no id_token; add it"),
    ("{LEAST, scopes: [\"a b\"]}", "oidc.scopes[0]: is not a scope;"),
    ("{LEAST, groupsFrom: userinfo}", "oidc.groupsFrom: has no effect without groups; add claimMappings.groups, or remove it"),
    ("{LEAST, groupsFrom: ldap}", "oidc.groupsFrom: is not a known word;"),
    ("{LEAST, id: A/b}", "oidc.id: is no part of a path; use up to 63 lower-case letters, digits and `-`"),
    ("{LEAST, id: \"..\"}", "oidc.id: is no part of a path;"),
    ("{LEAST, name: \"\"}", "oidc.name: is"),
    ("{LEAST, insecurePlaintext: true}", "oidc.insecurePlaintext: is true while the issuer is https; remove it"),
    ("{LEAST, clientKeyFile: k}", "oidc.clientKeyFile: is of no use with a secret;"),
    ("{LEAST, publicClient: true}", "oidc.clientSecretFile: is of no use with a public client; remove it, or remove publicClient"),
    ("{LEAST, discoveryURL: \"http://idp.example.org\"}", "oidc.discoveryURL: is not encrypted;"),
    ("{LEAST, algorithms: [none]}", "oidc.algorithms[0]: is not a known word;"),
    ("[{LEAST}, {LEAST, id: b, name: B}]", "oidc[1].issuer: is the issuer of an earlier provider; remove one of the two"),
    (
      "[{LEAST}, {OTHER}]",
      "oidc[1]: has the same callback path as an earlier provider; add an `id`, which becomes the last part of the path"
    ),
    ("[{LEAST, id: a}, {OTHER, id: a}]", "oidc[1].id: is the id of an earlier provider; choose another"),
    ("[{LEAST, name: A}, {OTHER, id: b, name: A}]", "oidc[1].name: is the name of an earlier provider; choose another"),
  ]) func whatIsWrongIsSaid(_ oidc: String, _ fault: String) {
    let least = String(Self.least.trimmingCharacters(in: .whitespacesAndNewlines).dropFirst().dropLast())
    let other = least.replacing("idp.example", with: "other.example")
    let found = self.found(oidc.replacing("LEAST", with: least).replacing("OTHER", with: other))
    #expect(found.contains { $0.hasPrefix(fault) }, "\(found)")
  }

  @Test func aPlaintextIssuerIsOneOnPurpose() {
    let plain = Self.least.replacing("https://idp.example.org", with: "http://idp.example.org")
    #expect(self.found(plain).first?.hasPrefix("oidc.issuer: is not encrypted;") == true)
  }
}
