import Foundation
import NIOConcurrencyHelpers
import SallyportPKI
import TestSupport
import Testing

extension SystemTests {
  /// kubectl by kubeconfigs that `sallyport kubeconfig` writes, for each method, with what `sallyport login` got.
  @Suite(.serialized) struct KubectlSignInTests {
    private static let password = "correct horse 17"
    private static let users = """
      users:
      - name: bob
        passwordHash: "$6$practice$MigJsks8HMnM6vRMCuMnI48JKLMmTUuHCBEgOuisn/ncFIVCwWfUtUBEy5H736fDRQYNwQRP5X649lOojfC7X1"
        groups: [edit]

      """

    /// Has the gateway know bob's password, and give tokens.
    private static var giving: ServedGateway.Change {
      { configuration, directory in
        try directory.write(Self.users, to: "users.yaml")
        let keys = try await sallyport("keys", "rotate", "--directory", directory.file("keys"))
        #expect(keys.status == 0, "\(keys.transcript)")
        configuration =
          configuration
          .replacing(
            "authentication: {clientCertificates: {}}",
            with: """
              authentication: {clientCertificates: {}, passwords: [{passwordFile: {file: users.yaml}}]}
              issuer:
                url: https://127.0.0.1:1/.sallyport
                signingKeysDirectory: keys
                tokenExchange: {clients: [{id: kubectl, public: {signIn: [password, clientCertificate]}}]}
              """
          )
          .replacing("[clientCertificate]\n", with: "[clientCertificate, password, token]\n")
      }
    }

    private func kubeconfig(_ served: ServedGateway, _ name: String, input: String? = nil, _ arguments: [String]) async throws -> String {
      let written = try await run(
        Installation.sallyport,
        ["kubeconfig", "--server", served.url, "--ca-file", served.file("server-ca.pem"), "--method"] + arguments,
        input: input.map { Data($0.utf8) })
      try #require(written.status == 0, "\(written.transcript)")
      return try served.directory.write(written.output, to: "\(name).kubeconfig")
    }

    private func environment(_ served: ServedGateway, _ name: String = "cache") -> [String: String] {
      ["XDG_CACHE_HOME": served.file(name)]
    }

    private func login(_ served: ServedGateway, _ arguments: [String], input: String? = nil) async throws -> ToolRun {
      try await run(
        Installation.sallyport, ["login", "--server", served.url, "--ca-file", served.file("server-ca.pem")] + arguments,
        environment: self.environment(served), input: input.map { Data($0.utf8) })
    }

    /// Reads pods and runs a command in one: the second is a tunnel.
    private func use(_ kubectl: Kubectl, _ kubeconfig: String, _ environment: [String: String] = [:]) async throws {
      let pods = try await kubectl.run(["-n", "dev", "get", "pods", "-o", "name"], kubeconfig: kubeconfig, environment: environment)
      #expect(pods.status == 0 && pods.output.contains("pod/web-0"), "\(pods.transcript)")
      let exec = try await kubectl.run(
        ["-n", "dev", "exec", "web-0", "--", "echo", "hello"], kubeconfig: kubeconfig, environment: environment)
      #expect(exec.status == 0 && exec.output.contains("hello"), "\(exec.transcript)")
    }

    private func lastRecord(_ served: ServedGateway) throws -> AuditLine {
      try #require(try AuditLine.read(served.file("audit/requests.jsonl")).last { $0.user?.username != nil })
    }

    @Test(arguments: Kubectl.allCases) func aCertificateAPasswordOrATokenStandsInTheKubeconfig(_ kubectl: Kubectl) async throws {
      try await ServedGateway.with(changing: Self.giving) { served in
        let certificate = try await self.kubeconfig(
          served, "certificate", ["certificate", "--client-certificate", served.file("eve.pem"), "--client-key", served.file("eve.key")])
        try await self.use(kubectl, certificate)
        #expect(try self.lastRecord(served).user?.username == "eve")
        let basic = try await self.kubeconfig(
          served, "basic", input: Self.password + "\n", ["basic", "--username", "bob", "--password-stdin"])
        try await self.use(kubectl, basic)
        #expect(try self.lastRecord(served).user?.username == "bob")
        // A token of the gateway's, as curl gets it.
        let given = try await run(
          "curl",
          [
            "--silent", "--show-error", "--cacert", served.file("server-ca.pem"), "--user", "bob:\(Self.password)", "--data",
            "grant_type=client_credentials&client_id=kubectl", "\(served.url)/.sallyport/token",
          ])
        let document = try #require(
          try JSONSerialization.jsonObject(with: Data(given.output.utf8)) as? [String: Any], "\(given.transcript)")
        let text = try #require(document["access_token"] as? String)
        let token = try await self.kubeconfig(served, "token", input: text + "\n", ["token"])
        try await self.use(kubectl, token)
        let record = try self.lastRecord(served)
        #expect(record.user?.username == "bob" && record.annotations?["sallyport.dev/authentication"] == "issuedToken")
        let log = try String(contentsOfFile: served.file("audit/requests.jsonl"), encoding: .utf8) + served.process.errors
        for secret in [text, Self.password] { #expect(!log.contains(secret)) }
      }
    }

