import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// Signing in to the pages by way of a real OpenID provider, glewlwyd, with a real browser.
  @Suite(.serialized, .timeLimit(.minutes(10))) struct ProviderBrowserTests {
    private struct Seen: Decodable {
      let whoami: String
      /// The path at the provider where signing out ended.
      let end: String
      let pictures: [String]
    }

    @Test func peopleSignInByARealProvider() async throws {
      let started = Observed<GlewlwydServer?>(nil)
      try await ServedGateway.with(changing: { configuration, directory in
        let provider = try await GlewlwydServer(
          authority: directory.read("server-ca.pem"), certificate: directory.read("server.pem"), privateKey: directory.read("server.key"))
        started.value = provider
        try directory.write("portal-secret\n", to: "client-secret")
        configuration = configuration.replacing(
          "authentication: {clientCertificates: {}}",
          with: "authentication: {signIn: {name: Example Corp, form: false, oidc: {name: Glewlwyd, issuer: \"\(provider.issuer)\", "
            + "certificateAuthorityFile: server-ca.pem, clientID: portal, clientSecretFile: client-secret, logout: true, "
            + "claimMappings: {username: {claim: email, prefix: \"\"}, groups: {claim: groups, prefix: \"\"}}}}}"
        ).replacing(", clientCAFile: client-ca.pem", with: "").replacing(
          "authenticate: [clientCertificate]", with: "authenticate: [session]")
      }) { served in
        let provider = try #require(started.value)
        try await provider.addClient(ofGatewayAt: served.url)
        // `SALLYPORT_PICTURES` keeps the pictures for somebody to look at.
        let pictures = ProcessInfo.processInfo.environment["SALLYPORT_PICTURES"] ?? served.file("pictures")
        try FileManager.default.createDirectory(atPath: pictures, withIntermediateDirectories: true)
        let browsed = try await run(
          Installation.python,
          [
            Installation.client("browser_provider.py"), served.url, served.file("server-ca.pem"), "https://localhost:\(provider.port)",
            pictures,
          ])
        #expect(browsed.status == 0, "\(browsed.transcript) \(provider.process.output)")
        let seen = try JSONDecoder().decode(Seen.self, from: Data(browsed.output.utf8))
        #expect(seen.whoami.contains("alice@example.org") && seen.whoami.contains("edit") && seen.pictures.count == 12)
        #expect(!seen.end.isEmpty)
        let records = try AuditLine.read(served.file("audit/requests.jsonl"))
        let signedIn = try #require(records.first { $0.annotations?["sallyport.dev/sign-in"] == "signed-in" })
        #expect(signedIn.user?.username == "alice@example.org" && signedIn.user?.groups?.sorted() == ["edit", "staff"])
        let origin = try #require(signedIn.annotations?["sallyport.dev/original-identity"])
        #expect(origin.contains(provider.issuer) && origin.contains(#""signedInBy":"oidc""#), "\(origin)")
        #expect(records.contains { $0.annotations?["sallyport.dev/sign-in"] == "signed-out" })
        let probed = try await run(Installation.sallyport, ["check", "--probe", "--config", served.file("sallyport.yaml")])
        #expect(probed.transcript.contains("sign-in by \(provider.issuer): discovery has what signing in needs"), "\(probed.transcript)")
      }
      try await started.value?.stop()
    }

    private final class Observed<Value> {
      var value: Value
      init(_ value: Value) { self.value = value }
    }
  }
}
