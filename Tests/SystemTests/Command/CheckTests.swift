import Foundation
import SallyportPKI
import TestSupport
import Testing

extension SystemTests {
  @Suite(.serialized) struct CheckTests {
    @Test func aGoodConfigurationIsGood() async throws {
      try await ServedGateway.with { served in
        let check = try await sallyport("check", "--config", served.file("sallyport.yaml"))
        #expect(check.status == 0 && check.errors.isEmpty, "\(check.transcript)")
        #expect(check.output.hasSuffix("1 listener(s), 1 route(s), 1 upstream(s): good\n"))
      }
    }

    @Test func allFaultsAreListedAtOnceEachWithItsPlace() async throws {
      let directory = TemporaryDirectory()
      let file = try directory.write(
        """
        apiVersion: sallyport.dev/v1alpha1
        kind: Gateway
        listeners:
        - name: main
          address: 127.0.0.1
          tls: {certificateFile: server.pem, privateKeyFile: server.key, clientCaFile: client-ca.pem}
        authentication: {clientCertificates: {}}
        credentials:
        - name: front-proxy
          requestHeaders: {certificateFile: front-proxy.pem, privateKeyFile: front-proxy.key}
        upstreams:
        - name: kubernetes
          kind: kubernets
          servers: ["https://127.0.0.1:6443"]
          connectTimeout: 5
          caFile: server-ca.pem
        routes:
        - name: api
          upstream: kubernetes
          credential: front-proxy
          authenticate: [clientCertificate, password]
          anonymous: [readyz]
        audit: {directory: audit}

        """, to: "bad.yaml")
      let check = try await sallyport("check", "--config", file)
      #expect(check.status == 1 && check.output.isEmpty)
      let lines = check.errors.split(separator: "\n")
      for place in [
        "5:12: listeners[0].address:", "6:66: listeners[0].tls.clientCaFile:", "13:9: upstreams[0].kind:",
        "15:19: upstreams[0].connectTimeout:", "22:15: routes[0].anonymous[0]:",
      ] {
        #expect(lines.contains { $0.hasPrefix("\(file):\(place) ") }, "\(place) is missing in \(check.errors)")
      }
    }

    @Test func filesThatAreMissingAreListedToo() async throws {
      try await ServedGateway.with { served in
        for name in ["server.key", "front-proxy.pem", "client-ca.pem"] { try FileManager.default.removeItem(atPath: served.file(name)) }
        let check = try await sallyport("check", "--config", served.file("sallyport.yaml"))
        #expect(check.status == 1)
        for name in ["server.key", "front-proxy.pem", "client-ca.pem"] { #expect(check.errors.contains(name), "\(check.transcript)") }
      }
    }

    /// `--probe` asks a directory and a provider, and says in plain words what they lack.
    @Test func whomTheConfigurationDependsOnIsAsked() async throws {
      let pki = try TestPKI()
      let directory = try await DirectoryServer(pki: pki)
      let provider = try await TestProvider(certificate: pki.server)
      let issuer = provider.issuer
      let keySet = try TokenMint.keySet(TokenMint.Key())
      provider.answer { path, channel in
        switch path {
        case "/.well-known/openid-configuration":
          TestProvider.send(#"{"issuer":"\#(issuer)","jwks_uri":"\#(issuer)/keys"}"#, to: channel)
        case "/keys": TestProvider.send(keySet, to: channel)
        default: TestProvider.send(#"{"active":false}"#, to: channel)
        }
      }
      let change: ServedGateway.Change = { configuration, files in
        try files.write(pki.serverAuthority.certificatePEM, to: "idp-ca.pem")
        try files.write("the-secret\n", to: "client-secret")
        try files.write(DirectoryServer.servicePassword + "\n", to: "service-password")
        configuration =
          configuration
          .replacing(
            "authentication: {clientCertificates: {}}",
            with: """
              authentication:
                clientCertificates: {}
                passwords:
                - ldap:
                    urls: ["\(directory.tlsURL)"]
                    caFile: \(directory.caFile)
                    bindDN: \(DirectoryServer.service)
                    bindPasswordFile: service-password
                    users: {base: "ou=people,dc=example,dc=org", filter: "(uid={username})", username: uid}
                tokens:
                - jwt:
                    issuer: {url: "\(issuer)", audiences: [kubernetes], certificateAuthorityFile: idp-ca.pem}
                    claimMappings: {username: {claim: sub}}
                - introspection:
                    {url: "\(issuer)/introspect", clientID: sallyport, clientSecretFile: client-secret,
                     certificateAuthorityFile: idp-ca.pem, claimMappings: {username: {claim: username}}}
              """
          )
          .replacing("[clientCertificate]", with: "[clientCertificate, password, token]")
      }
      try await ServedGateway.with(changing: change) { served in
        let good = try await sallyport("check", "--probe", "--config", served.file("sallyport.yaml"))
        #expect(good.status == 0, "\(good.transcript)")
        for line in [
          "\(directory.tlsURL): is reached over TLS, admits the bindDN, has users.base",
          "issuer \(issuer): discovery answers, 1 key(s) can be used",
          "introspection at \(issuer)/introspect: answers, and does not know a token that was made up",
        ] { #expect(good.output.contains(line + "\n"), "\(line) is missing in \(good.transcript)") }

        try served.directory.write("another\n", to: "service-password")
        provider.answer { _, channel in TestProvider.send("", status: "401 Unauthorized", to: channel) }
        let bad = try await sallyport("check", "--probe", "--config", served.file("sallyport.yaml"))
        #expect(bad.status == 1, "\(bad.transcript)")
        for words in [
          "does not admit the bindDN", "issuer \(issuer): the discovery document is answered with status 401", "check clientID",
        ] {
          #expect(bad.errors.contains(words), "\(words) is missing in \(bad.transcript)")
        }
        #expect(!bad.transcript.contains("the-secret") && !bad.transcript.contains("another"))
        // Without it nobody is asked.
        #expect(try await sallyport("check", "--config", served.file("sallyport.yaml")).status == 0)
      }
      await provider.close()
      try await directory.stop()
    }

    @Test(arguments: [
      ["check"], ["serve", "--config"], ["check", "--config", "a.yaml", "b.yaml"], ["demo", "--port", "many"], ["pki", "client"],
      ["password", "--group", "edit"], ["kubeconfig", "--server", "https://localhost", "--method", "magic"], ["nothing-of-the-kind"],
    ])
    func wrongUsageExitsWithTwo(_ arguments: [String]) async throws {
      let usage = try await run(Installation.sallyport, arguments)
      #expect(usage.status == 2 && usage.output.isEmpty, "\(usage.transcript)")
      #expect(usage.errors.contains("Usage: sallyport"), "\(usage.errors)")
    }

    @Test func helpIsNoFault() async throws {
      let help = try await sallyport("--help")
      #expect(help.status == 0)
      for command in ["serve", "check", "demo", "pki", "password", "kubeconfig"] { #expect(help.output.contains("  \(command) ")) }
    }
  }
}