    @Test(arguments: Kubectl.allCases) func kubectlGetsItsTokensByThePlugin(_ kubectl: Kubectl) async throws {
      try await ServedGateway.with(changing: Self.giving) { served in
        let version = kubectl == .debian ? "v1beta1" : "v1"
        let plugin = ["exec", "--command", Installation.sallyport, "--exec-version", version]
        let kubeconfig = try await self.kubeconfig(served, "exec", plugin)
        let environment = self.environment(served)

        // Nobody has signed in, and nobody is at a terminal: kubectl's user reads what to do.
        let early = try await kubectl.run(["-n", "dev", "get", "pods"], kubeconfig: kubeconfig, environment: environment)
        #expect(early.status == 1, "\(early.transcript)")
        #expect(
          early.errors.contains("You have not signed in at \(served.url) yet. Run: sallyport login --server \(served.url)"),
          "\(early.transcript)")

        let wrong = try await self.login(served, ["--username", "bob", "--password-stdin"], input: "wrong\n")
        #expect(wrong.status == 1 && wrong.errors.contains("The credentials were not accepted."), "\(wrong.transcript)")
        let good = try await self.login(served, ["--username", "bob", "--password-stdin"], input: Self.password + "\n")
        #expect(good.status == 0 && good.errors.contains("Signed in until ") && good.output.isEmpty, "\(good.transcript)")
        try await self.use(kubectl, kubeconfig, environment)
        let record = try self.lastRecord(served)
        #expect(record.user?.username == "bob" && record.annotations?["sallyport.dev/authentication"] == "issuedToken")

        // By a certificate the plugin signs in by itself.
        let own = try await self.kubeconfig(
          served, "certificate-exec",
          plugin + ["--client-certificate", served.file("eve.pem"), "--client-key", served.file("eve.key"), "--session", "eve"])
        try await self.use(kubectl, own, environment)
        #expect(try self.lastRecord(served).user?.username == "eve")
        let issued = try AuditLine.read(served.file("audit/requests.jsonl")).filter { $0.annotations?["sallyport.dev/issued"] != nil }
        #expect(issued.map { $0.user?.username } == ["bob", "eve"])
      }
    }

    @Test func aBrowserSignsInAtTheProviderAndTheGatewayExchanges() async throws {
      let pki = try TestPKI()
      let provider = try await TestProvider(certificate: pki.server)
      let key = try TokenMint.Key()
      let issuer = provider.issuer
      let keySet = try TokenMint.keySet(key)
      let nonce = NIOLockedValueBox("")
      provider.answer { path, channel in
        switch path {
        case "/.well-known/openid-configuration":
          TestProvider.send(
            #"""
            {"issuer":"\#(issuer)","jwks_uri":"\#(issuer)/keys","authorization_endpoint":"\#(issuer)/authorize",
             "token_endpoint":"\#(issuer)/token"}
            """#, to: channel)
        case "/keys": TestProvider.send(keySet, to: channel)
        default:
          let mint = TokenMint(issuer: issuer, now: Int(Date().timeIntervalSince1970))
          let token = try? mint.token(key, ["groups": #"["edit"]"#, "nonce": "\"\(nonce.withLockedValue { $0 })\""])
          TestProvider.send(#"{"id_token":"\#(token ?? "")","refresh_token":"r-1"}"#, to: channel)
        }
      }
      let accepting: ServedGateway.Change = { configuration, directory in
        try await Self.giving(&configuration, directory)
        try directory.write(pki.serverAuthority.certificatePEM, to: "idp-ca.pem")
        configuration = configuration.replacing(
          "file: users.yaml}}]}",
          with: """
            file: users.yaml}}], tokens: [{jwt: {
              issuer: {url: "\(issuer)", audiences: [kubernetes], certificateAuthorityFile: idp-ca.pem},
              claimMappings: {username: {claim: email, prefix: ""}, groups: {claim: groups, prefix: ""}}}}]}
            """)
      }
      try await ServedGateway.with(changing: accepting) { served in
        let login = try RunningTool(
          Installation.sallyport,
          [
            "login", "--server", served.url, "--ca-file", served.file("server-ca.pem"), "--oidc-issuer", issuer, "--oidc-client-id",
            "kubernetes", "--oidc-ca-file", served.file("idp-ca.pem"), "--exchange", "--no-browser",
          ], environment: self.environment(served))
        let line = #/Sign in by your browser: (\S+)\n/#
        let shown = try await login.waitForErrors { $0.contains(line) }
        let match = try #require(shown.firstMatch(of: line))
        let address = try #require(URLComponents(string: String(match.1)))
        func asked(_ name: String) -> String { address.queryItems?.first { $0.name == name }?.value ?? "" }
        nonce.withLockedValue { $0 = asked("nonce") }
        #expect(asked("code_challenge_method") == "S256" && asked("scope") == "openid offline_access")
        let browser = try await run("curl", ["--silent", "--show-error", "\(asked("redirect_uri"))?code=c-1&state=\(asked("state"))"])
        #expect(browser.output.contains("go back to the terminal"), "\(browser.transcript)")
        let ended = try await login.result()
        #expect(ended.status == 0 && ended.errors.contains("Signed in until "), "\(ended.transcript)")
        #expect(provider.requests.contains { $0.body.contains("code=c-1") && $0.body.contains("code_verifier=") })

        let kubeconfig = try await self.kubeconfig(served, "exec", ["exec", "--command", Installation.sallyport])
        try await self.use(.installed, kubeconfig, self.environment(served))
        let record = try self.lastRecord(served)
        #expect(record.user?.username == "alice@example.org" && record.annotations?["sallyport.dev/authentication"] == "issuedToken")
        let records = try AuditLine.read(served.file("audit/requests.jsonl"))
        #expect(records.filter { $0.annotations?["sallyport.dev/issued"] == "token exchanged" }.count == 1)
      }
      await provider.close()
    }
  }
}
